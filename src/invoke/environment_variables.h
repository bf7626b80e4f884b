// The environment variables that a function's process gets: AWS's promise (Lambda Developer Guide, "Defined runtime
// environment variables"; facts/runtime.md section 2) and nothing of the server's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtimes/catalog.h"
#include "store/functions.h"

namespace lambent::invoke {

struct RoleCredentials;

/// NAME=VALUE, sorted. The customer's variables win over the common ones; reserved ones were refused when they were set.
/// `initialization`: AWS_LAMBDA_INITIALIZATION_TYPE.
std::vector<std::string> environment_variables(const store::FunctionVersion& function, const runtimes::Runtime& runtime,
                                               const RoleCredentials& credentials, const std::string& log_stream,
                                               std::string_view initialization);

}  // namespace lambent::invoke
