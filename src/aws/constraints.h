// The model's constraints on one value, and AWS's words for breaking them.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "aws/model.h"

namespace re2 {
class RE2;
}

namespace lambent::aws {

/// A pattern of the model, compiled when it is first needed: most are never needed. Any thread.
class Pattern {
 public:
  /// `source` in re2's syntax; it must outlive the pattern.
  explicit Pattern(std::string_view source);
  ~Pattern();
  /// The whole text matches, as AWS means its patterns.
  bool matches(std::string_view text) const;
  /// False when re2 does not know the syntax: the model's patch must then translate it (model_test.cc checks all).
  bool compiles() const;
  std::string_view source() const { return source_; }

 private:
  const re2::RE2& compiled() const;
  std::string_view source_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<re2::RE2> regex_;
};

/// A shape's constraints. `pattern` is null when it has none.
struct Constraints {
  model::Shape shape;
  const Pattern* pattern = nullptr;

  bool any() const;
  // Each appends one sentence for each constraint that the value breaks ("Member must ...").
  void check_text(std::string_view value, std::vector<std::string>& broken) const;
  void check_number(double value, std::vector<std::string>& broken) const;
  /// Of a blob in bytes, of a list or map in entries.
  void check_size(std::size_t size, std::vector<std::string>& broken) const;
  /// Every constraint, joined as AWS does where it speaks of a list's members or a map's keys.
  std::string all() const;
};

/// "Member must satisfy enum value set: [a, b]". Also for services that must refuse a value later than the codec does.
std::string enum_set(const model::Shape& shape);

inline constexpr std::string_view must_not_be_null = "Member must not be null";

}  // namespace lambent::aws
