#include "store/identities.h"

#include <mutex>
#include <shared_mutex>
#include <stdexcept>

#include "base/bytes.h"
#include "base/ids.h"
#include "store/identities_rows.h"
#include "store/managed_policies.h"

namespace lambent::store {
namespace {

std::string iam_arn(const std::string& account, std::string_view kind, const std::string& path,
                    const std::string& name) {
  return "arn:aws:iam::" + account + ":" + std::string(kind) + path + name;
}

std::pair<std::string, std::string> key_of(std::string_view account, std::string_view name) {
  return {std::string(account), base::lower(name)};
}

template <class Map>
typename Map::mapped_type look_up(const Map& map, std::string_view account, std::string_view name) {
  const auto found = map.find(key_of(account, name));
  return found == map.end() ? nullptr : found->second;
}

template <class Map>
std::vector<typename Map::mapped_type> page(const Map& map, std::string_view account, std::string_view after,
                                            std::size_t limit) {
  std::vector<typename Map::mapped_type> found;
  for (auto at = map.upper_bound(key_of(account, after)); at != map.end() && found.size() < limit; ++at) {
    if (at->first.first != account) break;
    found.push_back(at->second);
  }
  return found;
}

/// `account` is empty for all.
template <class Map>
std::size_t attached_in(const Map& map, std::string_view account, std::string_view policy_arn) {
  std::size_t count = 0;
  for (const auto& [key, record] : map) {
    if (!account.empty() && record->account != account) continue;
    count += static_cast<std::size_t>(
        std::count(record->attached_policies.begin(), record->attached_policies.end(), policy_arn));
  }
  return count;
}

AccessKey new_root_key(const std::string& account, std::int64_t now_ms) {
  AccessKey key;
  key.id = "AKIA" + base::random_base32(16);
  key.secret = base::base64(base::random_bytes(30));
  key.account = account;
  key.created_ms = now_ms;
  return key;
}

}  // namespace

std::string User::arn() const { return iam_arn(account, "user", path, name); }
std::string Role::arn() const { return iam_arn(account, "role", path, name); }
std::string Policy::arn() const { return iam_arn(account, "policy", path, name); }

struct Identities::Snapshots {
  mutable std::shared_mutex mutex;
  // By account and lower-case name: names that differ in case only are the same.
  std::map<std::pair<std::string, std::string>, UserSnapshot> users;
  std::map<std::pair<std::string, std::string>, RoleSnapshot> roles;
  std::map<std::string, PolicySnapshot, std::less<>> policies;
  std::map<std::string, AccessKeySnapshot, std::less<>> keys;

  void publish(User record) { put(users, key_of(record.account, record.name), std::move(record)); }
  void publish(Role record) { put(roles, key_of(record.account, record.name), std::move(record)); }
  void publish(Policy record) { put(policies, record.arn(), std::move(record)); }
  void publish(AccessKey record) { put(keys, record.id, std::move(record)); }
  void forget(const User& record) { drop(users, key_of(record.account, record.name)); }
  void forget(const Role& record) { drop(roles, key_of(record.account, record.name)); }
  void forget(const Policy& record) { drop(policies, record.arn()); }
  void forget(const AccessKey& record) { drop(keys, record.id); }

 private:
  template <class Map, class Key, class Record>
  void put(Map& map, Key key, Record record) {
    auto snapshot = std::make_shared<const Record>(std::move(record));
    const std::unique_lock lock(mutex);
    map[std::move(key)] = std::move(snapshot);
  }
  template <class Map, class Key>
  void drop(Map& map, const Key& key) {
    const std::unique_lock lock(mutex);
    map.erase(key);
  }
};

Identities::Identities(Database& database) : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  for (const Policy& policy : managed_policies()) snapshots_->publish(policy);
  database_.read_now([&](Transaction& transaction) {
    for (User& user : rows::all<User>(transaction)) snapshots_->publish(std::move(user));
    for (Role& role : rows::all<Role>(transaction)) snapshots_->publish(std::move(role));
    for (Policy& policy : rows::all<Policy>(transaction)) snapshots_->publish(std::move(policy));
    for (AccessKey& key : rows::all_access_keys(transaction)) snapshots_->publish(std::move(key));
  });
}

UserSnapshot Identities::user(std::string_view account, std::string_view name) const {
  const std::shared_lock lock(snapshots_->mutex);
  return look_up(snapshots_->users, account, name);
}

RoleSnapshot Identities::role(std::string_view account, std::string_view name) const {
  const std::shared_lock lock(snapshots_->mutex);
  return look_up(snapshots_->roles, account, name);
}

