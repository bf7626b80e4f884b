#include "aws/timestamps.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

namespace lambent::aws {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// 0001-01-01 and 9999-12-31T23:59:59.999 UTC.
constexpr std::int64_t first_ms = -62135596800000;
constexpr std::int64_t last_ms = 253402300799999;

struct Parts {
  year_month_day date;
  hh_mm_ss<milliseconds> time;
  weekday day;
};

Parts parts_of(Timestamp time) {
  const sys_time<milliseconds> point{milliseconds(time.ms)};
  const auto days = floor<std::chrono::days>(point);
  return {year_month_day(days), hh_mm_ss<milliseconds>(point - days), weekday(days)};
}

/// Takes digits and literals off the front of a text; false ever after once something did not fit.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    int value = 0;
    if (rest_.size() < digits) return fail();
    for (std::size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  void literal(std::string_view text) {
    if (rest_.starts_with(text))
      rest_.remove_prefix(text.size());
    else
      fail();
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// The index of the word found, or failure.
  template <std::size_t N>
  int word(const std::array<std::string_view, N>& words) {
    for (std::size_t i = 0; i < N; ++i) {
      if (!rest_.starts_with(words[i])) continue;
      rest_.remove_prefix(words[i].size());
      return static_cast<int>(i);
    }
    return fail();
  }
  /// Up to nine digits after a decimal point, as milliseconds.
  int fraction() {
    int ms = 0, scale = 100, digits = 0;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9' && digits < 9) {
      ms += (rest_[0] - '0') * scale;
      scale /= 10;
      rest_.remove_prefix(1);
      ++digits;
    }
    return digits > 0 ? ms : fail();
  }
  bool at_end() const { return good_ && rest_.empty(); }

 private:
  int fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, offset_min = 0;
};

std::optional<Timestamp> combine(const Fields& f) {
  const auto date = year(f.year) / month(static_cast<unsigned>(f.month)) / day(static_cast<unsigned>(f.day));
  if (!date.ok() || f.year < 1 || f.hour > 23 || f.minute > 59 || f.second > 60) return std::nullopt;
  const auto point = sys_days(date) + hours(f.hour) + minutes(f.minute - f.offset_min) + seconds(f.second);
  return Timestamp{duration_cast<milliseconds>(point.time_since_epoch()).count() + f.ms};
}

std::optional<Timestamp> parse_iso8601(std::string_view text) {
  Scanner scan(text);
  Fields f;
  f.year = scan.number(4), scan.literal("-");
  f.month = scan.number(2), scan.literal("-");
  f.day = scan.number(2), scan.literal("T");
  f.hour = scan.number(2), scan.literal(":");
  f.minute = scan.number(2), scan.literal(":");
  f.second = scan.number(2);
  if (scan.take('.')) f.ms = scan.fraction();
  const int sign = scan.take('+') ? 1 : scan.take('-') ? -1 : 0;
  if (sign == 0) {
    scan.literal("Z");
  } else {
    const int h = scan.number(2);
    scan.take(':');
    f.offset_min = sign * (h * 60 + scan.number(2));
  }
  return scan.at_end() ? combine(f) : std::nullopt;
}

std::optional<Timestamp> parse_rfc822(std::string_view text) {
  Scanner scan(text);
  Fields f;
  scan.word(weekdays), scan.literal(", ");
  f.day = scan.number(2), scan.literal(" ");
  f.month = scan.word(months) + 1, scan.literal(" ");
  f.year = scan.number(4), scan.literal(" ");
  f.hour = scan.number(2), scan.literal(":");
  f.minute = scan.number(2), scan.literal(":");
  f.second = scan.number(2), scan.literal(" GMT");
  return scan.at_end() ? combine(f) : std::nullopt;
}

}  // namespace

std::string iso8601(Timestamp time) {
  const auto p = parts_of(time);
  const auto ms = p.time.subseconds().count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", static_cast<int>(p.date.year()),
                     static_cast<unsigned>(p.date.month()), static_cast<unsigned>(p.date.day()), p.time.hours().count(),
                     p.time.minutes().count(), p.time.seconds().count(),
                     ms == 0 ? std::string() : fmt::format(".{:03}", ms));
}

std::string rfc822(Timestamp time) {
  const auto p = parts_of(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[p.day.c_encoding()],
                     static_cast<unsigned>(p.date.day()), months[static_cast<unsigned>(p.date.month()) - 1],
                     static_cast<int>(p.date.year()), p.time.hours().count(), p.time.minutes().count(),
                     p.time.seconds().count());
}

std::string epoch_seconds(Timestamp time) {
  const auto whole = floor<seconds>(milliseconds(time.ms));
  const auto ms = time.ms - duration_cast<milliseconds>(whole).count();
  if (ms == 0) return fmt::format("{}", whole.count());
  // Before 1970 the fraction counts down from zero, not up from the floor.
  if (time.ms < 0) return fmt::format("-{}.{:03}", -time.ms / 1000, -time.ms % 1000);
  return fmt::format("{}.{:03}", whole.count(), ms);
}

std::string write_timestamp(Timestamp time, model::TimestampFormat format) {
  switch (format) {
    case model::TimestampFormat::iso8601:
      return iso8601(time);
    case model::TimestampFormat::rfc822:
      return rfc822(time);
    default:
      return epoch_seconds(time);
  }
}

std::optional<Timestamp> from_epoch_seconds(double seconds) {
  const double ms = std::round(seconds * 1000);
  if (!(ms >= static_cast<double>(first_ms) && ms <= static_cast<double>(last_ms))) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(ms)};
}

std::optional<Timestamp> read_timestamp(std::string_view text, model::TimestampFormat format) {
  switch (format) {
    case model::TimestampFormat::iso8601:
      return parse_iso8601(text);
    case model::TimestampFormat::rfc822:
      return parse_rfc822(text);
    default:
      break;
  }
  double seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return from_epoch_seconds(seconds);
}

}  // namespace lambent::aws
