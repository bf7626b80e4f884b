// Migration 11: functions whose environments serve one tenant each, and whose tenant an event is.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kTenancySchema = R"sql(
ALTER TABLE functions ADD COLUMN per_tenant INTEGER NOT NULL DEFAULT 0;
ALTER TABLE async_events ADD COLUMN tenant_id TEXT NOT NULL DEFAULT '';
ALTER TABLE damaged_async_events ADD COLUMN tenant_id TEXT NOT NULL DEFAULT '';
)sql";

}  // namespace lambent::store
