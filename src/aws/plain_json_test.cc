#include "aws/plain_json.h"

#include <gtest/gtest.h>

#include <optional>

namespace lambent::aws {
namespace {

struct Inner {
  std::optional<std::string> Text;
  std::optional<std::vector<std::string>> List;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (Text, List))

struct Outer {
  bool Flag = false;
  std::optional<std::int32_t> Number;
  std::optional<std::int64_t> Long;
  std::optional<double> Real;
  std::optional<Timestamp> Time;
  std::optional<Inner> One;
  std::vector<Inner> Many;
  std::optional<std::map<std::string, std::vector<std::string>>> Map;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (Flag, Number, Long, Real, Time, One, Many, Map))

TEST(PlainJson, IsReadBackAsItWasWritten) {
  Outer value;
  value.Flag = true;
  value.Number = -7;
  value.Long = 5'000'000'000;
  value.Real = 0.25;
  value.Time = Timestamp{1'769'862'896'789};
  value.One = Inner{"t\"x\xc3\xa9", std::nullopt};
  value.Many.emplace_back().List.emplace();
  value.Many.emplace_back().Text = "";
  value.Many.back().List = std::vector<std::string>{"a", "b"};
  value.Map.emplace()["k"].push_back("v");
  const auto text = plain_json(value);
  EXPECT_EQ(plain_json(from_plain_json<Outer>(text)), text);
  const auto read = from_plain_json<Outer>(text);
  EXPECT_EQ(read.Time, value.Time);
  EXPECT_EQ(read.One->Text, value.One->Text);
  EXPECT_EQ(read.Many[0].List->size(), 0u);
  EXPECT_FALSE(read.Many[0].Text);
  EXPECT_EQ(read.Map, value.Map);
}

TEST(PlainJson, AbsentMembersAreLeftOutAndUnknownOnesSkipped) {
  EXPECT_EQ(plain_json(Outer{}), R"({"Flag":false,"Many":[]})");
  EXPECT_EQ(from_plain_json<Outer>(R"({"Number":3,"FromALaterVersion":{}})").Number, 3);
  EXPECT_ANY_THROW(from_plain_json<Outer>("[]"));
}

}  // namespace
}  // namespace lambent::aws
