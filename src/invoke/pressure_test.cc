// What goes first when memory or sandboxes are short: what waits, then the environments that have been idle longest, and never
// one that is busy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "aws/error.h"
#include "invoke/engine.h"
#include "invoke/fake_sandbox.h"

namespace lambent::invoke {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

/// What every fake environment has used at most, in MiB, and what is to stay free.
constexpr std::int64_t kUsedMib = 42, kKeepFreeMib = 1000, kPlentyMib = 100'000;

class PressureTest : public ::testing::Test {
 protected:
  template <class Work>
  auto run(Work work) {
    return asio::co_spawn(lanes_.lane(0), std::move(work), asio::use_future).get();
  }

  void SetUp() override { build(0); }
  void TearDown() override {
    run([this] { return engine_->stop(seconds(1)); });
    engine_.reset();
    lanes_.stop();
  }

  void build(std::int64_t spare_memory_mib) {
    auto launcher = std::make_unique<FakeLauncher>(lanes_.lane(0));
    launcher_ = launcher.get();
    std::vector<std::unique_ptr<sandbox::Launcher>> launchers;
    launchers.push_back(std::move(launcher));
    auto credentials = [](const store::FunctionVersion&) { return RoleCredentials{"ASIAEXAMPLE", "secret", "token"}; };
    auto serve_api = [](asio::any_io_executor executor, base::Fd listener) {
      auto handler = [](base::http::Exchange& exchange) -> base::Task<void> {
        base::http::Response response;
        co_await exchange.respond(std::move(response));
      };
      return base::http::serve(executor, std::move(listener), {}, handler);
    };
    EngineOptions options;
    options.spare_memory_mib = spare_memory_mib;
    options.keep_free_mib = kKeepFreeMib;
    options.sweep_period = milliseconds(2);
    options.available_memory_mib = [this] {
      looks_.fetch_add(1);
      return available_mib_.exchange(kPlentyMib);
    };
    EngineParts parts{lanes_, std::move(launchers), catalog_, clock_, metrics_, credentials, serve_api, nullptr};
    engine_ = make_engine(options, std::move(parts));
    lanes_.start();
  }

  static store::FunctionSnapshot function(const std::string& name) {
    auto made = std::make_shared<store::FunctionVersion>();
    made->key = {"123456789012", "us-east-1", name};
    made->runtime = "provided.al2023";
    made->handler = "h";
    made->code_hash = std::string(64, 'a');
    made->timeout_s = 2;
    return made;
  }

  std::future<Outcome> begin(const std::string& name, const std::string& payload) {
    auto work = [this, name, payload]() -> base::Task<Outcome> {
      Invocation invocation{function(name), "00000000-0000-4000-8000-000000000001", "arn", payload, "", ""};
      co_return co_await engine_->invoke(std::move(invocation));
    };
    return asio::co_spawn(lanes_.lane(0), std::move(work), asio::use_future);
  }
  Outcome invoke(const std::string& name) { return begin(name, "\"echo\"").get(); }

  /// Invokes it and says whether an environment had to be made.
  bool is_cold(const std::string& name) {
    const std::size_t before = launched();
    EXPECT_EQ(invoke(name).payload, "\"echo\"");
    return launched() > before;
  }
  std::size_t launched() {
    return run([this]() -> base::Task<std::size_t> { co_return launcher_->specs.size(); });
  }

  template <class Step>
  static bool eventually(Step step) {
    const auto end = std::chrono::steady_clock::now() + seconds(10);
    while (!step())
      if (std::chrono::steady_clock::now() > end)
        return false;
      else
        std::this_thread::yield();
    return true;
  }
  bool there_are(int environments) {
    const std::string line = "lambent_environments " + std::to_string(environments) + "\n";
    return eventually([&] { return metrics_.text().find(line) != std::string::npos; });
  }

  /// One sweep finds so little memory that `missing` MiB have to be made free; those before and after it find plenty.
  void press(std::int64_t missing_mib) {
    available_mib_ = kKeepFreeMib - missing_mib;
    ASSERT_TRUE(eventually([&] { return available_mib_ == kPlentyMib; }));
    // The sweep after that one: it has done what it had to.
    const int then = looks_;
    ASSERT_TRUE(eventually([&] { return looks_ > then; }));
  }

