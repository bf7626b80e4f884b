// Scalars as text: in headers, paths, query strings, query bodies, XML and AWS's messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/model.h"
#include "aws/type.h"

namespace lambent::aws {

/// The shortest decimal that reads back as the same double; NaN, Infinity and -Infinity by these names.
std::string write_real(double value);
/// The same as AWS's messages have it: a whole number ends in ".0".
std::string real_in_message(double value);

/// The text of a scalar member (`object` as Type::get takes it); empty for an empty optional. Blobs become base64.
std::string scalar_text(const Type& type, const void* object,
                        model::TimestampFormat format = model::TimestampFormat::iso8601);

/// The same of a value that is there, as Type::get returns it.
std::string held_scalar_text(Kind kind, const void* value, model::TimestampFormat format);

/// Exactly "true" or "false".
std::optional<bool> read_boolean(std::string_view text);
/// Decimal digits with an optional minus.
std::optional<std::int64_t> read_integer(std::string_view text);
/// Decimal or scientific, finite.
std::optional<double> read_real(std::string_view text);

}  // namespace lambent::aws
