#include "store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <deque>
#include <fstream>
#include <future>
#include <latch>
#include <set>
#include <thread>

#include "base/fd.h"
#include "base/ids.h"
#include "store/failing_disk.h"

namespace lambent::store {
namespace {

using ::testing::HasSubstr;
namespace asio = base::asio;

const std::vector<Migration> kSchema = {{1, "CREATE TABLE notes (n INTEGER PRIMARY KEY, body TEXT NOT NULL);"}};

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() : directory_(std::filesystem::temp_directory_path() / ("lambent-db-" + base::random_hex(6))) {
    std::filesystem::create_directory(directory_);
  }
  ~DatabaseTest() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path file() const { return directory_ / "records.db"; }

  static void add(Transaction& transaction, std::int64_t n, std::string_view body = "x") {
    transaction.prepare("INSERT INTO notes (n, body) VALUES (?, ?)").bind(n, body).run();
  }
  static std::set<std::int64_t> notes(Database& database) {
    std::set<std::int64_t> found;
    database.read_now([&](Transaction& transaction) {
      Statement& rows = transaction.prepare("SELECT n FROM notes").bind();
      while (rows.step()) found.insert(rows.integer(0));
    });
    return found;
  }
  static std::string failure_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }

  /// Holds the writer inside a command until the returned promise is set, so that what follows queues up behind it.
  static std::shared_ptr<std::promise<void>> hold(Database& database) {
    auto release = std::make_shared<std::promise<void>>();
    auto entered = std::make_shared<std::promise<void>>();
    database.enqueue(
        [release, entered](Transaction&) {
          entered->set_value();
          release->get_future().wait();
        },
        [](std::exception_ptr) {});
    entered->get_future().wait();
    return release;
  }

  std::filesystem::path directory_;
};

TEST_F(DatabaseTest, WhatWasWrittenIsThereAfterReopening) {
  {
    Database database(file(), kSchema);
    database.write_now([](Transaction& transaction) { add(transaction, 7, std::string("a\0b", 3)); });
  }
  Database database(file(), kSchema);
  database.read_now([](Transaction& transaction) {
    Statement& row = transaction.prepare("SELECT n, body FROM notes").bind();
    ASSERT_TRUE(row.step());
    EXPECT_EQ(row.integer(0), 7);
    EXPECT_EQ(row.text(1), std::string("a\0b", 3));
    EXPECT_FALSE(row.step());
  });
}

TEST_F(DatabaseTest, TheFileAndItsLogAreForTheOwnerOnly) {
  std::ofstream(file()).close();
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
  Database database(file(), kSchema);
  database.write_now([](Transaction& transaction) { add(transaction, 1); });
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    struct stat info{};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << entry.path();
  }
  EXPECT_TRUE(std::filesystem::exists(file().string() + "-wal"));
}

TEST_F(DatabaseTest, CommandsThatWaitTogetherAreSyncedTogether) {
  const FailingDisk disk;
  Database database(file(), kSchema);
  constexpr int kCommands = 600;
  std::latch finished(kCommands);
  const auto release = hold(database);
  const int before = FailingDisk::syncs;
  for (int i = 0; i < kCommands; ++i)
    database.enqueue([i](Transaction& transaction) { add(transaction, i); },
                     [&](std::exception_ptr failure) {
                       EXPECT_EQ(failure, nullptr);
                       finished.count_down();
                     });
  release->set_value();
  finished.wait();
  // 600 commands in groups of at most 256 are three commits. The log's first commit after opening syncs its header too.
  EXPECT_GE(FailingDisk::syncs - before, 3);
  EXPECT_LE(FailingDisk::syncs - before, 5);
  EXPECT_EQ(notes(database).size(), static_cast<std::size_t>(kCommands));
}

