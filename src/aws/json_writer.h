// JSON as AWS writes it: what is absent is left out, numbers are exact, and every text is valid JSON whatever its bytes.
#pragma once

#include <string>
#include <string_view>

#include "aws/binding.h"

namespace lambent::aws {

/// With its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// `value` as Type::get returns it.
void append_json(std::string& out, const Binding& binding, const void* value);

/// The members of `structure` that belong in the body, as one object.
void append_json_body(std::string& out, const Binding& binding, const void* structure);

}  // namespace lambent::aws
