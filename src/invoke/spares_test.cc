#include "invoke/spares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "invoke/fake_sandbox.h"

namespace lambent::invoke {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SparesTest : public ::testing::Test {
 protected:
  void SetUp() override { build(256); }
  void TearDown() override {
    if (sandboxes_) sandboxes_->stop();
    settle();
  }

  void build(std::int64_t limit_mib) {
    memory_ = std::make_shared<SpareMemory>(limit_mib, metrics_);
    sandboxes_ = std::make_shared<Sandboxes>(context_, launcher_, clock_, memory_);
  }

  static runtimes::Runtime runtime(const std::string& name = "python3.11", bool zygote = true, int held_mib = 3) {
    runtimes::Runtime made;
    made.identifier = name;
    made.family = runtimes::Family::python;
    made.bootstrap_dir = "python";
    made.argv = {"/usr/bin/" + name, "/var/runtime/bootstrap.py"};
    made.environment = {"PYTHONPATH=/var/runtime", "LC_CTYPE=C.UTF-8"};
    made.spare = runtimes::Spare{.zygote = zygote, .per_memory = false, .held_mib = held_mib};
    return made;
  }

  static sandbox::Spec spec(const runtimes::Runtime& runtime, std::vector<std::string> more = {}) {
    sandbox::Spec made;
    made.code_hash = std::string(64, 'a');
    made.runtime_dir = runtime.bootstrap_dir;
    made.argv = runtime.argv;
    made.environment = {"_HANDLER=h"};
    for (std::string& pair : environment_of(runtime)) made.environment.push_back(std::move(pair));
    for (std::string& pair : more) made.environment.push_back(std::move(pair));
    return made;
  }

  static std::vector<std::string> environment_of(const runtimes::Runtime& runtime);

  /// Runs the lane until `done`, or for half a second.
  template <class Done>
  bool drive(Done done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    context_.restart();
    while (!done() && std::chrono::steady_clock::now() < until) context_.run_for(std::chrono::milliseconds(1));
    return done();
  }
  /// Runs whatever refilling there is to its end.
  void settle() {
    context_.restart();
    context_.run_for(std::chrono::milliseconds(200));
  }

  std::unique_ptr<sandbox::Sandbox> take(const runtimes::Runtime& runtime, std::vector<std::string> more = {}) {
    std::optional<std::unique_ptr<sandbox::Sandbox>> taken;
    std::exception_ptr failure;
    base::asio::co_spawn(context_, sandboxes_->take(spec(runtime, std::move(more)), runtime),
                         [&](std::exception_ptr error, std::unique_ptr<sandbox::Sandbox> sandbox) {
                           failure = error;
                           taken = std::move(sandbox);
                         });
    EXPECT_TRUE(drive([&] { return taken.has_value(); }));
    if (failure) std::rethrow_exception(failure);
    return std::move(*taken);
  }

  void expect(const runtimes::Runtime& runtime) {
    sandboxes_->expect(runtime, 128, 512);
    settle();
  }

  std::int64_t waiting() const { return memory_->waiting.load(); }
  std::string metrics() const { return metrics_.text(); }

  base::Metrics metrics_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1'800'000'000'000))};
  asio::io_context context_{1};
  FakeLauncher launcher_{context_};
  std::shared_ptr<SpareMemory> memory_;
  std::shared_ptr<Sandboxes> sandboxes_;
};

TEST_F(SparesTest, NothingWaitsForARuntimeThatNobodyUses) {
  sandboxes_->sweep();
  settle();
  EXPECT_TRUE(launcher_.spares.empty());
  EXPECT_EQ(memory_->held_mib(), 0);
}

TEST_F(SparesTest, AFunctionThatExistsIsWaitedFor) {
  expect(runtime());
  ASSERT_EQ(launcher_.spares.size(), Sandboxes::kLeast);
  EXPECT_EQ(waiting(), 2);
  EXPECT_EQ(memory_->held_mib(), 6);
  const sandbox::SpareSpec& spare = launcher_.spares[0];
  EXPECT_TRUE(spare.zygote);
  EXPECT_THAT(spare.argv, ElementsAre("/usr/bin/python3.11", "/var/runtime/bootstrap.py", "--zygote"));
  // What acts only at exec has to be there before, and nothing else is.
  EXPECT_THAT(spare.environment, Contains("LC_CTYPE=C.UTF-8"));
  EXPECT_THAT(spare.environment, Contains(HasSubstr("LD_LIBRARY_PATH=")));
  EXPECT_THAT(spare.environment, Not(Contains(HasSubstr("AWS_"))));
}