RoleSnapshot Identities::role_by_arn(std::string_view arn) const {
  constexpr std::string_view kPrefix = "arn:aws:iam::";
  if (!arn.starts_with(kPrefix)) return nullptr;
  const auto account_end = arn.find(':', kPrefix.size());
  const auto name_begin = arn.rfind('/');
  if (account_end == std::string_view::npos || name_begin == std::string_view::npos || name_begin < account_end)
    return nullptr;
  const auto account = arn.substr(kPrefix.size(), account_end - kPrefix.size());
  auto found = role(account, arn.substr(name_begin + 1));
  return found && found->arn() == arn ? found : nullptr;
}

PolicySnapshot Identities::policy(std::string_view arn) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->policies.find(arn);
  return found == snapshots_->policies.end() ? nullptr : found->second;
}

AccessKeySnapshot Identities::access_key(std::string_view id) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->keys.find(id);
  return found == snapshots_->keys.end() ? nullptr : found->second;
}

std::vector<AccessKeySnapshot> Identities::access_keys(std::string_view account, std::string_view user_name) const {
  std::vector<AccessKeySnapshot> found;
  {
    const std::shared_lock lock(snapshots_->mutex);
    for (const auto& [id, key] : snapshots_->keys)
      if (key->account == account && base::equal_ignoring_case(key->user_name, user_name)) found.push_back(key);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a->created_ms, a->id) < std::tie(b->created_ms, b->id);
  });
  return found;
}

std::vector<UserSnapshot> Identities::users(std::string_view account, std::string_view after, std::size_t limit) const {
  const std::shared_lock lock(snapshots_->mutex);
  return page(snapshots_->users, account, after, limit);
}

std::vector<RoleSnapshot> Identities::roles(std::string_view account, std::string_view after, std::size_t limit) const {
  const std::shared_lock lock(snapshots_->mutex);
  return page(snapshots_->roles, account, after, limit);
}

std::vector<PolicySnapshot> Identities::policies(std::string_view account, std::string_view after,
                                                 std::size_t limit) const {
  const std::string begin = "arn:aws:iam::" + std::string(account) + ":policy/";
  std::vector<PolicySnapshot> found;
  const std::shared_lock lock(snapshots_->mutex);
  for (auto at = snapshots_->policies.upper_bound(after < begin ? begin : after);
       at != snapshots_->policies.end() && found.size() < limit && at->first.starts_with(begin); ++at)
    found.push_back(at->second);
  return found;
}

std::size_t Identities::attachments(std::string_view policy_arn) const { return attachments({}, policy_arn); }

std::size_t Identities::attachments(std::string_view account, std::string_view policy_arn) const {
  const std::shared_lock lock(snapshots_->mutex);
  return attached_in(snapshots_->users, account, policy_arn) + attached_in(snapshots_->roles, account, policy_arn);
}

template <class Record>
base::Task<Change> Identities::create(Record record, std::size_t limit) {
  auto command = [snapshots = snapshots_, record = std::move(record), limit](Transaction& transaction) {
    if (rows::find<Record>(transaction, record.account, record.name)) return Change::exists;
    if (rows::count<Record>(transaction, record.account) >= limit) return Change::limit;
    rows::insert(transaction, record);
    transaction.after_commit([snapshots, record] { snapshots->publish(record); });
    return Change::done;
  };
  co_return co_await database_.write(std::move(command));
}

template <class Record>
base::Task<Change> Identities::edit(std::string account, std::string name, std::function<Change(Record&)> edit) {
  auto command = [snapshots = snapshots_, account = std::move(account), name = std::move(name),
                  edit = std::move(edit)](Transaction& transaction) {
    auto record = rows::find<Record>(transaction, account, name);
    if (!record) return Change::missing;
    if (const Change refused = edit(*record); refused != Change::done) return refused;
    rows::update(transaction, *record);
    transaction.after_commit([snapshots, record = *std::move(record)] { snapshots->publish(record); });
    return Change::done;
  };
  co_return co_await database_.write(std::move(command));
}

