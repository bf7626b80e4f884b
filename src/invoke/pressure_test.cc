// What goes first when memory or sandboxes are short: what waits, then the environments that have been idle longest, and never
// one that is busy.
#include "invoke/engine_fixture.h"

namespace lambent::invoke {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

/// What every fake environment has used at most, in MiB, and what is to stay free.
constexpr std::int64_t kUsedMib = 42, kKeepFreeMib = 1000, kPlentyMib = 100'000;

class PressureTest : public EngineFixture {
 protected:
  void SetUp() override { build_pressed(0); }
  void build_pressed(std::int64_t spare_memory_mib) {
    EngineOptions options;
    options.keep_free_mib = kKeepFreeMib;
    options.sweep_period = milliseconds(2);
    options.available_memory_mib = [this] {
      looks_.fetch_add(1);
      return available_mib_.exchange(kPlentyMib);
    };
    build(options, spare_memory_mib);
  }

  static std::shared_ptr<store::FunctionVersion> named(const std::string& name) {
    auto made = function(name);
    made->timeout_s = 2;
    return made;
  }
  Outcome echo(const std::string& name) { return invoke("\"echo\"", named(name)); }
  std::future<Outcome> hang(const std::string& name) { return begin("\"hang\"", named(name)); }
  void fail_launches(int count) {
    on_lane([this, count] { return launcher_->failures = count; });
  }

  /// Invokes it and says whether an environment had to be made.
  bool is_cold(const std::string& name) {
    const std::size_t before = launched_specs().size();
    EXPECT_EQ(echo(name).payload, "\"echo\"");
    return launched_specs().size() > before;
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
  bool says(const std::string& line) {
    return eventually([&] { return metrics_.back().text().find(line + "\n") != std::string::npos; });
  }
  bool there_are(int environments) { return says("lambent_environments " + std::to_string(environments)); }

  /// One sweep finds so little memory that `missing` MiB have to be made free; those before and after it find plenty.
  void press(std::int64_t missing_mib) {
    available_mib_ = kKeepFreeMib - missing_mib;
    ASSERT_TRUE(eventually([&] { return available_mib_ == kPlentyMib; }));
    // The sweep after that one: it has done what it had to.
    const int then = looks_;
    ASSERT_TRUE(eventually([&] { return looks_ > then; }));
  }

  std::atomic<std::int64_t> available_mib_{kPlentyMib};
  std::atomic<int> looks_{0};
};

TEST_F(PressureTest, TheColdestEnvironmentGoesFirstAndNoMoreThanHelps) {
  for (const char* name : {"a", "b", "c", "a"}) echo(name);
  press(kUsedMib);
  // a was used again after b: b has been idle longest.
  EXPECT_FALSE(is_cold("a"));
  EXPECT_FALSE(is_cold("c"));
  EXPECT_TRUE(is_cold("b"));
}

TEST_F(PressureTest, AsManyGoAsHoldWhatIsMissing) {
  for (const char* name : {"a", "b", "c"}) echo(name);
  press(kUsedMib + 1);
  EXPECT_FALSE(is_cold("c"));
  EXPECT_TRUE(is_cold("a"));
  EXPECT_TRUE(is_cold("b"));
}

TEST_F(PressureTest, WhileThereIsEnoughNothingGoes) {
  echo("a");
  press(0);
  EXPECT_FALSE(is_cold("a"));
}

TEST_F(PressureTest, WhatIsBusyStaysHoweverLittleIsLeft) {
  echo("idle");
  auto busy = hang("busy");
  ASSERT_TRUE(there_are(2));
  // Its turn in the sandbox has begun when it has been launched.
  ASSERT_TRUE(eventually([&] { return launched_specs().size() == 2; }));
  press(kPlentyMib);
  EXPECT_TRUE(there_are(1));
  // Ended by its own timeout: an environment that was taken away would have said that its runtime exited.
  EXPECT_THAT(busy.get().payload, HasSubstr("Sandbox.Timedout"));
  EXPECT_TRUE(is_cold("idle"));
}

class PressureWithSparesTest : public PressureTest {
 protected:
  void SetUp() override { build_pressed(64); }
};

TEST_F(PressureWithSparesTest, WhatWaitsGoesBeforeWhatIsWarm) {
  echo("a");
  const auto waiting = [this](int count) { return says("lambent_spares_waiting " + std::to_string(count)); };
  ASSERT_TRUE(waiting(2));
  press(2);
  EXPECT_TRUE(waiting(0));
  EXPECT_FALSE(is_cold("a"));
}

TEST_F(PressureTest, WithoutASandboxTheColdestMakesRoomForTheNewOne) {
  for (const char* name : {"a", "b"}) echo(name);
  fail_launches(1);
  EXPECT_TRUE(is_cold("c"));
  EXPECT_FALSE(is_cold("b"));
  EXPECT_TRUE(is_cold("a"));
}

TEST_F(PressureTest, WhenTheOnlyWarmOneIsBusyNothingMakesRoom) {
  echo("busy");
  auto busy = hang("busy");
  fail_launches(1);
  EXPECT_THROW(echo("c"), aws::Error);
  EXPECT_THAT(busy.get().payload, HasSubstr("Sandbox.Timedout"));
  EXPECT_TRUE(is_cold("c"));
}

TEST_F(PressureTest, RoomIsMadeOnceAndThenThePlatformSaysSo) {
  for (const char* name : {"a", "b"}) echo(name);
  fail_launches(2);
  EXPECT_THROW(echo("c"), aws::Error);
  EXPECT_FALSE(is_cold("b"));
  EXPECT_TRUE(is_cold("a"));
  EXPECT_TRUE(is_cold("c"));
}

}  // namespace
}  // namespace lambent::invoke
