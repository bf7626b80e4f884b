// Migration 8: code signing configurations, which function uses which, and who signed the archives, as code_signing_configs.cc,
// functions_rows.cc and layers.cc read and write them.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kCodeSigningSchema = R"sql(
CREATE TABLE code_signing_configs (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  description TEXT NOT NULL,
  publishers TEXT NOT NULL,
  policy TEXT NOT NULL,
  tags TEXT NOT NULL,
  modified_ms BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (account, region, id)
);
CREATE TABLE function_code_signing (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  function TEXT NOT NULL,
  config TEXT NOT NULL,
  PRIMARY KEY (account, region, function)
);
ALTER TABLE functions ADD COLUMN signing_profile TEXT NOT NULL DEFAULT '';
ALTER TABLE functions ADD COLUMN signing_job TEXT NOT NULL DEFAULT '';
ALTER TABLE layer_versions ADD COLUMN signing_profile TEXT NOT NULL DEFAULT '';
ALTER TABLE layer_versions ADD COLUMN signing_job TEXT NOT NULL DEFAULT '';
)sql";

}  // namespace lambent::store
