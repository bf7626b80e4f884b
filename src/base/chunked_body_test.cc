#include "base/chunked_body.h"

#include <gtest/gtest.h>

namespace lambent::base::http {
namespace {

using State = ChunkedBody::State;

struct Read {
  State state = State::more;
  std::string body, rest;
  Headers trailers;
};

/// Fed in pieces of `step` bytes.
Read read(std::string_view bytes, std::size_t step, std::size_t trailer_bytes = 1024) {
  ChunkedBody chunked(trailer_bytes);
  Read found;
  std::string raw;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    raw += bytes.substr(at, step);
    if (found.state == State::more) found.state = chunked.take(raw, found.body, 1000);
  }
  found.rest = raw;
  found.trailers = chunked.trailers();
  return found;
}

TEST(ChunkedBody, ReadsTheSameHoweverItsBytesArrive) {
  const std::string_view bytes = "5\r\nhello\r\nA\r\n, chunked!\r\n0\r\nX-End: yes \r\nx-more:\r\n\r\nGET";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Read found = read(bytes, step);
    EXPECT_EQ(found.state, State::done) << step;
    EXPECT_EQ(found.body, "hello, chunked!") << step;
    EXPECT_EQ(found.trailers.get("X-End"), "yes") << step;
    EXPECT_EQ(found.trailers.count("X-More"), 1u) << step;
    EXPECT_EQ(found.rest, "GET") << step;
  }
}

TEST(ChunkedBody, StopsWhenThereIsNoRoomAndGoesOnLater) {
  ChunkedBody chunked(100);
  std::string raw = "6\r\nabcdef\r\n0\r\n\r\n", out;
  EXPECT_EQ(chunked.take(raw, out, 4), State::more);
  EXPECT_EQ(out, "abcd");
  EXPECT_EQ(raw, "ef\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.take(raw, out, 4), State::done);
  EXPECT_EQ(out, "abcdef");
}

TEST(ChunkedBody, RefusesWhatTwoReadersCouldUnderstandInTwoWays) {
  for (const std::string_view bad :
       {"5;ext=1\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "g\r\n", "-1\r\n", "\r\n", " 5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "1000000000000000\r\n", "0\r\nno colon\r\n\r\n",
        "0\r\nbad name: 1\r\n\r\n", "0\r\nX: 1\n\r\n", "0\r\n: 1\r\n\r\n", "0\r\nX: a\rb\r\n\r\n"}) {
    EXPECT_EQ(read(bad, bad.size()).state, State::malformed) << bad;
    EXPECT_EQ(read(bad, 1).state, State::malformed) << bad;
  }
}

TEST(ChunkedBody, BoundsItsTrailers) {
  const std::string large = "0\r\nX: " + std::string(200, 'x') + "\r\n\r\n";
  EXPECT_EQ(read(large, 7, 100).state, State::malformed);
  EXPECT_EQ(read(large, 7, 1000).state, State::done);
}

}  // namespace
}  // namespace lambent::base::http
