// Migration 2: functions, as functions.cc reads and writes them.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kFunctionsSchema = R"sql(
CREATE TABLE functions (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  description TEXT NOT NULL,
  role TEXT NOT NULL,
  handler TEXT NOT NULL,
  runtime TEXT NOT NULL,
  architecture TEXT NOT NULL,
  timeout_s INTEGER NOT NULL,
  memory_mib INTEGER NOT NULL,
  ephemeral_mib INTEGER NOT NULL,
  environment TEXT,
  tracing_mode TEXT NOT NULL,
  log_format TEXT NOT NULL,
  log_group TEXT NOT NULL,
  runtime_version_arn TEXT NOT NULL,
  code_sha256 TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  code_size BIGINT NOT NULL,
  revision_id TEXT NOT NULL,
  last_modified_ms BIGINT NOT NULL,
  state TEXT NOT NULL,
  state_reason TEXT NOT NULL,
  state_reason_code TEXT NOT NULL,
  update_status TEXT NOT NULL,
  update_status_reason TEXT NOT NULL,
  update_status_reason_code TEXT NOT NULL,
  PRIMARY KEY (account, region, name, version)
);
)sql";

}  // namespace lambent::store
