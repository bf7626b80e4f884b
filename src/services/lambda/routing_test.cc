#include "services/lambda/routing.h"

#include <gtest/gtest.h>

#include <random>

namespace lambent::lambda {
namespace {

store::Alias alias(std::map<std::string, double> weights) {
  store::Alias made;
  made.function_version = "1";
  made.weights = std::move(weights);
  return made;
}

TEST(Routing, WithoutWeightsEveryDrawIsTheAliasesOwnVersion) {
  for (const double draw : {0.0, 0.5, 0.999999}) EXPECT_EQ(routed_version(alias({}), draw), "1");
}

TEST(Routing, AWeightTakesTheDrawsBelowIt) {
  const auto canary = alias({{"2", 0.25}});
  EXPECT_EQ(routed_version(canary, 0.0), "2");
  EXPECT_EQ(routed_version(canary, 0.2499), "2");
  EXPECT_EQ(routed_version(canary, 0.25), "1");
  EXPECT_EQ(routed_version(canary, 0.9999), "1");
  EXPECT_EQ(routed_version(alias({{"2", 0.0}}), 0.0), "1");
  EXPECT_EQ(routed_version(alias({{"2", 1.0}}), 0.9999999), "2");
}

/// Chi-square of what 10,000 draws gave against the weight, with one degree of freedom.
double chi_square(double weight, std::mt19937_64& generator) {
  constexpr int kDraws = 10'000;
  std::uniform_real_distribution<double> draw(0.0, 1.0);
  const auto canary = alias({{"2", weight}});
  int second = 0;
  for (int i = 0; i < kDraws; ++i) second += routed_version(canary, draw(generator)) == "2";
  const double expected = kDraws * weight;
  const double off = second - expected;
  return off * off / expected + off * off / (kDraws - expected);
}

TEST(Routing, HoldsItsWeightsOverTenThousandDraws) {
  std::mt19937_64 generator(20261122);
  // 10.83 is passed by chance once in a thousand times; the seed makes this run the same every time.
  for (const double weight : {0.01, 0.05, 0.2, 0.5, 0.9}) EXPECT_LT(chi_square(weight, generator), 10.83) << weight;
}

TEST(Routing, TheProcessesDrawsAreSpreadEvenly) {
  constexpr int kDraws = 10'000;
  int counts[10] = {};
  for (int i = 0; i < kDraws; ++i) {
    const double draw = next_draw();
    ASSERT_GE(draw, 0.0);
    ASSERT_LT(draw, 1.0);
    ++counts[static_cast<int>(draw * 10)];
  }
  double chi = 0;
  for (const int count : counts) chi += (count - 1000.0) * (count - 1000.0) / 1000.0;
  // Nine degrees of freedom: a right generator passes this once in ten million runs.
  EXPECT_LT(chi, 50.0);
}

}  // namespace
}  // namespace lambent::lambda