TEST_F(DatabaseTest, ACommandThatThrowsIsUndoneAloneAndItsCallerHearsWhy) {
  Database database(file(), kSchema);
  const auto release = hold(database);
  std::promise<std::exception_ptr> first, second, third;
  const auto tell = [](std::promise<std::exception_ptr>& to) {
    return [&to](std::exception_ptr failure) { to.set_value(failure); };
  };
  database.enqueue([](Transaction& transaction) { add(transaction, 1); }, tell(first));
  database.enqueue(
      [](Transaction& transaction) {
        add(transaction, 2);
        transaction.after_commit([] { ADD_FAILURE() << "an undone command published"; });
        throw std::invalid_argument("no such thing");
      },
      tell(second));
  database.enqueue([](Transaction& transaction) { add(transaction, 3); }, tell(third));
  release->set_value();
  EXPECT_EQ(first.get_future().get(), nullptr);
  EXPECT_EQ(third.get_future().get(), nullptr);
  const auto thrown = second.get_future().get();
  ASSERT_NE(thrown, nullptr);
  EXPECT_THROW(std::rethrow_exception(thrown), std::invalid_argument);
  EXPECT_EQ(notes(database), (std::set<std::int64_t>{1, 3}));
}

TEST_F(DatabaseTest, AConstraintUndoesOnlyTheCommandThatBrokeIt) {
  Database database(file(), kSchema);
  database.write_now([](Transaction& transaction) { add(transaction, 1); });
  const auto reason = failure_of([&] {
    database.write_now([](Transaction& transaction) {
      add(transaction, 2);
      add(transaction, 1);
    });
  });
  EXPECT_THAT(reason, HasSubstr("UNIQUE"));
  EXPECT_EQ(notes(database), (std::set<std::int64_t>{1}));
  database.write_now([](Transaction& transaction) { add(transaction, 2); });
}

TEST_F(DatabaseTest, ASelectLeftOpenDoesNotHoldUpTheCommit) {
  Database database(file(), kSchema);
  database.write_now([](Transaction& transaction) {
    for (int n = 0; n < 10; ++n) add(transaction, n);
    transaction.prepare("SELECT n FROM notes").bind().step();
  });
  EXPECT_THROW(database.write_now([](Transaction& transaction) {
    transaction.prepare("SELECT n FROM notes").bind().step();
    throw std::runtime_error("half read");
  }),
               std::runtime_error);
  EXPECT_EQ(notes(database).size(), 10u);
}

TEST_F(DatabaseTest, AnAnswerComesAfterItsSnapshotIsPublished) {
  Database database(file(), kSchema);
  std::atomic<int> published{0};
  for (int n = 1; n <= 50; ++n) {
    database.write_now([&published, n](Transaction& transaction) {
      add(transaction, n);
      transaction.after_commit([&published, n] { published = n; });
    });
    EXPECT_EQ(published, n);
  }
}

TEST_F(DatabaseTest, CoroutinesOnSeveralThreadsWriteAndGetTheirOwnValues) {
  constexpr int kThreads = 4, kCoroutines = 16, kWrites = 20;
  // They end after the database, which posts to them.
  std::deque<asio::io_context> contexts(kThreads);
  Database database(file(), kSchema);
  std::atomic<int> right{0}, refused{0};
  const auto writer = [&](int id) -> base::Task<void> {
    const auto home = std::this_thread::get_id();
    for (int k = 0; k < kWrites; ++k) {
      const std::int64_t n = id * kWrites + k;
      auto command = [n](Transaction& transaction) {
        add(transaction, n);
        if (n % 10 == 9) throw std::out_of_range("nine");
        return n * 2;
      };
      try {
        if (co_await database.write(command) == n * 2 && std::this_thread::get_id() == home) ++right;
      } catch (const std::out_of_range&) {
        ++refused;
      }
    }
  };
  std::vector<std::thread> lanes;
  for (int lane = 0; lane < kThreads; ++lane)
    lanes.emplace_back([&, lane] {
      asio::io_context& context = contexts[static_cast<std::size_t>(lane)];
      for (int c = 0; c < kCoroutines; ++c) asio::co_spawn(context, writer(lane * kCoroutines + c), asio::detached);
      context.run();
    });
  for (auto& lane : lanes) lane.join();
  EXPECT_EQ(right, kThreads * kCoroutines * kWrites * 9 / 10);
  EXPECT_EQ(refused, kThreads * kCoroutines * kWrites / 10);
  EXPECT_EQ(notes(database).size(), static_cast<std::size_t>(right));
}

