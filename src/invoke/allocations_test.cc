#include "invoke/allocations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>

#include "base/ids.h"
#include "store/migrations.h"

namespace lambent::invoke {
namespace {

namespace asio = base::asio;
namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = ProvisionStatus::State;

/// Notes what is asked of it and answers what the test says.
class AskedEngine final : public Engine {
 public:
  base::Task<Outcome> invoke(Invocation) override { co_return Outcome{}; }
  void retire(const store::FunctionKey&, const std::string&) override {}
  void expect(const store::FunctionVersion&) override {}
  void provision(store::FunctionSnapshot function, std::int32_t count, ProvisionObserver observer) override {
    asked.push_back(function->version + "=" + std::to_string(count));
    observers[function->version] = {count, std::move(observer)};
  }
  base::Task<void> stop(std::chrono::seconds) override { co_return; }

  void say(const std::string& version, State state, std::int32_t allocated, std::string reason = "") {
    const auto [count, observer] = observers.at(version);
    observer({.state = state, .requested = count, .allocated = allocated, .reason = std::move(reason)});
  }
  void ready(const std::string& version) { say(version, State::ready, observers.at(version).first); }
  std::vector<std::string> take_asked() { return std::exchange(asked, {}); }

  std::vector<std::string> asked;
  std::map<std::string, std::pair<std::int32_t, ProvisionObserver>> observers;
};

class AllocationsTest : public ::testing::Test {
 protected:
  AllocationsTest() : directory_(fs::temp_directory_path() / ("lambent-allocations-" + base::random_hex(6))) {
    fs::create_directory(directory_);
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    functions_ = std::make_unique<store::Functions>(*database_);
    settings_ = std::make_unique<store::Concurrency>(*database_);
    functions_->when_removed([this](store::Transaction& transaction, const auto& key, std::string_view qualifier) {
      settings_->forget(transaction, key, qualifier);
    });
    admission_ = std::make_unique<Admission>(AdmissionOptions{}, *settings_, clock_, metrics_);
    make_function();
    begin();
  }
  ~AllocationsTest() override {
    allocations_.reset();
    admission_.reset();
    settings_.reset();
    functions_.reset();
    database_.reset();
    fs::remove_all(directory_);
  }

  template <class T>
  T run(base::Task<T> task) {
    auto done = asio::co_spawn(lane_, std::move(task), asio::use_future);
    lane_.restart();
    lane_.run();
    return done.get();
  }
  /// As a new start of the server.
  void begin() {
    engine_ = std::make_unique<AskedEngine>();
    allocations_ = std::make_unique<Allocations>(*engine_, *admission_, *settings_, *functions_);
    allocations_->start();
  }
  /// With versions 1 to 3.
  void make_function() {
    store::FunctionVersion latest;
    latest.key = key_;
    latest.state = "Active";
    latest.last_version = 3;
    latest.revision_id = "0";
    ASSERT_TRUE(run(functions_->create(latest)));
    for (int number = 1; number <= 3; ++number) {
      auto version = latest;
      version.version = std::to_string(number);
      auto next = latest;
      next.revision_id = version.version;
      ASSERT_TRUE(run(functions_->replace(next, std::to_string(number - 1), version)));
    }
  }
  void point(const std::string& version, std::map<std::string, double> weights = {}) {
    const auto before = functions_->alias(key_, "live");
    store::Alias alias;
    alias.key = key_;
    alias.name = "live";
    alias.function_version = version;
    alias.weights = std::move(weights);
    alias.revision_id = base::uuid();
    ASSERT_EQ(run(functions_->put_alias(alias, before ? before->revision_id : "")), store::AliasWrite::stored);
    allocations_->follow(key_);
  }
  void provision(const std::string& qualifier, std::int32_t count) {
    ASSERT_EQ(run(settings_->put_provisioned(setting(qualifier, count), {1000, 100})), store::ProvisionWrite::stored);
    allocations_->allocate(key_, qualifier);
  }
  store::ProvisionedConcurrency setting(const std::string& qualifier, std::int32_t count) const {
    return {key_, qualifier, count, 1};
  }
  ProvisionStatus status(const std::string& qualifier) const {
    return allocations_->status(*settings_->provisioned(key_, qualifier));
  }
  /// What admission holds for provisioned concurrency.
  std::int32_t admitted() const { return 1000 - admission_->usage(key_.account, key_.region).unreserved_limit; }

