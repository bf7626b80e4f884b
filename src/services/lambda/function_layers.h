// The layers that a function asks for, as it will use them.
#pragma once

#include <vector>

#include "services/lambda/lambda.h"

namespace lambent::lambda {

/// AWS quota "Function layers".
constexpr std::size_t kMaxLayers = 5;

/// Finds every layer of `arns`, for the owner of `function`. Throws InvalidParameterValueException in AWS's words for too many of
/// them, one that does not exist or is of another region, two versions of one layer; AccessDeniedException for another account's
/// that its policy does not let the caller use.
std::vector<store::LayerUse> find_layers(const Lambda& lambda, const aws::Caller& caller,
                                         const store::FunctionKey& function, const Texts& arns);

/// The 250 MB that code and layers have together, unpacked.
void check_unzipped_size(const store::FunctionVersion& function);

}  // namespace lambent::lambda
