#include "store/async_events.h"

#include <zlib.h>

#include <array>
#include <optional>
#include <string_view>

#include "base/log.h"

namespace lambent::store {
namespace {

constexpr std::string_view kInsert = R"sql(
  INSERT INTO async_events (id, function_key, due_ms, qualifier, request_id, trace_header, accepted_ms, attempts, setbacks,
    notice, payload, checksum, tenant_id, ended)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kUpdate =
    "UPDATE async_events SET due_ms = ?, attempts = ?, setbacks = ?, notice = ?, checksum = ?, ended = ? WHERE id = ?";
constexpr std::string_view kRemove = "DELETE FROM async_events WHERE id = ?";
constexpr std::string_view kDue =
    "SELECT id, due_ms FROM async_events WHERE function_key = ? AND ended = ? ORDER BY due_ms, id LIMIT ?";
constexpr std::string_view kColumns = R"sql(
  SELECT id, function_key, due_ms, qualifier, request_id, trace_header, accepted_ms, attempts, setbacks, notice, payload,
    checksum, tenant_id, ended
  FROM async_events WHERE id = ?)sql";
constexpr std::string_view kAfter = R"sql(
  SELECT id, function_key, due_ms, qualifier, request_id, trace_header, accepted_ms, attempts, setbacks, notice, payload,
    checksum, tenant_id, ended
  FROM async_events WHERE id > ? ORDER BY id LIMIT 1000)sql";
constexpr std::string_view kSetAside =
    "INSERT OR IGNORE INTO damaged_async_events SELECT * FROM async_events WHERE id = ?";
// The earliest acceptance is that of the lowest id, near enough for an age that is shown.
constexpr std::string_view kBacklogs =
    "SELECT function_key, COUNT(*), MIN(due_ms), MIN(id) FROM async_events WHERE ended = ? GROUP BY function_key";
constexpr std::string_view kAccepted = "SELECT accepted_ms FROM async_events WHERE id = ?";

/// Function names hold no slash.
std::string text_of(const FunctionKey& key) { return key.account + "/" + key.region + "/" + key.name; }

