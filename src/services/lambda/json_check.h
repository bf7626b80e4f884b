// Is it JSON: the check that Invoke makes of an event before its bytes are passed on untouched.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lambent::lambda {

/// The nesting that AWS's own parser allows (Jackson's StreamReadConstraints).
constexpr std::size_t kMaxJsonDepth = 1000;

/// Nothing for one JSON value (RFC 8259) in well-formed UTF-8, else what is wrong and where. One pass, no tree: memory
/// does not grow with the text.
std::optional<std::string> json_error(std::string_view text);

}  // namespace lambent::lambda