template <class Record>
base::Task<Change> Identities::remove(std::string account, std::string name) {
  auto command = [snapshots = snapshots_, account = std::move(account),
                  name = std::move(name)](Transaction& transaction) {
    auto record = rows::find<Record>(transaction, account, name);
    if (!record) return Change::missing;
    const bool has_keys =
        std::is_same_v<Record, User> && !rows::access_keys_of(transaction, account, record->id).empty();
    if (has_keys || !record->inline_policies.empty() || !record->attached_policies.empty()) return Change::conflict;
    rows::remove_identity(transaction, record->id);
    transaction.after_commit([snapshots, gone = *std::move(record)] { snapshots->forget(gone); });
    return Change::done;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<Change> Identities::create_user(User user) { return create(std::move(user), quota::kUsersPerAccount); }
base::Task<Change> Identities::create_role(Role role) { return create(std::move(role), quota::kRolesPerAccount); }
base::Task<Change> Identities::create_policy(Policy policy) {
  policy.updated_ms = policy.created_ms;
  policy.versions = {{policy.version, policy.document, policy.created_ms}};
  return create(std::move(policy), quota::kPoliciesPerAccount);
}
base::Task<Change> Identities::delete_user(std::string account, std::string name) {
  return remove<User>(std::move(account), std::move(name));
}
base::Task<Change> Identities::delete_role(std::string account, std::string name) {
  return remove<Role>(std::move(account), std::move(name));
}
base::Task<Change> Identities::edit_user(std::string account, std::string name, std::function<Change(User&)> change) {
  return edit<User>(std::move(account), std::move(name), std::move(change));
}
base::Task<Change> Identities::edit_role(std::string account, std::string name, std::function<Change(Role&)> change) {
  return edit<Role>(std::move(account), std::move(name), std::move(change));
}

base::Task<Change> Identities::edit_policy(std::string account, std::string name,
                                           std::function<Change(Policy&)> change) {
  return edit<Policy>(std::move(account), std::move(name), std::move(change));
}

base::Task<Change> Identities::delete_policy(std::string account, std::string name) {
  auto command = [snapshots = snapshots_, account = std::move(account),
                  name = std::move(name)](Transaction& transaction) {
    auto policy = rows::find<Policy>(transaction, account, name);
    if (!policy) return Change::missing;
    if (rows::is_attached(transaction, policy->arn())) return Change::conflict;
    if (policy->versions.size() > 1) return Change::limit;
    rows::remove_identity(transaction, policy->id);
    transaction.after_commit([snapshots, gone = *std::move(policy)] { snapshots->forget(gone); });
    return Change::done;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<Change> Identities::create_access_key(AccessKey key) {
  auto command = [snapshots = snapshots_, key = std::move(key)](Transaction& transaction) {
    std::string user_id;
    if (!key.user_name.empty()) {
      const auto owner = rows::find<User>(transaction, key.account, key.user_name);
      if (!owner) return Change::missing;
      user_id = owner->id;
    }
    if (rows::find_access_key(transaction, key.id)) return Change::exists;
    if (rows::access_keys_of(transaction, key.account, user_id).size() >= quota::kAccessKeysPerUser)
      return Change::limit;
    rows::insert_access_key(transaction, key, user_id);
    // Read back: the name in the user's own spelling.
    transaction.after_commit(
        [snapshots, made = *rows::find_access_key(transaction, key.id)] { snapshots->publish(made); });
    return Change::done;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<Change> Identities::set_access_key_active(std::string id, bool active) {
  auto command = [snapshots = snapshots_, id = std::move(id), active](Transaction& transaction) {
    auto key = rows::find_access_key(transaction, id);
    if (!key) return Change::missing;
    rows::set_access_key_active(transaction, id, active);
    key->active = active;
    transaction.after_commit([snapshots, key = *std::move(key)] { snapshots->publish(key); });
    return Change::done;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<Change> Identities::delete_access_key(std::string id) {
  auto command = [snapshots = snapshots_, id = std::move(id)](Transaction& transaction) {
    auto key = rows::find_access_key(transaction, id);
    if (!key) return Change::missing;
    rows::remove_access_key(transaction, id);
    transaction.after_commit([snapshots, gone = *std::move(key)] { snapshots->forget(gone); });
    return Change::done;
  };
  co_return co_await database_.write(std::move(command));
}

AccessKeySnapshot Identities::ensure_root_key(const std::string& account, const std::optional<AccessKey>& given,
                                              std::int64_t now_ms) {
  AccessKeySnapshot root;
  database_.write_now([&](Transaction& transaction) {
    const auto have = rows::access_keys_of(transaction, account, "");
    const auto fits = std::find_if(have.begin(), have.end(), [&](const AccessKey& key) {
      return key.active && (!given || (key.id == given->id && key.secret == given->secret));
    });
    if (fits != have.end()) {
      root = std::make_shared<const AccessKey>(*fits);
      return;
    }
    AccessKey key = given ? *given : new_root_key(account, now_ms);
    key.account = account;
    key.user_name.clear();
    key.active = true;
    key.created_ms = now_ms;
    for (const AccessKey& old : have) {
      rows::remove_access_key(transaction, old.id);
      transaction.after_commit([snapshots = snapshots_, old] { snapshots->forget(old); });
    }
    if (rows::find_access_key(transaction, key.id))
      throw std::runtime_error("the given root access key id " + key.id + " belongs to somebody else");
    rows::insert_access_key(transaction, key, "");
    root = std::make_shared<const AccessKey>(std::move(key));
    transaction.after_commit([snapshots = snapshots_, root] { snapshots->publish(*root); });
  });
  return root;
}

}  // namespace lambent::store
