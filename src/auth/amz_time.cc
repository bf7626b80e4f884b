#include "auth/amz_time.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "base/bytes.h"

namespace lambent::auth {
namespace {

struct Fields {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

std::optional<std::int64_t> to_seconds(const Fields& f) {
  const std::chrono::year_month_day day{std::chrono::year(f.year), std::chrono::month(f.month),
                                        std::chrono::day(f.day)};
  // 60 would be a leap second, which no client's clock shows.
  if (!day.ok() || f.hour > 23 || f.minute > 59 || f.second > 59) return std::nullopt;
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return std::int64_t{days} * 86'400 + f.hour * 3600 + f.minute * 60 + f.second;
}

/// Reads `text` by `shape`, where Y M D h m s stand for digits of the fields and anything else for itself.
std::optional<std::int64_t> parse_by(std::string_view shape, std::string_view text) {
  if (text.size() != shape.size()) return std::nullopt;
  Fields f;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    unsigned* field = nullptr;
    switch (shape[i]) {
      case 'M':
        field = &f.month;
        break;
      case 'D':
        field = &f.day;
        break;
      case 'h':
        field = &f.hour;
        break;
      case 'm':
        field = &f.minute;
        break;
      case 's':
        field = &f.second;
        break;
      case 'Y':
        break;
      default:
        if (text[i] != shape[i]) return std::nullopt;
        continue;
    }
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    const unsigned digit = static_cast<unsigned>(text[i] - '0');
    if (field)
      *field = *field * 10 + digit;
    else
      f.year = f.year * 10 + static_cast<int>(digit);
  }
  return to_seconds(f);
}

std::optional<std::int64_t> parse_rfc1123(std::string_view text) {
  constexpr std::array<std::string_view, 7> days = {"Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, "};
  constexpr std::array<std::string_view, 12> months = {" Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
                                                       " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec "};
  bool known_zone = false;
  for (const std::string_view zone : {" GMT", " UTC", " +0000", " -0000"}) {
    if (!text.ends_with(zone)) continue;
    text.remove_suffix(zone.size());
    known_zone = true;
    break;
  }
  if (!known_zone || text.size() != 25) return std::nullopt;
  bool known_day = false;
  for (const auto day : days) known_day |= text.starts_with(day);
  if (!known_day) return std::nullopt;
  for (std::size_t i = 0; i < months.size(); ++i) {
    if (text.substr(7, 5) != months[i]) continue;
    const std::string rest = fmt::format("{}{:02}{}", text.substr(5, 2), i + 1, text.substr(12));
    return parse_by("DDMMYYYY hh:mm:ss", rest);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_amz_date(std::string_view text) { return parse_by("YYYYMMDDThhmmssZ", text); }

std::optional<std::int64_t> parse_date_header(std::string_view text) {
  if (const auto basic = parse_amz_date(text)) return basic;
  if (const auto extended = parse_by("YYYY-MM-DDThh:mm:ssZ", text)) return extended;
  return parse_rfc1123(text);
}

std::string format_amz_date(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

}  // namespace lambent::auth
