#include "auth/duplicate_member.h"

#include <gtest/gtest.h>

namespace lambent::auth {
namespace {

TEST(DuplicateMember, NamesTheFirstThatIsThereTwice) {
  EXPECT_EQ(duplicate_member(R"({"a":1,"b":2,"a":3})"), "a");
  EXPECT_EQ(duplicate_member(R"({"a":{"b":1},"c":[{"d":1,"d":1}],"a":1})"), "d");
  EXPECT_EQ(duplicate_member(R"({"ab":1,"\u0061b":2})"), "ab") << "escapes are read";
}

TEST(DuplicateMember, TheSameNameInAnotherObjectIsAnother) {
  for (const char* fine : {R"({"a":{"a":{"a":1}},"b":{"a":1}})", R"([{"a":1},{"a":1}])", R"({"a":1,"A":2})", "1", "[]"})
    EXPECT_EQ(duplicate_member(fine), std::nullopt) << fine;
}

TEST(DuplicateMember, WhatIsNoJsonIsSomebodyElsesBusiness) {
  for (const char* none : {"", "{", R"({"a":1,"a")", "{'a':1,'a':1}"})
    EXPECT_EQ(duplicate_member(none), std::nullopt) << none;
  EXPECT_EQ(duplicate_member(std::string(10'000, '[')), std::nullopt);
}

}  // namespace
}  // namespace lambent::auth
