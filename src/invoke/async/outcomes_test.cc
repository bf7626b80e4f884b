// How the asynchronous queue tells targets what became of events: destinations and dead letters.
#include "invoke/async/async_queue.h"
#include "invoke/async/async_queue_fixture.h"
#include "invoke/async/ramp.h"

namespace lambent::invoke {
namespace {

using ::testing::HasSubstr;

class OutcomesTest : public AsyncQueueFixture {};

TEST_F(OutcomesTest, WhatStaysThrottledEndsByItsAge) {
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

TEST_F(OutcomesTest, AReservationOfZeroSendsTheEventAwayWithoutATry) {
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

TEST_F(OutcomesTest, TellsTheDestinationOfSuccess) {
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

TEST_F(OutcomesTest, TellsBothTheDeadLetterQueueAndTheDestinationOfFailure) {
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

TEST_F(OutcomesTest, WhatCouldNotBeToldIsToldLaterAndTheFunctionDoesNotRunAgain) {
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

TEST_F(OutcomesTest, ATargetThatHangsStopsNeitherItsFunctionNorOthers) {
  options_.concurrency = 4;
  options_.window_events = 4;
  restart();
  store::EventInvokeConfig slow, quick;
  slow.on_success = "arn:aws:sqs:us-east-1:123456789012:slow";
  configure(slow);
  quick.on_success = "arn:aws:sqs:us-east-1:123456789012:quick";
  configure(quick, "g");
  for (int i = 0; i < 40; ++i) accept("\"ok " + std::to_string(i) + "\"");
  until_calls(40);
  until([&] { return metric("lambent_async_outcomes 40\n"); }, "all have ended");
  until([&] { return metric("lambent_async_outcomes_running 8\n"); }, "as many are being told as may be");
  EXPECT_TRUE(metric("lambent_async_running 0\n"));
  accept("\"ok\"", "g");
  until([&] { return targets_.all().size() == 1; }, "the other function's target is told");
  EXPECT_EQ(targets_.all()[0].target_arn, *quick.on_success);
  until([&] { return rows() == 40; }, "nothing of what the slow one was not told is forgotten");
  targets_.released = true;
  until_empty();
  EXPECT_EQ(targets_.all().size(), 41u);
  EXPECT_EQ(targets_.most.load(), Ramp::kStart);
  EXPECT_EQ(engine_.calls().size(), 41u) << "none ran twice";
}

TEST_F(OutcomesTest, OutcomesThatWaitedForTheirTargetAreToldByTheNextProcess) {
  options_.window_events = 4;
  restart();
  store::EventInvokeConfig config;
  config.on_success = "arn:aws:sqs:us-east-1:123456789012:slow";
  configure(config);
  for (int i = 0; i < 20; ++i) accept("\"ok " + std::to_string(i) + "\"");
  until([&] { return metric("lambent_async_outcomes 20\n"); }, "all have ended");
  run(queue_->stop(std::chrono::milliseconds(0)));
  targets_.answer(aws::DeliveryOutcome::Kind::unavailable);
  restart();
  EXPECT_EQ(rows(), 20);
  EXPECT_TRUE(metric("lambent_async_outcomes 20\n"));
  targets_.answer(aws::DeliveryOutcome::Kind::delivered);
  targets_.released = true;
  until_empty();
  EXPECT_EQ(targets_.all().size(), 20u);
  EXPECT_EQ(engine_.calls().size(), 20u);
}

TEST_F(OutcomesTest, AfterATargetCouldNotBeReachedItIsTriedOneByOne) {
  store::EventInvokeConfig config;
  config.on_success = "arn:aws:sqs:us-east-1:123456789012:slow";
  configure(config);
  for (int i = 0; i < 8; ++i) accept("\"ok " + std::to_string(i) + "\"");
  until([&] { return targets_.hanging == 8; }, "all are being told");
  targets_.answer(aws::DeliveryOutcome::Kind::unavailable);
  targets_.released = true;
  until([&] { return targets_.tried() == 8; }, "none could be");
  // What comes next is counted from then.
  until([&] { return written_setbacks() == 8; }, "it is written down of each");
  EXPECT_TRUE(metric("lambent_async_outcome_deliveries_total{end=\"unavailable\"} 8\n"));
  targets_.released = false;
  targets_.most = 0;
  clock_.advance(std::chrono::seconds(2));
  until([&] { return targets_.hanging == 1; }, "one is tried again");
  const int looked = clock_.reads;
  until([&] { return clock_.reads > looked + 100; }, "it was looked for others often enough");
  EXPECT_EQ(targets_.most.load(), 1);
  targets_.answer(aws::DeliveryOutcome::Kind::delivered);
  targets_.released = true;
  until_empty();
}

TEST_F(OutcomesTest, ATargetThatRefusesIsGivenUpAndCounted) {
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

TEST_F(OutcomesTest, ATargetOutOfReachIsGivenUpAfterSixHours) {
  dead_letter_arn_ = "arn:aws:sqs:us-east-1:123456789012:dead";
  store::EventInvokeConfig config;
  config.maximum_retry_attempts = 0;
  configure(config);
  targets_.answer(aws::DeliveryOutcome::Kind::unavailable);
  accept("\"fail\"");
  // And written down: what comes next is counted from then.
  until([&] { return row().setbacks == 1; }, "a try to tell");
  clock_.advance(std::chrono::hours(7));
  until_empty();
  EXPECT_TRUE(metric("lambent_dead_letter_errors_total{service=\"sqs\"} 1"));
}

}  // namespace
}  // namespace lambent::invoke