  const store::FunctionKey key_{"123456789012", "us-east-1", "f"};
  const fs::path directory_;
  base::ManualClock clock_{base::WallTime(std::chrono::seconds(1'800'000'000))};
  base::Metrics metrics_;
  /// Outlives the database: its writer may still be inside post() when the coroutine has its answer.
  asio::io_context lane_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Functions> functions_;
  std::unique_ptr<store::Concurrency> settings_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<AskedEngine> engine_;
  std::unique_ptr<Allocations> allocations_;
};

TEST_F(AllocationsTest, AVersionIsInProgressUntilTheEngineIsReady) {
  provision("1", 3);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=3"));
  EXPECT_EQ(status("1"), (ProvisionStatus{State::in_progress, 3, 0}));
  EXPECT_EQ(admitted(), 3);
  engine_->say("1", State::in_progress, 2);
  EXPECT_EQ(status("1"), (ProvisionStatus{State::in_progress, 3, 2}));
  engine_->ready("1");
  EXPECT_EQ(status("1"), (ProvisionStatus{State::ready, 3, 3}));
  provision("1", 5);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=5"));
  EXPECT_EQ(status("1"), (ProvisionStatus{State::in_progress, 5, 3}));
}

TEST_F(AllocationsTest, WhatFailedIsTriedAnewWhenItIsAskedForAgain) {
  provision("1", 1);
  engine_->say("1", State::failed, 0, "FUNCTION_ERROR_INIT_FAILURE");
  EXPECT_EQ(status("1"), (ProvisionStatus{State::failed, 1, 0, "FUNCTION_ERROR_INIT_FAILURE"}));
  engine_->take_asked();
  allocations_->follow(key_);
  EXPECT_THAT(engine_->take_asked(), IsEmpty());
  provision("1", 1);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=1"));
  EXPECT_EQ(status("1"), (ProvisionStatus{State::in_progress, 1, 0}));
}

TEST_F(AllocationsTest, AnAliasThatMovesKeepsItsOldVersionUntilTheNewOneIsReady) {
  point("1");
  provision("live", 2);
  engine_->ready("1");
  engine_->take_asked();
  point("2");
  EXPECT_THAT(engine_->take_asked(), ElementsAre("2=2"));
  EXPECT_EQ(allocations_->holding(key_, "live"), "1");
  EXPECT_EQ(status("live"), (ProvisionStatus{State::in_progress, 2, 0}));
  EXPECT_EQ(admitted(), 2);
  engine_->say("2", State::in_progress, 1);
  EXPECT_EQ(allocations_->holding(key_, "live"), "1");
  engine_->ready("2");
  EXPECT_EQ(allocations_->holding(key_, "live"), std::nullopt);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=0"));
  EXPECT_EQ(status("live"), (ProvisionStatus{State::ready, 2, 2}));
  EXPECT_EQ(admitted(), 2);
}

TEST_F(AllocationsTest, AMoveThatFailsLeavesTheOldVersionServing) {
  point("1");
  provision("live", 2);
  engine_->ready("1");
  point("2");
  engine_->say("2", State::failed, 0, "FUNCTION_ERROR_INIT_FAILURE");
  EXPECT_EQ(allocations_->holding(key_, "live"), "1");
  EXPECT_EQ(status("live").state, State::failed);
  engine_->take_asked();
  point("3");
  EXPECT_THAT(engine_->take_asked(), ElementsAre("2=0", "3=2"));
  engine_->ready("3");
  EXPECT_EQ(allocations_->holding(key_, "live"), std::nullopt);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=0"));
}

TEST_F(AllocationsTest, AnAliasThatMovesBackIsServedAtOnce) {
  point("1");
  provision("live", 2);
  engine_->ready("1");
  point("2");
  engine_->take_asked();
  point("1");
  EXPECT_EQ(allocations_->holding(key_, "live"), std::nullopt);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("2=0"));
  EXPECT_EQ(status("live").state, State::ready);
}

TEST_F(AllocationsTest, AnOldVersionThatIsDeletedMeanwhileHoldsNothing) {
  point("1");
  provision("live", 2);
  engine_->ready("1");
  point("2");
  ASSERT_TRUE(run(functions_->remove_version(key_, "1")).removed);
  allocations_->follow(key_);
  EXPECT_EQ(allocations_->holding(key_, "live"), std::nullopt);
  EXPECT_EQ(admitted(), 2);
}

TEST_F(AllocationsTest, WeightsShareTheAllocation) {
  point("1");
  provision("live", 10);
  engine_->ready("1");
  engine_->take_asked();
  point("1", {{"2", 0.25}});
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=7", "2=3"));
  EXPECT_EQ(allocations_->holding(key_, "live"), std::nullopt);
  engine_->ready("1");
  EXPECT_EQ(status("live"), (ProvisionStatus{State::in_progress, 10, 7}));
  engine_->ready("2");
  EXPECT_EQ(status("live"), (ProvisionStatus{State::ready, 10, 10}));
  EXPECT_EQ(admitted(), 10);
  // The end of a canary: all of it goes to the new version, which serves when it has all of it.
  point("2");
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=10", "2=10"));
  EXPECT_EQ(allocations_->holding(key_, "live"), "1");
  engine_->ready("2");
  EXPECT_EQ(allocations_->holding(key_, "live"), std::nullopt);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=0"));
}

TEST_F(AllocationsTest, WhatIsRemovedIsLetGo) {
  point("1");
  provision("live", 2);
  provision("3", 1);
  engine_->take_asked();
  EXPECT_TRUE(run(settings_->remove_provisioned(key_, "3")));
  allocations_->follow(key_);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("3=0"));
  EXPECT_TRUE(run(functions_->remove_alias(key_, "live")));
  allocations_->follow(key_);
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=0"));
  EXPECT_EQ(admitted(), 0);
  // What the engine still has to say about it is heard by nobody.
  engine_->ready("1");
  EXPECT_TRUE(run(functions_->remove(key_)));
  allocations_->follow(key_);
  EXPECT_THAT(engine_->take_asked(), IsEmpty());
}

TEST_F(AllocationsTest, ANewStartAllocatesAnew) {
  point("1");
  provision("live", 2);
  provision("3", 1);
  engine_->ready("1");
  begin();
  EXPECT_THAT(engine_->take_asked(), ElementsAre("1=2", "3=1"));
  EXPECT_EQ(status("live"), (ProvisionStatus{State::in_progress, 2, 0}));
  engine_->ready("1");
  EXPECT_EQ(status("live").state, State::ready);
}

TEST_F(AllocationsTest, ASettingMustFitTheReservationAndTheAccount) {
  const store::ConcurrencyQuota quota{1000, 100};
  const auto put = [&](const std::string& qualifier, std::int32_t count) {
    return run(settings_->put_provisioned(setting(qualifier, count), quota));
  };
  EXPECT_EQ(put("4", 1), store::ProvisionWrite::gone);
  EXPECT_EQ(put("1", 1001), store::ProvisionWrite::above_unreserved);
  EXPECT_EQ(put("1", 901), store::ProvisionWrite::below_minimum);
  EXPECT_EQ(put("1", 900), store::ProvisionWrite::stored);
  EXPECT_EQ(put("2", 1), store::ProvisionWrite::below_minimum);
  EXPECT_EQ(put("1", 2), store::ProvisionWrite::stored) << "in place of the 900";
  EXPECT_EQ(settings_->provisioned_total(key_.account, key_.region), 2);
  const store::FunctionKey other{key_.account, key_.region, "g"};
  EXPECT_FALSE(run(settings_->reserve(other, 899, 900))) << "with the two that are provisioned it is too much";
  EXPECT_TRUE(run(settings_->reserve(other, 898, 900)));
  EXPECT_FALSE(run(settings_->reserve(key_, 1, 900)));
  EXPECT_TRUE(run(settings_->reserve(key_, 2, 900)));
  EXPECT_EQ(settings_->provisioned_total(key_.account, key_.region), 0) << "they are within the reservation";
  EXPECT_EQ(put("2", 1), store::ProvisionWrite::above_reservation);
  EXPECT_EQ(put("1", 1), store::ProvisionWrite::stored);
}

}  // namespace
}  // namespace lambent::invoke
