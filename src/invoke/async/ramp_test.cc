#include "invoke/async/ramp.h"

#include <gtest/gtest.h>

#include <vector>

namespace lambent::invoke {
namespace {

class RampTest : public ::testing::Test {
 protected:
  /// A window in which `completed` events came back while all that is allowed was running.
  void window(int completed, std::int32_t most = 900) {
    for (int i = 0; i < completed; ++i) ramp_.completed();
    now_ += Ramp::kWindow;
    ramp_.waiting(now_, ramp_.allowed(), most);
  }
  Ramp ramp_;
  base::SteadyTime now_ = base::SteadyTime(std::chrono::hours(1));
};

TEST_F(RampTest, GrowsByHalfWhileNothingComesBack) {
  ramp_.waiting(now_, 8, 900);
  window(0);
  EXPECT_EQ(ramp_.allowed(), 12);
  window(0);
  EXPECT_EQ(ramp_.allowed(), 18);
}

TEST_F(RampTest, HoldsWhereSilenceIsNoGoodSignUntilSomethingComesBack) {
  const auto told = [&](int completed) {
    for (int i = 0; i < completed; ++i) ramp_.completed();
    now_ += Ramp::kWindow;
    ramp_.waiting(now_, ramp_.allowed(), 128, Ramp::Silence::hold);
  };
  for (int i = 0; i < 20; ++i) told(0);
  EXPECT_EQ(ramp_.allowed(), Ramp::kStart);
  told(40);
  EXPECT_EQ(ramp_.allowed(), 12);
}

TEST_F(RampTest, StopsWhereMoreAtOnceGetsNoMoreDone) {
  ramp_.waiting(now_, 8, 900);
  window(40);
  const auto after_first = ramp_.allowed();
  for (int i = 0; i < 20; ++i) window(40);
  EXPECT_LE(ramp_.allowed(), after_first * 4) << "forty a window is all the machine has";
}

TEST_F(RampTest, FollowsAFunctionThatWaits) {
  ramp_.waiting(now_, 8, 900);
  // Each event takes two seconds, eight windows: what begins in one comes back in the eighth after it.
  std::vector<int> begun{8};
  for (std::size_t i = 1; i < 40; ++i) {
    const int back = i < 8 ? 0 : begun[i - 8];
    const int before = ramp_.allowed();
    window(back);
    begun.push_back(back + ramp_.allowed() - before);
  }
  EXPECT_GT(ramp_.allowed(), 100);
}

TEST_F(RampTest, NeverGoesAboveTheMost) {
  ramp_.waiting(now_, 8, 10);
  for (int i = 0; i < 10; ++i) window(0, 10);
  EXPECT_EQ(ramp_.allowed(), 10);
}

TEST_F(RampTest, WhatIsNotUsedDoesNotGrow) {
  ramp_.waiting(now_, 2, 900);
  now_ += Ramp::kWindow;
  ramp_.waiting(now_, 2, 900);
  EXPECT_EQ(ramp_.allowed(), 8);
}

TEST_F(RampTest, WhatCannotBeReachedIsTriedOneAtATimeUntilItCan) {
  ramp_.unreachable();
  ramp_.waiting(now_, 1, 900);
  for (int i = 0; i < 10; ++i) window(0);
  EXPECT_EQ(ramp_.allowed(), 1) << "that nothing comes back is no reason to try more";
  for (const int allowed : {2, 4, 8, 8}) {
    ramp_.completed();
    EXPECT_EQ(ramp_.allowed(), allowed);
  }
}

TEST_F(RampTest, AThrottleTakesItBackToWhatRuns) {
  ramp_.throttled(3);
  EXPECT_EQ(ramp_.allowed(), 3);
  ramp_.throttled(0);
  EXPECT_EQ(ramp_.allowed(), 1);
}

}  // namespace
}  // namespace lambent::invoke