TEST_F(DatabaseTest, FlushWaitsForAllThatWasEnqueuedBefore) {
  Database database(file(), kSchema);
  std::atomic<int> done{0};
  for (int i = 0; i < 700; ++i)
    database.enqueue([i](Transaction& transaction) { add(transaction, i); }, [&](std::exception_ptr) { ++done; });
  database.flush();
  EXPECT_EQ(done, 700);
}

TEST_F(DatabaseTest, WhatMayWaitIsCommittedForAnothersSakeOrSoon) {
  FailingDisk disk;
  Database database(file(), kSchema);
  const auto put = [&](std::int64_t n, Pace pace) {
    auto done = std::make_shared<std::promise<void>>();
    database.enqueue([n](Transaction& transaction) { add(transaction, n); },
                     [done](std::exception_ptr) { done->set_value(); }, pace);
    return done->get_future();
  };
  const auto begin = std::chrono::steady_clock::now();
  put(1, Pace::soon).wait();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(9)) << "it waited for nobody";
  auto release = hold(database);
  const int before = FailingDisk::syncs;
  auto second = put(2, Pace::soon);
  auto third = put(3, Pace::now);
  release->set_value();
  third.wait();
  EXPECT_EQ(second.wait_for(std::chrono::seconds(0)), std::future_status::ready) << "the order stays";
  EXPECT_EQ(FailingDisk::syncs - before, 1);
  // More than one group of them, and the end of the database, wait for nothing.
  for (std::int64_t n = 10; n < 600; ++n) put(n, Pace::soon);
  database.flush();
  EXPECT_EQ(notes(database).size(), 593u);
}

