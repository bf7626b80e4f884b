#include "invoke/provisions.h"

#include "invoke/engine_fixture.h"

namespace lambent::invoke {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using State = ProvisionStatus::State;

class ProvisionsTest : public EngineFixture {
 protected:
  void provision(std::int32_t count, store::FunctionSnapshot which = published()) {
    engine_->provision(std::move(which), count, [this](ProvisionStatus status) { said_.push_back(std::move(status)); });
  }
  /// Since `count` was asked for.
  bool await_state(State state, std::int32_t count) {
    return await([&] { return !said_.empty() && said_.back().state == state && said_.back().allocated == count; });
  }
  void provision_ready(std::int32_t count) {
    provision(count);
    ASSERT_TRUE(await_state(State::ready, count));
  }
  std::vector<ProvisionStatus> said() {
    return on_lane([this] { return said_; });
  }
  void build_anew(EngineOptions options) {
    run([this] { return engine_->stop(std::chrono::seconds(1)); });
    build(options);
  }
  static std::string initialization(const char* type) { return std::string("AWS_LAMBDA_INITIALIZATION_TYPE=") + type; }
  bool gauge_is(const std::string& name, const std::string& value) {
    return metrics_.back().text().find("\n" + name + " " + value + "\n") != std::string::npos;
  }

