// The interpreters that a root file system has in /usr/bin.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lambent::runtimes {

struct Interpreter {
  /// Inside the root: "/usr/bin/python3.11".
  std::string path;
  /// "3.11.2"
  std::string version;
  /// What AWS's identifiers tell apart: 11 for Python 3.11.2, 20 for Node.js 20.20.2.
  int generation = 0;
};

/// Python 3.8 to 3.19, by generation.
std::vector<Interpreter> find_pythons(const std::filesystem::path& root);
/// Node.js, by generation.
std::vector<Interpreter> find_nodes(const std::filesystem::path& root);

}  // namespace lambent::runtimes
