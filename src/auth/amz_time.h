// The three ways in which a signed request writes its time, and the one in which a string to sign does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lambent::auth {

/// "20260131T235959Z" (ISO 8601 basic) to seconds since 1970. Nothing for any other form or a date that does not exist.
std::optional<std::int64_t> parse_amz_date(std::string_view text);

/// The Date header: RFC 1123 ("Sat, 31 Jan 2026 23:59:59 GMT", also with the zone written UTC, +0000 or -0000, as Python does)
/// or ISO 8601, basic or extended, in UTC.
std::optional<std::int64_t> parse_date_header(std::string_view text);

std::string format_amz_date(std::int64_t seconds);

}  // namespace lambent::auth
