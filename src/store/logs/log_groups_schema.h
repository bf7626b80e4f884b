// Migration 5: log groups, as log_groups.cc reads and writes them. Their events are in segments, not here.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kLogGroupsSchema = R"sql(
CREATE TABLE log_groups (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  directory TEXT NOT NULL UNIQUE,
  created_ms BIGINT NOT NULL,
  retention_days INTEGER NOT NULL,
  deletion_protected INTEGER NOT NULL,
  tags TEXT NOT NULL,
  PRIMARY KEY (account, region, name)
);
)sql";

}  // namespace lambent::store
