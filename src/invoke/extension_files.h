// The external extensions that a function's layers bring, and what they are told of it. Files are looked at: a few microseconds
// for each layer that has an extensions directory, none for a function without layers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/function_version.h"

namespace lambent::invoke {

/// The names of the files directly in /opt/extensions, sorted, at most as many as may register. `trees` holds the unpacked
/// layers by hash.
std::vector<std::string> extension_names(const std::filesystem::path& trees, const store::FunctionVersion& function);

/// The function's variables without those that are the runtime's alone ("Lambda Extensions API", "Accessing environment
/// variables").
std::vector<std::string> extension_environment(const std::vector<std::string>& environment);

}  // namespace lambent::invoke