  /// On the lane.
  std::vector<ProvisionStatus> said_;
};

TEST_F(ProvisionsTest, EnvironmentsAreInitialisedBeforeTheirFirstInvocation) {
  provision_ready(2);
  ASSERT_EQ(launched_specs().size(), 2u);
  EXPECT_THAT(launched_specs()[0].environment, Contains(initialization("provisioned-concurrency")));
  EXPECT_THAT(flushed_log(),
              AllOf(HasSubstr("INIT_START"), HasSubstr("INIT_REPORT Init Duration: "), Not(HasSubstr("Phase"))));
  const Outcome outcome = invoke("\"echo\"", published());
  EXPECT_EQ(outcome.payload, "\"echo\"");
  EXPECT_EQ(outcome.executed_version, "1");
  // The first invocation tells how long it took, as on AWS, and does not pay for it.
  EXPECT_THAT(outcome.log_tail, HasSubstr("Init Duration: "));
  EXPECT_EQ(launched_specs().size(), 2u);
  EXPECT_THAT(metrics_.back().text(),
              HasSubstr("lambent_provisioned_concurrency_invocations_total{environment=\"provisioned\"} 1\n"));
}

TEST_F(ProvisionsTest, ItsInitIsNotBilled) {
  EngineOptions options;
  options.init_limit = std::chrono::milliseconds(1);
  build_anew(options);
  // The limit of on-demand inits is not theirs.
  provision_ready(1);
  const std::string tail = invoke("\"echo\"", published()).log_tail;
  const auto number_after = [&](const std::string& name) {
    return std::stod(tail.substr(tail.find(name) + name.size()));
  };
  EXPECT_LE(number_after("Billed Duration: "), number_after("\tDuration: ") + 1);
}

TEST_F(ProvisionsTest, OtherVersionsDoNotTakeThem) {
  provision_ready(1);
  invoke("\"echo\"");
  ASSERT_EQ(launched_specs().size(), 2u);
  EXPECT_THAT(launched_specs()[1].environment, Contains(initialization("on-demand")));
}

TEST_F(ProvisionsTest, WhatExceedsThemSpillsOverToOnDemand) {
  provision_ready(1);
  auto both = run([this]() -> base::Task<int> {
    auto one = [this](std::string payload) -> base::Task<Outcome> {
      Invocation invocation{published(), "00000000-0000-4000-8000-000000000001", "arn", payload, "", ""};
      co_return co_await engine_->invoke(std::move(invocation));
    };
    auto first = asio::co_spawn(lanes_.lane(0), one("\"hang\""), asio::use_future);
    auto work = one("\"echo\"");
    co_await std::move(work);
    asio::steady_timer pause(lanes_.lane(0));
    while (first.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      pause.expires_after(std::chrono::milliseconds(1));
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_return static_cast<int>(launcher_->specs.size());
  });
  EXPECT_GE(both, 2);
  EXPECT_THAT(launched_specs()[1].environment, Contains(initialization("on-demand")));
  EXPECT_THAT(metrics_.back().text(),
              AllOf(HasSubstr("{environment=\"provisioned\"} 1\n"), HasSubstr("{environment=\"spillover\"} 1\n")));
}

TEST_F(ProvisionsTest, AnInitThatFailsEndsTheAllocation) {
  launcher_->init = {FakeInit::error, FakeInit::ready};
  provision(1);
  ASSERT_TRUE(await_state(State::failed, 0));
  EXPECT_EQ(said().back().reason, "FUNCTION_ERROR_INIT_FAILURE");
  EXPECT_THAT(flushed_log(), HasSubstr("Phase: init\tStatus: error"));
  EXPECT_EQ(invoke("\"echo\"", published()).payload, "\"echo\"");
  EXPECT_THAT(launched_specs().at(1).environment, Contains(initialization("on-demand")));
  // Asked for once more it is tried once more.
  provision_ready(1);
}

TEST_F(ProvisionsTest, AnInitThatTakesTooLongFails) {
  EngineOptions options;
  options.provisioned_init_limit = std::chrono::milliseconds(50);
  build_anew(options);
  launcher_->init = {FakeInit::hang};
  // The function's own Timeout is the longer of the two: a second.
  provision(1);
  ASSERT_TRUE(await_state(State::failed, 0));
  EXPECT_THAT(flushed_log(), HasSubstr("Phase: init\tStatus: timeout"));
}

TEST_F(ProvisionsTest, OneThatBreaksIsReplacedAndNotReset) {
  provision_ready(1);
  invoke("\"exit\"", published());
  ASSERT_TRUE(await([this] { return launcher_->specs.size() == 2; }));
  ASSERT_TRUE(await_state(State::ready, 1));
  EXPECT_EQ(invoke("\"echo\"", published()).payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
  EXPECT_THAT(launched_specs()[1].environment, Contains(initialization("provisioned-concurrency")));
}

TEST_F(ProvisionsTest, OneThatEndsWhileItIsIdleIsReplaced) {
  provision_ready(2);
  run([this]() -> base::Task<void> {
    launcher_->launched.at(0)->end({.signal = 9});
    co_return;
  });
  ASSERT_TRUE(await([this] { return launcher_->specs.size() == 3; }));
  EXPECT_TRUE(await_state(State::ready, 2));
}

TEST_F(ProvisionsTest, WhatThePlatformCannotMakeIsTriedAgain) {
  launcher_->broken = true;
  provision(1);
  EXPECT_TRUE(await_state(State::in_progress, 0));
  run([this]() -> base::Task<void> {
    launcher_->broken = false;
    co_return;
  });
  EXPECT_TRUE(await_state(State::ready, 1));
}

TEST_F(ProvisionsTest, FewerAreKeptWhenFewerAreAskedFor) {
  provision_ready(3);
  EXPECT_TRUE(gauge_is("lambent_provisioned_concurrency_allocated", "3"));
  provision_ready(1);
  EXPECT_TRUE(await([this] { return gauge_is("lambent_environments", "1"); }));
  provision(0);
  EXPECT_TRUE(await([this] { return gauge_is("lambent_environments", "0"); }));
  invoke("\"echo\"", published());
  EXPECT_THAT(launched_specs().back().environment, Contains(initialization("on-demand")));
}

TEST_F(ProvisionsTest, ARetiredVersionsEnvironmentsEnd) {
  provision_ready(2);
  engine_->retire(published()->key, "1");
  EXPECT_TRUE(await([this] { return gauge_is("lambent_environments", "0"); }));
  provision_ready(1);
  engine_->retire(published()->key, "");
  EXPECT_TRUE(await([this] { return gauge_is("lambent_environments", "0"); }));
}

TEST_F(ProvisionsTest, IdleTimeAndLittleMemoryDoNotEndThem) {
  EngineOptions options;
  options.idle_time = std::chrono::seconds(0);
  options.sweep_period = std::chrono::milliseconds(5);
  options.keep_free_mib = 1000;
  options.available_memory_mib = [] { return 0; };
  build_anew(options);
  provision_ready(1);
  invoke("\"echo\"");
  ASSERT_EQ(launched_specs().size(), 2u);
  ASSERT_TRUE(await([this] { return gauge_is("lambent_environments", "1"); })) << "what is on demand goes";
  invoke("\"echo\"", published());
  EXPECT_EQ(launched_specs().size(), 2u);
}

TEST_F(ProvisionsTest, OneThatHasOutlivedItsCredentialsGoesWhenAnotherIsReady) {
  EngineOptions options;
  options.lifetime = std::chrono::seconds(0);
  options.sweep_period = std::chrono::milliseconds(5);
  build_anew(options);
  provision_ready(1);
  // Looked at on the lane, where more is said meanwhile.
  bool none_was_there = false;
  ASSERT_TRUE(await([&] {
    for (const ProvisionStatus& status : said_) none_was_there |= status.state == State::ready && status.allocated != 1;
    return launcher_->specs.size() >= 3;
  }));
  EXPECT_FALSE(none_was_there);
}

TEST_F(ProvisionsTest, ABusyOneThatHasOutlivedItsCredentialsGoesWhenItIsGivenBack) {
  EngineOptions options;
  options.lifetime = std::chrono::hours(1);
  options.sweep_period = std::chrono::milliseconds(5);
  build_anew(options);
  const auto version = published();
  version->timeout_s = 60;
  provision(1, version);
  ASSERT_TRUE(await_state(State::ready, 1));
  auto busy = begin("\"hold\"", version);
  ASSERT_TRUE(await([this] { return gauge_is("lambent_provisioned_concurrency_running", "1"); }));
  clock_.advance(std::chrono::hours(2));
  // The one that takes its place is made meanwhile, and it is this one that stays.
  ASSERT_TRUE(await([this] { return gauge_is("lambent_provisioned_concurrency_allocated", "2"); }));
  EXPECT_EQ(launched_specs().size(), 2u);
  on_lane([this] {
    launcher_->release();
    return true;
  });
  EXPECT_EQ(busy.get().payload, "\"hold\"");
  ASSERT_TRUE(await([this] { return gauge_is("lambent_environments", "1"); }));
  EXPECT_EQ(invoke("\"echo\"", version).payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
}

TEST_F(ProvisionsTest, StoppingDoesNotWaitForAnInit) {
  launcher_->init = {FakeInit::hang};
  auto slow = published();
  slow->timeout_s = 900;
  provision(1, slow);
  ASSERT_TRUE(await([this] { return launcher_->specs.size() == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  run([this] { return engine_->stop(std::chrono::seconds(1)); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST_F(ProvisionsTest, AnInitOfADeletedFunctionIsNotItsSuccessors) {
  launcher_->init = {FakeInit::hang, FakeInit::ready};
  provision(1);
  ASSERT_TRUE(await([&] { return launcher_->specs.size() == 1; }));
  // Deleted and made anew while the first one's init goes on: version 1 has another code now.
  engine_->retire(published()->key, "");
  auto successor = published();
  successor->code_hash = std::string(64, 'b');
  provision(1, successor);
  ASSERT_TRUE(await_state(State::ready, 1));
  for (const ProvisionStatus& status : said()) EXPECT_NE(status.state, State::failed) << status.reason;
  EXPECT_EQ(invoke("\"echo\"", successor).payload, "\"echo\"");
  EXPECT_EQ(launched_specs().size(), 2u);
  EXPECT_EQ(launched_specs().back().code_hash, successor->code_hash);
}

}  // namespace
}  // namespace lambent::invoke
