#include "invoke/async/schedule.h"

#include <gtest/gtest.h>

namespace lambent::invoke {
namespace {

store::AsyncEvent event(std::int64_t accepted_ms, int attempts = 0, int setbacks = 0) {
  store::AsyncEvent made;
  made.accepted_ms = accepted_ms;
  made.attempts = attempts;
  made.setbacks = setbacks;
  return made;
}

TEST(ScheduleTest, FunctionErrorsAreTriedAgainAfterOneAndTwoMinutes) {
  const RetryPolicy policy;
  EXPECT_EQ(after_function_error(event(0), 5'000, policy).due_ms, 65'000);
  EXPECT_EQ(after_function_error(event(0, 1), 70'000, policy).due_ms, 190'000);
  EXPECT_EQ(after_function_error(event(0, 2), 200'000, policy).condition, kRetriesExhausted);
}

TEST(ScheduleTest, FewerRetriesAreKeptTo) {
  store::EventInvokeConfig config;
  config.maximum_retry_attempts = 0;
  EXPECT_EQ(after_function_error(event(0), 1, RetryPolicy::of(config, 1)).condition, kRetriesExhausted);
  config.maximum_retry_attempts = 1;
  EXPECT_EQ(after_function_error(event(0), 1, RetryPolicy::of(config, 1)).condition, "");
  EXPECT_EQ(after_function_error(event(0, 1), 1, RetryPolicy::of(config, 1)).condition, kRetriesExhausted);
}

TEST(ScheduleTest, ARetryThatWouldComeTooLateIsNotWaitedFor) {
  store::EventInvokeConfig config;
  config.maximum_event_age_s = 60;
  const auto policy = RetryPolicy::of(config, 1);
  EXPECT_EQ(after_function_error(event(0), 1, policy).condition, kEventAgeExceeded);
  EXPECT_EQ(after_function_error(event(0), 0, policy).due_ms, 60'000);
}

TEST(ScheduleTest, SetbacksBackOffFromASecondToFiveMinutesForSixHours) {
  const RetryPolicy policy;
  std::int64_t now = 0;
  auto waiting = event(0);
  std::vector<std::int64_t> waits_s;
  while (true) {
    const Verdict verdict = after_setback(waiting, now, policy);
    if (!verdict.condition.empty()) {
      EXPECT_EQ(verdict.condition, kEventAgeExceeded);
      break;
    }
    waits_s.push_back((verdict.due_ms - now) / 1000);
    now = verdict.due_ms;
    ++waiting.setbacks;
  }
  const std::vector<std::int64_t> begin(waits_s.begin(), waits_s.begin() + 11);
  EXPECT_EQ(begin, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}));
  EXPECT_GT(now, 6 * 3600 * 1000);
  EXPECT_LE(now, 6 * 3600 * 1000 + 300'000);
}

TEST(ScheduleTest, TheScaleShortensWaitsAndAges) {
  const auto policy = RetryPolicy::of(std::nullopt, 60);
  EXPECT_EQ(after_function_error(event(0), 0, policy).due_ms, 1'000);
  EXPECT_EQ(backoff_ms(100, 60), 5'000);
  EXPECT_FALSE(too_old(event(0), 360'000, policy));
  EXPECT_TRUE(too_old(event(0), 360'001, policy));
}

}  // namespace
}  // namespace lambent::invoke
