#include "invoke/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>
#include <sstream>
#include <thread>

#include "aws/error.h"
#include "base/ids.h"
#include "store/migrations.h"

namespace lambent::invoke {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace asio = base::asio;
namespace fs = std::filesystem;

/// Runs what it is given for a moment and notes how much it was at once.
class CountingEngine final : public Engine {
 public:
  base::Task<Outcome> invoke(Invocation) override {
    const int now = running.fetch_add(1) + 1;
    int seen = most.load();
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    ++total;
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    timer.expires_after(std::chrono::microseconds(50));
    co_await timer.async_wait(asio::use_awaitable);
    running.fetch_sub(1);
    co_return Outcome{};
  }
  void retire(const store::FunctionKey&, const std::string&) override {}
  void expect(const store::FunctionVersion&) override {}
  void provision(store::FunctionSnapshot, std::int32_t, ProvisionObserver) override {}
  base::Task<void> stop(std::chrono::seconds) override { co_return; }

  std::atomic<int> running{0}, most{0}, total{0};
};

class AdmissionTest : public ::testing::Test {
 protected:
  AdmissionTest() : directory_(fs::temp_directory_path() / ("lambent-admission-" + base::random_hex(6))) {
    fs::create_directory(directory_);
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    settings_ = std::make_unique<store::Concurrency>(*database_);
  }
  ~AdmissionTest() override {
    settings_.reset();
    database_.reset();
    fs::remove_all(directory_);
  }

