#include "services/lambda/json_check.h"

#include <gtest/gtest.h>

namespace lambent::lambda {
namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonCheck, TakesEveryKindOfValue) {
  for (const char* text : {"null", "true", "0", "-1.5e+300", "1e999", "\"\"", "\"\\ud83d\\ude00\"", "[]", "{}",
                           " {\"a\":[1]}\n", "{\"a\":1,\"a\":2}", "123456789012345678901234567890", "\"\xc3\xa9\""})
    EXPECT_EQ(json_error(text), std::nullopt) << text;
  EXPECT_EQ(json_error("\"" + std::string(5'000'000, 'x') + "\""), std::nullopt);
}

// Trial 31.
TEST(JsonCheck, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\":}",
                           "{a:1}",
                           "'x'",
                           "nul",
                           "NaN",
                           "1 2",
                           "{}{}",
                           "[1]x",
                           "01",
                           "+1",
                           ".5",
                           "\"\n\"",
                           "\"\\x\"",
                           "\"\\ud800\"",
                           "\"\xff\"",
                           "\"\xc0\xaf\"",
                           "\"\xed\xa0\x80\"",
                           "/**/1",
                           "\xef\xbb\xbf{}"})
    EXPECT_TRUE(json_error(text)) << text;
  EXPECT_TRUE(json_error(std::string("{}\0", 3)));
}

TEST(JsonCheck, NestingIsBounded) {
  EXPECT_EQ(json_error(nested(kMaxJsonDepth)), std::nullopt);
  EXPECT_TRUE(json_error(nested(kMaxJsonDepth + 1)));
  EXPECT_TRUE(json_error(std::string(1'000'000, '[')));
}

TEST(JsonCheck, SaysWhere) { EXPECT_NE(json_error("[1,2,oops]")->find("at byte 5"), std::string::npos); }

}  // namespace
}  // namespace lambent::lambda
