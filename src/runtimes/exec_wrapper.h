// AWS_LAMBDA_EXEC_WRAPPER: the script that a managed runtime is started through ("Modifying the runtime environment").
#pragma once

#include <string>
#include <vector>

#include "runtimes/catalog.h"

namespace lambent::runtimes {

/// `argv` as the wrapper's arguments when the environment names one. An OS-only runtime has none: its bootstrap is the
/// function's own. Status 127 when the wrapper does not exist, 126 when it cannot be executed, as from a shell.
std::vector<std::string> with_exec_wrapper(std::vector<std::string> argv, const std::vector<std::string>& environment,
                                           const Runtime& runtime);

}  // namespace lambent::runtimes