  Admission& admission(AdmissionOptions options = {}) {
    admission_ = std::make_unique<Admission>(options, *settings_, clock_, metrics_);
    return *admission_;
  }
  static store::FunctionKey key(const std::string& name = "f", const std::string& account = "123456789012") {
    return {account, "us-east-1", name};
  }
  static store::FunctionSnapshot function(const std::string& name = "f", const std::string& version = "$LATEST",
                                          const std::string& account = "123456789012") {
    auto made = std::make_shared<store::FunctionVersion>();
    made->key = key(name, account);
    made->version = version;
    return made;
  }
  template <class T>
  T run(base::Task<T> task) {
    auto done = asio::co_spawn(lane_, std::move(task), asio::use_future);
    // It stopped when it ran out of work before.
    lane_.restart();
    auto guard = asio::make_work_guard(lane_);
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) lane_.run_one();
    return done.get();
  }
  void reserve(const std::string& name, int count) { ASSERT_TRUE(run(settings_->reserve(key(name), count, 100'000))); }
  void release(const std::string& name) { run(settings_->release(key(name))); }
  /// The series of a family as the metrics' text has them, without what all of the test's functions have in common.
  std::vector<std::string> series(const std::string& family) const {
    const std::string in_common = R"(account="123456789012",region="us-east-1")";
    std::vector<std::string> found;
    std::istringstream text(metrics_.text());
    for (std::string line; std::getline(text, line);) {
      if (!line.starts_with(family + "{")) continue;
      line.erase(0, family.size());
      if (const auto at = line.find(in_common); at != std::string::npos) line.replace(at, in_common.size(), "here");
      found.push_back(line);
    }
    return found;
  }
  /// The Reason of the refusal, or empty when admitted.
  std::string refusal(const store::FunctionVersion& which) {
    try {
      admission_->enter(which);
      return "";
    } catch (const aws::Error& error) {
      EXPECT_EQ(error.code(), "TooManyRequestsException");
      EXPECT_EQ(error.message(), "Rate Exceeded.");
      EXPECT_EQ(error.status(), 429);
      EXPECT_EQ(error.members().at(1), (std::pair<std::string, std::string>("retryAfterSeconds", "1")));
      return error.members().at(0).second;
    }
  }

  const fs::path directory_;
  base::ManualClock clock_{base::WallTime(std::chrono::seconds(1'800'000'000))};
  base::Metrics metrics_;
  /// Outlives the database: its writer may still be inside post() when the coroutine has its answer.
  asio::io_context lane_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Concurrency> settings_;
  std::unique_ptr<Admission> admission_;
};

TEST_F(AdmissionTest, TheAccountsLimitHoldsForAllItsFunctionsTogether) {
  admission({.account_limit = 2});
  const auto first = admission_->enter(*function("f"));
  {
    const auto second = admission_->enter(*function("g"));
    EXPECT_EQ(refusal(*function("h")), "ConcurrentInvocationLimitExceeded");
    EXPECT_EQ(refusal(*function("f", "$LATEST", "210987654321")), "") << "another account has a limit of its own";
  }
  EXPECT_EQ(refusal(*function("h")), "");
}

TEST_F(AdmissionTest, WhatIsNotAdmittedNeverReachesTheEngineBehind) {
  admission({.account_limit = 0});
  CountingEngine inner;
  const auto engine = make_admitting_engine(inner, *admission_);
  auto work = [&]() -> base::Task<std::string> {
    Invocation invocation{function()};
    try {
      auto task = engine->invoke(std::move(invocation));
      co_await std::move(task);
    } catch (const aws::Error& error) {
      co_return error.code() + " " + std::to_string(error.status()) + " " + error.members().at(0).second;
    }
    co_return "admitted";
  };
  auto refused = asio::co_spawn(lane_, work, asio::use_future);
  lane_.run();
  EXPECT_EQ(refused.get(), "TooManyRequestsException 429 ConcurrentInvocationLimitExceeded");
  EXPECT_EQ(inner.total, 0);
}

TEST_F(AdmissionTest, AReservationLimitsItsFunctionAndIsKeptFreeOfOthers) {
  reserve("f", 2);
  admission({.account_limit = 3});
  std::vector<Admission::Place> places;
  places.push_back(admission_->enter(*function("g")));
  EXPECT_EQ(refusal(*function("g")), "ConcurrentInvocationLimitExceeded");
  places.push_back(admission_->enter(*function("f")));
  places.push_back(admission_->enter(*function("f")));
  EXPECT_EQ(refusal(*function("f")), "ReservedFunctionConcurrentInvocationLimitExceeded");
  const auto usage = admission_->usage("123456789012", "us-east-1");
  EXPECT_EQ(usage.running, 3);
  EXPECT_EQ(usage.unreserved, 1);
  EXPECT_EQ(usage.unreserved_limit, 1);
}

TEST_F(AdmissionTest, AReservationOfZeroStopsTheFunctionAtOnce) {
  admission();
  EXPECT_EQ(refusal(*function("f")), "");
  reserve("f", 0);
  EXPECT_EQ(refusal(*function("f")), "ReservedFunctionConcurrentInvocationLimitExceeded");
}

TEST_F(AdmissionTest, ProvisionedPlacesAreTakenFirstAndThenOnDemandOnes) {
  admission({.account_limit = 3});
  admission_->set_provisioned(key("f"), "1", 2);
  EXPECT_EQ(admission_->usage("123456789012", "us-east-1").unreserved_limit, 1);
  std::vector<Admission::Place> places;
  places.push_back(admission_->enter(*function("f", "1")));
  places.push_back(admission_->enter(*function("f", "1")));
  EXPECT_TRUE(places[0].provisioned() && places[1].provisioned());
  EXPECT_EQ(admission_->provisioned_running(key("f"), "1"), 2);
  places.push_back(admission_->enter(*function("f", "1")));
  EXPECT_FALSE(places[2].provisioned());
  EXPECT_EQ(refusal(*function("f", "1")), "ConcurrentInvocationLimitExceeded");
  EXPECT_EQ(refusal(*function("g")), "ConcurrentInvocationLimitExceeded");
  places.clear();
  admission_->set_provisioned(key("f"), "1", 0);
  EXPECT_EQ(admission_->usage("123456789012", "us-east-1").unreserved_limit, 3);
}

TEST_F(AdmissionTest, ProvisionedOfAReservedFunctionCountsWithinItsReservation) {
  reserve("f", 2);
  admission({.account_limit = 10});
  admission_->set_provisioned(key("f"), "1", 1);
  EXPECT_EQ(admission_->usage("123456789012", "us-east-1").unreserved_limit, 8);
  const auto first = admission_->enter(*function("f", "1"));
  const auto second = admission_->enter(*function("f", "1"));
  EXPECT_TRUE(first.provisioned());
  EXPECT_FALSE(second.provisioned());
  EXPECT_EQ(refusal(*function("f", "1")), "ReservedFunctionConcurrentInvocationLimitExceeded");
}

TEST_F(AdmissionTest, WhereAllThatIsReservedIsProvisionedNothingElseRuns) {
  reserve("f", 2);
  admission();
  admission_->set_provisioned(key("f"), "1", 2);
  EXPECT_EQ(refusal(*function("f")), "ReservedFunctionConcurrentInvocationLimitExceeded");
  const auto first = admission_->enter(*function("f", "1"));
  const auto second = admission_->enter(*function("f", "1"));
  EXPECT_EQ(refusal(*function("f", "1")), "ReservedFunctionConcurrentInvocationLimitExceeded");
}

TEST_F(AdmissionTest, WhatStillRunsOnAnEndedAllocationIsCountedUntilItEnds) {
  admission({.account_limit = 3});
  admission_->set_provisioned(key("f"), "1", 2);
  std::vector<Admission::Place> provisioned;
  provisioned.push_back(admission_->enter(*function("f", "1")));
  provisioned.push_back(admission_->enter(*function("f", "1")));
  admission_->set_provisioned(key("f"), "1", 0);
  EXPECT_EQ(admission_->usage("123456789012", "us-east-1").unreserved_limit, 1);
  const auto other = admission_->enter(*function("g"));
  EXPECT_EQ(refusal(*function("g")), "ConcurrentInvocationLimitExceeded");
  provisioned.clear();
  EXPECT_EQ(admission_->usage("123456789012", "us-east-1").unreserved_limit, 3);
  EXPECT_EQ(refusal(*function("f", "1")), "");
}

TEST_F(AdmissionTest, AReservationTakesWhatIsProvisionedOutOfTheUnreservedPool) {
  admission({.account_limit = 10});
  admission_->set_provisioned(key("f"), "1", 3);
  EXPECT_EQ(admission_->usage("123456789012", "us-east-1").unreserved_limit, 7);
  reserve("f", 5);
  EXPECT_EQ(admission_->usage("123456789012", "us-east-1").unreserved_limit, 5);
}

TEST_F(AdmissionTest, ASettingThatComesLateStillHoldsTheAccountsLimit) {
  admission({.account_limit = 3});
  std::vector<Admission::Place> places;
  for (int i = 0; i < 3; ++i) places.push_back(admission_->enter(*function("g")));
  admission_->set_provisioned(key("f"), "1", 2);
  EXPECT_EQ(refusal(*function("f", "1")), "ConcurrentInvocationLimitExceeded");
  places.pop_back();
  EXPECT_EQ(refusal(*function("f", "1")), "");
}

TEST_F(AdmissionTest, TheRateOfGrowthIsLimitedWhenAskedFor) {
  admission({.account_limit = 1000, .gain_per_10_s = 10});
  std::vector<Admission::Place> places;
  for (int i = 0; i < 10; ++i) places.push_back(admission_->enter(*function()));
  EXPECT_EQ(refusal(*function()), "FunctionInvocationRateLimitExceeded");
  places.pop_back();
  EXPECT_EQ(refusal(*function()), "") << "what it had reached it may have again";
  places.push_back(admission_->enter(*function()));
  clock_.advance(std::chrono::seconds(1));
  places.push_back(admission_->enter(*function()));
  EXPECT_EQ(refusal(*function()), "FunctionInvocationRateLimitExceeded");
}

TEST_F(AdmissionTest, RefusalsAreCountedByTheirReason) {
  reserve("f", 1);
  admission({.account_limit = 3, .gain_per_10_s = 1});
  const std::string account = R"({reason="ConcurrentInvocationLimitExceeded"} )";
  const std::string rate = R"({reason="FunctionInvocationRateLimitExceeded"} )";
  const std::string reserved = R"({reason="ReservedFunctionConcurrentInvocationLimitExceeded"} )";
  EXPECT_THAT(series("lambent_throttles_total"), ElementsAre(account + "0", rate + "0", reserved + "0"));
  std::vector<Admission::Place> places;
  places.push_back(admission_->enter(*function("f")));
  refusal(*function("f"));
  EXPECT_THAT(series("lambent_throttles_total"), ElementsAre(account + "0", rate + "0", reserved + "1"));
  places.push_back(admission_->enter(*function("g")));
  for (int i = 0; i < 2; ++i) refusal(*function("g"));
  EXPECT_THAT(series("lambent_throttles_total"), ElementsAre(account + "0", rate + "2", reserved + "1"));
  places.push_back(admission_->enter(*function("h")));
  for (int i = 0; i < 3; ++i) refusal(*function("i"));
  EXPECT_THAT(series("lambent_throttles_total"), ElementsAre(account + "3", rate + "2", reserved + "1"));
}

TEST_F(AdmissionTest, TheMetricsTellWhatRunsBesideEachLimitOfAnAccount) {
  admission({.account_limit = 10});
  EXPECT_THAT(series("lambent_concurrency_running"), IsEmpty()) << "of nobody before anything runs";
  reserve("f", 4);
  EXPECT_THAT(series("lambent_concurrency_running"), ElementsAre("{here} 0"));
  EXPECT_THAT(series("lambent_concurrency_unreserved_limit"), ElementsAre("{here} 6"));
  std::vector<Admission::Place> places;
  places.push_back(admission_->enter(*function("f")));
  places.push_back(admission_->enter(*function("f")));
  places.push_back(admission_->enter(*function("g")));
  places.push_back(admission_->enter(*function("f", "$LATEST", "210987654321")));
  const std::string other = R"({account="210987654321",region="us-east-1"} )";
  EXPECT_THAT(series("lambent_concurrency_running"), ElementsAre("{here} 3", other + "1"));
  EXPECT_THAT(series("lambent_concurrency_limit"), ElementsAre("{here} 10", other + "10"));
  EXPECT_THAT(series("lambent_concurrency_unreserved_running"), ElementsAre("{here} 1", other + "1"));
  EXPECT_THAT(series("lambent_concurrency_unreserved_limit"), ElementsAre("{here} 6", other + "10"));
  places.clear();
  EXPECT_THAT(series("lambent_concurrency_running"), ElementsAre("{here} 0", other + "0"));
  EXPECT_THAT(series("lambent_concurrency_unreserved_running"), ElementsAre("{here} 0", other + "0"));
}

TEST_F(AdmissionTest, TheMetricsTellWhatRunsOfEachReservation) {
  reserve("f", 2);
  reserve("stopped", 0);
  admission();
  std::vector<Admission::Place> places;
  places.push_back(admission_->enter(*function("f")));
  places.push_back(admission_->enter(*function("without")));
  refusal(*function("stopped"));
  EXPECT_THAT(series("lambent_reserved_concurrency_running"),
              ElementsAre(R"({here,function="f"} 1)", R"({here,function="stopped"} 0)"));
  EXPECT_THAT(series("lambent_reserved_concurrency_limit"),
              ElementsAre(R"({here,function="f"} 2)", R"({here,function="stopped"} 0)"));
  release("f");
  EXPECT_THAT(series("lambent_reserved_concurrency_running"), ElementsAre(R"({here,function="stopped"} 0)"));
  EXPECT_THAT(series("lambent_reserved_concurrency_limit"), ElementsAre(R"({here,function="stopped"} 0)"));
}

TEST_F(AdmissionTest, TheMetricsTellWhatRunsOnWhatIsProvisionedForAVersion) {
  admission({.account_limit = 10});
  admission_->set_provisioned(key("f"), "1", 1);
  admission_->set_provisioned(key("f"), "2", 3);
  EXPECT_THAT(series("lambent_concurrency_unreserved_limit"), ElementsAre("{here} 6")) << "though nothing has run";
  std::vector<Admission::Place> places;
  for (int i = 0; i < 2; ++i) places.push_back(admission_->enter(*function("f", "1")));
  const std::string first = R"({here,function="f",version="1"} )", second = R"({here,function="f",version="2"} )";
  EXPECT_THAT(series("lambent_version_provisioned_concurrency_running"), ElementsAre(first + "1", second + "0"));
  EXPECT_THAT(series("lambent_version_provisioned_concurrency_limit"), ElementsAre(first + "1", second + "3"));
  EXPECT_THAT(series("lambent_concurrency_unreserved_running"), ElementsAre("{here} 1")) << "the one that spilled over";
  admission_->set_provisioned(key("f"), "1", 0);
  admission_->set_provisioned(key("f"), "2", 0);
  EXPECT_THAT(series("lambent_version_provisioned_concurrency_running"), ElementsAre(first + "1"));
  EXPECT_THAT(series("lambent_version_provisioned_concurrency_limit"), ElementsAre(first + "0"));
  places.clear();
  EXPECT_THAT(series("lambent_version_provisioned_concurrency_running"), IsEmpty());
}

TEST_F(AdmissionTest, TheMetricsTellOfAsManyAsThereAre) {
  constexpr std::size_t kMany = 300;
  admission({.account_limit = 10'000});
  std::vector<Admission::Place> places;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string account = std::to_string(100'000'000'000 + i);
    places.push_back(admission_->enter(*function("f", "$LATEST", account)));
    admission_->set_provisioned(key("f" + std::to_string(i)), "1", 1);
  }
  EXPECT_THAT(series("lambent_concurrency_running"), SizeIs(kMany + 1));
  EXPECT_THAT(series("lambent_version_provisioned_concurrency_limit"), SizeIs(kMany));
}

class RacesTest : public AdmissionTest, public ::testing::WithParamInterface<int> {};

TEST_P(RacesTest, NoFunctionIsEverSeenAboveItsLimitByFourLanes) {
  const int limit = GetParam();
  reserve("f", limit);
  admission();
  CountingEngine inner;
  const auto engine = make_admitting_engine(inner, *admission_);
  base::Lanes lanes(4);
  std::atomic<int> admitted{0}, refused{0};
  std::vector<std::future<void>> callers;
  for (int caller = 0; caller < 80; ++caller) {
    auto work = [&]() -> base::Task<void> {
      for (int i = 0; i < 125; ++i) {
        Invocation invocation{function()};
        try {
          auto task = engine->invoke(std::move(invocation));
          co_await std::move(task);
          ++admitted;
        } catch (const aws::Error&) {
          ++refused;
        }
      }
    };
    callers.push_back(asio::co_spawn(lanes.lane(static_cast<std::size_t>(caller) % 4), work, asio::use_future));
  }
  lanes.start();
  for (auto& caller : callers) caller.get();
  lanes.stop();
  EXPECT_EQ(admitted + refused, 10'000);
  EXPECT_EQ(inner.total, admitted);
  EXPECT_LE(inner.most, limit);
  EXPECT_GT(inner.total, 0);
  EXPECT_EQ(admission_->running(key("f")), 0);
  EXPECT_EQ(admission_->usage("123456789012", "us-east-1").running, 0);
}

TEST_F(AdmissionTest, FourLanesHoldAReservationWhileItsProvisionedShareChanges) {
  constexpr int kReserved = 6;
  reserve("f", kReserved);
  admission();
  CountingEngine inner;
  const auto engine = make_admitting_engine(inner, *admission_);
  base::Lanes lanes(4);
  std::vector<std::future<void>> callers;
  for (int caller = 0; caller < 40; ++caller) {
    auto work = [&, version = std::string(caller % 2 == 0 ? "1" : "$LATEST")]() -> base::Task<void> {
      for (int i = 0; i < 100; ++i) {
        Invocation invocation{function("f", version)};
        try {
          auto task = engine->invoke(std::move(invocation));
          co_await std::move(task);
        } catch (const aws::Error&) {
        }
      }
    };
    callers.push_back(asio::co_spawn(lanes.lane(static_cast<std::size_t>(caller) % 4), work, asio::use_future));
  }
  lanes.start();
  for (int i = 0; i < 1000; ++i) {
    admission_->set_provisioned(key("f"), "1", i % (kReserved + 1));
    // Whoever scrapes meanwhile sees no more than may run.
    const auto running = series("lambent_reserved_concurrency_running");
    ASSERT_THAT(running, SizeIs(1));
    EXPECT_LE(std::stoi(running[0].substr(running[0].rfind(' '))), kReserved);
  }
  for (auto& caller : callers) caller.get();
  lanes.stop();
  EXPECT_LE(inner.most, kReserved);
  EXPECT_GT(inner.total, 0);
  admission_->set_provisioned(key("f"), "1", 0);
  EXPECT_EQ(admission_->running(key("f")), 0);
  EXPECT_EQ(admission_->provisioned_running(key("f"), "1"), 0);
}

INSTANTIATE_TEST_SUITE_P(Limits, RacesTest, ::testing::Values(1, 5, 50));

}  // namespace
}  // namespace lambent::invoke
