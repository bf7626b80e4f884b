#include "invoke/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lambent::invoke {
namespace {

using ::testing::MatchesRegex;

constexpr const char* kRoot = "1-5759e988-bd862e3fe1be46a994272793";

class TraceTest : public ::testing::Test {
 protected:
  static store::FunctionVersion function(const std::string& name = "f", const std::string& mode = "PassThrough") {
    store::FunctionVersion made;
    made.key = {"123456789012", "us-east-1", name};
    made.tracing_mode = mode;
    return made;
  }
  base::ManualClock clock_{base::WallTime(std::chrono::seconds(0x65000000))};
  Tracing tracing_{clock_};
};

TEST_F(TraceTest, IsMadeWhenThereIsNone) {
  EXPECT_THAT(tracing_.next("", function()),
              MatchesRegex("Root=1-65000000-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=[0-9a-f]{8}:1"));
}

TEST_F(TraceTest, TakesOverRootAndTheDecisionWithANewParent) {
  const std::string next =
      tracing_.next(std::string("Root=") + kRoot + ";Parent=53995c3f42cd8ad8;Sampled=1", function());
  const auto header = TraceHeader::parse(next);
  EXPECT_EQ(header.root, kRoot);
  EXPECT_EQ(header.sampled, '1');
  EXPECT_NE(header.parent, "53995c3f42cd8ad8");
}

TEST_F(TraceTest, SamplesActiveFunctionsOncePerSecondAtLeast) {
  EXPECT_EQ(TraceHeader::parse(tracing_.next("", function("f", "Active"))).sampled, '1');
  int sampled = 0;
  for (int i = 0; i < 1000; ++i)
    sampled += TraceHeader::parse(tracing_.next("", function("f", "Active"))).sampled == '1';
  EXPECT_GT(sampled, 10);
  EXPECT_LT(sampled, 150);
  EXPECT_EQ(
      TraceHeader::parse(tracing_.next(std::string("Root=") + kRoot + ";Sampled=0", function("f", "Active"))).sampled,
      '0');
}

TEST_F(TraceTest, AnAcceptedEventKeepsItsRootThroughItsAttempts) {
  const std::string accepted = tracing_.accept("", function());
  EXPECT_THAT(accepted, MatchesRegex("Root=1-65000000-[0-9a-f]{24};Sampled=0"));
  EXPECT_THAT(tracing_.next(accepted, function()), ::testing::StartsWith(accepted.substr(0, accepted.find(';'))));
  const std::string chain = std::string("Root=") + kRoot + ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:3";
  EXPECT_EQ(tracing_.accept(chain, function()), chain);
}

TEST_F(TraceTest, CountsEachFunctionOfTheChain) {
  std::string header;
  for (int i = 0; i < 3; ++i) {
    header = tracing_.next(header, function("f"));
    header = tracing_.next(header, function("g"));
  }
  EXPECT_EQ(Tracing::loops(header, function("f")), 3);
  EXPECT_EQ(Tracing::loops(header, function("g")), 3);
  EXPECT_EQ(Tracing::loops(header, function("h")), 0);
  EXPECT_EQ(TraceHeader::parse(header).lineage.size(), 2u);
}

TEST_F(TraceTest, ALineageIsBounded) {
  std::string header;
  for (int i = 0; i < 100; ++i) header = tracing_.next(header, function("f" + std::to_string(i)));
  EXPECT_EQ(TraceHeader::parse(header).lineage.size(), 16u);
  EXPECT_EQ(Tracing::loops(header, function("f99")), 1);
  EXPECT_LT(header.size(), kMaxTraceHeader);
}

TEST_F(TraceTest, WhatIsMalformedIsLeftOut) {
  for (const char* bad : {"Root=1-xyz-1", "Root", "=;=;", "Lineage=zz:1", "Lineage=a87bd80c:-1", "Parent=12;Sampled=?",
                          "Root=1-5759e988-bd862e3fe1be46a994272793\r\nX: y"}) {
    const auto header = TraceHeader::parse(bad);
    EXPECT_TRUE(header.root.empty() && header.parent.empty() && header.sampled == 0 && header.lineage.empty()) << bad;
  }
  EXPECT_TRUE(TraceHeader::parse("Root=" + std::string(kRoot) + ";" + std::string(2000, 'x')).root.empty());
}

}  // namespace
}  // namespace lambent::invoke
