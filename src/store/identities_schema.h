// Migration 1: users, roles, policies and access keys, as identities.cc reads and writes them.
//
// An identity is whatever has an ARN of its own; what users, roles and policies share hangs on its unique id, and goes with it.
#pragma once

#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kIdentitiesSchema = R"sql(
CREATE TABLE identities (
  id TEXT PRIMARY KEY NOT NULL,
  account TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'role', 'policy')),
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  path TEXT NOT NULL,
  description TEXT NOT NULL,
  document TEXT NOT NULL,
  max_session_s INTEGER NOT NULL,
  created_ms BIGINT NOT NULL,
  UNIQUE (account, kind, name_key)
);
CREATE TABLE inline_policies (
  owner_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (owner_id, name)
);
CREATE TABLE attached_policies (
  owner_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (owner_id, policy_arn)
);
CREATE TABLE tags (
  owner_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (owner_id, tag_key)
);
CREATE TABLE access_keys (
  id TEXT PRIMARY KEY NOT NULL,
  secret TEXT NOT NULL,
  account TEXT NOT NULL,
  user_id TEXT REFERENCES identities (id),
  active INTEGER NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX access_keys_by_user ON access_keys (user_id);
)sql";

/// Migration 6: versions of customer managed policies; each policy's document so far is its first.
inline constexpr std::string_view kPolicyVersionsSchema = R"sql(
CREATE TABLE policy_versions (
  policy_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  document TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  is_default INTEGER NOT NULL,
  PRIMARY KEY (policy_id, number)
);
CREATE TABLE policy_states (
  policy_id TEXT PRIMARY KEY NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  last_version INTEGER NOT NULL,
  updated_ms BIGINT NOT NULL
);
INSERT INTO policy_versions (policy_id, number, document, created_ms, is_default)
  SELECT id, 1, document, created_ms, 1 FROM identities WHERE kind = 'policy';
INSERT INTO policy_states (policy_id, last_version, updated_ms)
  SELECT id, 1, created_ms FROM identities WHERE kind = 'policy';
)sql";

}  // namespace lambent::store
