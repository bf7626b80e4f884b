#include "invoke/async/async_queue.h"

#include <map>

#include "invoke/async/async_queue_fixture.h"
#include "store/failing_disk.h"

namespace lambent::invoke {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AsyncQueueTest : public AsyncQueueFixture {};

TEST_F(AsyncQueueTest, RunsWhatWasAcceptedAndForgetsIt) {
  const std::string id = accept("\"ok\"", "f", "live");
  until_calls(1);
  until_empty();
  EXPECT_THAT(engine_.calls(), ElementsAre("\"ok\" " + id));
  EXPECT_EQ(engine_.last.invoked_function_arn, "arn:aws:lambda:us-east-1:123456789012:function:f:live");
  EXPECT_EQ(engine_.last.trace_id, "Root=1-0-0");
}

TEST_F(AsyncQueueTest, TriesAFunctionErrorAgainAfterOneAndTwoMinutesWithTheSameId) {
  const std::string id = accept("\"fail\"");
  until([&] { return row().attempts == 1; }, "the first attempt is on disk");
  EXPECT_EQ(row().due_ms, kStart_ms + 60'000);
  clock_.advance(std::chrono::milliseconds(59'999));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(engine_.calls().size(), 1u);
  clock_.advance(std::chrono::milliseconds(1));
  until_calls(2);
  until([&] { return row().attempts == 2; }, "the second");
  EXPECT_EQ(row().due_ms, kStart_ms + 180'000);
  clock_.advance(std::chrono::minutes(2));
  until_calls(3);
  until_empty();
  EXPECT_THAT(engine_.calls(), ElementsAre("\"fail\" " + id, "\"fail\" " + id, "\"fail\" " + id));
  EXPECT_TRUE(metric("lambent_async_dropped_total{reason=\"RetriesExhausted\"} 1"));
}

TEST_F(AsyncQueueTest, FindsWhatAFormerProcessAcceptedWithItsAttempts) {
  const std::string id = accept("\"fail\"");
  until([&] { return row().attempts == 1; }, "the first attempt");
  restart();
  EXPECT_EQ(rows(), 1);
  clock_.advance(std::chrono::minutes(1));
  until_calls(2);
  EXPECT_THAT(engine_.calls().back(), HasSubstr(id));
}

TEST_F(AsyncQueueTest, AStopLeavesWhatIsQueuedAndWhatWasCutShort) {
  options_.concurrency = 1;
  restart();
  accept("\"hold\"");
  accept("\"ok\"");
  until_calls(1);
  run(queue_->stop(std::chrono::milliseconds(10)));
  EXPECT_THROW(accept("\"ok\""), aws::Error);
  engine_.released = true;
  run(queue_->finish());
  EXPECT_EQ(rows(), 2) << "an invocation that outlasted the grace may have been killed: it runs again";
}

TEST_F(AsyncQueueTest, ThrottlesBackOffAndCountNoAttempt) {
  accept("\"throttle\"");
  until_calls(1);
  std::size_t calls = 1;
  for (const int wait_s : {1, 2, 4, 8}) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(engine_.calls().size(), calls);
    clock_.advance(std::chrono::seconds(wait_s));
    until_calls(++calls);
  }
  EXPECT_EQ(row().attempts, 0);
  engine_.say("\"throttle\"", "\"ok\"");
  clock_.advance(std::chrono::seconds(16));
  until_empty();
}

TEST_F(AsyncQueueTest, PlatformErrorsBackOffEventByEvent) {
  accept("\"broken\"");
  until([&] { return row().setbacks == 1; }, "a setback");
  EXPECT_EQ(row().due_ms, kStart_ms + 1000);
  EXPECT_EQ(row().attempts, 0);
  accept("\"ok\"");
  until_calls(2);
  engine_.say("\"broken\"", "\"ok\"");
  clock_.advance(std::chrono::seconds(1));
  until_empty();
}

TEST_F(AsyncQueueTest, AFunctionMadeAnewWithTenantsIsAnotherOne) {
  per_tenant_ = true;
  accept("\"ok\"");
  until_empty();
  EXPECT_TRUE(engine_.calls().empty());
  EXPECT_TRUE(metric("lambent_async_dropped_total{reason=\"function_is_gone\"} 1"));
}

TEST_F(AsyncQueueTest, EventsOfAFunctionThatIsGoneEnd) {
  gone_ = true;
  accept("\"ok\"");
  until_empty();
  EXPECT_TRUE(engine_.calls().empty());
  EXPECT_TRUE(metric("lambent_async_dropped_total{reason=\"function_is_gone\"} 1"));
}

TEST_F(AsyncQueueTest, ABacklogLargerThanTheWindowIsWorkedOffInBoundedMemory) {
  options_.window_events = 8;
  restart();
  accept("\"hold\"");
  for (int i = 0; i < 300; ++i) accept("\"ok " + std::to_string(i) + "\"");
  engine_.released = true;
  until_empty();
  std::map<std::string, int> times;
  for (const std::string& call : engine_.calls()) ++times[call];
  EXPECT_EQ(times.size(), 301u);
  for (const auto& [call, count] : times) EXPECT_EQ(count, 1) << call << " ran twice without a crash";
}

TEST_F(AsyncQueueTest, OneNoisyFunctionDoesNotDelayTheOthers) {
  options_.concurrency = 16;
  restart();
  for (int i = 0; i < 200; ++i) accept("\"hold\"", "noisy");
  until([&] { return engine_.running >= 8; }, "the noisy one runs");
  accept("\"ok\"", "quiet");
  until([&] { return !engine_.calls().empty() && engine_.calls().back().starts_with("\"ok\""); }, "the quiet one ran");
  EXPECT_LE(engine_.most, 16);
}

TEST_F(AsyncQueueTest, AFullDiskRefusesAndOthersRun) {
  close();
  {
    store::FailingDisk disk;
    engine_.released = false;
    open();
    accept("\"ok\"");
    until_empty();
    store::FailingDisk::disk_full = true;
    EXPECT_THROW(accept("\"lost\""), aws::Error);
    store::FailingDisk::disk_full = false;
    accept("\"kept\"");
    until_empty();
    EXPECT_THAT(engine_.calls(), Contains(HasSubstr("kept")));
    EXPECT_THAT(engine_.calls(), ::testing::Not(Contains(HasSubstr("lost"))));
    close();
  }
}

TEST_F(AsyncQueueTest, WhatRanWhileTheDiskWasFullIsRemovedWhenThereIsSpace) {
  close();
  {
    store::FailingDisk disk;
    engine_.released = false;
    open();
    accept("\"hold\"");
    until_calls(1);
    store::FailingDisk::disk_full = true;
    engine_.released = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    store::FailingDisk::disk_full = false;
    until_empty();
    EXPECT_EQ(engine_.calls().size(), 1u);
    close();
  }
}

TEST_F(AsyncQueueTest, TooManyAtOnceAreThrottled) {
  options_.accepting = 0;
  restart();
  try {
    accept("\"ok\"");
    FAIL() << "accepted";
  } catch (const aws::Error& error) {
    EXPECT_EQ(error.status(), 429);
    EXPECT_EQ(error.members().at(0).second, "CallerRateLimitExceeded");
  }
}

TEST_F(AsyncQueueTest, NothingWakesAnIdleQueue) {
  accept("\"ok\"");
  until_empty();
  EXPECT_EQ(looks(), 0);
  EXPECT_TRUE(metric("lambent_async_oldest_seconds 0"));
}

TEST_F(AsyncQueueTest, AnEventThatWaitsForItsTimeIsLookedForThen) {
  options_.longest_sleep = std::chrono::minutes(1);
  // The retry is due after half a second.
  options_.time_scale = 120;
  restart();
  accept("\"fail\"");
  until([&] { return row().attempts == 1; }, "the first attempt is on disk");
  EXPECT_LE(looks(), 10);
  clock_.advance(std::chrono::milliseconds(500));
  until_calls(2);
}

TEST_F(AsyncQueueTest, AThrottledEventIsLookedForAfterItsPause) {
  options_.longest_sleep = std::chrono::minutes(1);
  options_.time_scale = 2;
  restart();
  accept("\"throttle\"");
  until_calls(1);
  EXPECT_LE(looks(), 10);
  clock_.advance(std::chrono::milliseconds(500));
  until_calls(2);
}

TEST_F(AsyncQueueTest, ADamagedRowIsReportedAtStartAndTheOthersRun) {
  accept("\"fail\"");
  accept("\"fail too\"");
  until([&] { return engine_.calls().size() == 2 && row().attempts == 1; }, "both wait for their retry");
  close();
  {
    store::Database database(directory_ / "records.db", store::migrations());
    database.write_now([](store::Transaction& transaction) {
      transaction.prepare("UPDATE async_events SET payload = 'x' WHERE id = 1").bind().run();
    });
  }
  open();
  until([&] { return events_->damaged() == 1; }, "the damage is found");
  EXPECT_EQ(rows(), 1);
}

}  // namespace
}  // namespace lambent::invoke
