// A stored function as the API shows it.
//
// Clients and infrastructure tools compare these answers member by member: what is not set is absent, what AWS always sends
// is always there.
#pragma once

#include <cstdint>
#include <string>

#include "services/lambda/shapes.h"
#include "store/functions.h"

namespace lambent::lambda {

/// `qualifier` as the caller named it: it shows in FunctionArn.
FunctionConfiguration configuration_of(const store::FunctionVersion& function, const std::string& qualifier = "");

/// As ListFunctions shows it: without the state and the runtime version, which AWS leaves to GetFunction.
FunctionConfiguration listed(const store::FunctionVersion& function, const std::string& qualifier = "");

/// "2026-01-31T12:34:56.789+0000"
std::string last_modified_text(std::int64_t ms);

}  // namespace lambent::lambda
