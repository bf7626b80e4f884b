// Users, access keys, roles and policies of every account: IAM's records, global to their account.
//
// Reads come from memory (any thread), writes go through the Database and publish after their commit. Returned records
// are immutable snapshots.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"

namespace lambent::store {

// IAM's quotas under the names that its messages give them (IAM User Guide, "IAM and AWS STS quotas").
namespace quota {
constexpr std::size_t kUsersPerAccount = 5000;
constexpr std::size_t kRolesPerAccount = 1000;
constexpr std::size_t kPoliciesPerAccount = 1500;
constexpr std::size_t kAccessKeysPerUser = 2;
constexpr std::size_t kVersionsPerPolicy = 5;
}  // namespace quota

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

struct PolicyVersion {
  std::string id;  // v1, v2, ...
  std::string document;
  std::int64_t created_ms = 0;
};

struct Policy {
  /// "aws" for AWS's managed policies, which exist in every account.
  std::string account;
  std::string name;
  std::string path = "/";
  std::string id;  // ANPA...
  std::string description;
  /// The default version's.
  std::string document;
  std::int64_t created_ms = 0;
  std::vector<Tag> tags;
  /// The default version. AWS's managed policies have this one alone, under AWS's number.
  std::string version = "v1";
  std::vector<PolicyVersion> versions;
  /// The number of the newest one ever made: numbers are not used again.
  std::int64_t last_version = 1;
  std::int64_t updated_ms = 0;
  std::string arn() const;
};

using UserSnapshot = std::shared_ptr<const User>;
using RoleSnapshot = std::shared_ptr<const Role>;
using PolicySnapshot = std::shared_ptr<const Policy>;
using AccessKeySnapshot = std::shared_ptr<const AccessKey>;

/// How a change ended that depends on what is there: services turn it into their own errors.
/// `limit`: a quota (above) is used up.
enum class Change { done, exists, missing, conflict, limit };

class Identities {
 public:
  /// Loads every record into memory; blocks, so at start only. `database` must outlive this.
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
  /// Those of the account in the order of their ARNs after `after`, and AWS's ("aws") when they are asked for instead.
  std::vector<PolicySnapshot> policies(std::string_view account, std::string_view after, std::size_t limit) const;
  /// How many users and roles have the policy attached: everywhere, or of one account.
  std::size_t attachments(std::string_view policy_arn) const;
  std::size_t attachments(std::string_view account, std::string_view policy_arn) const;

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
  base::Task<Change> edit_policy(std::string account, std::string name, std::function<Change(Policy&)> edit);
  /// conflict while it is attached, limit while there are versions beside the default one.
  base::Task<Change> delete_policy(std::string account, std::string name);

  /// At start: answers an active root key of the account, made unless there is one. A given key that is not there yet takes the
  /// place of all the account's root keys; std::runtime_error when its id is somebody else's. Blocks.
  AccessKeySnapshot ensure_root_key(const std::string& account, const std::optional<AccessKey>& given,
                                    std::int64_t now_ms);

 private:
  template <class Record>
  base::Task<Change> create(Record record, std::size_t limit);
  template <class Record>
  base::Task<Change> edit(std::string account, std::string name, std::function<Change(Record&)> edit);
  template <class Record>
  base::Task<Change> remove(std::string account, std::string name);

  /// What readers see. Commands share it, so that one still queued when this is destroyed has where to publish.
  struct Snapshots;

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
