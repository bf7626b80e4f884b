#include "invoke/under_way.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace lambent::invoke {
namespace {

store::FunctionSnapshot function(const std::string& name, const std::string& version = "$LATEST") {
  auto made = std::make_shared<store::FunctionVersion>();
  made->key = {"123456789012", "us-east-1", name};
  made->version = version;
  return made;
}

TEST(UnderWay, WhatBeganBeforeARetirementIsRetiredAndWhatBeginsAfterIsNot) {
  UnderWay under_way;
  const auto before = under_way.begin(function("f"));
  const auto other = under_way.begin(function("g"));
  under_way.retire(function("f")->key, "$LATEST");
  const auto after = under_way.begin(function("f"));
  EXPECT_TRUE(before.retired());
  EXPECT_FALSE(other.retired());
  EXPECT_FALSE(after.retired());
}

TEST(UnderWay, AVersionIsRetiredAloneAndTheWholeFunctionWithEachOfThem) {
  UnderWay under_way;
  const auto first = under_way.begin(function("f", "1")), second = under_way.begin(function("f", "2"));
  under_way.retire(function("f")->key, "1");
  EXPECT_TRUE(first.retired());
  EXPECT_FALSE(second.retired());
  under_way.retire(function("f")->key, "");
  EXPECT_TRUE(second.retired());
}

TEST(UnderWay, APlaceMayOutliveIt) {
  auto under_way = std::make_unique<UnderWay>();
  const auto place = under_way->begin(function("f"));
  const auto retired = under_way->begin(function("g"));
  under_way->retire(function("g")->key, "");
  under_way.reset();
  EXPECT_FALSE(place.retired());
  EXPECT_TRUE(retired.retired());
}

TEST(UnderWay, NothingIsKeptOfWhatIsOver) {
  UnderWay under_way;
  for (int i = 0; i < 100; ++i) {
    auto place = under_way.begin(function("f" + std::to_string(i)));
    // Handed on, as to whoever waits for the runtime's next event.
    const UnderWay::Place moved(std::move(place));
    EXPECT_EQ(under_way.count(), 1u);
    under_way.retire(function("f" + std::to_string(i))->key, "");
    EXPECT_TRUE(moved.retired());
  }
  under_way.retire(function("nobody's")->key, "");
  EXPECT_EQ(under_way.count(), 0u);
}

}  // namespace
}  // namespace lambent::invoke
