#include "base/wakeup.h"

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>

#include "base/lanes.h"

namespace lambent::base {
namespace {

TEST(Wakeup, HandsATurnBackAndForthBetweenLanes) {
  constexpr int kRounds = 2000;
  Lanes lanes(2);
  lanes.start();
  Wakeup ping, pong;
  int turns = 0;
  auto answer = [&]() -> Task<void> {
    for (int i = 0; i < kRounds; ++i) {
      co_await ping.wait();
      ++turns;
      pong.notify();
    }
  };
  auto ask = [&]() -> Task<void> {
    for (int i = 0; i < kRounds; ++i) {
      ping.notify();
      co_await pong.wait();
      ++turns;
    }
  };
  auto first = asio::co_spawn(lanes.lane(0), answer(), asio::use_future);
  auto second = asio::co_spawn(lanes.lane(1), ask(), asio::use_future);
  first.get();
  second.get();
  EXPECT_EQ(turns, 2 * kRounds);
}

}  // namespace
}  // namespace lambent::base
