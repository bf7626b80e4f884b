#include "auth/signing_keys.h"

#include <gtest/gtest.h>

namespace lambent::auth {
namespace {

Claim claim(const std::string& key_id, const std::string& secret = "secret") {
  Claim out;
  out.access_key_id = key_id;
  out.date = "20260131";
  out.region = "us-east-1";
  out.service = "lambda";
  out.secret_access_key = secret;
  return out;
}

TEST(SigningKeys, FindsAKeyByItsWholeScope) {
  SigningKeys keys;
  keys.keep(claim("AKIA1"), "derived");
  EXPECT_EQ(keys.find(claim("AKIA1")), "derived");
  EXPECT_FALSE(keys.find(claim("AKIA2")));
  for (std::string Claim::* part : {&Claim::date, &Claim::region, &Claim::service}) {
    Claim other = claim("AKIA1");
    other.*part += "x";
    EXPECT_FALSE(keys.find(other));
  }
}

TEST(SigningKeys, AnotherSecretForTheSameIdIsNotFound) {
  SigningKeys keys;
  keys.keep(claim("AKIA1", "old"), "old-key");
  EXPECT_FALSE(keys.find(claim("AKIA1", "new")));
  keys.keep(claim("AKIA1", "new"), "new-key");
  EXPECT_EQ(keys.find(claim("AKIA1", "new")), "new-key");
  EXPECT_FALSE(keys.find(claim("AKIA1", "old")));
  EXPECT_EQ(keys.size(), 1u);
}

TEST(SigningKeys, HoldsNoMoreThanItsCapacityAndForgetsTheOldest) {
  SigningKeys keys(160);
  for (int i = 0; i < 10'000; ++i) keys.keep(claim("AKIA" + std::to_string(i)), "k");
  EXPECT_LE(keys.size(), 160u);
  EXPECT_GE(keys.size(), 100u);
  EXPECT_TRUE(keys.find(claim("AKIA9999")));
  EXPECT_FALSE(keys.find(claim("AKIA0")));
}

}  // namespace
}  // namespace lambent::auth