TEST_F(SparesTest, ASpareIsAssignedAndReplaced) {
  expect(runtime());
  const auto taken = take(runtime());
  EXPECT_TRUE(launcher_.specs.empty());
  EXPECT_THAT(launcher_.prepared[0]->assigned.at(0).environment, Contains("_HANDLER=h"));
  EXPECT_EQ(waiting(), 1);
  settle();
  EXPECT_EQ(waiting(), 2);
  EXPECT_EQ(launcher_.spares.size(), 3u);
  EXPECT_THAT(metrics(), HasSubstr("lambent_spares_total{event=\"taken\"} 1"));
}

TEST_F(SparesTest, TheFirstInvocationOfARuntimeIsLaunchedAndBringsSpares) {
  take(runtime());
  EXPECT_EQ(launcher_.specs.size(), 1u);
  settle();
  EXPECT_EQ(waiting(), 2);
}

TEST_F(SparesTest, WithItsPoolEmptyAPythonIsForkedAndOthersAreExecuted) {
  expect(runtime());
  std::vector<std::unique_ptr<sandbox::Sandbox>> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(take(runtime()));
  EXPECT_EQ(launcher_.spares.size(), 3u);
  EXPECT_TRUE(launcher_.specs.empty());
  const runtimes::Runtime executed = runtime("node", false, 12);
  expect(executed);
  for (int i = 0; i < 3; ++i) taken.push_back(take(executed));
  EXPECT_EQ(launcher_.specs.size(), 1u);
}

TEST_F(SparesTest, WhatActsAtExecIsNotTakenFromAWaitingProcess) {
  expect(runtime());
  for (const char* pair : {"LD_PRELOAD=/var/task/x.so", "PYTHONUTF8=1", "AWS_LAMBDA_EXEC_WRAPPER=/opt/w", "LANG=C"}) {
    take(runtime(), {pair});
    EXPECT_EQ(std::exchange(launcher_.specs, {}).size(), 1u) << pair;
    sandboxes_->shed();
    expect(runtime());
  }
  EXPECT_GE(waiting(), 2);
  const std::vector<std::string> names{"NODE_ENV=production", "TABLE=t", "TZ=Asia/Tokyo"};
  take(runtime(), names);
  EXPECT_TRUE(launcher_.specs.empty());
}

TEST_F(SparesTest, AFunctionWithItsOwnExecSettingsGetsAnEmptySandboxNextTime) {
  const std::vector<std::string> own{"LD_PRELOAD=/var/task/x.so"};
  take(runtime(), own);
  settle();
  ASSERT_FALSE(launcher_.spares.empty());
  EXPECT_TRUE(launcher_.spares[0].argv.empty());
  const auto taken = take(runtime(), own);
  EXPECT_EQ(launcher_.specs.size(), 1u);
  EXPECT_THAT(launcher_.prepared[0]->assigned.at(0).argv,
              ElementsAre("/usr/bin/python3.11", "/var/runtime/bootstrap.py"));
}

TEST_F(SparesTest, OneThatDiedIsNeverHandedOut) {
  expect(runtime());
  FakeSandbox* const dying = launcher_.prepared[0];
  dying->end({.status = 1});
  settle();
  const auto taken = take(runtime());
  EXPECT_EQ(taken.get(), launcher_.prepared[1]);
  sandboxes_->sweep();
  settle();
  EXPECT_EQ(waiting(), 2);
  EXPECT_THAT(metrics(), HasSubstr("lambent_spares_total{event=\"died\"} 1"));
}

TEST_F(SparesTest, AnAssignmentThatFailsFallsBackToALaunchOnce) {
  expect(runtime());
  for (FakeSandbox* sandbox : launcher_.prepared) sandbox->refuses = true;
  EXPECT_NE(take(runtime()), nullptr);
  EXPECT_EQ(launcher_.specs.size(), 1u);
  EXPECT_EQ(waiting(), 1);
}

TEST_F(SparesTest, WithNoSandboxToBeHadTheLaunchSaysWhy) {
  launcher_.broken = true;
  expect(runtime());
  EXPECT_THROW(take(runtime()), std::runtime_error);
  EXPECT_EQ(memory_->held_mib(), 0);
}

