// AWS's runtime identifiers: every value of Runtime in Lambda's service model, with what AWS says of its life.
//
// Constant. Dates are those of the Developer Guide, "Lambda runtimes" ("Runtime deprecation policy", the tables of supported
// and deprecated runtimes), as of November 2026.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lambent::runtimes {

enum class Family { python, nodejs, ruby, java, dotnet, go, provided };

struct Identifier {
  /// "python3.13"
  std::string_view name;
  Family family;
  /// What tells two versions of the family apart, growing with age: 13 for Python 3.13, 20 for Node.js 20, 34 for Ruby 3.4,
  /// 21 for Java 21; 0 where there are no versions.
  int generation;
  /// "2025-12-15"; empty when AWS has not said. Deprecated: no patches any more. After the other two no function can be
  /// created with it, and none that has it can be updated.
  std::string_view deprecated = {};
  std::string_view block_create = {};
  std::string_view block_update = {};
};

/// By family, then generation.
std::span<const Identifier> identifiers();
/// Null when there is no such identifier.
const Identifier* find_identifier(std::string_view name);

/// "Python", "Node.js", "Ruby", "Java", ".NET", "Go", "OS-only".
std::string_view language_of(Family family);
/// "3.13" of generation 13 of Python, "22", "3.4", "21".
std::string version_text(Family family, int generation);

/// "2026-11-22", to compare with an identifier's dates.
std::string date_text(std::chrono::system_clock::time_point now);

enum class Change { create, update };
/// AWS's words to whoever creates or updates a function with a runtime that AWS has blocked for that by `today`; nothing
/// when AWS would still do it.
std::optional<std::string> retired(std::string_view identifier, Change change, std::string_view today);

}  // namespace lambent::runtimes
