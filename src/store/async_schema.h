// Migration 4: events accepted for later, as async_events.cc reads and writes them, and what says how they and their functions
// are run: event_invoke_configs.cc and concurrency.cc.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kAsyncSchema = R"sql(
CREATE TABLE async_events (
  id INTEGER PRIMARY KEY NOT NULL,
  function_key TEXT NOT NULL,
  due_ms BIGINT NOT NULL,
  qualifier TEXT NOT NULL,
  request_id TEXT NOT NULL,
  trace_header TEXT NOT NULL,
  accepted_ms BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  setbacks INTEGER NOT NULL,
  notice TEXT NOT NULL,
  payload BLOB NOT NULL,
  checksum BIGINT NOT NULL
);
CREATE INDEX async_events_by_function ON async_events (function_key, due_ms);
CREATE TABLE damaged_async_events (
  id INTEGER PRIMARY KEY NOT NULL,
  function_key TEXT NOT NULL,
  due_ms BIGINT NOT NULL,
  qualifier TEXT NOT NULL,
  request_id TEXT NOT NULL,
  trace_header TEXT NOT NULL,
  accepted_ms BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  setbacks INTEGER NOT NULL,
  notice TEXT NOT NULL,
  payload BLOB NOT NULL,
  checksum BIGINT NOT NULL
);
CREATE TABLE event_invoke_configs (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  qualifier TEXT NOT NULL,
  maximum_retry_attempts INTEGER,
  maximum_event_age_s INTEGER,
  on_success TEXT,
  on_failure TEXT,
  last_modified_ms BIGINT NOT NULL,
  PRIMARY KEY (account, region, name, qualifier)
);
CREATE TABLE function_limits (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  reserved INTEGER,
  recursive_loop TEXT NOT NULL,
  PRIMARY KEY (account, region, name)
);
CREATE TABLE provisioned_concurrency (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  qualifier TEXT NOT NULL,
  requested INTEGER NOT NULL,
  last_modified_ms BIGINT NOT NULL,
  PRIMARY KEY (account, region, name, qualifier)
);
CREATE TABLE commit_number (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  number BIGINT NOT NULL
);
INSERT INTO commit_number (only_row, number) VALUES (1, 0);
)sql";

}  // namespace lambent::store
