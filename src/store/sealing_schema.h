// Migration 7: what functions gained with keys, networks and file systems of their own, and whether the file still holds what was
// written before it was sealed.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kSealingSchema = R"sql(
ALTER TABLE functions ADD COLUMN kms_key_arn TEXT NOT NULL DEFAULT '';
ALTER TABLE functions ADD COLUMN vpc TEXT;
ALTER TABLE functions ADD COLUMN file_systems TEXT NOT NULL DEFAULT '[]';
CREATE TABLE sealing (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  scrub_due INTEGER NOT NULL
);
INSERT INTO sealing (only_row, scrub_due) SELECT 1, EXISTS (SELECT 1 FROM access_keys);
)sql";

}  // namespace lambent::store
