#include "invoke/async/async_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "aws/error.h"
#include "base/ids.h"
#include "base/lanes.h"
#include "store/failing_disk.h"
#include "store/migrations.h"

namespace lambent::invoke {
namespace {

namespace asio = base::asio;
namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kStart_ms = 1'769'862'896'789;

/// Moved by the test while a lane reads it.
class TestClock final : public base::Clock {
 public:
  base::WallTime now() const override {
    ++reads;
    return base::WallTime(std::chrono::milliseconds(kStart_ms + moved_ms.load()));
  }
  base::SteadyTime steady() const override {
    return base::SteadyTime(std::chrono::hours(1) + std::chrono::milliseconds(moved_ms.load()));
  }
  void advance(std::chrono::milliseconds by) { moved_ms += by.count(); }
  std::atomic<std::int64_t> moved_ms{0};
  /// Whoever looks for work asks for the time.
  mutable std::atomic<int> reads{0};
};

/// Answers as the payload says: "ok", "fail", "throttle", "broken", "hold" (until released).
class ScriptedEngine final : public Engine {
 public:
  base::Task<Outcome> invoke(Invocation invocation) override {
    std::string what;
    {
      const std::lock_guard lock(mutex);
      seen.push_back(invocation.payload + " " + invocation.request_id);
      const auto found = script.find(invocation.payload);
      what = found == script.end() ? invocation.payload : found->second;
      last = invocation;
    }
    const int now = running.fetch_add(1) + 1;
    int highest = most.load();
    while (highest < now && !most.compare_exchange_weak(highest, now)) {
    }
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    while (what.starts_with("\"hold") && !released) {
      timer.expires_after(std::chrono::milliseconds(1));
      co_await timer.async_wait(asio::use_awaitable);
    }
    running.fetch_sub(1);
    if (what.starts_with("\"throttle"))
      throw aws::Error("TooManyRequestsException", "Rate Exceeded.", 429).with("Reason", "x");
    if (what.starts_with("\"broken")) throw aws::Error("ServiceException", "no sandbox", 500);
    Outcome outcome;
    outcome.executed_version = "$LATEST";
    outcome.payload = "\"answer\"";
    if (what.starts_with("\"fail")) {
      outcome.function_error = "Unhandled";
      outcome.payload = R"({"errorMessage":"no","errorType":"E"})";
    }
    co_return outcome;
  }
  void retire(const store::FunctionKey&, const std::string&) override {}
  void expect(const store::FunctionVersion&) override {}
  void provision(store::FunctionSnapshot, std::int32_t, ProvisionObserver) override {}
  base::Task<void> stop(std::chrono::seconds) override { co_return; }

  std::vector<std::string> calls() {
    const std::lock_guard lock(mutex);
    return seen;
  }
  void say(const std::string& payload, const std::string& what) {
    const std::lock_guard lock(mutex);
    script[payload] = what;
  }

  std::mutex mutex;
  std::vector<std::string> seen;
  std::map<std::string, std::string> script;
  Invocation last;
  std::atomic<bool> released{false};
  std::atomic<int> running{0}, most{0};
};

class ScriptedTargets final : public aws::Targets {
 public:
  base::Task<aws::DeliveryOutcome> deliver(aws::Delivery delivery) override {
    const std::lock_guard lock(mutex);
    ++tries;
    if (outcome.kind == aws::DeliveryOutcome::Kind::delivered) delivered.push_back(std::move(delivery));
    co_return outcome;
  }
  std::string why_unreachable(std::string_view) const override { return ""; }
  std::string lacking_permission(const aws::Sender&, std::string_view) const override { return ""; }

  void answer(aws::DeliveryOutcome::Kind kind) {
    const std::lock_guard lock(mutex);
    outcome = {kind, "because"};
  }
  std::vector<aws::Delivery> all() {
    const std::lock_guard lock(mutex);
    return delivered;
  }
  int tried() {
    const std::lock_guard lock(mutex);
    return tries;
  }

  std::mutex mutex;
  aws::DeliveryOutcome outcome;
  std::vector<aws::Delivery> delivered;
  int tries = 0;
};

class AsyncQueueTest : public ::testing::Test {
 protected:
  AsyncQueueTest() : directory_(fs::temp_directory_path() / ("lambent-queue-" + base::random_hex(6))) {
    fs::create_directory(directory_);
    options_.tick = std::chrono::milliseconds(1);
    // The clock is moved under the queue's feet.
    options_.longest_sleep = std::chrono::milliseconds(1);
    lanes_.start();
    open();
  }
  ~AsyncQueueTest() override {
    close();
    lanes_.stop();
    fs::remove_all(directory_);
  }

