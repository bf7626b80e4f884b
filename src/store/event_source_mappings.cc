#include "store/event_source_mappings.h"

#include <map>
#include <mutex>
#include <shared_mutex>

namespace lambent::store {
namespace {

constexpr std::string_view kInsert = R"sql(
  INSERT INTO event_source_mappings (uuid, account, region, function, qualifier, source, state, settings, tags, revision,
    modified_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kSelect = R"sql(
  SELECT uuid, account, region, function, qualifier, source, state, settings, tags, revision, modified_ms
  FROM event_source_mappings)sql";
constexpr std::string_view kRevision = "SELECT revision FROM event_source_mappings WHERE uuid = ?";
constexpr std::string_view kDelete = "DELETE FROM event_source_mappings WHERE uuid = ?";

void insert(Transaction& transaction, const EventSourceMapping& m) {
  transaction.prepare(kInsert)
      .bind(m.uuid, m.function.account, m.function.region, m.function.name, m.qualifier, m.source, m.state, m.settings,
            m.tags, m.revision, m.modified_ms)
      .run();
}

EventSourceMapping read_row(const Statement& row) {
  EventSourceMapping m;
  m.uuid = row.text(0);
  m.function = {row.text(1), row.text(2), row.text(3)};
  m.qualifier = row.text(4);
  m.source = row.text(5);
  m.state = row.text(6);
  m.settings = row.text(7);
  m.tags = row.text(8);
  m.revision = row.integer(9);
  m.modified_ms = row.integer(10);
  return m;
}

/// 0 when there is none.
std::int64_t stored_revision(Transaction& transaction, const std::string& uuid) {
  auto& statement = transaction.prepare(kRevision).bind(uuid);
  const std::int64_t revision = statement.step() ? statement.integer(0) : 0;
  statement.reset();
  return revision;
}

}  // namespace

std::string EventSourceMapping::function_arn() const {
  return qualifier.empty() ? function.arn() : function.arn() + ":" + qualifier;
}

struct EventSourceMappings::Snapshots {
  void publish(EventSourceMappingSnapshot mapping) {
    const std::unique_lock lock(mutex);
    by_uuid[mapping->uuid] = std::move(mapping);
  }
  void forget(const std::string& uuid) {
    const std::unique_lock lock(mutex);
    by_uuid.erase(uuid);
  }

  mutable std::shared_mutex mutex;
  std::map<std::string, EventSourceMappingSnapshot, std::less<>> by_uuid;
};

EventSourceMappings::EventSourceMappings(Database& database)
    : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  database_.read_now([this](Transaction& transaction) {
    auto& rows = transaction.prepare(kSelect).bind();
    while (rows.step()) snapshots_->publish(std::make_shared<const EventSourceMapping>(read_row(rows)));
  });
}

EventSourceMappingSnapshot EventSourceMappings::find(std::string_view account, std::string_view region,
                                                     std::string_view uuid) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->by_uuid.find(uuid);
  if (found == snapshots_->by_uuid.end()) return nullptr;
  const auto& owner = found->second->function;
  return owner.account == account && owner.region == region ? found->second : nullptr;
}

std::vector<EventSourceMappingSnapshot> EventSourceMappings::list(
    std::string_view account, std::string_view region, std::string_view after,
    const std::function<bool(const EventSourceMapping&)>& passes, std::size_t limit) const {
  std::vector<EventSourceMappingSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  for (auto at = snapshots_->by_uuid.upper_bound(after); at != snapshots_->by_uuid.end() && page.size() < limit; ++at) {
    const auto& owner = at->second->function;
    if (owner.account == account && owner.region == region && passes(*at->second)) page.push_back(at->second);
  }
  return page;
}

base::Task<void> EventSourceMappings::create(EventSourceMapping mapping) {
  auto command = [snapshots = snapshots_,
                  made = std::make_shared<const EventSourceMapping>(std::move(mapping))](Transaction& transaction) {
    insert(transaction, *made);
    transaction.after_commit([snapshots, made] { snapshots->publish(made); });
    return true;
  };
  co_await database_.write(std::move(command));
}

base::Task<bool> EventSourceMappings::replace(EventSourceMapping mapping) {
  auto command = [snapshots = snapshots_,
                  changed = std::make_shared<const EventSourceMapping>(std::move(mapping))](Transaction& transaction) {
    if (stored_revision(transaction, changed->uuid) != changed->revision - 1) return false;
    transaction.prepare(kDelete).bind(changed->uuid).run();
    insert(transaction, *changed);
    transaction.after_commit([snapshots, changed] { snapshots->publish(changed); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> EventSourceMappings::remove(std::string uuid) {
  auto command = [snapshots = snapshots_, uuid = std::move(uuid)](Transaction& transaction) {
    if (stored_revision(transaction, uuid) == 0) return false;
    transaction.prepare(kDelete).bind(uuid).run();
    transaction.after_commit([snapshots, uuid] { snapshots->forget(uuid); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

}  // namespace lambent::store
