#include "invoke/log_capture.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <utility>
#include <vector>

namespace lambent::invoke {
namespace {

using ::testing::ElementsAre;

class LogCaptureTest : public ::testing::Test {
 protected:
  LogCaptureTest() {
    int ends[2];
    base::check(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe");
    out_ = base::Fd(ends[1]);
    LogCapture::Pipes pipes;
    pipes.out = base::Fd(ends[0]);
    auto sink = [this](std::string_view text) { seen_.push_back("text " + std::string(text)); };
    capture_ = std::make_unique<LogCapture>(lane_.get_executor(), clock_, std::move(pipes), sink);
  }
  ~LogCaptureTest() override {
    capture_.reset();
    lane_.poll();
  }

  void keep_records() {
    capture_->on_record([this](std::string_view record) { seen_.push_back("record " + std::string(record)); });
  }
  void print(std::string_view bytes) {
    ASSERT_EQ(::write(out_.get(), bytes.data(), bytes.size()), std::ssize(bytes));
    capture_->drain();
  }
  /// A function that writes whenever its pipe takes it, until `enough` bytes were read of it or a pause in reading brings nothing
  /// more. Says how many were read.
  std::size_t flood(std::size_t enough) {
    const std::string lines = std::string(4095, 'x') + "\n";
    while (true) {
      while (::write(out_.get(), lines.data(), lines.size()) > 0) {
      }
      const std::size_t before = read_bytes();
      if (before >= enough) return before;
      lane_.poll();
      if (read_bytes() > before) continue;
      lane_.run_for(std::chrono::milliseconds(60));
      lane_.poll();
      if (read_bytes() == before) return before;
    }
  }
  std::size_t read_bytes() const {
    std::size_t total = 0;
    for (const std::string& piece : seen_) total += piece.size() - std::string_view("text ").size();
    return total;
  }
  static std::string frame(std::string_view text, unsigned char type = 0x0f) {
    std::string made("\xa5\x5a\x00", 3);
    made += static_cast<char>(type);
    for (int shift = 24; shift >= 0; shift -= 8) made += static_cast<char>(text.size() >> static_cast<unsigned>(shift));
    return made + std::string(8, '\1') + std::string(text);
  }

  base::asio::io_context lane_;
  base::ManualClock clock_{base::WallTime()};
  base::Fd out_;
  std::vector<std::string> seen_;
  std::unique_ptr<LogCapture> capture_;
};

TEST_F(LogCaptureTest, ARecordOfSeveralLinesIsOne) {
  keep_records();
  print("before\n" + frame("one\ntwo\n") + "after\n");
  EXPECT_THAT(seen_, ElementsAre("text before\n", "record one\ntwo", "text after\n"));
  EXPECT_EQ(capture_->tail(), "before\none\ntwo\nafter\n");
}

TEST_F(LogCaptureTest, WithoutAnybodyForRecordsTheyAreLines) {
  print(frame("one\ntwo"));
  EXPECT_THAT(seen_, ElementsAre("text one\rtwo\n"));
}

TEST_F(LogCaptureTest, AFrameMayArriveInPieces) {
  keep_records();
  const std::string whole = "text\n" + frame("first\nrecord") + frame("second", 0x16);
  for (const char byte : whole) print({&byte, 1});
  EXPECT_THAT(seen_, ElementsAre("text text\n", "record first\nrecord", "record second"));
}

TEST_F(LogCaptureTest, AnUnfinishedLineGoesOnAfterARecord) {
  keep_records();
  print("half a " + frame("record"));
  print("line\n");
  EXPECT_THAT(seen_, ElementsAre("record record", "text half a line\n"));
}

TEST_F(LogCaptureTest, WhatOnlyLooksLikeAFrameIsText) {
  keep_records();
  const std::string unknown = frame("x", 0x01) + "\n", above = frame("x", 0x1f) + "\n";
  std::string endless = frame("x");
  endless[4] = 1;
  print(unknown);
  print(above);
  print(endless + "\n");
  EXPECT_THAT(seen_, ElementsAre("text " + unknown, "text " + above, "text " + endless + "\n"));
}

TEST_F(LogCaptureTest, PiecesOfAnySizeSayWhatTheWholeSays) {
  keep_records();
  std::mt19937 random(7);
  const std::vector<std::string> tokens{"word",          "\n",
                                        "a line\n",      "\xa5",
                                        "\xa5\x5a",      std::string("\xa5\x5a\x00\x00", 4),
                                        frame("record"), frame("two\nlines"),
                                        frame("")};
  const auto flat = [this] {
    std::string all;
    for (const std::string& piece : std::exchange(seen_, {}))
      all += piece.starts_with("text ") ? piece.substr(5) : "<" + piece + ">";
    return all;
  };
  for (int round = 0; round < 200; ++round) {
    std::string stream;
    for (int i = 0; i < 60; ++i) stream += tokens[random() % tokens.size()];
    stream += "\n";
    print(stream);
    const std::string whole = flat();
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = 1 + random() % 40;
      print(std::string_view(stream).substr(at, size));
      at += size;
    }
    ASSERT_EQ(flat(), whole) << round;
  }
}

TEST_F(LogCaptureTest, ALongLineByteByByteCostsNoSearchOfAllBefore) {
  keep_records();
  std::string marks;
  while (marks.size() < 60'000) marks += std::string("\xa5\x5a\x00\x00", 4);
  for (int i = 0; i < 4; ++i) print(marks);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 15'000; ++i) print("x");
  // A search of 240 KB for each byte takes more than a minute.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_TRUE(seen_.empty());
}

TEST_F(LogCaptureTest, AFloodIsReadAtItsRateAndNotFaster) {
  constexpr std::size_t burst = LogCapture::kBurstBytes, second = LogCapture::kBytesPerSecond, line = 4096;
  constexpr std::size_t nothing_less = 64 * 1024;
  // A burst, and what time does not allow is not read.
  std::size_t read = flood(burst + second);
  EXPECT_LE(read, burst);
  EXPECT_GT(read, burst - nothing_less - line);
  // One second in ten parts: a tenth each.
  for (std::size_t part = 1; part <= 10; ++part) {
    clock_.advance(std::chrono::milliseconds(100));
    read = flood(burst + second + second);
    EXPECT_LE(read, burst + part * second / 10);
    EXPECT_GT(read, burst + part * second / 10 - nothing_less - line);
  }
  // What was not read in time is no credit.
  clock_.advance(std::chrono::hours(1));
  EXPECT_LE(flood(read + second), read + burst + nothing_less);
}

TEST_F(LogCaptureTest, WhatIsTakenBeforeAnEndLineIsMadeUpFor) {
  flood(LogCapture::kBurstBytes);
  const std::size_t before = read_bytes();
  capture_->drain();
  const std::size_t drained = read_bytes() - before;
  EXPECT_GT(drained, 0u);
  clock_.advance(std::chrono::milliseconds(100));
  const std::size_t read = flood(before + LogCapture::kBytesPerSecond);
  EXPECT_LE(read, before + LogCapture::kBytesPerSecond / 10);
  // However much it was: a minute of drains is not paid for by a minute of silence.
  capture_->drain();
  for (int i = 0; i < 100; ++i) print(std::string(64 * 1024 - 1, 'x') + "\n");
  const std::size_t owed = read_bytes();
  clock_.advance(std::chrono::milliseconds(200));
  EXPECT_GT(flood(owed + 1), owed);
}

TEST_F(LogCaptureTest, AFrameThatNeverEndsIsTextAtTheEnd) {
  keep_records();
  const std::string cut = frame("never finished").substr(0, 20);
  print("line\n" + cut);
  EXPECT_THAT(seen_, ElementsAre("text line\n"));
  capture_.reset();
  EXPECT_THAT(seen_, ElementsAre("text line\n", "text " + cut + "\n"));
}

}  // namespace
}  // namespace lambent::invoke
