#include "store/logs/log_groups.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <mutex>
#include <shared_mutex>

namespace lambent::store {
namespace {

namespace json = boost::json;

std::string tags_text(const std::map<std::string, std::string>& tags) {
  json::object object;
  for (const auto& [key, value] : tags) object[json::string_view(key.data(), key.size())] = value;
  return json::serialize(object);
}

std::map<std::string, std::string> read_tags(const std::string& text) {
  std::map<std::string, std::string> tags;
  const json::value value = json::parse(text);
  for (const auto& entry : value.as_object())
    tags.emplace(std::string(entry.key()), std::string(entry.value().as_string()));
  return tags;
}

void write_row(Transaction& transaction, const LogGroup& group) {
  transaction
      .prepare(
          "INSERT OR REPLACE INTO log_groups (account, region, name, directory, created_ms, retention_days, "
          "deletion_protected, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(group.key.account, group.key.region, group.key.name, group.directory, group.created_ms,
            group.retention_days, group.deletion_protected, tags_text(group.tags))
      .run();
}

}  // namespace

std::string LogGroup::arn() const {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", key.region, key.account, key.name);
}

struct LogGroups::Snapshots {
  mutable std::shared_mutex mutex;
  std::map<LogGroupKey, LogGroupSnapshot> by_key;

  LogGroupSnapshot find(const LogGroupKey& key) const {
    const std::shared_lock lock(mutex);
    const auto found = by_key.find(key);
    return found == by_key.end() ? nullptr : found->second;
  }
  void publish(LogGroupSnapshot group) {
    const std::unique_lock lock(mutex);
    by_key[group->key] = std::move(group);
  }
  void forget(const LogGroupKey& key) {
    const std::unique_lock lock(mutex);
    by_key.erase(key);
  }
  /// Commands of one group see each other's changes before they are published: rows are what they go by.
  static LogGroupSnapshot row(Transaction& transaction, const LogGroupKey& key) {
    Statement& statement =
        transaction
            .prepare(
                "SELECT directory, created_ms, retention_days, deletion_protected, tags FROM log_groups "
                "WHERE account = ? AND region = ? AND name = ?")
            .bind(key.account, key.region, key.name);
    if (!statement.step()) return nullptr;
    auto group = std::make_shared<LogGroup>();
    group->key = key;
    group->directory = statement.text(0);
    group->created_ms = statement.integer(1);
    group->retention_days = static_cast<std::int32_t>(statement.integer(2));
    group->deletion_protected = statement.integer(3) != 0;
    group->tags = read_tags(statement.text(4));
    statement.reset();
    return group;
  }
};

LogGroups::LogGroups(Database& database) : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  database_.read_now([this](Transaction& transaction) {
    std::vector<LogGroupKey> keys;
    Statement& statement = transaction.prepare("SELECT account, region, name FROM log_groups");
    statement.reset();
    while (statement.step()) keys.push_back({statement.text(0), statement.text(1), statement.text(2)});
    for (const LogGroupKey& key : keys) snapshots_->publish(Snapshots::row(transaction, key));
  });
}

LogGroupSnapshot LogGroups::find(const LogGroupKey& key) const { return snapshots_->find(key); }

std::vector<LogGroupSnapshot> LogGroups::list(std::string_view account, std::string_view region, std::string_view after,
                                              const std::function<bool(const LogGroup&)>& wants,
                                              std::size_t limit) const {
  std::vector<LogGroupSnapshot> found;
  const std::shared_lock lock(snapshots_->mutex);
  const LogGroupKey from{std::string(account), std::string(region), std::string(after)};
  for (auto at = snapshots_->by_key.upper_bound(from); at != snapshots_->by_key.end() && found.size() < limit; ++at) {
    if (at->first.account != account || at->first.region != region) break;
    if (wants(*at->second)) found.push_back(at->second);
  }
  return found;
}

std::vector<LogGroupSnapshot> LogGroups::all() const {
  std::vector<LogGroupSnapshot> found;
  const std::shared_lock lock(snapshots_->mutex);
  for (const auto& [key, group] : snapshots_->by_key) found.push_back(group);
  return found;
}

std::size_t LogGroups::count() const {
  const std::shared_lock lock(snapshots_->mutex);
  return snapshots_->by_key.size();
}

base::Task<bool> LogGroups::create(LogGroup group) {
  auto command = [snapshots = snapshots_,
                  group = std::make_shared<const LogGroup>(std::move(group))](Transaction& transaction) {
    if (Snapshots::row(transaction, group->key)) return false;
    write_row(transaction, *group);
    transaction.after_commit([snapshots, group] { snapshots->publish(group); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> LogGroups::edit(LogGroupKey key, std::function<void(LogGroup&)> change) {
  auto command = [snapshots = snapshots_, key = std::move(key), change = std::move(change)](Transaction& transaction) {
    const auto before = Snapshots::row(transaction, key);
    if (!before) return false;
    auto group = std::make_shared<LogGroup>(*before);
    change(*group);
    write_row(transaction, *group);
    transaction.after_commit([snapshots, group] { snapshots->publish(group); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<LogGroupSnapshot> LogGroups::remove(LogGroupKey key, std::function<void(const LogGroup&)> check) {
  auto command = [snapshots = snapshots_, key = std::move(key), check = std::move(check)](Transaction& transaction) {
    auto group = Snapshots::row(transaction, key);
    if (!group) return group;
    check(*group);
    transaction.prepare("DELETE FROM log_groups WHERE account = ? AND region = ? AND name = ?")
        .bind(key.account, key.region, key.name)
        .run();
    transaction.after_commit([snapshots, key] { snapshots->forget(key); });
    return group;
  };
  co_return co_await database_.write(std::move(command));
}

}  // namespace lambent::store
