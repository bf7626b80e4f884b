// The durable records: one SQLite file (WAL, synchronous=FULL), one writer thread with group commit.
//
// A command runs on the writer thread inside a savepoint of its own; commands that arrive while one group is being
// committed form the next. The task of a command ends after its group is on disk and after its after_commit actions ran, so
// whoever gets an answer finds it in the snapshots too. A command that throws is rolled back alone and its exception
// is rethrown to the caller. Owned by the composition root; its destructor ends the writer after the queued commands. The
// lanes that its callers run on are made before it and end after it: it posts to them.
//
// When a group cannot be committed, all its commands fail with std::runtime_error and nothing of them is published. After a full
// disk the next group is tried; after an I/O error (a failed fsync above all) every later write fails until a restart, which
// alone shows what the disk kept: a write that failed so may turn out to be there. At most 16,384 commands wait; more are refused.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/task.h"
#include "store/vault.h"

namespace lambent::store {

/// One prepared statement, used as: bind in order, then step rows, then it resets itself.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement);
  Statement(const Statement&) = delete;
  ~Statement();

  /// Binds from 1 on; each call takes the whole list. Text and blobs are copied.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  /// True while there is a row. Throws std::runtime_error for a failing statement.
  bool step();
  /// For statements without rows.
  void run() {
    while (step()) {
    }
  }
  void reset();

  // Columns count from 0.
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, int value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, bool value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, std::string_view value);
  void bind_one(int index, const std::string& value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, const char* value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, std::nullptr_t);
  /// Nothing is NULL.
  template <class Value>
  void bind_one(int index, const std::optional<Value>& value) {
    if (value)
      bind_one(index, *value);
    else
      bind_one(index, nullptr);
  }

  sqlite3_stmt* statement_;
};

/// What a command sees: the connection's statements, and what is to happen once the command is durable.
class Transaction {
 public:
  virtual ~Transaction() = default;
  /// Prepared once per connection and kept. `sql` must be a string literal (its address is not kept, its text is).
  virtual Statement& prepare(std::string_view sql) = 0;
  /// Runs on the writer thread after the commit and before the command's task ends: publishing snapshots goes here.
  virtual void after_commit(std::function<void()> action) = 0;
  /// What secrets are sealed with before they become columns.
  virtual const Vault& vault() const = 0;
};

/// A step of the schema; numbers rise by one and are never reused.
struct Migration {
  int number;
  std::string_view sql;
};

/// When a command is committed.
enum class Pace {
  /// With the next group.
  now,
  /// For another's sake, or after 10 ms: for what nobody waits for. Its place among the other commands stays.
  soon,
};

class Database {
 public:
  /// Opens or makes the file, applies the missing migrations. Throws std::runtime_error naming the file and the reason,
  /// also when the file was written by a newer schema. With `mark` the commits are numbered (table commit_number) and the last
  /// number is kept in that file too, to be compared at the next start.
  Database(const std::filesystem::path& file, const std::vector<Migration>& migrations,
           const std::optional<std::filesystem::path>& mark = std::nullopt, Vault vault = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// How many commits that were once on disk the database did not have when it was opened, as far as the mark can tell; each was
  /// logged as an error.
  std::int64_t lost_commits() const;

  /// Waits until every command enqueued so far has ended. For whoever is about to destroy what their after_commit actions use.
  void flush();

  /// Runs `command(Transaction&)` durably and returns its value on the caller's executor.
  template <class Command>
  base::Task<std::invoke_result_t<Command, Transaction&>> write(Command command, Pace pace = Pace::now);

  /// The same for start-up code that has no coroutine yet: blocks. Never call it on a lane.
  void write_now(std::function<void(Transaction&)> command);

  /// Reads at start, before the lanes run: `visit` gets the writer's own connection.
  void read_now(std::function<void(Transaction&)> visit);

  /// Writes the whole file anew and empties the log: nothing that was deleted or replaced can be read from them afterwards. Blocks;
  /// for start-up. Throws std::runtime_error.
  void scrub();

  // How write() reaches the writer thread. `done` runs there, with null after the commit or the failure's exception; when
  // the command is refused (too many waiting) it runs at once on the caller's thread. Never throws.
  using Done = std::function<void(std::exception_ptr)>;
  void enqueue(std::function<void(Transaction&)> command, Done done, Pace pace = Pace::now);

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

template <class Command>
base::Task<std::invoke_result_t<Command, Transaction&>> Database::write(Command command, Pace pace) {
  using Result = std::invoke_result_t<Command, Transaction&>;
  using Held = std::conditional_t<std::is_void_v<Result>, std::monostate, std::optional<Result>>;
  auto result = std::make_shared<Held>();
  auto run = [result, command = std::move(command)](Transaction& transaction) mutable {
    if constexpr (std::is_void_v<Result>)
      command(transaction);
    else
      *result = command(transaction);
  };
  namespace asio = base::asio;
  const auto executor = co_await asio::this_coro::executor;
  auto start = [this, executor, pace](auto handler, std::function<void(Transaction&)> work) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto done = [shared, executor](std::exception_ptr failure) {
      asio::post(executor, [shared, failure = std::move(failure)]() mutable { (*shared)(std::move(failure)); });
    };
    enqueue(std::move(work), std::move(done), pace);
  };
  std::function<void(Transaction&)> work = std::move(run);
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(start, asio::use_awaitable,
                                                                                         std::move(work));
  if constexpr (!std::is_void_v<Result>) co_return std::move(**result);
}

}  // namespace lambent::store
