#include "invoke/response_stream.h"

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "aws/error.h"
#include "base/lanes.h"

namespace lambent::invoke {
namespace {

namespace asio = base::asio;
using std::chrono::milliseconds;

TEST(StreamPace, LetsABurstGoAndThenTwoMebibytesASecond) {
  StreamPace pace;
  const base::SteadyTime start{std::chrono::seconds(1)};
  EXPECT_EQ(pace.take(6 << 20, start).count(), 0);
  EXPECT_EQ(pace.take(1 << 20, start), milliseconds(500));
  // The debt is paid after half a second; what follows waits for its own share.
  EXPECT_EQ(pace.take(1 << 20, start + milliseconds(500)), milliseconds(500));
  EXPECT_EQ(pace.take(1 << 20, start + std::chrono::hours(1)).count(), 0);
}

TEST(StreamPace, SavesNoMoreThanABurst) {
  StreamPace pace;
  const base::SteadyTime start{std::chrono::seconds(1)};
  pace.take(0, start);
  EXPECT_EQ(pace.take(7 << 20, start + std::chrono::hours(1)), milliseconds(500));
}

class ResponseStreamTest : public ::testing::Test {
 protected:
  ResponseStreamTest() { lanes_.start(); }
  template <class Work>
  auto spawn(std::size_t lane, Work work) {
    return asio::co_spawn(lanes_.lane(lane), std::move(work), asio::use_future);
  }
  /// All that comes.
  base::Task<std::string> read_all() {
    std::string all;
    while (auto part = co_await stream_.read()) all += *part;
    co_return all;
  }

  base::ManualClock clock_{base::WallTime{}};
  ResponseStream stream_{clock_, 4 << 20};
  base::Lanes lanes_{2};
};

TEST_F(ResponseStreamTest, CarriesPartsAndThenTheOutcomeToTheOtherLane) {
  auto reader = spawn(1, [this]() -> base::Task<std::string> {
    const auto type = co_await stream_.begun();
    co_return type.value_or("none") + ":" + co_await read_all();
  });
  spawn(0, [this]() -> base::Task<void> {
    stream_.begin("text/plain");
    for (const char* part : {"a", "b", "c"}) co_await stream_.write(part);
    Outcome outcome;
    outcome.executed_version = "7";
    stream_.finish(std::move(outcome));
  }).get();
  EXPECT_EQ(reader.get(), "text/plain:abc");
  EXPECT_EQ(stream_.outcome().executed_version, "7");
}

TEST_F(ResponseStreamTest, HoldsTheWriterBackUntilSomebodyReads) {
  std::atomic<int> written{0};
  auto writer = spawn(0, [&]() -> base::Task<void> {
    for (int i = 0; i < 8; ++i) {
      co_await stream_.write(std::string(100'000, 'x'));
      ++written;
    }
    stream_.finish({});
  });
  EXPECT_EQ(writer.wait_for(milliseconds(30)), std::future_status::timeout);
  EXPECT_LE(written, 3);
  EXPECT_EQ(spawn(1, [this] { return read_all(); }).get().size(), 800'000u);
  writer.get();
}

TEST_F(ResponseStreamTest, AReaderThatLeavesLetsTheWriterGoOn) {
  auto writer = spawn(0, [&]() -> base::Task<bool> {
    bool wanted = true;
    for (int i = 0; i < 30; ++i) wanted = wanted && co_await stream_.write(std::string(100'000, 'x'));
    co_return wanted;
  });
  stream_.abandon();
  EXPECT_TRUE(writer.get());
}

TEST_F(ResponseStreamTest, RefusesMoreThanItsLimit) {
  stream_.abandon();
  auto writer = spawn(0, [&]() -> base::Task<bool> {
    co_await stream_.write(std::string(4 << 20, 'x'));
    co_return co_await stream_.write("x");
  });
  EXPECT_FALSE(writer.get());
}

TEST_F(ResponseStreamTest, AFailureReachesWhoeverWaits) {
  auto reader = spawn(1, [this]() -> base::Task<void> { co_await stream_.begun(); });
  stream_.fail(std::make_exception_ptr(aws::Error("TooManyRequestsException", "Rate Exceeded.", 429)));
  EXPECT_THROW(reader.get(), aws::Error);
}

}  // namespace
}  // namespace lambent::invoke
