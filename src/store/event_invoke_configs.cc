#include "store/event_invoke_configs.h"

#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace lambent::store {
namespace {

constexpr std::string_view kInsert = R"sql(
  INSERT INTO event_invoke_configs (account, region, name, qualifier, maximum_retry_attempts, maximum_event_age_s, on_success,
    on_failure, last_modified_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kSelectAll = R"sql(
  SELECT account, region, name, qualifier, maximum_retry_attempts, maximum_event_age_s, on_success, on_failure,
    last_modified_ms
  FROM event_invoke_configs)sql";
constexpr std::string_view kSelectOne = R"sql(
  SELECT account, region, name, qualifier, maximum_retry_attempts, maximum_event_age_s, on_success, on_failure,
    last_modified_ms
  FROM event_invoke_configs WHERE account = ? AND region = ? AND name = ? AND qualifier = ?)sql";
constexpr std::string_view kDelete =
    "DELETE FROM event_invoke_configs WHERE account = ? AND region = ? AND name = ? AND qualifier = ?";
constexpr std::string_view kForget = "DELETE FROM event_invoke_configs WHERE account = ? AND region = ? AND name = ?";

EventInvokeConfig read_row(const Statement& row) {
  EventInvokeConfig config;
  config.function = {row.text(0), row.text(1), row.text(2)};
  config.qualifier = row.text(3);
  const auto number = [&](int column) -> std::optional<std::int32_t> {
    if (row.is_null(column)) return std::nullopt;
    return static_cast<std::int32_t>(row.integer(column));
  };
  const auto text = [&](int column) -> std::optional<std::string> {
    if (row.is_null(column)) return std::nullopt;
    return row.text(column);
  };
  config.maximum_retry_attempts = number(4);
  config.maximum_event_age_s = number(5);
  config.on_success = text(6);
  config.on_failure = text(7);
  config.last_modified_ms = row.integer(8);
  return config;
}

void write_row(Transaction& transaction, const EventInvokeConfig& config) {
  const FunctionKey& key = config.function;
  transaction.prepare(kDelete).bind(key.account, key.region, key.name, config.qualifier).run();
  transaction.prepare(kInsert)
      .bind(key.account, key.region, key.name, config.qualifier, config.maximum_retry_attempts,
            config.maximum_event_age_s, config.on_success, config.on_failure, config.last_modified_ms)
      .run();
}

}  // namespace

struct EventInvokeConfigs::Snapshots {
  using Name = std::pair<FunctionKey, std::string>;
  void publish(const EventInvokeConfig& config) {
    const std::unique_lock lock(mutex);
    by_name.insert_or_assign(Name{config.function, config.qualifier}, config);
  }
  void forget(const Name& name) {
    const std::unique_lock lock(mutex);
    by_name.erase(name);
  }
  void forget(const FunctionKey& function) {
    const std::unique_lock lock(mutex);
    std::erase_if(by_name, [&](const auto& entry) { return entry.first.first == function; });
  }

  mutable std::shared_mutex mutex;
  std::map<Name, EventInvokeConfig> by_name;
};

EventInvokeConfigs::EventInvokeConfigs(Database& database)
    : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  database_.read_now([this](Transaction& transaction) {
    auto& rows = transaction.prepare(kSelectAll).bind();
    while (rows.step()) snapshots_->publish(read_row(rows));
  });
}

std::optional<EventInvokeConfig> EventInvokeConfigs::find(const FunctionKey& function,
                                                          std::string_view qualifier) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->by_name.find(Snapshots::Name{function, qualifier});
  if (found == snapshots_->by_name.end()) return std::nullopt;
  return found->second;
}

std::vector<EventInvokeConfig> EventInvokeConfigs::list(const FunctionKey& function, std::string_view after,
                                                        std::size_t limit) const {
  std::vector<EventInvokeConfig> page;
  const std::shared_lock lock(snapshots_->mutex);
  for (auto at = snapshots_->by_name.upper_bound(Snapshots::Name{function, after});
       at != snapshots_->by_name.end() && at->first.first == function && page.size() < limit; ++at)
    page.push_back(at->second);
  return page;
}

base::Task<void> EventInvokeConfigs::put(EventInvokeConfig config) {
  auto command = [snapshots = snapshots_, config = std::move(config)](Transaction& transaction) {
    write_row(transaction, config);
    transaction.after_commit([snapshots, config] { snapshots->publish(config); });
  };
  co_await database_.write(std::move(command));
}

base::Task<std::optional<EventInvokeConfig>> EventInvokeConfigs::edit(FunctionKey function, std::string qualifier,
                                                                      std::function<void(EventInvokeConfig&)> edit) {
  auto command = [snapshots = snapshots_, function = std::move(function), qualifier = std::move(qualifier),
                  edit = std::move(edit)](Transaction& transaction) -> std::optional<EventInvokeConfig> {
    auto& row = transaction.prepare(kSelectOne).bind(function.account, function.region, function.name, qualifier);
    if (!row.step()) return std::nullopt;
    EventInvokeConfig config = read_row(row);
    row.reset();
    edit(config);
    write_row(transaction, config);
    transaction.after_commit([snapshots, config] { snapshots->publish(config); });
    return config;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> EventInvokeConfigs::remove(FunctionKey function, std::string qualifier) {
  auto command = [snapshots = snapshots_,
                  name = Snapshots::Name{std::move(function), std::move(qualifier)}](Transaction& transaction) {
    const FunctionKey& key = name.first;
    auto& row = transaction.prepare(kSelectOne).bind(key.account, key.region, key.name, name.second);
    const bool there = row.step();
    row.reset();
    if (!there) return false;
    transaction.prepare(kDelete).bind(key.account, key.region, key.name, name.second).run();
    transaction.after_commit([snapshots, name] { snapshots->forget(name); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

void EventInvokeConfigs::forget(Transaction& transaction, const FunctionKey& key, std::string_view qualifier) {
  if (qualifier.empty())
    transaction.prepare(kForget).bind(key.account, key.region, key.name).run();
  else
    transaction.prepare(kDelete).bind(key.account, key.region, key.name, qualifier).run();
  transaction.after_commit([snapshots = snapshots_, name = Snapshots::Name{key, qualifier}] {
    if (name.second.empty())
      snapshots->forget(name.first);
    else
      snapshots->forget(name);
  });
}

}  // namespace lambent::store
