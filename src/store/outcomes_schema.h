// Migration 10: events that have ended, whose targets are still to be told, are found apart from those that are to run
// (async_events.cc); and the mark of a store in which every secret is sealed (sealing.cc).
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kOutcomesSchema = R"sql(
ALTER TABLE async_events ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE damaged_async_events ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
UPDATE async_events SET ended = 1 WHERE notice <> '';
CREATE INDEX async_events_by_kind ON async_events (function_key, ended, due_ms);
DROP INDEX async_events_by_function;
ALTER TABLE sealing ADD COLUMN mark TEXT NOT NULL DEFAULT '';
)sql";

}  // namespace lambent::store
