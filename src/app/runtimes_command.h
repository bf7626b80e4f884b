// `lambent runtimes list|install|remove`: the versions of languages that functions can run on. Each returns the program's
// exit status and speaks to the terminal.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lambent::app {

struct RuntimesOptions {
  /// The server's data directory, whose roots/ is used unless `roots` is given.
  std::filesystem::path data;
  /// --runtimes-dir
  std::filesystem::path roots;
  /// --mirror: Debian's archive; empty for the machine's own.
  std::string mirror;
  bool json = false;
  /// Runtime identifiers ("python3.13", "java17.al2023") or names of installed roots ("nodejs22").
  std::vector<std::string> names;
};

int list_runtimes(const RuntimesOptions& options);
int install_runtimes(const RuntimesOptions& options);
int remove_runtimes(const RuntimesOptions& options);

}  // namespace lambent::app
