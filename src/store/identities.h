// Users, access keys, roles and policies of every account: IAM's records, global to their account.
//
// Reads come from memory (any thread), writes go through the Database and publish after their commit. Returned records
// are immutable snapshots.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"

namespace lambent::store {

struct Tag {
  std::string key;
  std::string value;
};

/// A policy document by its name, inline in a user or role.
using InlinePolicies = std::map<std::string, std::string>;

struct User {
  std::string account;
  std::string name;
  std::string path = "/";
  std::string id;  // AIDA...
  std::int64_t created_ms = 0;
  InlinePolicies inline_policies;
  std::vector<std::string> attached_policies;  // ARNs, in the order attached
  std::vector<Tag> tags;
  std::string arn() const;
};

struct AccessKey {
  std::string id;  // AKIA...
  std::string secret;
  std::string account;
  /// Empty for the root account's key.
  std::string user_name;
  bool active = true;
  std::int64_t created_ms = 0;
};

struct Role {
  std::string account;
  std::string name;
  std::string path = "/";
  std::string id;  // AROA...
  std::string description;
  std::string trust_policy;
  std::int32_t max_session_s = 3600;
  std::int64_t created_ms = 0;
  InlinePolicies inline_policies;
  std::vector<std::string> attached_policies;
  std::vector<Tag> tags;
  std::string arn() const;
};

struct Policy {
  /// "aws" for AWS's managed policies, which exist in every account.
  std::string account;
  std::string name;
  std::string path = "/";
  std::string id;  // ANPA...
  std::string description;
  std::string document;
  std::int64_t created_ms = 0;
  std::vector<Tag> tags;
  std::string arn() const;
};

using UserSnapshot = std::shared_ptr<const User>;
using RoleSnapshot = std::shared_ptr<const Role>;
using PolicySnapshot = std::shared_ptr<const Policy>;
using AccessKeySnapshot = std::shared_ptr<const AccessKey>;

/// How a change ended that depends on what is there: services turn it into their own errors.
enum class Change { done, exists, missing, conflict };

class Identities {
 public:
  explicit Identities(Database& database);

  UserSnapshot user(std::string_view account, std::string_view name) const;
  RoleSnapshot role(std::string_view account, std::string_view name) const;
  /// By "arn:aws:iam::ACCOUNT:role/PATH/NAME"; null when the path does not match either.
  RoleSnapshot role_by_arn(std::string_view arn) const;
  PolicySnapshot policy(std::string_view arn) const;
  AccessKeySnapshot access_key(std::string_view id) const;
  std::vector<AccessKeySnapshot> access_keys(std::string_view account, std::string_view user_name) const;
  // In the order of names, those after `after`, at most `limit`.
  std::vector<UserSnapshot> users(std::string_view account, std::string_view after, std::size_t limit) const;
  std::vector<RoleSnapshot> roles(std::string_view account, std::string_view after, std::size_t limit) const;
  /// How many users and roles have the policy attached.
  std::size_t attachments(std::string_view policy_arn) const;

  base::Task<Change> create_user(User user);
  /// conflict while keys or policies remain.
  base::Task<Change> delete_user(std::string account, std::string name);
  base::Task<Change> create_role(Role role);
  base::Task<Change> delete_role(std::string account, std::string name);
  base::Task<Change> create_policy(Policy policy);
  base::Task<Change> create_access_key(AccessKey key);
  base::Task<Change> set_access_key_active(std::string id, bool active);
  base::Task<Change> delete_access_key(std::string id);
  /// Applies `edit` to the record as it is inside the writer and stores the result; the edit's own Change is returned and
  /// anything but done changes nothing.
  base::Task<Change> edit_user(std::string account, std::string name, std::function<Change(User&)> edit);
  base::Task<Change> edit_role(std::string account, std::string name, std::function<Change(Role&)> edit);

  /// At start: makes the account's root key unless there is one, or replaces it by the given one. Blocks.
  AccessKeySnapshot ensure_root_key(const std::string& account, const std::optional<AccessKey>& given, std::int64_t now_ms);

 private:
  Database& database_;
  mutable std::shared_mutex mutex_;
  std::map<std::pair<std::string, std::string>, UserSnapshot> users_;
  std::map<std::pair<std::string, std::string>, RoleSnapshot> roles_;
  std::map<std::string, PolicySnapshot, std::less<>> policies_;
  std::map<std::string, AccessKeySnapshot, std::less<>> keys_;
};

}  // namespace lambent::store
