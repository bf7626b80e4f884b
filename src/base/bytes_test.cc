#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/ids.h"

namespace lambent::base {
namespace {

TEST(Bytes, HexRoundTripsAndRefusesOtherCharacters) {
  EXPECT_EQ(hex(std::string("\x00\xff\x1a", 3)), "00ff1a");
  EXPECT_EQ(unhex("00FF1a"), std::string("\x00\xff\x1a", 3));
  EXPECT_FALSE(unhex("0"));
  EXPECT_FALSE(unhex("0g"));
}

TEST(Bytes, Base64FollowsTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64(plain), encoded);
    EXPECT_EQ(unbase64(encoded), plain);
  }
  EXPECT_FALSE(unbase64("Zg"));
  EXPECT_FALSE(unbase64("Zh=="));  // stray bits
  EXPECT_FALSE(unbase64("Z=g="));
  EXPECT_FALSE(unbase64("===="));
  EXPECT_EQ(unbase64url(base64url("\xfb\xff\xfe")), "\xfb\xff\xfe");
}

TEST(Bytes, PercentEncodingKeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("a b/c~é"), "a%20b%2Fc~%C3%A9");
  EXPECT_EQ(percent_encode("a/b", true), "a/b");
  EXPECT_EQ(percent_decode("a%20b+c"), "a b+c");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_FALSE(percent_decode("%2"));
  EXPECT_FALSE(percent_decode("%zz"));
}

TEST(Bytes, Utf8RefusesSurrogatesOverlongAndCutForms) {
  EXPECT_TRUE(is_utf8("plain é 漢 😀"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_utf8("\xe0\x80\xaf"));
  EXPECT_FALSE(is_utf8("\xf5\x80\x80\x80"));
  EXPECT_FALSE(is_utf8("\xe6\xbc"));
}

TEST(Bytes, DecimalTakesDigitsOnly) {
  EXPECT_EQ(parse_decimal("0042"), 42u);
  for (const char* bad : {"", "+5", "-5", "5 ", "0x5", "18446744073709551616"}) EXPECT_FALSE(parse_decimal(bad)) << bad;
}

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_NE(hmac_sha256("", "x"), hmac_sha256("k", "x"));
  Sha256 pieces;
  pieces.update("a");
  pieces.update("bc");
  EXPECT_EQ(pieces.finish(), sha256("abc"));
  pieces.update("abc");
  EXPECT_EQ(pieces.finish(), sha256("abc"));
}

TEST(Ids, LookAsAwsWritesThem) {
  const std::string id = uuid();
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(id, uuid());
  EXPECT_EQ(random_base32(16).size(), 16u);
  EXPECT_EQ(random_bytes(100).size(), 100u);
}

}  // namespace
}  // namespace lambent::base
