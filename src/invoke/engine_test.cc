#include "invoke/engine.h"

#include "invoke/engine_fixture.h"

namespace lambent::invoke {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using EngineTest = EngineFixture;

TEST_F(EngineTest, AnswersAndKeepsTheEnvironmentWarm) {
  const Outcome first = invoke("\"echo\"");
  EXPECT_EQ(first.payload, "\"echo\"");
  EXPECT_EQ(first.function_error, "");
  EXPECT_EQ(first.executed_version, "$LATEST");
  EXPECT_THAT(first.log_tail,
              AllOf(HasSubstr("START RequestId: 00000000-0000-4000-8000-000000000001 Version: $LATEST\n"),
                    HasSubstr("END RequestId: "), HasSubstr("Max Memory Used: 42 MB"), HasSubstr("Init Duration: ")));
  const Outcome second = invoke("\"echo\"");
  EXPECT_THAT(second.log_tail, Not(HasSubstr("Init Duration")));
  EXPECT_EQ(launched_specs().size(), 1u);
}

TEST_F(EngineTest, SeesWhatWasPrintedBeforeTheAnswer) {
  EXPECT_THAT(invoke("\"print\"").log_tail, HasSubstr("hello\nEND RequestId"));
  EXPECT_THAT(flushed_log(), HasSubstr("INIT_START Runtime Version: "));
}

TEST_F(EngineTest, ReportedErrorsKeepTheEnvironment) {
  const Outcome outcome = invoke("\"fail\"");
  EXPECT_EQ(outcome.payload, R"({"errorType":"E"})");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  invoke("\"echo\"");
  EXPECT_EQ(launched_specs().size(), 1u);
}

TEST_F(EngineTest, ResetsAnEnvironmentThatExited) {
  const Outcome outcome = invoke("\"exit\"");
  EXPECT_EQ(
      outcome.payload,
      R"({"errorType":"Runtime.ExitError","errorMessage":"RequestId: 00000000-0000-4000-8000-000000000001 Error: Runtime exited with error: exit status 3"})");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  const Outcome next = invoke("\"echo\"");
  EXPECT_EQ(next.payload, "\"echo\"");
  // The new start is a part of the invocation: no init of its own is reported.
  EXPECT_THAT(next.log_tail, Not(HasSubstr("Init Duration")));
  EXPECT_EQ(launched_specs().size(), 1u);
  EXPECT_EQ(on_lane([this] { return launcher_->launched.at(0)->restarts; }), 1);
}

TEST_F(EngineTest, ReplacesAnEnvironmentThatCannotBeReset) {
  launcher_->restart_fails = true;
  invoke("\"exit\"");
  EXPECT_EQ(invoke("\"echo\"").payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
}

TEST_F(EngineTest, EndsAnInvocationAtItsTimeout) {
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = invoke("\"hang\"");
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(
      outcome.payload,
      R"({"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 00000000-0000-4000-8000-000000000001 Error: Task timed out after 1.00 seconds"})");
  EXPECT_GE(took, std::chrono::seconds(1));
  EXPECT_LT(took, std::chrono::seconds(3));
  EXPECT_THAT(outcome.log_tail, HasSubstr("Status: timeout"));
  EXPECT_EQ(invoke("\"echo\"").payload, "\"echo\"");
}

TEST_F(EngineTest, AnInitThatFailsTwiceIsTheOutcome) {
  launcher_->init = {FakeInit::error};
  launcher_->restart_init = FakeInit::error;
  const Outcome error = invoke("\"echo\"");
  EXPECT_EQ(error.payload, R"({"errorType":"Runtime.ImportModuleError"})");
  EXPECT_EQ(error.function_error, "Unhandled");
  EXPECT_THAT(error.log_tail,
              ::testing::ContainsRegex("INIT_REPORT Init Duration: [0-9.]+ ms\tPhase: init\tStatus: error\n"
                                       "INIT_REPORT Init Duration: [0-9.]+ ms\tPhase: invoke\tStatus: error\nSTART"));
  launcher_->init = {FakeInit::exit};
  launcher_->restart_init = FakeInit::exit;
  const Outcome exit = invoke("\"echo\"", function("g"));
  EXPECT_THAT(exit.payload, HasSubstr("Runtime exited with error: exit status 1"));
  EXPECT_THAT(exit.log_tail, HasSubstr("Phase: invoke\tStatus: error\tError Type: Runtime.ExitError\n"));
}

TEST_F(EngineTest, AnInitThatFailsOnceIsForgiven) {
  launcher_->init = {FakeInit::error};
  const Outcome outcome = invoke("\"echo\"");
  EXPECT_EQ(outcome.payload, "\"echo\"");
  EXPECT_THAT(outcome.log_tail, AllOf(HasSubstr("Phase: init\tStatus: error"), Not(HasSubstr("Phase: invoke"))));
  EXPECT_EQ(launched_specs().size(), 1u);
}

TEST_F(EngineTest, AnInitThatHangsIsTriedAgainWithinTheTimeout) {
  EngineOptions options;
  options.init_limit = std::chrono::milliseconds(100);
  run([this] { return engine_->stop(std::chrono::seconds(1)); });
  build(options);
  launcher_->init = {FakeInit::hang};
  const Outcome outcome = invoke("\"echo\"");
  EXPECT_EQ(outcome.payload, "\"echo\"");
  EXPECT_THAT(outcome.log_tail, HasSubstr("Phase: init\tStatus: timeout\n"));
  EXPECT_EQ(launched_specs().size(), 1u);
  launcher_->restart_init = FakeInit::hang;
  const Outcome late = invoke("\"echo\"", function("g"));
  EXPECT_THAT(late.payload, HasSubstr("Sandbox.Timedout"));
  EXPECT_THAT(late.log_tail, HasSubstr("Phase: invoke\tStatus: timeout\n"));
}

TEST_F(EngineTest, AnIdleEnvironmentIsFrozenAndThawed) {
  invoke("\"echo\"");
  FakeSandbox& sandbox = *on_lane([this] { return launcher_->launched.at(0); });
  EXPECT_TRUE(await([&] { return sandbox.frozen; }));
  EXPECT_EQ(invoke("\"echo\"").payload, "\"echo\"");
}

TEST_F(EngineTest, AJsonLogHasTheTelemetryRecords) {
  auto json = function("j");
  json->log_format = "JSON";
  const Outcome outcome = invoke("\"echo\"", json);
  EXPECT_THAT(flushed_log(),
              AllOf(HasSubstr(R"("type":"platform.initStart","record":{"initializationType":"on-demand")"),
                    Not(HasSubstr("START"))));
  EXPECT_THAT(outcome.log_tail, AllOf(HasSubstr(R"("type":"platform.start","record":{"requestId":"00000000)"),
                                      HasSubstr(R"("type":"platform.report","record":{"requestId":)"),
                                      HasSubstr(R"("initDurationMs":)"), Not(HasSubstr("END RequestId"))));
}

TEST_F(EngineTest, AnotherConfigurationGetsAnotherEnvironment) {
  invoke("\"echo\"");
  auto changed = function();
  changed->memory_mib = 256;
  invoke("\"echo\"", changed);
  EXPECT_EQ(launched_specs().size(), 2u);
  EXPECT_EQ(launched_specs()[1].memory_mib, 256);
}

TEST_F(EngineTest, RetiredEnvironmentsServeNobody) {
  invoke("\"echo\"");
  engine_->retire(function()->key, "$LATEST");
  invoke("\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
  engine_->retire(function()->key, "");
  invoke("\"echo\"");
  EXPECT_EQ(launched_specs().size(), 3u);
}

TEST_F(EngineTest, AVersionStaysWarmWhileAnotherIsRetired) {
  const auto version = published();
  invoke("\"echo\"", version);
  engine_->retire(function()->key, "$LATEST");
  invoke("\"echo\"", version);
  EXPECT_EQ(launched_specs().size(), 1u);
  engine_->retire(function()->key, "1");
  invoke("\"echo\"", version);
  EXPECT_EQ(launched_specs().size(), 2u);
}

TEST_F(EngineTest, ABusyEnvironmentOfARetiredVersionEndsWhenItComesBack) {
  const auto slow = function();
  slow->timeout_s = 60;
  auto busy = begin("\"hold\"", slow);
  ASSERT_TRUE(await([this] { return launcher_->specs.size() == 1; }));
  engine_->retire(slow->key, "$LATEST");
  on_lane([this] {
    launcher_->release();
    return true;
  });
  EXPECT_EQ(busy.get().payload, "\"hold\"");
  EXPECT_EQ(invoke("\"echo\"", slow).payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
}

TEST_F(EngineTest, ABusyEnvironmentThatHasOutlivedItsCredentialsEndsWhenItComesBack) {
  EngineOptions options;
  options.lifetime = std::chrono::hours(1);
  // Nothing but its return ends it.
  options.sweep_period = std::chrono::hours(1);
  run([this] { return engine_->stop(std::chrono::seconds(1)); });
  build(options);
  const auto slow = function();
  slow->timeout_s = 60;
  auto busy = begin("\"hold\"", slow);
  ASSERT_TRUE(await([this] { return launcher_->specs.size() == 1; }));
  clock_.advance(std::chrono::hours(2));
  on_lane([this] {
    launcher_->release();
    return true;
  });
  busy.get();
  EXPECT_EQ(invoke("\"echo\"", slow).payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
}

TEST_F(EngineTest, BusyEnvironmentsDoNotShare) {
  auto both = run([this]() -> base::Task<std::pair<Outcome, Outcome>> {
    auto one = [this](std::string id) -> base::Task<Outcome> {
      Invocation invocation{function(), id, "arn", "\"echo\"", "", ""};
      co_return co_await engine_->invoke(std::move(invocation));
    };
    auto first = asio::co_spawn(lanes_.lane(0), one("00000000-0000-4000-8000-000000000001"), asio::use_future);
    Outcome second = co_await one("00000000-0000-4000-8000-000000000002");
    asio::steady_timer pause(lanes_.lane(0));
    while (first.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      pause.expires_after(std::chrono::milliseconds(1));
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_return std::pair{first.get(), std::move(second)};
  });
  EXPECT_EQ(both.first.payload, "\"echo\"");
  EXPECT_EQ(both.second.payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
}

TEST_F(EngineTest, WhatIsSlowToStartIsWaitedForWhenItHasAnswered) {
  launcher_->launching = [this] { clock_.advance(std::chrono::seconds(1)); };
  invoke("\"linger\"");
  std::future<Outcome> second = begin("\"echo\"");
  // Past the least patience, well within the most.
  EXPECT_EQ(second.wait_for(std::chrono::milliseconds(150)), std::future_status::timeout);
  on_lane([this] { return launcher_->release(), true; });
  EXPECT_EQ(second.get().payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 1u);
}

TEST_F(EngineTest, WhatStartsAtOnceIsNotWaitedFor) {
  invoke("\"linger\"");
  EXPECT_EQ(invoke("\"echo\"").payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
  on_lane([this] { return launcher_->release(), true; });
}

TEST_F(EngineTest, WithoutASandboxThePlatformSaysSoAndRecovers) {
  launcher_->broken = true;
  EXPECT_THROW(invoke("\"echo\""), aws::Error);
  launcher_->broken = false;
  EXPECT_EQ(invoke("\"echo\"").payload, "\"echo\"");
}

TEST_F(EngineTest, TheFunctionGetsItsOwnVariablesAndNoOthers) {
  auto with = function();
  with->environment = {{"TABLE", "t"}, {"TZ", "Asia/Tokyo"}};
  ASSERT_EQ(setenv("LAMBENT_CANARY", "1", 1), 0);
  invoke("\"echo\"", with);
  const std::vector<std::string> environment = launched_specs().at(0).environment;
  EXPECT_THAT(environment, ::testing::IsSupersetOf({"TABLE=t", "TZ=Asia/Tokyo", "AWS_ACCESS_KEY_ID=ASIAEXAMPLE",
                                                    "AWS_SESSION_TOKEN=token", "AWS_REGION=us-east-1", "_HANDLER=h",
                                                    "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
                                                    "AWS_ENDPOINT_URL=http://127.0.0.1:4566"}));
  for (const std::string& pair : environment) EXPECT_THAT(pair, Not(HasSubstr("CANARY")));
}

TEST_F(EngineTest, AStoppedEngineTakesNothing) {
  run([this] { return engine_->stop(std::chrono::seconds(1)); });
  EXPECT_THROW(invoke("\"echo\""), aws::Error);
}

}  // namespace
}  // namespace lambent::invoke
