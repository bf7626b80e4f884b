#include "store/async_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/ids.h"
#include "store/failing_disk.h"
#include "store/migrations.h"

namespace lambent::store {
namespace {

namespace asio = base::asio;
namespace fs = std::filesystem;
using ::testing::ElementsAre;

class AsyncEventsTest : public ::testing::Test {
 protected:
  AsyncEventsTest() : directory_(fs::temp_directory_path() / ("lambent-async-" + base::random_hex(6))) {
    fs::create_directory(directory_);
    open();
  }
  ~AsyncEventsTest() override {
    events_.reset();
    database_.reset();
    fs::remove_all(directory_);
  }

  void open() {
    events_.reset();
    database_.reset();
    database_ = std::make_unique<Database>(file(), migrations(), mark());
    events_ = std::make_unique<AsyncEvents>(*database_);
  }
  fs::path file() const { return directory_ / "records.db"; }
  fs::path mark() const { return directory_ / "records.commits"; }

  template <class T>
  T run(base::Task<T> task) {
    lane_.restart();
    auto result = asio::co_spawn(lane_, std::move(task), asio::use_future);
    // The database's writer posts the answer.
    auto guard = asio::make_work_guard(lane_);
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) lane_.run_one();
    return result.get();
  }

  std::shared_ptr<AsyncEvent> event(const std::string& function, std::int64_t due_ms,
                                    const std::string& payload = "{}") {
    auto made = std::make_shared<AsyncEvent>();
    made->id = events_->next_id();
    made->function = {"123456789012", "us-east-1", function};
    made->request_id = base::uuid();
    made->trace_header = "Root=1-0-0";
    made->accepted_ms = due_ms;
    made->due_ms = due_ms;
    made->payload = payload;
    return made;
  }
  AsyncEvents::Page load(const std::string& function, std::int64_t now, std::unordered_set<std::int64_t> held = {},
                         AsyncEvents::Bounds bounds = {}, AsyncKind kind = AsyncKind::to_run) {
    return run(events_->load({"123456789012", "us-east-1", function}, kind, now, std::move(held), bounds));
  }
  static std::vector<std::string> payloads(const AsyncEvents::Page& page) {
    std::vector<std::string> found;
    for (const auto& event : page.events) found.push_back(event->payload);
    return found;
  }
  void sql(const std::string& text) {
    database_->write_now([&](Transaction& transaction) { transaction.prepare(text).bind().run(); });
  }

