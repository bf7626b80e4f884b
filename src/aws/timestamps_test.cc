#include "aws/timestamps.h"

#include <gtest/gtest.h>

#include "aws/arn.h"
#include "aws/scalar_text.h"
#include "aws/utf8.h"

namespace lambent::aws {
namespace {

using model::TimestampFormat;

TEST(Timestamps, AreWrittenInThreeWays) {
  const Timestamp time{1769862896789};
  EXPECT_EQ(iso8601(time), "2026-01-31T12:34:56.789Z");
  EXPECT_EQ(rfc822(time), "Sat, 31 Jan 2026 12:34:56 GMT");
  EXPECT_EQ(epoch_seconds(time), "1769862896.789");
  EXPECT_EQ(iso8601({0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(epoch_seconds({-1500}), "-1.500");
  EXPECT_EQ(epoch_seconds({-2000}), "-2");
}

TEST(Timestamps, ReadBackWhatWasWritten) {
  for (const std::int64_t ms : {0LL, 1LL, 999LL, 1769862896789LL, -1LL, -62135596800000LL, 253402300799999LL}) {
    EXPECT_EQ(read_timestamp(iso8601({ms}), TimestampFormat::iso8601), Timestamp{ms}) << ms;
    EXPECT_EQ(read_timestamp(epoch_seconds({ms}), TimestampFormat::epoch_seconds), Timestamp{ms}) << ms;
  }
  EXPECT_EQ(read_timestamp("Sat, 31 Jan 2026 12:34:56 GMT", TimestampFormat::rfc822), Timestamp{1769862896000});
}

TEST(Timestamps, ReadOffsetsAndFractions) {
  EXPECT_EQ(read_timestamp("2026-01-31T13:34:56+01:00", TimestampFormat::iso8601), Timestamp{1769862896000});
  EXPECT_EQ(read_timestamp("2026-01-31T07:04:56.5-0530", TimestampFormat::iso8601), Timestamp{1769862896500});
  EXPECT_EQ(read_timestamp("2026-01-31T12:34:56.123456789Z", TimestampFormat::iso8601), Timestamp{1769862896123});
}

TEST(Timestamps, RefuseWhatIsNoPointInTime) {
  for (const auto* text : {"", "2026", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
                           "2026-01-31T12:34:56", "2026-01-31T12:34:56Zx", "2026-01-31T12:34:56.Z",
                           "0000-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "+026-01-01T00:00:00Z"}) {
    EXPECT_FALSE(read_timestamp(text, TimestampFormat::iso8601)) << text;
  }
  for (const auto* text : {"", "x", "1e300", "nan", "inf", "1700000000x", "-1e18"}) {
    EXPECT_FALSE(read_timestamp(text, TimestampFormat::epoch_seconds)) << text;
  }
  for (const auto* text :
       {"", "Sat, 31 Foo 2026 12:34:56 GMT", "31 Jan 2026 12:34:56 GMT", "Sat, 31 Jan 2026 12:34:56 CET"}) {
    EXPECT_FALSE(read_timestamp(text, TimestampFormat::rfc822)) << text;
  }
}

TEST(ScalarText, NumbersAreShortAndExact) {
  EXPECT_EQ(write_real(0.1), "0.1");
  EXPECT_EQ(write_real(1), "1");
  EXPECT_EQ(write_real(1e300), "1e+300");
  EXPECT_EQ(read_real("0.1"), 0.1);
  EXPECT_FALSE(read_real("1e999"));
  EXPECT_FALSE(read_real("nan"));
  EXPECT_FALSE(read_real("1 "));
  EXPECT_EQ(read_integer("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(read_integer("9223372036854775808"));
  EXPECT_FALSE(read_integer("1.0"));
  EXPECT_FALSE(read_integer(""));
  EXPECT_FALSE(read_boolean("True"));
}

TEST(Utf8, RepairsByteByByte) {
  EXPECT_EQ(repaired_utf8("a\xC3\xA9\xF0\x9F\x98\x80"), "a\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(repaired_utf8("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(repaired_utf8("\xED\xA0\x80z"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(repaired_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Arn, SplitsAtTheFirstFiveColons) {
  const auto arn = Arn::parse("arn:aws:lambda:us-east-1:123456789012:function:f:live");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->service, "lambda");
  EXPECT_EQ(arn->region, "us-east-1");
  EXPECT_EQ(arn->account, "123456789012");
  EXPECT_EQ(arn->resource, "function:f:live");
  EXPECT_EQ(arn->text(), "arn:aws:lambda:us-east-1:123456789012:function:f:live");
  EXPECT_EQ(Arn::parse("arn:aws:iam::123456789012:root")->region, "");
  for (const auto* text : {"", "arn", "arn:aws:iam::1", "urn:aws:iam::1:root", "xarn:aws:iam::1:root"})
    EXPECT_FALSE(Arn::parse(text)) << text;
  EXPECT_FALSE(Arn::parse("arn:aws:iam::1:" + std::string(2048, 'r')));
}

}  // namespace
}  // namespace lambent::aws
