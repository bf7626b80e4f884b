// The three spellings of a point in time that AWS's protocols use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/model.h"
#include "aws/values.h"

namespace lambent::aws {

/// 2026-01-31T12:34:56Z, with milliseconds when there are any.
std::string iso8601(Timestamp time);
/// Sat, 31 Jan 2026 12:34:56 GMT
std::string rfc822(Timestamp time);
/// 1769862896 or 1769862896.789
std::string epoch_seconds(Timestamp time);

/// `format` must be specified.
std::string write_timestamp(Timestamp time, model::TimestampFormat format);
/// Years 1 to 9999; nothing when the text is not of that form. iso8601 takes an offset (+01:00) and a fraction too.
std::optional<Timestamp> read_timestamp(std::string_view text, model::TimestampFormat format);
std::optional<Timestamp> from_epoch_seconds(double seconds);

}  // namespace lambent::aws