  const fs::path directory_;
  asio::io_context lane_{1};
  std::unique_ptr<Database> database_;
  std::unique_ptr<AsyncEvents> events_;
};

TEST_F(AsyncEventsTest, WhatWasAddedIsThereAfterReopeningWithEveryMember) {
  auto added = event("f", 5, std::string("a\0b", 3));
  added->qualifier = "live";
  added->tenant_id = "blue";
  added->attempts = 2;
  added->setbacks = 3;
  added->notice = "{\"x\":1}";
  run(events_->add(added));
  open();
  const auto page = load("f", 5, {}, {}, AsyncKind::to_tell);
  ASSERT_EQ(page.events.size(), 1u);
  const AsyncEvent& found = *page.events[0];
  EXPECT_EQ(found.id, added->id);
  EXPECT_EQ(found.function, added->function);
  EXPECT_EQ(found.qualifier, "live");
  EXPECT_EQ(found.tenant_id, "blue");
  EXPECT_EQ(found.request_id, added->request_id);
  EXPECT_EQ(found.trace_header, "Root=1-0-0");
  EXPECT_EQ(found.attempts, 2);
  EXPECT_EQ(found.setbacks, 3);
  EXPECT_EQ(found.notice, "{\"x\":1}");
  EXPECT_EQ(found.payload, std::string("a\0b", 3));
  EXPECT_GT(events_->next_id(), added->id);
}

TEST_F(AsyncEventsTest, BringsWhatIsDueInItsOrderAndTellsWhenTheNextIs) {
  run(events_->add(event("f", 30, "c")));
  run(events_->add(event("f", 10, "a")));
  run(events_->add(event("f", 20, "b")));
  run(events_->add(event("g", 1, "other")));
  const auto page = load("f", 20);
  EXPECT_THAT(payloads(page), ElementsAre("a", "b"));
  EXPECT_EQ(page.next_due_ms, 30);
  EXPECT_EQ(load("f", 40).next_due_ms, std::nullopt);
}

TEST_F(AsyncEventsTest, LeavesOutWhatIsHeldAndStopsAtItsBounds) {
  auto first = event("f", 1, std::string(100, 'a'));
  run(events_->add(first));
  run(events_->add(event("f", 2, std::string(100, 'b'))));
  run(events_->add(event("f", 3, std::string(100, 'c'))));
  const auto page = load("f", 9, {first->id}, {.events = 10, .bytes = 50});
  EXPECT_THAT(payloads(page), ElementsAre(std::string(100, 'b')));
  EXPECT_EQ(page.next_due_ms, 3);
}

TEST_F(AsyncEventsTest, AnUpdateKeepsThePayloadAndARemovalLeavesNothing) {
  auto added = event("f", 1, "p");
  run(events_->add(added));
  auto changed = std::make_shared<AsyncEvent>(*added);
  changed->due_ms = 60'000;
  changed->attempts = 1;
  run(events_->update(changed));
  EXPECT_TRUE(load("f", 59'999).events.empty());
  const auto page = load("f", 60'000);
  ASSERT_EQ(payloads(page), std::vector<std::string>{"p"});
  EXPECT_EQ(page.events[0]->attempts, 1);
  run(events_->remove(added->id));
  EXPECT_TRUE(load("f", 60'000).events.empty());
  EXPECT_EQ(events_->damaged(), 0);
}

TEST_F(AsyncEventsTest, CountsTheBacklogOfEachFunction) {
  run(events_->add(event("f", 20)));
  run(events_->add(event("f", 10)));
  run(events_->add(event("g", 30)));
  const auto backlogs = events_->backlogs(AsyncKind::to_run);
  ASSERT_EQ(backlogs.size(), 2u);
  EXPECT_EQ(backlogs[0].function.name, "f");
  EXPECT_EQ(backlogs[0].events, 2);
  EXPECT_EQ(backlogs[0].first_due_ms, 10);
  EXPECT_EQ(backlogs[1].events, 1);
}

TEST_F(AsyncEventsTest, WhatIsToBeToldIsFoundApartFromWhatIsToRunAndByTheirIndexAlone) {
  auto ended = event("f", 1, "ended");
  run(events_->add(ended));
  run(events_->add(event("f", 2, "open")));
  ended = std::make_shared<AsyncEvent>(*ended);
  ended->notice = "{}";
  run(events_->update(ended));
  EXPECT_THAT(payloads(load("f", 9)), ElementsAre("open"));
  EXPECT_THAT(payloads(load("f", 9, {}, {}, AsyncKind::to_tell)), ElementsAre("ended"));
  const auto of = [&](AsyncKind kind) { return events_->backlogs(kind).at(0).first_due_ms; };
  EXPECT_EQ(of(AsyncKind::to_tell), 1);
  EXPECT_EQ(of(AsyncKind::to_run), 2);
  database_->read_now([](Transaction& transaction) {
    for (const char* sql :
         {"SELECT id, due_ms FROM async_events WHERE function_key = ? AND ended = ? ORDER BY due_ms, id",
          "SELECT COUNT(*), MIN(due_ms), MIN(id) FROM async_events WHERE ended = ? GROUP BY function_key"}) {
      auto& plan = transaction.prepare(std::string("EXPLAIN QUERY PLAN ") + sql).bind(1);
      ASSERT_TRUE(plan.step());
      EXPECT_THAT(plan.text(3), ::testing::HasSubstr("USING COVERING INDEX async_events_by_kind"));
      EXPECT_FALSE(plan.step()) << "sorted: " << plan.text(3);
      plan.reset();
    }
  });
}

TEST_F(AsyncEventsTest, ADamagedEventIsSetAsideAndTheOthersStay) {
  for (const char* payload : {"a", "b", "c"}) run(events_->add(event("f", 1, payload)));
  sql("UPDATE async_events SET payload = 'B' WHERE payload = 'b'");
  const auto page = load("f", 1);
  EXPECT_THAT(payloads(page), ElementsAre("a", "c"));
  EXPECT_EQ(page.damaged, 1u);
  EXPECT_EQ(events_->damaged(), 1);
}

TEST_F(AsyncEventsTest, CheckingFindsDamageInEveryMember) {
  const std::vector<std::string> changes = {"due_ms = due_ms + 1", "qualifier = 'x'",    "request_id = 'x'",
                                            "trace_header = 'x'",  "attempts = 1",       "setbacks = 1",
                                            "notice = 'x'",        "accepted_ms = 0",    "payload = 'x'",
                                            "checksum = 0",        "function_key = 'f'", "ended = 1"};
  for (const std::string& change : changes) {
    auto added = event("f", 5);
    run(events_->add(added));
    sql("UPDATE async_events SET " + change + " WHERE id = " + std::to_string(added->id));
    EXPECT_EQ(run(events_->check(0, 1 << 20)).damaged, 1u) << change;
  }
  EXPECT_EQ(events_->damaged(), static_cast<std::int64_t>(changes.size()));
}

TEST_F(AsyncEventsTest, CheckingGoesThroughAllInSlices) {
  for (int i = 0; i < 10; ++i) run(events_->add(event("f", i, std::string(1000, 'x'))));
  std::int64_t after = 0;
  int slices = 0;
  while (true) {
    const auto checked = run(events_->check(after, 3000));
    if (checked.at_end) break;
    after = checked.last_id;
    ++slices;
  }
  EXPECT_EQ(after, events_->next_id() - 1);
  EXPECT_EQ(slices, 4);
}

TEST_F(AsyncEventsTest, AFullDiskRefusesAndThenTakesAgain) {
  events_.reset();
  database_.reset();
  FailingDisk disk;
  open();
  FailingDisk::disk_full = true;
  EXPECT_THROW(run(events_->add(event("f", 1, "lost"))), std::runtime_error);
  FailingDisk::disk_full = false;
  run(events_->add(event("f", 1, "kept")));
  EXPECT_THAT(payloads(load("f", 1)), ElementsAre("kept"));
  events_.reset();
  database_.reset();
}

TEST_F(AsyncEventsTest, AfterAFailedSyncNothingIsAcceptedAnyMore) {
  events_.reset();
  database_.reset();
  FailingDisk disk;
  open();
  run(events_->add(event("f", 1, "kept")));
  FailingDisk::fail_sync = true;
  EXPECT_THROW(run(events_->add(event("f", 1, "unsure"))), std::runtime_error);
  FailingDisk::fail_sync = false;
  EXPECT_THROW(run(events_->add(event("f", 1, "refused"))), std::runtime_error);
  open();
  EXPECT_THAT(payloads(load("f", 1)), ::testing::Contains("kept"));
  EXPECT_THAT(payloads(load("f", 1)), ::testing::Not(::testing::Contains("refused")));
  events_.reset();
  database_.reset();
}

/// A child process that adds events until it is killed; the log it left is then damaged as a test says.
class TornLogTest : public AsyncEventsTest {
 protected:
  void write_and_die(int count) {
    events_.reset();
    database_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      open();
      for (int i = 0; i < count; ++i) run(events_->add(event("f", i, "event " + std::to_string(i))));
      // The mark's thread follows within its pause.
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
      ::kill(::getpid(), SIGKILL);
    }
    ASSERT_GT(child, 0);
    ::waitpid(child, nullptr, 0);
  }
  fs::path log() const { return file().string() + "-wal"; }
};

TEST_F(TornLogTest, AKillLosesNothing) {
  write_and_die(20);
  open();
  EXPECT_EQ(database_->lost_commits(), 0);
  EXPECT_EQ(load("f", 100).events.size(), 20u);
}

TEST_F(TornLogTest, ATornTailIsReported) {
  write_and_die(20);
  fs::resize_file(log(), fs::file_size(log()) - 100);
  open();
  EXPECT_EQ(database_->lost_commits(), 1);
  EXPECT_EQ(load("f", 100).events.size(), 19u);
  // Once told, it is told no more, and what follows is counted on.
  run(events_->add(event("f", 1)));
  open();
  EXPECT_EQ(database_->lost_commits(), 0);
}

TEST_F(TornLogTest, AFlippedBitInTheMiddleIsReported) {
  write_and_die(20);
  {
    std::fstream damaged(log(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(static_cast<std::streamoff>(fs::file_size(log()) / 2));
    damaged.put('\x5a');
  }
  open();
  EXPECT_GT(database_->lost_commits(), 0);
  EXPECT_GT(load("f", 100).events.size(), 0u);
}

TEST_F(TornLogTest, ATornMarkLeavesTheNumberBefore) {
  write_and_die(21);
  {
    std::fstream damaged(mark(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.put('x');
    damaged.seekp(512);
    damaged.put('x');
  }
  open();
  EXPECT_EQ(database_->lost_commits(), 0);
  EXPECT_EQ(load("f", 100).events.size(), 21u);
}

}  // namespace
}  // namespace lambent::store