FunctionKey key_of(const std::string& text) {
  const auto first = text.find('/');
  const auto second = text.find('/', first + 1);
  // A damaged key has lost its slashes; its row is found out by the checksum.
  if (first == std::string::npos || second == std::string::npos) return {"", "", text};
  return {text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

class Crc {
 public:
  void add(std::string_view bytes) {
    add(static_cast<std::int64_t>(bytes.size()));
    crc_ = ::crc32_z(crc_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  void add(std::int64_t number) {
    std::array<unsigned char, 8> bytes;
    for (auto& byte : bytes) {
      byte = static_cast<unsigned char>(number);
      number >>= 8;
    }
    crc_ = ::crc32_z(crc_, bytes.data(), bytes.size());
  }
  std::int64_t value() const { return static_cast<std::int64_t>(crc_); }

 private:
  unsigned long crc_ = ::crc32_z(0, nullptr, 0);
};

/// CRC-32 over every member, each text after its length.
std::int64_t checksum_of(const AsyncEvent& event) {
  Crc crc;
  crc.add(event.id);
  crc.add(text_of(event.function));
  crc.add(event.due_ms);
  crc.add(event.qualifier);
  crc.add(event.request_id);
  crc.add(event.trace_header);
  crc.add(event.accepted_ms);
  crc.add(std::int64_t{event.attempts});
  crc.add(std::int64_t{event.setbacks});
  crc.add(event.notice);
  crc.add(event.payload);
  // Rows that are older than tenants have the checksum that they were given.
  if (!event.tenant_id.empty()) crc.add(event.tenant_id);
  return crc.value();
}

AsyncEvent read_row(const Statement& row) {
  AsyncEvent event;
  event.id = row.integer(0);
  event.function = key_of(row.text(1));
  event.due_ms = row.integer(2);
  event.qualifier = row.text(3);
  event.request_id = row.text(4);
  event.trace_header = row.text(5);
  event.accepted_ms = row.integer(6);
  event.attempts = static_cast<std::int32_t>(row.integer(7));
  event.setbacks = static_cast<std::int32_t>(row.integer(8));
  event.notice = row.text(9);
  event.payload = row.text(10);
  event.tenant_id = row.text(12);
  return event;
}

/// What the row says beside the event must be true of it.
bool is_intact(const Statement& row, const AsyncEvent& event) {
  return row.integer(11) == checksum_of(event) && (row.integer(13) != 0) == !event.notice.empty();
}

void set_aside(Transaction& transaction, const AsyncEvent& event) {
  transaction.prepare(kSetAside).bind(event.id).run();
  transaction.prepare(kRemove).bind(event.id).run();
  base::log::error("an accepted event is damaged and was set aside",
                   {{"id", event.id}, {"request_id", event.request_id}, {"function", event.function.name}});
}

/// The event, or null for one that was damaged and is now aside.
AsyncEventPointer fetch(Transaction& transaction, std::int64_t id) {
  auto& row = transaction.prepare(kColumns).bind(id);
  if (!row.step()) return nullptr;
  auto event = std::make_shared<const AsyncEvent>(read_row(row));
  const bool intact = is_intact(row, *event);
  row.reset();
  if (intact) return event;
  set_aside(transaction, *event);
  return nullptr;
}

AsyncEvents::Page load_page(Transaction& transaction, const FunctionKey& function, AsyncKind kind, std::int64_t now_ms,
                            const std::unordered_set<std::int64_t>& held, AsyncEvents::Bounds bounds) {
  AsyncEvents::Page page;
  const auto rows_wanted = static_cast<std::int64_t>(held.size() + bounds.events + 1);
  auto& rows = transaction.prepare(kDue).bind(text_of(function), kind == AsyncKind::to_tell, rows_wanted);
  std::vector<std::pair<std::int64_t, std::int64_t>> candidates;
  while (rows.step())
    if (!held.contains(rows.integer(0))) candidates.emplace_back(rows.integer(0), rows.integer(1));
  rows.reset();
  std::size_t bytes = 0;
  for (const auto& [id, due_ms] : candidates) {
    const bool enough = page.events.size() == bounds.events || (bytes >= bounds.bytes && !page.events.empty());
    if (due_ms > now_ms || enough) {
      page.next_due_ms = due_ms;
      break;
    }
    auto event = fetch(transaction, id);
    if (!event) {
      ++page.damaged;
      continue;
    }
    bytes += event->payload.size() + event->notice.size();
    page.events.push_back(std::move(event));
  }
  return page;
}

}  // namespace

AsyncEvents::AsyncEvents(Database& database) : database_(database) {
  database_.read_now([this](Transaction& transaction) {
    std::int64_t highest = 0;
    for (const char* sql :
         {"SELECT COALESCE(MAX(id), 0) FROM async_events", "SELECT COALESCE(MAX(id), 0) FROM damaged_async_events"}) {
      auto& row = transaction.prepare(sql).bind();
      if (row.step()) highest = std::max(highest, row.integer(0));
      row.reset();
    }
    next_id_ = highest + 1;
  });
}

base::Task<void> AsyncEvents::add(AsyncEventPointer event) {
  auto command = [event, checksum = checksum_of(*event)](Transaction& transaction) {
    transaction.prepare(kInsert)
        .bind(event->id, text_of(event->function), event->due_ms, event->qualifier, event->request_id,
              event->trace_header, event->accepted_ms, event->attempts, event->setbacks, event->notice, event->payload,
              checksum, event->tenant_id, !event->notice.empty())
        .run();
  };
  co_await database_.write(std::move(command));
}

base::Task<void> AsyncEvents::update(AsyncEventPointer event) {
  auto command = [event, checksum = checksum_of(*event)](Transaction& transaction) {
    transaction.prepare(kUpdate)
        .bind(event->due_ms, event->attempts, event->setbacks, event->notice, checksum, !event->notice.empty(),
              event->id)
        .run();
  };
  co_await database_.write(std::move(command));
}

base::Task<void> AsyncEvents::remove(std::int64_t id) {
  // Until then a kill runs the event again, which it may; who accepts an event does not wait for this.
  auto command = [id](Transaction& transaction) { transaction.prepare(kRemove).bind(id).run(); };
  co_await database_.write(std::move(command), Pace::soon);
}

base::Task<AsyncEvents::Page> AsyncEvents::load(FunctionKey function, AsyncKind kind, std::int64_t now_ms,
                                                std::unordered_set<std::int64_t> held, Bounds bounds) {
  auto command = [function = std::move(function), kind, now_ms, held = std::move(held), bounds](
                     Transaction& transaction) { return load_page(transaction, function, kind, now_ms, held, bounds); };
  co_return co_await database_.write(std::move(command));
}

base::Task<AsyncEvents::Checked> AsyncEvents::check(std::int64_t after, std::size_t bytes) {
  auto command = [after, bytes](Transaction& transaction) {
    Checked checked{after, true, 0};
    std::vector<AsyncEvent> damaged;
    std::size_t read = 0;
    auto& rows = transaction.prepare(kAfter).bind(after);
    while (rows.step()) {
      AsyncEvent event = read_row(rows);
      checked.at_end = false;
      checked.last_id = event.id;
      read += event.payload.size() + event.notice.size() + 256;
      if (!is_intact(rows, event)) damaged.push_back(std::move(event));
      if (read >= bytes) break;
    }
    rows.reset();
    for (const AsyncEvent& event : damaged) set_aside(transaction, event);
    checked.damaged = damaged.size();
    return checked;
  };
  co_return co_await database_.write(std::move(command));
}

std::vector<AsyncBacklog> AsyncEvents::backlogs(AsyncKind kind) {
  std::vector<AsyncBacklog> found;
  database_.read_now([&found, kind](Transaction& transaction) {
    std::vector<std::int64_t> first_ids;
    auto& rows = transaction.prepare(kBacklogs).bind(kind == AsyncKind::to_tell);
    while (rows.step()) {
      found.push_back({key_of(rows.text(0)), rows.integer(1), rows.integer(2), 0});
      first_ids.push_back(rows.integer(3));
    }
    rows.reset();
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto& row = transaction.prepare(kAccepted).bind(first_ids[i]);
      if (row.step()) found[i].first_accepted_ms = row.integer(0);
      row.reset();
    }
  });
  return found;
}

std::int64_t AsyncEvents::damaged() {
  std::int64_t count = 0;
  database_.read_now([&count](Transaction& transaction) {
    auto& row = transaction.prepare("SELECT COUNT(*) FROM damaged_async_events").bind();
    if (row.step()) count = row.integer(0);
    row.reset();
  });
  return count;
}

}  // namespace lambent::store
