// Log groups as records: immutable snapshots in memory, rows in the database.
//
// Reads come from memory (any thread), writes go through the Database and publish after their commit. What is in a group lies
// in its directory (group_log.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"

namespace lambent::store {

struct LogGroupKey {
  std::string account;
  std::string region;
  std::string name;
  auto operator<=>(const LogGroupKey&) const = default;
};

struct LogGroup {
  LogGroupKey key;
  /// Beneath the logs' root; a group that is deleted and made again gets another.
  std::string directory;
  std::int64_t created_ms = 0;
  /// 0: events never expire.
  std::int32_t retention_days = 0;
  bool deletion_protected = false;
  std::map<std::string, std::string> tags;

  /// arn:aws:logs:REGION:ACCOUNT:log-group:NAME, without AWS's trailing ":*".
  std::string arn() const;
};

using LogGroupSnapshot = std::shared_ptr<const LogGroup>;

class LogGroups {
 public:
  /// Loads every group. `database` must outlive this.
  explicit LogGroups(Database& database);

  /// Null when there is none.
  LogGroupSnapshot find(const LogGroupKey& key) const;
  /// In the order of their names, after `after` (exclusive), those that `wants` and at most `limit`.
  std::vector<LogGroupSnapshot> list(std::string_view account, std::string_view region, std::string_view after,
                                     const std::function<bool(const LogGroup&)>& wants, std::size_t limit) const;
  std::vector<LogGroupSnapshot> all() const;
  std::size_t count() const;

  /// False, and nothing changed, when the name is taken.
  base::Task<bool> create(LogGroup group);
  /// False when there is none. `change` runs on the writer thread and may throw: nothing is changed then.
  base::Task<bool> edit(LogGroupKey key, std::function<void(LogGroup&)> change);
  /// What was removed, or null. `check` as edit()'s change.
  base::Task<LogGroupSnapshot> remove(LogGroupKey key, std::function<void(const LogGroup&)> check);

 private:
  /// Commands share it, so that one still queued when this is destroyed has where to publish.
  struct Snapshots;

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
