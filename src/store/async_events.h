// Events that were accepted for later: rows in the database, of which only a bounded part is in memory at any time.
//
// add() ends when the event is on disk; that is what a 202 stands on. A row leaves with remove() alone. Every row carries a
// checksum over all its members; one that does not fit is moved to damaged_async_events, logged and counted, never run and
// never dropped in silence. Owned by the composition root; any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/task.h"
#include "store/database.h"
#include "store/functions.h"

namespace lambent::store {

struct AsyncEvent {
  /// Given by AsyncEvents::next_id(), never used twice.
  std::int64_t id = 0;
  FunctionKey function;
  /// Version or alias as the caller named it; empty for none.
  std::string qualifier;
  std::string request_id;
  /// Whose environments it is to run in; empty where the function does not isolate its tenants.
  std::string tenant_id;
  /// X-Amzn-Trace-Id that the event came with.
  std::string trace_header;
  std::int64_t accepted_ms = 0;
  /// Not to be run before.
  std::int64_t due_ms = 0;
  /// How often the function ran for it and failed.
  std::int32_t attempts = 0;
  /// How often in a row the platform could not run it, or a target did not take its notice.
  std::int32_t setbacks = 0;
  /// What is still to be told to its targets, once it has ended; empty while the function is to run. Its owner's format.
  std::string notice;
  std::string payload;
};

/// What is to be done for an event: two kinds that do not wait for each other.
enum class AsyncKind {
  /// Its function is to run.
  to_run,
  /// It has ended, and its targets are to be told: it has a notice.
  to_tell,
};

using AsyncEventPointer = std::shared_ptr<const AsyncEvent>;

/// What of one kind waits for one function.
struct AsyncBacklog {
  FunctionKey function;
  std::int64_t events = 0;
  std::int64_t first_due_ms = 0;
  std::int64_t first_accepted_ms = 0;
};

class AsyncEvents {
 public:
  /// How much load() brings at once.
  struct Bounds {
    std::size_t events = 32;
    /// Payloads and notices together, in bytes; one event is always brought.
    std::size_t bytes = 4 << 20;
  };
  struct Page {
    std::vector<AsyncEventPointer> events;
    /// How many rows were moved aside because their checksum did not fit.
    std::size_t damaged = 0;
    /// When the first row that was not brought is due; nothing when all were.
    std::optional<std::int64_t> next_due_ms;
  };

  /// Finds the highest id; blocks, so at start only. `database` must outlive this.
  explicit AsyncEvents(Database& database);

  std::int64_t next_id() { return next_id_.fetch_add(1); }
  /// Durable when the task ends. Throws std::runtime_error when it could not be written: then it may still turn out to be there.
  base::Task<void> add(AsyncEventPointer event);
  /// Writes everything but the payload anew.
  base::Task<void> update(AsyncEventPointer event);
  base::Task<void> remove(std::int64_t id);
  /// The events of a function and kind that are due at `now_ms`, those that wait longest first, without those in `held`.
  base::Task<Page> load(FunctionKey function, AsyncKind kind, std::int64_t now_ms,
                        std::unordered_set<std::int64_t> held, Bounds bounds);
  /// Checks the rows after `after` until `bytes` of them were read. Damaged ones are moved aside.
  struct Checked {
    std::int64_t last_id = 0;
    bool at_end = false;
    std::size_t damaged = 0;
  };
  base::Task<Checked> check(std::int64_t after, std::size_t bytes);

  /// What waits for each function, read from an index without touching events; blocks, so at start only.
  std::vector<AsyncBacklog> backlogs(AsyncKind kind);
  /// How many rows were ever moved aside.
  std::int64_t damaged();

 private:
  Database& database_;
  std::atomic<std::int64_t> next_id_{1};
};

}  // namespace lambent::store