  base::Lanes lanes_{1};
  runtimes::Catalog catalog_;
  base::SystemClock clock_;
  base::Metrics metrics_;
  std::atomic<std::int64_t> available_mib_{kPlentyMib};
  std::atomic<int> looks_{0};
  FakeLauncher* launcher_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

TEST_F(PressureTest, TheColdestEnvironmentGoesFirstAndNoMoreThanHelps) {
  for (const char* name : {"a", "b", "c", "a"}) invoke(name);
  press(kUsedMib);
  // a was used again after b: b has been idle longest.
  EXPECT_FALSE(is_cold("a"));
  EXPECT_FALSE(is_cold("c"));
  EXPECT_TRUE(is_cold("b"));
}

TEST_F(PressureTest, AsManyGoAsHoldWhatIsMissing) {
  for (const char* name : {"a", "b", "c"}) invoke(name);
  press(kUsedMib + 1);
  EXPECT_FALSE(is_cold("c"));
  EXPECT_TRUE(is_cold("a"));
  EXPECT_TRUE(is_cold("b"));
}

TEST_F(PressureTest, WhileThereIsEnoughNothingGoes) {
  invoke("a");
  press(0);
  EXPECT_FALSE(is_cold("a"));
}

TEST_F(PressureTest, WhatIsBusyStaysHoweverLittleIsLeft) {
  invoke("idle");
  auto busy = begin("busy", "\"hang\"");
  ASSERT_TRUE(there_are(2));
  // Its turn in the sandbox has begun when it has been launched.
  ASSERT_TRUE(eventually([&] { return launched() == 2; }));
  press(kPlentyMib);
  EXPECT_TRUE(there_are(1));
  // Ended by its own timeout: an environment that was taken away would have said that its runtime exited.
  EXPECT_THAT(busy.get().payload, HasSubstr("Sandbox.Timedout"));
  EXPECT_TRUE(is_cold("idle"));
}

class PressureWithSparesTest : public PressureTest {
 protected:
  void SetUp() override { build(64); }
};

TEST_F(PressureWithSparesTest, WhatWaitsGoesBeforeWhatIsWarm) {
  invoke("a");
  const auto waiting = [this](int count) {
    const std::string line = "lambent_spares_waiting " + std::to_string(count) + "\n";
    return eventually([&] { return metrics_.text().find(line) != std::string::npos; });
  };
  ASSERT_TRUE(waiting(2));
  press(2);
  EXPECT_TRUE(waiting(0));
  EXPECT_FALSE(is_cold("a"));
}

TEST_F(PressureTest, WithoutASandboxTheColdestMakesRoomForTheNewOne) {
  for (const char* name : {"a", "b"}) invoke(name);
  run([this]() -> base::Task<void> {
    launcher_->failures = 1;
    co_return;
  });
  EXPECT_TRUE(is_cold("c"));
  EXPECT_FALSE(is_cold("b"));
  EXPECT_TRUE(is_cold("a"));
}

TEST_F(PressureTest, WhenTheOnlyWarmOneIsBusyNothingMakesRoom) {
  invoke("busy");
  auto busy = begin("busy", "\"hang\"");
  run([this]() -> base::Task<void> {
    launcher_->failures = 1;
    co_return;
  });
  EXPECT_THROW(invoke("c"), aws::Error);
  EXPECT_THAT(busy.get().payload, HasSubstr("Sandbox.Timedout"));
  EXPECT_TRUE(is_cold("c"));
}

TEST_F(PressureTest, RoomIsMadeOnceAndThenThePlatformSaysSo) {
  for (const char* name : {"a", "b"}) invoke(name);
  run([this]() -> base::Task<void> {
    launcher_->failures = 2;
    co_return;
  });
  EXPECT_THROW(invoke("c"), aws::Error);
  EXPECT_FALSE(is_cold("b"));
  EXPECT_TRUE(is_cold("a"));
  EXPECT_TRUE(is_cold("c"));
}

}  // namespace
}  // namespace lambent::invoke
