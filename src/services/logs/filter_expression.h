// The conditions inside a filter pattern's braces and brackets: comparisons joined by &&, || and parentheses.
//
// Immutable once read; any thread. Throws aws::Error InvalidParameterException for what cannot be read.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace lambent::logs {

/// Throws InvalidParameterException: "Invalid filter pattern", AWS's only words for it, or `message`.
[[noreturn]] void invalid_pattern(std::string_view message = "Invalid filter pattern");

/// A %regular expression%, with the characters and operators that AWS allows.
std::shared_ptr<const re2::RE2> read_regex(std::string_view source);
bool regex_finds(const re2::RE2& regex, std::string_view text);

/// One step of $.users[0].name: a name, a number, or any element.
struct PathStep {
  std::string name;
  std::optional<std::size_t> index;
  bool any = false;
};

enum class Comparison {
  equal,
  unequal,
  less,
  greater,
  at_most,
  at_least,
  exists,
  not_exists,
  is_null,
  is_true,
  is_false
};

struct Condition {
  /// Of a JSON pattern.
  std::vector<PathStep> path;
  /// Of a space-delimited one.
  std::string field;
  Comparison comparison = Comparison::exists;
  std::string value;
  /// The value as a number, when it is one and was not quoted.
  std::optional<double> number;
  std::shared_ptr<const re2::RE2> regex;

  bool accepts(std::string_view text) const;
  bool accepts(const boost::json::value& value) const;
};

class Expression {
 public:
  enum class Form { json, fields };
  static Expression read(std::string_view source, Form form);

  /// `root` is the event as JSON.
  bool matches(const boost::json::value& root) const;
  /// `text` is the field that the expression stands for.
  bool matches(std::string_view text) const;
  /// The name that every condition has; the expression is refused when they differ.
  const std::string& field() const;

 private:
  friend class ExpressionReader;
  enum class Kind { condition, all, any };
  Kind kind_ = Kind::all;
  Condition condition_;
  std::vector<Expression> parts_;

  template <class Subject>
  bool evaluate(const Subject& subject) const;
};

}  // namespace lambent::logs
