#include "store/database.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <semaphore>
#include <thread>

#include "base/log.h"
#include "store/commit_mark.h"
#include "store/connection.h"

namespace lambent::store {
namespace {

// One commit carries at most this many commands, which bounds what a failed commit takes with it and how long the first waits.
constexpr std::size_t kGroup = 256;
// Commands waiting for the writer; beyond it a caller is refused at once instead of waiting for seconds.
constexpr std::size_t kQueued = 16384;
// What may wait does so for at most this long, and no longer than until so many commands are together.
constexpr std::chrono::milliseconds kSoon{10};
constexpr std::size_t kSoonGroup = 64;
// 4 KiB each: the log is copied into the file when it holds 32 MiB, between two groups, which then wait for two syncs more.
constexpr int kCheckpointPages = 8192;
constexpr std::string_view kSetNumber = "UPDATE commit_number SET number = ?";

struct Work {
  std::function<void(Transaction&)> command;
  Database::Done done;
  Pace pace = Pace::now;
};

/// A command's view while it runs; what it asked for is taken when it succeeded.
class CommandTransaction final : public Transaction {
 public:
  CommandTransaction(Connection& connection, const Vault& vault) : connection_(connection), vault_(vault) {}
  Statement& prepare(std::string_view sql) override { return connection_.prepare(sql); }
  void after_commit(std::function<void()> action) override { actions_.push_back(std::move(action)); }
  const Vault& vault() const override { return vault_; }
  std::vector<std::function<void()>> take_actions() { return std::move(actions_); }

 private:
  Connection& connection_;
  const Vault& vault_;
  std::vector<std::function<void()>> actions_;
};

std::exception_ptr failure(const std::string& message) { return std::make_exception_ptr(std::runtime_error(message)); }

}  // namespace

class Database::Writer {
 public:
  Writer(const std::filesystem::path& file, const std::vector<Migration>& migrations,
         const std::optional<std::filesystem::path>& mark, Vault vault)
      : name_(file.string()), vault_(std::move(vault)), connection_(file, migrations) {
    if (mark) compare_with(*mark);
    thread_ = std::thread([this] { run(); });
  }

  ~Writer() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  std::int64_t lost_commits() const { return lost_commits_; }

  /// On the writer thread, between two groups.
  void scrub() {
    try {
      connection_.scrub();
    } catch (const SqliteError& error) {
      // After a failed sync closing must not try once more: pages that the kernel dropped would count as written.
      if (ends_writing(error.code())) stop_writing(error.what());
      throw;
    }
  }

  void flush() {
    const auto reached = std::make_shared<std::promise<void>>();
    {
      // Past the queue's bound: it carries nothing and must not be refused.
      const std::lock_guard lock(mutex_);
      queue_.push_back({[](Transaction&) {}, [reached](std::exception_ptr) { reached->set_value(); }});
      ++urgent_;
    }
    wake_.notify_one();
    reached->get_future().wait();
  }