  void open() {
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    events_ = std::make_unique<store::AsyncEvents>(*database_);
    configs_ = std::make_unique<store::EventInvokeConfigs>(*database_);
    concurrency_ = std::make_unique<store::Concurrency>(*database_);
    auto resolve = [this](const store::FunctionKey& key, const std::string&) -> store::FunctionSnapshot {
      if (gone_) return nullptr;
      auto function = std::make_shared<store::FunctionVersion>();
      function->key = key;
      function->role = "arn:aws:iam::123456789012:role/r";
      function->dead_letter_arn = dead_letter_arn_;
      return function;
    };
    metrics_ = std::make_unique<base::Metrics>();
    AsyncParts parts{lanes_.lane(0), engine_, *events_, *configs_, *concurrency_, targets_, clock_, *metrics_, resolve};
    queue_ = make_async_queue(options_, std::move(parts));
    queue_->start();
  }
  void close() {
    engine_.released = true;
    if (queue_) {
      run(queue_->stop(std::chrono::seconds(5)));
      run(queue_->finish());
    }
    drop();
  }
  void drop() {
    if (database_) database_->flush();
    queue_.reset();
    concurrency_.reset();
    configs_.reset();
    events_.reset();
    database_.reset();
  }
  void restart() {
    close();
    engine_.released = false;
    open();
  }

  template <class T>
  T run(base::Task<T> task) {
    return asio::co_spawn(lanes_.lane(0), std::move(task), asio::use_future).get();
  }
  std::string accept(const std::string& payload, const std::string& function = "f", const std::string& qualifier = "") {
    NewEvent event{key(function), qualifier, base::uuid(), "Root=1-0-0", payload};
    const std::string id = event.request_id;
    run(queue_->accept(std::move(event)));
    return id;
  }
  static store::FunctionKey key(const std::string& name = "f") { return {"123456789012", "us-east-1", name}; }

