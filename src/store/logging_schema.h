// Migration 9: how much of a JSON log is kept. Both are empty where the format is Text.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kLoggingSchema = R"sql(
ALTER TABLE functions ADD COLUMN application_log_level TEXT NOT NULL DEFAULT '';
ALTER TABLE functions ADD COLUMN system_log_level TEXT NOT NULL DEFAULT '';
)sql";

}  // namespace lambent::store
