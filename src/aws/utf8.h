// Making any bytes fit for JSON and XML.
#pragma once

#include <string>
#include <string_view>

namespace lambent::aws {

/// Every byte that is not part of well-formed UTF-8 (RFC 3629) becomes U+FFFD.
std::string repaired_utf8(std::string_view text);

/// The length of the well-formed sequence that `text` begins with; 0 when there is none.
std::size_t utf8_sequence(std::string_view text);

}  // namespace lambent::aws
