#include "store/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "base/fd.h"

namespace lambent::store {
namespace {

// The log is cut back to this size when it restarts after a burst.
constexpr const char* kPragmas =
    "PRAGMA locking_mode=EXCLUSIVE;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA wal_autocheckpoint=0;"
    "PRAGMA journal_size_limit=67108864;";

[[noreturn]] void fail(sqlite3* handle, int code) { throw SqliteError(code, sqlite3_errmsg(handle)); }

// SQLite gives its log the file's mode. A file that is there already is never opened here: closing that descriptor
// would drop the POSIX locks that this process may hold on it through another connection.
void make_private_file(const std::filesystem::path& file) {
  base::Fd created(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (created) return;
  if (errno != EEXIST) throw std::system_error(errno, std::system_category(), "cannot create it");
  base::check(::chmod(file.c_str(), 0600), "cannot set its mode to 0600");
}

}  // namespace

bool ends_writing(int code) {
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return true;
    default:
      return false;
  }
}

Statement::Statement(sqlite3_stmt* statement) : statement_(statement) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

bool Statement::step() {
  sqlite3* handle = sqlite3_db_handle(statement_);
  // SQLite rolls a whole transaction back on some errors; a command that went on regardless would write outside of any group.
  if (sqlite3_get_autocommit(handle) != 0 && sqlite3_stmt_readonly(statement_) == 0)
    throw SqliteError(SQLITE_ABORT, "a write outside of a transaction");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(handle, code);
}

// The code that reset answers is step's, told already.
void Statement::reset() { sqlite3_reset(statement_); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

void Statement::bind_one(int index, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(statement_, index, value); code != SQLITE_OK)
    fail(sqlite3_db_handle(statement_), code);
}

void Statement::bind_one(int index, std::string_view value) {
  // A null pointer would bind NULL instead of empty text.
  const char* text = value.data() ? value.data() : "";
  const int code = sqlite3_bind_text64(statement_, index, text, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) fail(sqlite3_db_handle(statement_), code);
}

void Statement::bind_one(int index, std::nullptr_t) {
  if (const int code = sqlite3_bind_null(statement_, index); code != SQLITE_OK)
    fail(sqlite3_db_handle(statement_), code);
}

Connection::Connection(const std::filesystem::path& file, const std::vector<Migration>& migrations) {
  try {
    open(file);
    migrate(file, migrations);
  } catch (const SqliteError& error) {
    if (handle_ && ends_writing(error.code())) keep_log_on_close();
    const int code = error.code() & 0xff;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
      throw std::runtime_error(fmt::format(
          "{} is in use by another process: one server at a time may have a data directory", file.string()));
    throw std::runtime_error(fmt::format("cannot open the database {}: {}", file.string(), error.what()));
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("cannot open the database {}: {}", file.string(), error.what()));
  }
}

void Connection::open(const std::filesystem::path& file) {
  make_private_file(file);
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) throw SqliteError(code, handle ? sqlite3_errmsg(handle) : "out of memory");
  sqlite3_extended_result_codes(handle, 1);
  execute(kPragmas);
  // The first access takes the lock, for as long as the connection lives.
  execute("PRAGMA journal_mode=WAL; BEGIN EXCLUSIVE; COMMIT");
  sqlite3_wal_hook(
      handle,
      [](void* pages, sqlite3*, const char*, int in_log) {
        *static_cast<int*>(pages) = in_log;
        return SQLITE_OK;
      },
      &wal_pages_);
}

int Connection::schema_number() {
  execute("CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY)");
  Statement& newest = prepare("SELECT COALESCE(MAX(number), 0) FROM schema_migrations").bind();
  newest.step();
  const auto number = static_cast<int>(newest.integer(0));
  reset_used();
  return number;
}

// All in one transaction: what a server has at its first start is one wait for the disk, and a migration that fails leaves the
// database as it was.
void Connection::migrate(const std::filesystem::path& file, const std::vector<Migration>& migrations) {
  execute("BEGIN IMMEDIATE");
  const int have = schema_number();
  const int known = static_cast<int>(migrations.size());
  if (have > known)
    throw std::runtime_error(
        fmt::format("{} was written by a newer version (schema {}, this one knows {}): nothing was changed",
                    file.string(), have, known));
  for (int number = 1; number <= known; ++number) {
    const Migration& migration = migrations[static_cast<std::size_t>(number - 1)];
    if (migration.number != number) throw std::logic_error("migrations are numbered from 1 without gaps");
    if (number <= have) continue;
    execute(std::string(migration.sql).c_str());
    prepare("INSERT INTO schema_migrations (number) VALUES (?)").bind(number).run();
    reset_used();
  }
  execute("COMMIT");
}

void Connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_.get(), code);
}

Statement& Connection::prepare(std::string_view sql) {
  auto& slot = statements_[std::string(sql)];
  if (!slot) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(handle_.get(), code);
    slot = std::make_unique<Statement>(statement);
  }
  used_.push_back(slot.get());
  return *slot;
}

void Connection::reset_used() {
  for (Statement* statement : used_) statement->reset();
  used_.clear();
}

void Connection::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_.get(), code);
  wal_pages_ = 0;
}

void Connection::scrub() {
  reset_used();
  execute("VACUUM");
  const int code = sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_.get(), code);
  wal_pages_ = 0;
}

void Connection::keep_log_on_close() {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, static_cast<int*>(nullptr));
}

}  // namespace lambent::store
