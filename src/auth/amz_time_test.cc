#include "auth/amz_time.h"

#include <gtest/gtest.h>

namespace lambent::auth {
namespace {

TEST(AmzTime, ReadsAndWritesTheBasicForm) {
  EXPECT_EQ(parse_amz_date("20260131T120000Z"), 1'769'860'800);
  EXPECT_EQ(format_amz_date(1'769'860'800), "20260131T120000Z");
  EXPECT_EQ(parse_amz_date("19700101T000000Z"), 0);
  EXPECT_EQ(parse_amz_date("20240229T235959Z"), 1'709'251'199);
}

TEST(AmzTime, RefusesWhatIsNoTime) {
  for (const char* bad : {"", "20260131T120000", "20260131T120000z", "20260132T120000Z", "20261301T120000Z",
                          "20250229T000000Z", "20260131T240000Z", "20260131T126000Z", "20260131T120060Z",
                          "2026013 T120000Z", "20260131 120000Z", "2026-01-31T12:00:00Z", "+0260131T120000Z"})
    EXPECT_FALSE(parse_amz_date(bad)) << bad;
}

TEST(AmzTime, ReadsTheDateHeaderInEachForm) {
  for (const char* good :
       {"Sat, 31 Jan 2026 12:00:00 GMT", "Sat, 31 Jan 2026 12:00:00 -0000", "Sat, 31 Jan 2026 12:00:00 +0000",
        "Sat, 31 Jan 2026 12:00:00 UTC", "20260131T120000Z", "2026-01-31T12:00:00Z"})
    EXPECT_EQ(parse_date_header(good), 1'769'860'800) << good;
  for (const char* bad :
       {"Sat, 31 Jan 2026 12:00:00 +0100", "Sat, 31 Jan 2026 12:00:00", "Sat, 31 Foo 2026 12:00:00 GMT",
        "Sam, 31 Jan 2026 12:00:00 GMT", "Sat, 31 Jan 2026 12:00 GMT", "Sat Jan 31 12:00:00 2026",
        "Saturday, 31-Jan-26 12:00:00 GMT", " GMT", "x"})
    EXPECT_FALSE(parse_date_header(bad)) << bad;
}

}  // namespace
}  // namespace lambent::auth
