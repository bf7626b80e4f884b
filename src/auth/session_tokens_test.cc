#include "auth/session_tokens.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/bytes.h"

namespace lambent::auth {
namespace {

class SessionTokensTest : public ::testing::Test {
 protected:
  base::ManualClock clock_{base::WallTime(std::chrono::seconds(1'769'860'800))};
  SessionTokens tokens_{std::string(32, 'k'), clock_};

  SessionCredentials issue() const {
    return tokens_.issue("123456789012", "arn:aws:iam::123456789012:role/svc/r", "AROAEXAMPLE", "session@name", 900);
  }
};

TEST_F(SessionTokensTest, WhatIsIssuedOpensToTheSame) {
  const SessionCredentials issued = issue();
  EXPECT_EQ(issued.access_key_id.size(), 20u);
  EXPECT_TRUE(issued.access_key_id.starts_with("ASIA"));
  EXPECT_EQ(issued.secret_access_key.size(), 40u);
  EXPECT_EQ(issued.expires_at_ms, 1'769'860'800'000 + 900'000);
  const auto session = tokens_.open(issued.session_token);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->account, "123456789012");
  EXPECT_EQ(session->role_arn, "arn:aws:iam::123456789012:role/svc/r");
  EXPECT_EQ(session->role_id, "AROAEXAMPLE");
  EXPECT_EQ(session->session_name, "session@name");
  EXPECT_EQ(session->access_key_id, issued.access_key_id);
  EXPECT_EQ(session->secret_access_key, issued.secret_access_key);
  EXPECT_EQ(session->expires_at_ms, issued.expires_at_ms);
  EXPECT_EQ(session->issued_at_ms, 1'769'860'800'000);
}

TEST_F(SessionTokensTest, AFunctionsSessionSaysWhose) {
  EXPECT_EQ(tokens_.open(issue().session_token)->function_arn, "");
  const std::string function = "arn:aws:lambda:eu-west-1:123456789012:function:f";
  const auto issued =
      tokens_.issue("123456789012", "arn:aws:iam::123456789012:role/r", "AROAEXAMPLE", "f", 900, function);
  EXPECT_EQ(tokens_.open(issued.session_token)->function_arn, function);
}

TEST_F(SessionTokensTest, EachSessionHasCredentialsOfItsOwn) {
  const SessionCredentials one = issue(), other = issue();
  EXPECT_NE(one.access_key_id, other.access_key_id);
  EXPECT_NE(one.secret_access_key, other.secret_access_key);
  EXPECT_NE(one.session_token, other.session_token);
}

TEST_F(SessionTokensTest, TheTokenHidesTheSecret) {
  const SessionCredentials issued = issue();
  const std::string raw = base::unbase64url(issued.session_token).value();
  EXPECT_EQ(raw.find(issued.secret_access_key), std::string::npos);
  EXPECT_EQ(raw.find("123456789012"), std::string::npos);
}

TEST_F(SessionTokensTest, EveryFlippedBitIsNoticed) {
  const std::string raw = base::unbase64url(issue().session_token).value();
  for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
    std::string changed = raw;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(tokens_.open(base::base64url(changed))) << bit;
  }
}

TEST_F(SessionTokensTest, EveryCutAndExtensionIsNoticed) {
  const std::string raw = base::unbase64url(issue().session_token).value();
  for (std::size_t size = 0; size < raw.size(); ++size)
    EXPECT_FALSE(tokens_.open(base::base64url(raw.substr(0, size)))) << size;
  EXPECT_FALSE(tokens_.open(base::base64url(raw + "x")));
}

TEST_F(SessionTokensTest, AnotherServersTokenIsNothing) {
  const SessionTokens other(std::string(32, 'o'), clock_);
  EXPECT_FALSE(other.open(issue().session_token));
}

TEST_F(SessionTokensTest, JunkIsNothing) {
  const std::string good = issue().session_token;
  for (const std::string& junk : {std::string(), std::string("x"), good + "=", " " + good, good + "!",
                                  std::string(4096, 'A'), std::string(4097, 'A'), std::string(1 << 20, 'A')})
    EXPECT_FALSE(tokens_.open(junk)) << junk.substr(0, 20);
}

TEST_F(SessionTokensTest, TheLongestNamesOfAwsFit) {
  const std::string arn = "arn:aws:iam::123456789012:role/" + std::string(512, 'p') + "/" + std::string(64, 'r');
  const auto issued = tokens_.issue("123456789012", arn, std::string(21, 'A'), std::string(64, 's'), 43'200);
  EXPECT_LE(issued.session_token.size(), 4096u);
  EXPECT_EQ(tokens_.open(issued.session_token).value().role_arn, arn);
  EXPECT_THROW(tokens_.issue("1", std::string(3000, 'r'), "", "", 1), std::length_error);
  EXPECT_THROW(tokens_.issue("1", std::string(70'000, 'r'), "", "", 1), std::length_error);
}

TEST_F(SessionTokensTest, TheSealingKeyHas32Bytes) {
  EXPECT_THROW(SessionTokens("short", clock_), std::invalid_argument);
}

}  // namespace
}  // namespace lambent::auth
