// The interpreters that there are: those of the host's /usr, and those that were installed as roots of their own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtimes/identifiers.h"

namespace lambent::runtimes {

struct Interpreter {
  /// Inside the root: "/usr/bin/python3.11".
  std::string path;
  /// "3.11.2"
  std::string version;
  /// As in Identifier: 11 for Python 3.11.2, 20 for Node.js 20.20.2, 33 for Ruby 3.3.8, 21 for Java 21.0.12, 8 for .NET 8.0.11.
  int generation = 0;
  /// sandbox::Spec::root: "host", or the name of an installed root.
  std::string root = "host";
  /// The directory of this machine that `path` lies beneath.
  std::filesystem::path outside = "/";
};

/// Python 3.8 to 3.19 in /usr/bin beneath `root`, by generation.
std::vector<Interpreter> find_pythons(const std::filesystem::path& root);
/// Node.js 18 and newer.
std::vector<Interpreter> find_nodes(const std::filesystem::path& root);
/// Ruby 2.7 and newer.
std::vector<Interpreter> find_rubies(const std::filesystem::path& root);
/// Java 8 and newer, in /usr/lib/jvm; none is started, which would take longer than everything else together.
std::vector<Interpreter> find_javas(const std::filesystem::path& root);
/// .NET Core 3 and newer, where Debian's, Ubuntu's and Microsoft's packages put it; none is started either. `path` is that of the
/// program `dotnet`, which all versions of one directory share.
std::vector<Interpreter> find_dotnets(const std::filesystem::path& root);

/// What `lambent runtimes install` has made beneath `roots`, by generation. What is not complete is not seen.
std::vector<Interpreter> find_installed(const std::filesystem::path& roots, Family family);

/// "21.0.12" of the lines of a JDK's release file, or "" when there is none.
std::string java_version(std::string_view release);
/// 33 of "3.3.8" for Ruby and so on; -1 when the text is no version that can run functions.
int generation_of(Family family, std::string_view version);

}  // namespace lambent::runtimes