  void until(const std::function<bool()>& done, const std::string& what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << what;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  /// How often it was looked for work in a tenth of a second, once what went on before has ended.
  int looks() {
    until(
        [&] {
          const int before = clock_.reads;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          return clock_.reads - before < 5;
        },
        "rest");
    const int before = clock_.reads;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return clock_.reads - before;
  }
  void until_calls(std::size_t count) {
    until([&] { return engine_.calls().size() >= count; }, std::to_string(count) + " calls");
  }
  std::int64_t rows() {
    std::int64_t total = 0;
    for (const auto& backlog : events_->backlogs()) total += backlog.events;
    return total;
  }
  void until_empty() {
    until([&] { return rows() == 0; }, "no rows");
  }
  /// What the row says once it is as wanted; the queue's own work is asynchronous.
  store::AsyncEvent row() {
    const auto page = run(events_->load(key(), std::int64_t{1} << 60, {}, {}));
    return page.events.empty() ? store::AsyncEvent{} : *page.events.front();
  }
  void configure(store::EventInvokeConfig config) {
    config.function = key();
    run(configs_->put(std::move(config)));
  }
  bool metric(const std::string& line) { return metrics_->text().find(line) != std::string::npos; }

  const fs::path directory_;
  base::Lanes lanes_{1};
  TestClock clock_;
  AsyncOptions options_;
  ScriptedEngine engine_;
  ScriptedTargets targets_;
  std::atomic<bool> gone_{false};
  std::string dead_letter_arn_;
  std::unique_ptr<base::Metrics> metrics_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::AsyncEvents> events_;
  std::unique_ptr<store::EventInvokeConfigs> configs_;
  std::unique_ptr<store::Concurrency> concurrency_;
  std::unique_ptr<AsyncQueue> queue_;
};

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

TEST_F(AsyncQueueTest, WhatStaysThrottledEndsByItsAge) {
  store::EventInvokeConfig config;
  config.maximum_event_age_s = 60;
  config.on_failure = "arn:aws:sqs:us-east-1:123456789012:failed";
  configure(config);
  accept("\"throttle\"");
  for (int i = 0; i < 40 && targets_.all().empty(); ++i) {
    clock_.advance(std::chrono::seconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  until_empty();
  ASSERT_EQ(targets_.all().size(), 1u);
  EXPECT_THAT(targets_.all()[0].body, HasSubstr(R"("condition":"EventAgeExceeded","approximateInvokeCount":0)"));
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

TEST_F(AsyncQueueTest, AReservationOfZeroSendsTheEventAwayWithoutATry) {
  run(concurrency_->reserve(key(), 0, 900));
  store::EventInvokeConfig config;
  config.on_failure = "arn:aws:sqs:us-east-1:123456789012:failed";
  configure(config);
  accept("\"ok\"");
  until_empty();
  EXPECT_TRUE(engine_.calls().empty());
  ASSERT_EQ(targets_.all().size(), 1u);
  EXPECT_THAT(targets_.all()[0].body,
              HasSubstr(R"("condition":"ZeroReservedConcurrency","approximateInvokeCount":0},"requestPayload":"ok"})"));
}

TEST_F(AsyncQueueTest, TellsTheDestinationOfSuccess) {
  store::EventInvokeConfig config;
  config.on_success = "arn:aws:sns:us-east-1:123456789012:done";
  configure(config);
  accept("\"ok\"");
  until_empty();
  ASSERT_EQ(targets_.all().size(), 1u);
  const auto told = targets_.all()[0];
  EXPECT_EQ(told.target_arn, "arn:aws:sns:us-east-1:123456789012:done");
  EXPECT_EQ(told.sender.role_arn, "arn:aws:iam::123456789012:role/r");
  EXPECT_THAT(told.body, HasSubstr(R"("condition":"Success","approximateInvokeCount":1)"));
  EXPECT_THAT(told.body, HasSubstr(R"("responsePayload":"answer")"));
}

TEST_F(AsyncQueueTest, TellsBothTheDeadLetterQueueAndTheDestinationOfFailure) {
  dead_letter_arn_ = "arn:aws:sqs:us-east-1:123456789012:dead";
  store::EventInvokeConfig config;
  config.maximum_retry_attempts = 0;
  config.on_failure = "arn:aws:lambda:us-east-1:123456789012:function:g";
  configure(config);
  accept("\"fail\"");
  until_empty();
  const auto told = targets_.all();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0].body, HasSubstr("RetriesExhausted"));
  EXPECT_EQ(told[1].body, "\"fail\"");
  EXPECT_EQ(told[1].attributes.at("ErrorMessage").value, "no");
}

TEST_F(AsyncQueueTest, WhatCouldNotBeToldIsToldLaterAndTheFunctionDoesNotRunAgain) {
  store::EventInvokeConfig config;
  config.on_success = "arn:aws:sqs:us-east-1:123456789012:done";
  configure(config);
  targets_.answer(aws::DeliveryOutcome::Kind::unavailable);
  accept("\"ok\"");
  until([&] { return row().setbacks == 1; }, "a try to tell");
  restart();
  EXPECT_EQ(rows(), 1);
  targets_.answer(aws::DeliveryOutcome::Kind::delivered);
  clock_.advance(std::chrono::seconds(2));
  until_empty();
  EXPECT_EQ(targets_.all().size(), 1u);
  EXPECT_EQ(engine_.calls().size(), 1u);
}

TEST_F(AsyncQueueTest, ATargetThatRefusesIsGivenUpAndCounted) {
  store::EventInvokeConfig config;
  config.on_success = "arn:aws:sqs:us-east-1:123456789012:done";
  configure(config);
  targets_.answer(aws::DeliveryOutcome::Kind::refused);
  accept("\"ok\"");
  for (int i = 0; i < 100 && rows() > 0; ++i) {
    clock_.advance(std::chrono::seconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  until_empty();
  EXPECT_EQ(targets_.tried(), 3);
  EXPECT_TRUE(metric("lambent_destination_delivery_failures_total{service=\"sqs\"} 1"));
}

TEST_F(AsyncQueueTest, ATargetOutOfReachIsGivenUpAfterSixHours) {
  dead_letter_arn_ = "arn:aws:sqs:us-east-1:123456789012:dead";
  store::EventInvokeConfig config;
  config.maximum_retry_attempts = 0;
  configure(config);
  targets_.answer(aws::DeliveryOutcome::Kind::unavailable);
  accept("\"fail\"");
  until([&] { return targets_.tried() >= 1; }, "a try");
  clock_.advance(std::chrono::hours(7));
  until_empty();
  EXPECT_TRUE(metric("lambent_dead_letter_errors_total{service=\"sqs\"} 1"));
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
