#include "services/lambda/code_url.h"

#include <gtest/gtest.h>

namespace lambent::lambda {
namespace {

class CodeUrlTest : public ::testing::Test {
 protected:
  CodeUrlTest() {
    function_.key = {"123456789012", "us-east-1", "f"};
    function_.code_hash = std::string(64, 'a');
  }
  base::ManualClock clock_{base::WallTime(std::chrono::seconds(1'000'000))};
  CodeUrl urls_{"key", clock_};
  store::FunctionVersion function_;
};

TEST_F(CodeUrlTest, IsBeneathItsPrefixAndGivesTheHashBack) {
  const auto path = urls_.path(function_);
  EXPECT_EQ(path.substr(0, path.find("&Signature=")),
            "/_lambent/code/123456789012/us-east-1/f/" + std::string(64, 'a') + ".zip?Expires=1000600");
  EXPECT_EQ(urls_.verify(path), std::string(64, 'a'));
}

TEST_F(CodeUrlTest, IsGoodForTenMinutes) {
  const auto path = urls_.path(function_);
  clock_.advance(std::chrono::seconds(599));
  EXPECT_TRUE(urls_.verify(path));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(urls_.verify(path));
}

TEST_F(CodeUrlTest, NoChangedByteIsAccepted) {
  const auto path = urls_.path(function_);
  for (std::size_t at = 0; at < path.size(); ++at)
    for (const char bit : {1, 32}) {
      auto changed = path;
      changed[at] = static_cast<char>(changed[at] ^ bit);
      EXPECT_FALSE(urls_.verify(changed)) << changed;
    }
  for (std::size_t keep = 0; keep < path.size(); ++keep) EXPECT_FALSE(urls_.verify(path.substr(0, keep)));
  EXPECT_FALSE(urls_.verify(path + "x"));
  EXPECT_FALSE(urls_.verify(path + "&Signature="));
  EXPECT_FALSE(urls_.verify(std::string(5000, '/')));
}

TEST_F(CodeUrlTest, IsWorthNothingUnderAnotherKey) {
  EXPECT_FALSE(CodeUrl("other", clock_).verify(urls_.path(function_)));
}

}  // namespace
}  // namespace lambent::lambda
