// The small commands beside `serve`. Each returns the program's exit status.
#pragma once

#include <filesystem>
#include <string>

namespace lambent::app {

/// "0.1.0"
std::string version();
/// `lambent credentials`: the server's `export` lines.
int print_credentials(const std::filesystem::path& data);
/// `lambent coverage`: docs/COVERAGE.md as the operation tables of this build say it.
int print_coverage();

}  // namespace lambent::app
