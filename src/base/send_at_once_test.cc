#include "base/send_at_once.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/fd.h"

namespace lambent::base {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    near = Fd(ends[0]);
    far = Fd(ends[1]);
  }
  std::string arrived() const {
    std::string text(1 << 20, '\0');
    const ssize_t got = ::recv(far.get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  Fd near, far;
};

TEST(SendAtOnceTest, BothPartsArriveInOrder) {
  const Pair pair;
  SendParts parts{asio::buffer("head ", 5), asio::buffer("body", 4)};
  EXPECT_TRUE(send_at_once(pair.near.get(), parts));
  EXPECT_EQ(pair.arrived(), "head body");
}

TEST(SendAtOnceTest, AnEmptyBodyIsNothingLeft) {
  const Pair pair;
  SendParts parts{asio::buffer("head", 4), asio::const_buffer()};
  EXPECT_TRUE(send_at_once(pair.near.get(), parts));
}

TEST(SendAtOnceTest, WhatAFullSocketDoesNotTakeIsLeft) {
  const Pair pair;
  std::string body(8 << 20, 'x');
  body.back() = 'y';
  SendParts parts{asio::buffer("head", 4), asio::buffer(body)};
  EXPECT_FALSE(send_at_once(pair.near.get(), parts));
  EXPECT_EQ(parts[0].size(), 0U);
  EXPECT_LT(parts[1].size(), body.size());
  EXPECT_GT(parts[1].size(), 0U);
  EXPECT_EQ(static_cast<const char*>(parts[1].data())[parts[1].size() - 1], 'y');
}

TEST(SendAtOnceTest, AClosedPeerIsForWhoWaits) {
  Pair pair;
  pair.far.reset();
  SendParts parts{asio::buffer("head", 4), asio::buffer("body", 4)};
  EXPECT_FALSE(send_at_once(pair.near.get(), parts));
  EXPECT_EQ(asio::buffer_size(parts), 8U);
}

}  // namespace
}  // namespace lambent::base
