// Migration 3: versions, aliases and layers, function URLs and event source mappings; what functions gained with them.
//
// A function's policy, tags and counters are columns of its own row: each of them changes with its revision.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kControlSchema = R"sql(
ALTER TABLE functions ADD COLUMN unzipped_size BIGINT NOT NULL DEFAULT 0;
ALTER TABLE functions ADD COLUMN layers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE functions ADD COLUMN dead_letter_arn TEXT NOT NULL DEFAULT '';
ALTER TABLE functions ADD COLUMN content_id TEXT NOT NULL DEFAULT '';
ALTER TABLE functions ADD COLUMN policy TEXT NOT NULL DEFAULT '';
ALTER TABLE functions ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
ALTER TABLE functions ADD COLUMN last_version BIGINT NOT NULL DEFAULT 0;
CREATE TABLE aliases (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  function TEXT NOT NULL,
  name TEXT NOT NULL,
  function_version TEXT NOT NULL,
  description TEXT NOT NULL,
  weights TEXT NOT NULL,
  revision_id TEXT NOT NULL,
  policy TEXT NOT NULL,
  PRIMARY KEY (account, region, function, name)
);
CREATE TABLE layers (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  last_version BIGINT NOT NULL,
  PRIMARY KEY (account, region, name)
);
CREATE TABLE layer_versions (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  description TEXT NOT NULL,
  license_info TEXT,
  compatible_runtimes TEXT NOT NULL,
  compatible_architectures TEXT NOT NULL,
  code_sha256 TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  code_size BIGINT NOT NULL,
  unzipped_size BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  policy TEXT NOT NULL,
  policy_revision TEXT NOT NULL,
  PRIMARY KEY (account, region, name, version)
);
CREATE TABLE function_urls (
  url_id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  function TEXT NOT NULL,
  qualifier TEXT NOT NULL,
  auth_type TEXT NOT NULL,
  invoke_mode TEXT NOT NULL,
  cors TEXT,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  UNIQUE (account, region, function, qualifier)
);
CREATE TABLE event_source_mappings (
  uuid TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  function TEXT NOT NULL,
  qualifier TEXT NOT NULL,
  source TEXT NOT NULL,
  state TEXT NOT NULL,
  settings TEXT NOT NULL,
  tags TEXT NOT NULL,
  revision BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL
);
)sql";

}  // namespace lambent::store