TEST_F(DatabaseTest, AFullQueueRefusesAtOnce) {
  Database database(file(), kSchema);
  const auto release = hold(database);
  std::atomic<int> refused{0}, done{0};
  constexpr int kMany = 20000;
  for (int i = 0; i < kMany; ++i)
    database.enqueue([](Transaction&) {},
                     [&](std::exception_ptr failure) {
                       ++done;
                       if (failure) ++refused;
                     });
  EXPECT_EQ(done, refused) << "nothing but refusals while the writer is held";
  EXPECT_EQ(refused, kMany - 16384);
  release->set_value();
  for (int patience = 0; done < kMany && patience < 10000; ++patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(done, kMany);
  EXPECT_EQ(refused, kMany - 16384);
  database.write_now([](Transaction& transaction) { add(transaction, 1); });
}

TEST_F(DatabaseTest, WhatWasQueuedIsWrittenBeforeTheDestructorEnds) {
  std::atomic<int> done{0};
  {
    Database database(file(), kSchema);
    const auto release = hold(database);
    for (int i = 0; i < 1000; ++i)
      database.enqueue([i](Transaction& transaction) { add(transaction, i); },
                       [&](std::exception_ptr failure) { done += failure == nullptr; });
    release->set_value();
  }
  EXPECT_EQ(done, 1000);
  Database database(file(), kSchema);
  EXPECT_EQ(notes(database).size(), 1000u);
}

TEST_F(DatabaseTest, ASecondOpenerIsRefused) {
  Database database(file(), kSchema);
  EXPECT_THAT(failure_of([&] { Database second(file(), kSchema); }), HasSubstr("in use by another process"));
  const pid_t child = ::fork();
  if (child == 0) {
    const auto reason = failure_of([&] { Database second(file(), kSchema); });
    ::_exit(reason.find("in use by another process") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  // And the refused ones did not break the first one's lock.
  database.write_now([](Transaction& transaction) { add(transaction, 1); });
  EXPECT_THAT(failure_of([&] { Database third(file(), kSchema); }), HasSubstr("in use by another process"));
}

TEST_F(DatabaseTest, AFileOfANewerSchemaIsRefusedByName) {
  auto newer = kSchema;
  newer.push_back({2, "ALTER TABLE notes ADD COLUMN more TEXT;"});
  {
    Database database(file(), newer);
  }
  const auto reason = failure_of([&] { Database database(file(), kSchema); });
  EXPECT_THAT(reason, HasSubstr("newer version"));
  EXPECT_THAT(reason, HasSubstr(file().string()));
  Database database(file(), newer);
}

TEST_F(DatabaseTest, MigrationsRunOnceAndAFailingOneLeavesNothing) {
  {
    Database database(file(), kSchema);
  }
  auto broken = kSchema;
  broken.push_back({2, "CREATE TABLE half (a INTEGER); CREATE TABLE notes (n INTEGER);"});
  EXPECT_THAT(failure_of([&] { Database database(file(), broken); }), HasSubstr("already exists"));
  auto fixed = kSchema;
  fixed.push_back({2, "CREATE TABLE half (a INTEGER);"});
  Database database(file(), fixed);
}

TEST_F(DatabaseTest, MigrationNumbersHaveNoGaps) {
  const std::vector<Migration> gap = {{1, "CREATE TABLE a (a INTEGER);"}, {3, "CREATE TABLE b (b INTEGER);"}};
  EXPECT_THROW(Database(file(), gap), std::logic_error);
}

TEST_F(DatabaseTest, SomethingElseThanADatabaseIsRefused) {
  std::ofstream(file()) << std::string(8192, 'x');
  EXPECT_THAT(failure_of([&] { Database database(file(), kSchema); }), HasSubstr("not a database"));
  EXPECT_THAT(failure_of([&] { Database database(directory_ / "no" / "such.db", kSchema); }),
              HasSubstr("No such file"));
}

TEST_F(DatabaseTest, ForeignKeysAreHeld) {
  const std::vector<Migration> schema = {
      {1, "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a_id INTEGER REFERENCES a (id));"}};
  Database database(file(), schema);
  EXPECT_THROW(database.write_now([](Transaction& transaction) {
    transaction.prepare("INSERT INTO b (a_id) VALUES (1)").bind().run();
  }),
               std::runtime_error);
}

TEST_F(DatabaseTest, AFailedSyncFailsTheWholeGroupAndAllThatFollows) {
  const FailingDisk disk;
  std::set<std::int64_t> acknowledged;
  {
    Database database(file(), kSchema);
    database.write_now([](Transaction& transaction) { add(transaction, 1); });
    acknowledged.insert(1);
    const auto release = hold(database);
    std::latch finished(3);
    std::atomic<int> failed{0};
    FailingDisk::fail_sync = true;
    for (int n = 2; n <= 4; ++n)
      database.enqueue(
          [n](Transaction& transaction) {
            add(transaction, n);
            transaction.after_commit([] { ADD_FAILURE() << "published without a commit"; });
          },
          [&](std::exception_ptr failure) {
            failed += failure != nullptr;
            finished.count_down();
          });
    release->set_value();
    finished.wait();
    EXPECT_EQ(failed, 3);
    // The disk claims to be well again; what it lost it will not tell twice.
    FailingDisk::fail_sync = false;
    const auto reason = failure_of([&] { database.write_now([](Transaction& transaction) { add(transaction, 5); }); });
    EXPECT_THAT(reason, HasSubstr("no longer writes"));
  }
  Database database(file(), kSchema);
  const auto found = notes(database);
  EXPECT_TRUE(found.contains(1));
  EXPECT_FALSE(found.contains(5));
}

TEST_F(DatabaseTest, AMigrationWhoseSyncFailedDoesNotFoldTheLogIn) {
  const auto crashed = directory_ / "crashed.db";
  const std::string log = crashed.string() + "-wal";
  {
    Database database(file(), kSchema);
    database.write_now([](Transaction& transaction) { add(transaction, 1); });
    // As a process leaves them that was killed.
    std::filesystem::copy(file(), crashed);
    std::filesystem::copy(file().string() + "-wal", log);
  }
  auto newer = kSchema;
  newer.push_back({2, "CREATE TABLE more (a INTEGER);"});
  {
    const FailingDisk disk;
    FailingDisk::fail_one_sync = true;
    EXPECT_THAT(failure_of([&] { Database database(crashed, newer); }), HasSubstr("cannot open the database"));
    EXPECT_FALSE(FailingDisk::fail_one_sync) << "nothing was synced";
  }
  // Closing would have copied what the disk may have lost, and removed the log.
  EXPECT_TRUE(std::filesystem::exists(log));
  Database database(crashed, newer);
  EXPECT_EQ(notes(database), (std::set<std::int64_t>{1}));
}

TEST_F(DatabaseTest, AFullDiskFailsTheGroupAndWritingGoesOnWhenThereIsSpace) {
  const FailingDisk disk;
  Database database(file(), kSchema);
  database.write_now([](Transaction& transaction) { add(transaction, 1); });
  FailingDisk::disk_full = true;
  for (int n = 2; n <= 3; ++n)
    EXPECT_THAT(failure_of([&] { database.write_now([n](Transaction& transaction) { add(transaction, n); }); }),
                HasSubstr("full"));
  FailingDisk::disk_full = false;
  database.write_now([](Transaction& transaction) { add(transaction, 4); });
  EXPECT_EQ(notes(database), (std::set<std::int64_t>{1, 4}));
}

TEST_F(DatabaseTest, TheLogIsFoldedIntoTheFileAsItGrows) {
  Database database(file(), kSchema);
  const std::string body(64 * 1024, 'b');
  for (int n = 0; n < 1200; ++n) database.write_now([&](Transaction& transaction) { add(transaction, n, body); });
  // 75 MiB went through a log that is folded in at 32 MiB.
  EXPECT_LT(std::filesystem::file_size(file().string() + "-wal"), 40u << 20);
  EXPECT_GT(std::filesystem::file_size(file()), 48u << 20);
}

// The child writes and acknowledges over a pipe until it is killed in the middle of it.
void write_until_killed(const std::filesystem::path& file, int acknowledgements) {
  Database database(file, kSchema);
  for (std::int64_t n = 0;; ++n) {
    database.write_now([n](Transaction& transaction) {
      transaction.prepare("INSERT INTO notes (n, body) VALUES (?, 'x')").bind(n).run();
    });
    if (::write(acknowledgements, &n, sizeof n) != static_cast<ssize_t>(sizeof n)) ::_exit(1);
  }
}

TEST_F(DatabaseTest, KillingTheProcessLosesNothingThatWasAcknowledged) {
  std::int64_t last = -1;
  for (int round = 0; round < 5; ++round) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directory(directory_);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const base::Fd in(ends[0]);
    base::Fd out(ends[1]);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      write_until_killed(file(), out.get());
      ::_exit(1);
    }
    out.reset();
    std::int64_t n = -1;
    const std::int64_t enough = 100 + 37 * round;
    while (last < enough && ::read(in.get(), &n, sizeof n) == static_cast<ssize_t>(sizeof n)) last = n;
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(in.get(), &n, sizeof n) == static_cast<ssize_t>(sizeof n)) last = n;
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_GE(last, enough);
    Database database(file(), kSchema);
    const auto found = notes(database);
    for (std::int64_t k = 0; k <= last; ++k) EXPECT_TRUE(found.contains(k)) << k;
    last = -1;
  }
}

}  // namespace
}  // namespace lambent::store