  void enqueue(Work work) {
    std::exception_ptr refusal;
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_)
        refusal = failure("the database is closing");
      else if (queue_.size() >= kQueued)
        refusal = failure("the database is overloaded: too many writes are waiting");
      else
        wake = add(std::move(work));
    }
    // Not thrown: the caller may be a coroutine that is being suspended, which cannot be unwound.
    if (refusal)
      work.done(refusal);
    else if (wake)
      wake_.notify_one();
  }

 private:
  void run() {
    while (true) {
      std::vector<Work> group = next_group();
      if (group.empty()) return;
      commit(std::move(group));
      checkpoint_when_due();
    }
  }

  /// Reads the number of the last commit and what the mark says of it.
  void compare_with(const std::filesystem::path& mark) {
    Statement& row = connection_.prepare("SELECT number FROM commit_number").bind();
    if (row.step()) number_ = row.integer(0);
    connection_.reset_used();
    mark_ = std::make_unique<CommitMark>(mark);
    lost_commits_ = std::max<std::int64_t>(0, mark_->kept().value_or(0) - number_);
    if (lost_commits_ == 0) return;
    base::log::error("the database has lost commits that were on disk",
                     {{"file", name_}, {"commits", lost_commits_}, {"last_kept", number_}});
    // Told once; what is committed from here on has numbers above all that ever were.
    number_ += lost_commits_;
  }

  /// With the lock held. True when the writer is to hear of it: of the first that may wait it takes the time.
  bool add(Work work) {
    const bool now = work.pace == Pace::now;
    if (now) ++urgent_;
    if (queue_.empty()) soon_by_ = std::chrono::steady_clock::now() + kSoon;
    queue_.push_back(std::move(work));
    return now || queue_.size() == 1 || queue_.size() >= kSoonGroup;
  }

  /// Waits for work; empty when the queue is and the database closes.
  std::vector<Work> next_group() {
    std::unique_lock lock(mutex_);
    while (!stopping_ && urgent_ == 0 && queue_.size() < kSoonGroup) {
      if (queue_.empty())
        wake_.wait(lock);
      else if (wake_.wait_until(lock, soon_by_) == std::cv_status::timeout)
        break;
    }
    const std::size_t count = std::min(queue_.size(), kGroup);
    std::vector<Work> group(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.begin() + count));
    urgent_ -= static_cast<std::size_t>(
        std::count_if(group.begin(), group.end(), [](const Work& work) { return work.pace == Pace::now; }));
    queue_.erase(queue_.begin(), queue_.begin() + count);
    return group;
  }

  void commit(std::vector<Work> group) {
    std::vector<std::exception_ptr> failures(group.size());
    std::vector<std::function<void()>> actions;
    try {
      if (!broken_.empty()) throw std::runtime_error(broken_);
      connection_.execute("BEGIN IMMEDIATE");
      const auto changes = connection_.changes();
      for (std::size_t i = 0; i < group.size(); ++i) failures[i] = run_command(group[i], actions);
      // A group that only read leaves nothing to sync.
      const bool changed = mark_ && connection_.changes() != changes;
      if (changed) connection_.prepare(kSetNumber).bind(number_ + 1).run();
      connection_.execute("COMMIT");
      if (changed) mark_->note(++number_);
    } catch (const std::exception& error) {
      // Refusals fail with the rest: what they were refused for may just have been undone.
      failures.assign(group.size(), give_up(error));
      actions.clear();
    }
    publish(actions);
    for (std::size_t i = 0; i < group.size(); ++i) {
      group[i].command = nullptr;
      group[i].done(std::move(failures[i]));
    }
  }

  /// Null, or what the command threw after it alone was undone. Throws when the whole group is lost.
  std::exception_ptr run_command(Work& work, std::vector<std::function<void()>>& actions) {
    connection_.execute("SAVEPOINT command");
    CommandTransaction transaction(connection_, vault_);
    std::exception_ptr thrown;
    try {
      work.command(transaction);
    } catch (const SqliteError& error) {
      if (ends_writing(error.code()) || (error.code() & 0xff) == SQLITE_FULL) throw;
      thrown = std::current_exception();
    } catch (...) {
      thrown = std::current_exception();
    }
    connection_.reset_used();
    // Some errors make SQLite take back the whole transaction; then this savepoint is gone and the next line throws.
    if (thrown) connection_.execute("ROLLBACK TO command");
    connection_.execute("RELEASE command");
    if (!thrown)
      for (auto& action : transaction.take_actions()) actions.push_back(std::move(action));
    return thrown;
  }

  /// Leaves the connection without a transaction; decides whether writing may go on.
  std::exception_ptr give_up(const std::exception& error) {
    const auto* sqlite = dynamic_cast<const SqliteError*>(&error);
    if (sqlite && ends_writing(sqlite->code())) stop_writing(error.what());
    if (!broken_.empty()) return failure(broken_);
    base::log::error("a group of writes was lost", {{"file", name_}, {"reason", error.what()}});
    connection_.reset_used();
    try {
      if (connection_.in_transaction()) connection_.execute("ROLLBACK");
    } catch (const std::exception& second) {
      stop_writing(second.what());
    }
    return failure(std::string("the database could not commit: ") + error.what());
  }

  void stop_writing(const std::string& reason) {
    broken_ = "the database " + name_ + " no longer writes after: " + reason;
    base::log::error("the database stops writing until a restart", {{"file", name_}, {"reason", reason}});
    connection_.reset_used();
    connection_.keep_log_on_close();
  }

  // A snapshot that cannot be published leaves memory and disk apart: noexcept ends the process instead.
  static void publish(const std::vector<std::function<void()>>& actions) noexcept {
    for (const auto& action : actions) action();
  }

  void checkpoint_when_due() {
    if (!broken_.empty() || connection_.wal_pages() < kCheckpointPages) return;
    try {
      connection_.checkpoint();
    } catch (const SqliteError& error) {
      // What is committed is in the log; a full disk only keeps the log from shrinking.
      if (ends_writing(error.code()))
        stop_writing(error.what());
      else
        base::log::warn("the write-ahead log could not be folded in", {{"file", name_}, {"reason", error.what()}});
    }
  }

  const std::string name_;
  const Vault vault_;
  Connection connection_;
  /// Why nothing is written any more; empty as long as all is well. The writer thread's.
  std::string broken_;
  std::unique_ptr<CommitMark> mark_;
  std::int64_t number_ = 0;
  std::int64_t lost_commits_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  /// How many in the queue may not wait, and until when the first of the others does.
  std::size_t urgent_ = 0;
  std::chrono::steady_clock::time_point soon_by_;
  bool stopping_ = false;
  // Last: it starts when all the rest is there.
  std::thread thread_;
};

Database::Database(const std::filesystem::path& file, const std::vector<Migration>& migrations,
                   const std::optional<std::filesystem::path>& mark, Vault vault)
    : writer_(std::make_unique<Writer>(file, migrations, mark, std::move(vault))) {}

std::int64_t Database::lost_commits() const { return writer_->lost_commits(); }

Database::~Database() = default;

void Database::enqueue(std::function<void(Transaction&)> command, Done done, Pace pace) {
  writer_->enqueue({std::move(command), std::move(done), pace});
}

void Database::flush() { writer_->flush(); }

void Database::write_now(std::function<void(Transaction&)> command) {
  struct Outcome {
    std::binary_semaphore ready{0};
    std::exception_ptr failure;
  };
  // Shared: the writer may still be inside release() when this returns.
  const auto outcome = std::make_shared<Outcome>();
  enqueue(std::move(command), [outcome](std::exception_ptr failure) {
    outcome->failure = std::move(failure);
    outcome->ready.release();
  });
  outcome->ready.acquire();
  // Moved out, so that the exception lives and ends on this thread alone.
  if (const auto failure = std::move(outcome->failure)) std::rethrow_exception(failure);
}

void Database::scrub() {
  std::exception_ptr failure;
  write_now([&](Transaction& transaction) {
    // After the commit no transaction is open, which VACUUM wants.
    transaction.after_commit([&] {
      try {
        writer_->scrub();
      } catch (...) {
        failure = std::current_exception();
      }
    });
  });
  if (failure) std::rethrow_exception(failure);
}

void Database::read_now(std::function<void(Transaction&)> visit) { write_now(std::move(visit)); }

}  // namespace lambent::store
