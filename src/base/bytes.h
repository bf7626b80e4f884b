// Text forms of bytes: hex, base64 (RFC 4648), percent-encoding (RFC 3986), constant-time compare.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lambent::base {

std::string hex(std::string_view bytes);
/// Nothing when a character is not a hex digit or the length is odd.
std::optional<std::string> unhex(std::string_view text);

std::string base64(std::string_view bytes);
/// Padded standard alphabet. Nothing for any other character, wrong padding or length.
std::optional<std::string> unbase64(std::string_view text);
/// The URL-safe alphabet without padding.
std::string base64url(std::string_view bytes);
std::optional<std::string> unbase64url(std::string_view text);

/// Percent-encodes everything but the unreserved characters A-Z a-z 0-9 - _ . ~ ; `keep_slash` leaves '/'.
std::string percent_encode(std::string_view text, bool keep_slash = false);
/// Nothing when a '%' is not followed by two hex digits. `plus_is_space` for form bodies.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

/// Equal without telling by its time where they differ.
bool constant_time_equal(std::string_view a, std::string_view b);

/// ASCII only; the locale is never asked.
std::string lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);
/// True for well-formed UTF-8 without surrogates or overlong forms (RFC 3629).
bool is_utf8(std::string_view text);

/// Decimal digits only, no sign, no space; nothing on overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace lambent::base
