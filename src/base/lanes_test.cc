#include "base/lanes.h"

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>

#include "base/cpu_pool.h"

namespace lambent::base {
namespace {

Task<std::thread::id> here() { co_return std::this_thread::get_id(); }

TEST(Lanes, WorkRunsOnTheLaneAndComesBack) {
  Lanes lanes(2);
  lanes.start();
  auto hop = [&lanes]() -> Task<bool> {
    const auto before = std::this_thread::get_id();
    const auto there = co_await on(lanes.lane(1), here);
    co_return there != before&& std::this_thread::get_id() == before;
  };
  EXPECT_TRUE(asio::co_spawn(lanes.lane(0), hop, asio::use_future).get());
}

TEST(Lanes, OnTheSameLaneNothingHops) {
  Lanes lanes(1);
  lanes.start();
  auto stay = [&lanes]() -> Task<bool> { co_return co_await on(lanes.lane(0), here) == std::this_thread::get_id(); };
  EXPECT_TRUE(asio::co_spawn(lanes.lane(0), stay, asio::use_future).get());
}

TEST(Lanes, ExceptionsCrossToo) {
  Lanes lanes(2);
  lanes.start();
  auto fail = []() -> Task<void> {
    throw std::runtime_error("x");
    co_return;
  };
  auto hop = [&]() -> Task<void> { co_await on(lanes.lane(1), fail); };
  EXPECT_THROW(asio::co_spawn(lanes.lane(0), hop, asio::use_future).get(), std::runtime_error);
}

TEST(Lanes, AKeyAlwaysHasTheSameLane) {
  Lanes lanes(4);
  EXPECT_EQ(&lanes.lane(lanes.index_of("arn:aws:lambda:x")), &lanes.lane(lanes.index_of("arn:aws:lambda:x")));
}

TEST(CpuPool, RunsElsewhereAndBringsValuesAndExceptionsBack) {
  Lanes lanes(1);
  CpuPool pool(2);
  lanes.start();
  auto work = [&pool]() -> Task<bool> {
    const auto lane = std::this_thread::get_id();
    auto where = [] { return std::this_thread::get_id(); };
    const auto there = co_await pool.run(where);
    bool threw = false;
    try {
      auto fail = []() -> int { throw std::runtime_error("x"); };
      co_await pool.run(fail);
    } catch (const std::runtime_error&) {
      threw = true;
    }
    co_return threw&& there != lane&& std::this_thread::get_id() == lane;
  };
  EXPECT_TRUE(asio::co_spawn(lanes.lane(0), work, asio::use_future).get());
}

}  // namespace
}  // namespace lambent::base
