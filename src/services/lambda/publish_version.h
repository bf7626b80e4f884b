// What publishing makes of a function: the version, and $LATEST as it is afterwards.
#pragma once

#include <optional>
#include <string>

#include "services/lambda/lambda.h"

namespace lambent::lambda {

/// The next version of `latest`, which is changed with it: it counts its versions and has a new revision. `description` in
/// place of the function's own. The version of a function that is being created or updated is Pending until it is settled.
store::FunctionVersion publish(store::FunctionVersion& latest, const std::optional<std::string>& description);

}  // namespace lambent::lambda
