#include "auth/condition_value.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <vector>

#include "base/bytes.h"

namespace lambent::auth {
namespace {

using Block = ComparedValue::Block;
using ArnPattern = ComparedValue::ArnPattern;

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<Block> parse_block(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Block block;
  int family_bits = 128;
  if (inet_pton(AF_INET6, address.c_str(), block.bytes.data()) != 1) {
    family_bits = 32;
    block.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (inet_pton(AF_INET, address.c_str(), block.bytes.data() + 12) != 1) return std::nullopt;
  }
  if (slash == std::string_view::npos) return block;
  const auto prefix = base::parse_decimal(text.substr(slash + 1));
  if (!prefix || *prefix > static_cast<std::uint64_t>(family_bits)) return std::nullopt;
  block.prefix_bits = static_cast<int>(*prefix) + 128 - family_bits;
  return block;
}

bool covers(const Block& block, const Block& address) {
  if (address.prefix_bits < block.prefix_bits) return false;
  for (int bit = 0; bit < block.prefix_bits; bit += 8) {
    const int left = std::min(8, block.prefix_bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - left));
    const auto at = static_cast<std::size_t>(bit / 8);
    if (((block.bytes[at] ^ address.bytes[at]) & mask) != 0) return false;
  }
  return true;
}

/// The six parts of an ARN; colons beyond the fifth belong to the resource. Nothing for what has fewer.
std::optional<std::array<std::string_view, 6>> arn_parts(std::string_view text) {
  std::array<std::string_view, 6> parts;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    parts[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  parts[5] = text;
  return parts;
}

ArnPattern arn_pattern(std::u16string_view pattern) {
  ArnPattern parts{Wildcard(u""), Wildcard(u""), Wildcard(u""), Wildcard(u""), Wildcard(u""), Wildcard(u"")};
  std::u16string_view rest = pattern;
  // What is not an ARN at all is none; "*" is every ARN.
  if (std::count(pattern.begin(), pattern.end(), u':') < 5) {
    parts[0] = Wildcard(pattern);
    if (pattern == Pattern(1, kAnyRun)) parts.fill(Wildcard(pattern));
    return parts;
  }
  for (std::size_t i = 0; i < 5; ++i) {
    const auto colon = rest.find(u':');
    parts[i] = Wildcard(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  parts[5] = Wildcard(rest);
  return parts;
}

bool matches_arn(const ArnPattern& pattern, std::string_view text) {
  const auto parts = arn_parts(text);
  if (!parts) return false;
  for (std::size_t i = 0; i < parts->size(); ++i)
    if (!pattern[i].matches((*parts)[i])) return false;
  return true;
}

/// Digits at the front of `text`, which is shortened by them.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  const auto number = base::parse_decimal(text.substr(0, std::min(count, text.size())));
  if (!number || text.size() < count) return std::nullopt;
  text.remove_prefix(count);
  return static_cast<int>(*number);
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// "Z", "+02:00", "+0200", "-01", or nothing at all: seconds to the east.
std::optional<double> parse_offset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const bool west = text.front() == '-';
  if (!west && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 14) return std::nullopt;
  int minutes = 0;
  if (!text.empty()) {
    take(text, ':');
    const auto given = take_digits(text, 2);
    if (!given || *given > 59 || !text.empty()) return std::nullopt;
    minutes = *given;
  }
  return (west ? -60.0 : 60.0) * (*hours * 60 + minutes);
}

/// "12:00", "12:00:00", "12:00:00.5", each with an offset: seconds of the day in UTC.
std::optional<double> parse_time(std::string_view text) {
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  double seconds = 0;
  if (take(text, ':')) {
    const auto whole = take_digits(text, 2);
    if (!whole || *whole > 60) return std::nullopt;
    seconds = *whole;
    if (text.starts_with('.')) {
      const auto digits = text.find_first_not_of("0123456789", 1);
      const auto fraction = parse_number("0" + std::string(text.substr(0, digits)));
      if (!fraction) return std::nullopt;
      seconds += *fraction;
      text.remove_prefix(std::min(digits, text.size()));
    }
  }
  const auto offset = parse_offset(text);
  if (!offset) return std::nullopt;
  return *hours * 3600.0 + *minutes * 60.0 + seconds - *offset;
}

/// Of two numbers, by the comparison's kind.
bool compare(Comparison comparison, double request, double value) {
  switch (comparison) {
    case Comparison::number_equals:
    case Comparison::date_equals:
      return request == value;
    case Comparison::number_less:
    case Comparison::date_less:
      return request < value;
    case Comparison::number_less_equals:
    case Comparison::date_less_equals:
      return request <= value;
    case Comparison::number_greater:
    case Comparison::date_greater:
      return request > value;
    default:
      return request >= value;
  }
}

bool is_date(Comparison comparison) {
  return comparison >= Comparison::date_equals && comparison <= Comparison::date_greater_equals;
}

}  // namespace

std::optional<double> parse_condition_date(std::string_view text) {
  if (text.find_first_not_of("0123456789.") == std::string_view::npos) return parse_number(text);
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const auto midnight = static_cast<double>(sys_seconds(sys_days(date)).time_since_epoch().count());
  if (text.empty()) return midnight;
  if (!take(text, 'T') && !take(text, 't')) return std::nullopt;
  const auto time = parse_time(text);
  if (!time) return std::nullopt;
  return midnight + *time;
}

std::optional<ComparedValue> ComparedValue::read(Comparison comparison, std::string_view text) {
  switch (comparison) {
    case Comparison::text:
    case Comparison::text_ignoring_case:
    case Comparison::text_pattern:
    case Comparison::arn:
      return read(comparison, read_pattern(text));
    case Comparison::address:
      if (const auto block = parse_block(text)) return ComparedValue(comparison, *block);
      return std::nullopt;
    default:
      if (const auto number = is_date(comparison) ? parse_condition_date(text) : parse_number(text))
        return ComparedValue(comparison, *number);
      return std::nullopt;
  }
}

ComparedValue ComparedValue::read(Comparison comparison, const Pattern& pattern) {
  switch (comparison) {
    case Comparison::text_pattern:
      return ComparedValue(comparison, Wildcard(pattern));
    case Comparison::arn:
      return ComparedValue(comparison, arn_pattern(pattern));
    case Comparison::text_ignoring_case:
      return ComparedValue(comparison, base::lower(pattern_text(pattern)));
    default:
      return ComparedValue(comparison, pattern_text(pattern));
  }
}

bool ComparedValue::matches(std::string_view request) const {
  switch (comparison_) {
    case Comparison::text:
      return std::get<std::string>(value_) == request;
    case Comparison::text_ignoring_case:
      return std::get<std::string>(value_) == base::lower(request);
    case Comparison::text_pattern:
      return std::get<Wildcard>(value_).matches(request);
    case Comparison::arn:
      return matches_arn(std::get<ArnPattern>(value_), request);
    case Comparison::address: {
      const auto address = parse_block(request);
      return address && covers(std::get<Block>(value_), *address);
    }
    default: {
      const auto number = is_date(comparison_) ? parse_condition_date(request) : parse_number(request);
      return number && compare(comparison_, *number, std::get<double>(value_));
    }
  }
}

std::size_t ComparedValue::bytes() const {
  std::size_t total = sizeof *this;
  if (const auto* text = std::get_if<std::string>(&value_)) total += text->capacity();
  if (const auto* pattern = std::get_if<Wildcard>(&value_)) total += pattern->bytes();
  if (const auto* arn = std::get_if<ArnPattern>(&value_))
    for (const Wildcard& part : *arn) total += part.bytes();
  return total;
}

}  // namespace lambent::auth
