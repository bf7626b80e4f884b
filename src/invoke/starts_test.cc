#include "invoke/starts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "invoke/environment.h"

namespace lambent::invoke {
namespace {

using ::testing::ElementsAre;

class StartsTest : public ::testing::Test {
 protected:
  void enter(const std::string& function, const std::string& tenant_id = "") {
    base::asio::co_spawn(context_, starts_.enter(function, tenant_id),
                         [this, name = function + tenant_id](std::exception_ptr, std::unique_ptr<Environment> offered) {
                           entered_.push_back(name + (offered ? " with one" : ""));
                         });
    run();
  }
  void leave() {
    starts_.leave();
    run();
  }
  void run() {
    context_.restart();
    context_.poll();
  }

  base::asio::io_context context_{1};
  Starts starts_{context_, 2};
  std::vector<std::string> entered_;
};

TEST_F(StartsTest, NoMoreAtOnceThanAllowed) {
  for (int i = 0; i < 3; ++i) enter("f");
  EXPECT_EQ(entered_.size(), 2u);
  EXPECT_TRUE(starts_.awaited("f"));
  leave();
  EXPECT_EQ(entered_.size(), 3u);
  EXPECT_FALSE(starts_.awaited("f"));
  for (int i = 0; i < 2; ++i) leave();
  for (int i = 0; i < 3; ++i) enter("g");
  EXPECT_EQ(entered_.size(), 5u);
}

TEST_F(StartsTest, AFunctionWithOneInvocationDoesNotWaitBehindABurst) {
  for (int i = 0; i < 6; ++i) enter("burst");
  enter("single");
  leave();
  leave();
  EXPECT_THAT(entered_, ElementsAre("burst", "burst", "burst", "single"));
}

TEST_F(StartsTest, ABurstOfManyTenantsIsOneFunctionsBurst) {
  for (int i = 0; i < 6; ++i) enter("burst", std::to_string(i));
  enter("single");
  leave();
  leave();
  EXPECT_THAT(entered_, ElementsAre("burst0", "burst1", "burst2", "single"));
}

TEST_F(StartsTest, AnIdleEnvironmentGoesToItsTenantAlone) {
  enter("f", "blue");
  enter("f", "blue");
  for (const char* tenant : {"green", "blue", "green"}) enter("f", tenant);
  starts_.offer("f", "blue", nullptr);
  starts_.offer("f", "red", nullptr);
  run();
  EXPECT_THAT(entered_, ElementsAre("fblue", "fblue", "fblue"));
  starts_.offer("f", "green", nullptr);
  leave();
  EXPECT_THAT(entered_, ElementsAre("fblue", "fblue", "fblue", "fgreen", "fgreen"));
  EXPECT_FALSE(starts_.awaited("f"));
}

TEST_F(StartsTest, AnIdleEnvironmentGoesToWhoeverWaitsForItsFunction) {
  for (int i = 0; i < 3; ++i) enter("f");
  EXPECT_FALSE(starts_.awaited("g"));
  EXPECT_EQ(starts_.offer("f", "", nullptr), nullptr);
  run();
  EXPECT_EQ(entered_.size(), 3u);
  EXPECT_FALSE(starts_.awaited("f"));
  // The places of the two that start are still theirs.
  enter("f");
  EXPECT_EQ(entered_.size(), 3u);
}

}  // namespace
}  // namespace lambent::invoke
