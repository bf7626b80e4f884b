// The SQLite connection under the Database: opened, locked and migrated, then used by one thread at a time.
//
// Owned by the Database's writer. Its file belongs to this process alone (locking_mode=EXCLUSIVE), so that two servers on one
// data directory cannot both believe in their snapshots.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/database.h"

namespace lambent::store {

/// What SQLite answered when it refused; `code` is its extended result code.
class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

/// What was read from the disk or pushed to it can no longer be trusted: fsync tells of a lost page once, a second try succeeds
/// without it. SQLITE_FULL is not among them: SQLite took the transaction back, and space may come.
bool ends_writing(int code);

class Connection {
 public:
  /// Throws std::runtime_error naming the file and the reason.
  Connection(const std::filesystem::path& file, const std::vector<Migration>& migrations);
  ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs statements without rows or parameters. Throws SqliteError.
  void execute(const char* sql);
  /// Prepared once and kept; noted as used until reset_used().
  Statement& prepare(std::string_view sql);
  /// Ends what a command left half read: an open SELECT would outlive its savepoint.
  void reset_used();

  /// Rows changed since the connection was opened.
  std::int64_t changes() const { return sqlite3_total_changes64(handle_.get()); }
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  /// Pages that the write-ahead log holds since the last checkpoint, as of the last commit.
  int wal_pages() const { return wal_pages_; }
  /// Moves what the log holds into the file. Throws SqliteError.
  void checkpoint();
  /// Writes the file anew without what was deleted and cuts the log to nothing. Throws SqliteError.
  void scrub();
  /// After an fsync failed nothing may be copied over what is known to be good: close() leaves the log as it is.
  void keep_log_on_close();

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  void open(const std::filesystem::path& file);
  void migrate(const std::filesystem::path& file, const std::vector<Migration>& migrations);
  int schema_number();

  std::unique_ptr<sqlite3, Close> handle_;
  // The statements are finalized before the connection closes.
  std::unordered_map<std::string, std::unique_ptr<Statement>> statements_;
  std::vector<Statement*> used_;
  int wal_pages_ = 0;
};

}  // namespace lambent::store