TEST_F(SparesTest, AfterAFailureItWaitsBeforeItTriesAgain) {
  launcher_.broken = true;
  expect(runtime());
  EXPECT_THAT(metrics(), HasSubstr("lambent_spares_total{event=\"failed\"} 1"));
  launcher_.broken = false;
  sandboxes_->sweep();
  settle();
  EXPECT_EQ(waiting(), 0);
  clock_.advance(std::chrono::seconds(1));
  sandboxes_->sweep();
  settle();
  EXPECT_EQ(waiting(), 2);
}

TEST_F(SparesTest, MoreWaitAfterABurstAndFewerWhenItIsQuiet) {
  std::vector<std::unique_ptr<sandbox::Sandbox>> taken;
  for (int i = 0; i < 10; ++i) taken.push_back(take(runtime()));
  EXPECT_TRUE(drive([&] { return waiting() == 10; }));
  for (int i = 0; i < 4; ++i) {
    clock_.advance(Sandboxes::kWindow);
    sandboxes_->sweep();
  }
  EXPECT_EQ(waiting(), 2);
  clock_.advance(Sandboxes::kRemembered);
  sandboxes_->sweep();
  settle();
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(memory_->held_mib(), 0);
}

TEST_F(SparesTest, TheBoundHoldsAndTheColdestMakesRoom) {
  build(8);
  expect(runtime("python3.11"));
  EXPECT_EQ(memory_->held_mib(), 6);
  clock_.advance(std::chrono::seconds(1));
  expect(runtime("python3.12"));
  EXPECT_EQ(memory_->held_mib(), 6);
  EXPECT_EQ(waiting(), 2);
  take(runtime("python3.12"));
  EXPECT_TRUE(launcher_.specs.empty());
  // The older kind has lost its places.
  take(runtime("python3.11"));
  EXPECT_EQ(launcher_.spares.size(), 5u);
}

TEST_F(SparesTest, WithNoRoomForASpareTheZygoteIsStartedAndForked) {
  build(1);
  expect(runtime());
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(memory_->held_mib(), 0);
  EXPECT_EQ(launcher_.spares.size(), 1u);
  take(runtime());
  EXPECT_EQ(launcher_.spares.size(), 2u);
  EXPECT_TRUE(launcher_.specs.empty());
}

TEST_F(SparesTest, WhatStartsSlowlyHoldsUpNoForks) {
  launcher_.starves = true;
  const runtimes::Runtime node = runtime("node20", false, 10);
  expect(node);
  EXPECT_EQ(launcher_.spares.size(), 1u) << "the first of a kind is waited for";
  expect(runtime("node22", false, 10));
  ASSERT_EQ(launcher_.spares.size(), 2u);
  expect(runtime("node24", false, 10));
  EXPECT_EQ(launcher_.spares.size(), 2u) << "two at a time";
  expect(runtime());
  EXPECT_EQ(waiting(), 2) << "the forked ones";
  EXPECT_THAT(metrics(), HasSubstr("lambent_spares_making 2"));
  launcher_.starves = false;
  EXPECT_TRUE(drive([&] { return waiting() == 8; }));
  settle();
  EXPECT_THAT(metrics(), HasSubstr("lambent_spares_making 0"));
}

TEST_F(SparesTest, ABoundOfNothingSwitchesThemOff) {
  build(0);
  expect(runtime());
  take(runtime());
  settle();
  EXPECT_EQ(launcher_.specs.size(), 1u);
  EXPECT_TRUE(launcher_.spares.empty());
}

TEST_F(SparesTest, AnotherSizeOfTmpIsAnotherPool) {
  expect(runtime());
  const runtimes::Runtime python = runtime();
  sandbox::Spec larger = spec(python);
  larger.ephemeral_mib = 1024;
  bool done = false;
  base::asio::co_spawn(context_, sandboxes_->take(larger, python),
                       [&](std::exception_ptr, std::unique_ptr<sandbox::Sandbox>) { done = true; });
  EXPECT_TRUE(drive([&] { return done; }));
  EXPECT_EQ(launcher_.specs.size(), 1u);
  EXPECT_EQ(waiting(), 2);
}

std::vector<std::string> SparesTest::environment_of(const runtimes::Runtime& runtime) {
  std::vector<std::string> pairs = runtime.environment;
  pairs.insert(pairs.begin(), {"LANG=en_US.UTF-8",
                               "LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/"
                               "task:/var/task/lib:/opt/lib"});
  std::ranges::sort(pairs);
  return pairs;
}

}  // namespace
}  // namespace lambent::invoke
