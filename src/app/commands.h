// The small commands beside `serve`. Each returns the program's exit status.
#pragma once

#include <filesystem>
#include <string>

namespace lambent::app {

/// "0.1.0"
std::string version();
/// `lambent credentials`: the server's `export` lines.
int print_credentials(const std::filesystem::path& data);

}  // namespace lambent::app
