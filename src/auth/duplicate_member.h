// Does an object of a JSON text say the same member twice? Readers differ in which of the two counts. Pure. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lambent::auth {

/// The name of the first such member, as it reads without escapes; nothing when there is none, or when the text is no JSON or nests
/// deeper than 32.
std::optional<std::string> duplicate_member(std::string_view text);

}  // namespace lambent::auth
