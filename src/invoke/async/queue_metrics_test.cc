#include "invoke/async/async_queue_fixture.h"

namespace lambent::invoke {
namespace {

class QueueMetricsTest : public AsyncQueueFixture {
 protected:
  /// The number of one series; -1 when the text does not have it.
  double number(const std::string& series) {
    const std::string text = "\n" + metrics_->text();
    const auto at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }
  void until_number(const std::string& series, double wanted) {
    until([&] { return number(series) == wanted; }, series + " is " + std::to_string(wanted));
    // What was counted is also noted, its next attempt's time above all, before the clock moves.
    auto nothing = []() -> base::Task<void> { co_return; };
    run(nothing());
  }
  static std::string attempts(const std::string& end) {
    return R"(lambent_async_attempts_total{end=")" + end + R"("})";
  }
  static std::string dropped(const std::string& reason) {
    return R"(lambent_async_dropped_total{reason=")" + reason + R"("})";
  }
};

TEST_F(QueueMetricsTest, TellWhatWaitsAndWhatRunsBesideTheLimit) {
  options_.concurrency = 2;
  restart();
  EXPECT_EQ(number("lambent_async_accepted_total"), 0);
  EXPECT_EQ(number("lambent_async_concurrency_limit"), 2);
  for (int i = 0; i < 5; ++i) accept("\"hold\"");
  EXPECT_EQ(number("lambent_async_accepted_total"), 5);
  until_number("lambent_async_events", 5);
  until_number("lambent_async_running", 2);
  engine_.released = true;
  until_number("lambent_async_events", 0);
  EXPECT_EQ(number("lambent_async_running"), 0);
  EXPECT_EQ(number("lambent_async_accepted_total"), 5);
  EXPECT_EQ(number(attempts("success")), 5);
}

TEST_F(QueueMetricsTest, TellTheAgeOfWhatIsDueAndHowLongItWaited) {
  options_.concurrency = 1;
  restart();
  accept("\"hold\"");
  until_number("lambent_async_running", 1);
  accept("\"ok\"");
  clock_.advance(std::chrono::seconds(7));
  until_number("lambent_async_oldest_seconds", 7);
  EXPECT_EQ(number("lambent_async_wait_seconds_count"), 1);
  engine_.released = true;
  until_number("lambent_async_events", 0);
  until_number("lambent_async_oldest_seconds", 0);
  EXPECT_EQ(number("lambent_async_wait_seconds_sum"), 7);
  EXPECT_EQ(number(R"(lambent_async_wait_seconds_bucket{le="2.5"})"), 1);
  EXPECT_EQ(number(R"(lambent_async_wait_seconds_bucket{le="10"})"), 2);
}

TEST_F(QueueMetricsTest, WhatWaitsForItsNextAttemptIsThereAndNotOverdue) {
  accept("\"fail\"");
  until([&] { return row().attempts == 1; }, "the first attempt is on disk");
  clock_.advance(std::chrono::seconds(30));
  EXPECT_EQ(number("lambent_async_events"), 1);
  until_number("lambent_async_oldest_seconds", 0);
}

TEST_F(QueueMetricsTest, AttemptsAreCountedByTheirEnd) {
  for (const char* what : {"ok", "fail", "throttle", "broken", "loop"}) accept("\"" + std::string(what) + "\"", what);
  for (const char* end : {"success", "function_error", "throttled", "platform_error", "recursive_loop"})
    until_number(attempts(end), 1);
  engine_.say("\"throttle\"", "\"ok\"");
  engine_.say("\"broken\"", "\"ok\"");
  engine_.say("\"fail\"", "\"ok\"");
  until_number("lambent_async_events", 3);
  clock_.advance(std::chrono::minutes(2));
  until_number("lambent_async_events", 0);
  EXPECT_EQ(number(attempts("success")), 4);
  for (const char* end : {"function_error", "throttled", "platform_error", "recursive_loop"})
    EXPECT_EQ(number(attempts(end)), 1) << end;
}

TEST_F(QueueMetricsTest, DropsAreCountedByTheirReason) {
  store::EventInvokeConfig config;
  config.maximum_event_age_s = 60;
  configure(config, "slow");
  config.maximum_retry_attempts = 0;
  configure(config, "failing");
  run(concurrency_->reserve(key("stopped"), 0, 1000));
  accept("\"throttle\"", "slow");
  until_number(attempts("throttled"), 1);
  accept("\"fail\"", "failing");
  accept("\"ok\"", "stopped");
  accept("\"loop\"", "looping");
  until_number("lambent_async_events", 1);
  EXPECT_EQ(number(dropped("RetriesExhausted")), 1);
  EXPECT_EQ(number(dropped("ZeroReservedConcurrency")), 1);
  EXPECT_EQ(number(dropped("RecursiveInvocationException")), 1);
  EXPECT_EQ(number(dropped("EventAgeExceeded")), -1);
  clock_.advance(std::chrono::minutes(2));
  until_number("lambent_async_events", 0);
  EXPECT_EQ(number(dropped("EventAgeExceeded")), 1);
}

TEST_F(QueueMetricsTest, TellTheAgeOfOutcomesThatNobodyHasHeardOf) {
  options_.tellings = 1;
  restart();
  store::EventInvokeConfig config;
  config.on_success = "arn:aws:sqs:us-east-1:123456789012:slow";
  configure(config);
  EXPECT_EQ(number("lambent_async_outcomes_limit"), 1);
  for (int i = 0; i < 2; ++i) accept("\"ok\"");
  until_number("lambent_async_outcomes", 2);
  until_number("lambent_async_outcomes_running", 1);
  clock_.advance(std::chrono::seconds(9));
  until_number("lambent_async_outcomes_oldest_seconds", 9);
  EXPECT_EQ(number("lambent_async_oldest_seconds"), 9);
  EXPECT_EQ(number("lambent_async_events"), 2);
  targets_.released = true;
  until_number("lambent_async_outcomes", 0);
  until_number("lambent_async_outcomes_oldest_seconds", 0);
  EXPECT_EQ(number(R"(lambent_async_outcome_deliveries_total{end="delivered"})"), 2);
}

TEST_F(QueueMetricsTest, WhatIsNotAcceptedIsCountedBesideOtherThrottles) {
  options_.accepting = 0;
  restart();
  const std::string throttles = R"(lambent_throttles_total{reason="CallerRateLimitExceeded"})";
  EXPECT_EQ(number(throttles), 0);
  for (int i = 0; i < 3; ++i) EXPECT_THROW(accept("\"ok\""), aws::Error);
  EXPECT_EQ(number(throttles), 3);
  EXPECT_EQ(number("lambent_async_accepted_total"), 0);
}

TEST_F(QueueMetricsTest, DamagedRowsAreCounted) {
  for (const char* what : {"\"fail\"", "\"fail too\""}) accept(what);
  until_number(attempts("function_error"), 2);
  close();
  {
    store::Database database(directory_ / "records.db", store::migrations());
    database.write_now([](store::Transaction& transaction) {
      transaction.prepare("UPDATE async_events SET payload = 'x' WHERE id = 1").bind().run();
    });
  }
  open();
  until_number("lambent_async_damaged_total", 1);
  clock_.advance(std::chrono::minutes(1));
  until_number(attempts("function_error"), 1);
  EXPECT_EQ(number("lambent_async_damaged_total"), 1) << "not once more when its turn came";
}

}  // namespace
}  // namespace lambent::invoke
