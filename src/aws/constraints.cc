#include "aws/constraints.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cstdlib>

#include "aws/scalar_text.h"

namespace lambent::aws {
namespace {

/// Unicode code points, as the Smithy specification counts a string's length.
std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (const unsigned char c : text) count += (c & 0xC0) != 0x80;
  return count;
}

bool in_enum(const model::Shape& shape, std::string_view value) {
  for (std::uint32_t i = 0; i < shape.enum_size(); ++i) {
    if (shape.enum_value(i) == value) return true;
  }
  return false;
}

std::string pattern_rule(const model::Shape& shape) {
  return fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern());
}

/// A bound of a floating number is written as one.
std::string bound_text(const model::Shape& shape, double bound) {
  return shape.kind() == model::ShapeKind::real ? real_in_message(bound) : fmt::format("{}", bound);
}

std::string at_most(const model::Shape& shape, std::string_view what) {
  return fmt::format("Member must have {} less than or equal to {}", what, bound_text(shape, *shape.max()));
}

std::string at_least(const model::Shape& shape, std::string_view what) {
  return fmt::format("Member must have {} greater than or equal to {}", what, bound_text(shape, *shape.min()));
}

std::string_view measure_of(model::ShapeKind kind) {
  using enum model::ShapeKind;
  return kind == integer || kind == long_integer || kind == real ? "value" : "length";
}

void check_bounds(const model::Shape& shape, double value, std::vector<std::string>& broken) {
  const auto what = measure_of(shape.kind());
  if (const auto max = shape.max(); max && value > *max) broken.push_back(at_most(shape, what));
  if (const auto min = shape.min(); min && value < *min) broken.push_back(at_least(shape, what));
}

}  // namespace

std::string enum_set(const model::Shape& shape) {
  std::string values;
  for (std::uint32_t i = 0; i < shape.enum_size(); ++i) {
    if (i > 0) values += ", ";
    values += shape.enum_value(i);
  }
  return fmt::format("Member must satisfy enum value set: [{}]", values);
}

Pattern::Pattern(std::string_view source) : source_(source) {}
Pattern::~Pattern() = default;

const re2::RE2& Pattern::compiled() const {
  std::call_once(once_, [this] {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    regex_ = std::make_unique<re2::RE2>(re2::StringPiece(source_.data(), source_.size()), options);
  });
  return *regex_;
}

bool Pattern::compiles() const { return compiled().ok(); }

bool Pattern::matches(std::string_view text) const {
  const auto& regex = compiled();
  if (!regex.ok()) std::abort();
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), regex);
}

bool Constraints::any() const {
  return pattern != nullptr || shape.enum_size() > 0 || shape.min().has_value() || shape.max().has_value();
}

void Constraints::check_text(std::string_view value, std::vector<std::string>& broken) const {
  // AWS's recorded messages name the pattern before the length.
  if (pattern != nullptr && !pattern->matches(value)) broken.push_back(pattern_rule(shape));
  if (shape.min() || shape.max()) check_bounds(shape, static_cast<double>(code_points(value)), broken);
  if (shape.enum_size() > 0 && !in_enum(shape, value)) broken.push_back(enum_set(shape));
}

void Constraints::check_number(double value, std::vector<std::string>& broken) const {
  check_bounds(shape, value, broken);
}

void Constraints::check_size(std::size_t size, std::vector<std::string>& broken) const {
  check_bounds(shape, static_cast<double>(size), broken);
}

std::string Constraints::all() const {
  std::vector<std::string> rules;
  const auto what = measure_of(shape.kind());
  if (shape.max()) rules.push_back(at_most(shape, what));
  if (shape.min()) rules.push_back(at_least(shape, what));
  if (pattern != nullptr) rules.push_back(pattern_rule(shape));
  if (shape.enum_size() > 0) rules.push_back(enum_set(shape));
  rules.emplace_back(must_not_be_null);
  return fmt::format("[{}]", fmt::join(rules, ", "));
}

}  // namespace lambent::aws
