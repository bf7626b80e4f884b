// One value of a condition in a policy, read once, and how a request's value compares with it. Pure. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "auth/wildcard.h"

namespace lambent::auth {

/// How an operator compares, before it is negated.
enum class Comparison {
  text,
  text_ignoring_case,
  text_pattern,
  arn,
  number_equals,
  number_less,
  number_less_equals,
  number_greater,
  number_greater_equals,
  date_equals,
  date_less,
  date_less_equals,
  date_greater,
  date_greater_equals,
  address,
};

class ComparedValue {
 public:
  /// Nothing for a value that is none of the comparison's: a date that does not exist, an address that is none.
  static std::optional<ComparedValue> read(Comparison comparison, std::string_view text);
  /// Of a pattern whose wildcards are told apart from characters: comparisons of strings and ARNs only, which take all.
  static ComparedValue read(Comparison comparison, const Pattern& pattern);

  /// False for a value of the request that is none of the comparison's.
  bool matches(std::string_view request) const;
  std::size_t bytes() const;

  /// An address or a block of them; IPv4 as IPv6 maps it.
  struct Block {
    std::array<std::uint8_t, 16> bytes{};
    int prefix_bits = 128;
  };
  /// The six parts of an ARN each by themselves: no wildcard reaches over a colon, but in the resource.
  using ArnPattern = std::array<Wildcard, 6>;

 private:
  using Value = std::variant<std::string, Wildcard, ArnPattern, double, Block>;
  ComparedValue(Comparison comparison, Value value) : comparison_(comparison), value_(std::move(value)) {}

  Comparison comparison_;
  Value value_;
};

/// Seconds since 1970: a number of them, or ISO 8601 ("2026-01-31", "2026-01-31T12:00:00Z", with fractions, with an offset).
std::optional<double> parse_condition_date(std::string_view text);

}  // namespace lambent::auth
