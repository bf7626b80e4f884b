// Who may deliver what to whom: the sender's role decides, as it is at that moment.
#include <gtest/gtest.h>

#include "auth/identities_fixture.h"
#include "targets/targets.h"

namespace lambent::targets {
namespace {

constexpr const char* kTrust =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";

class PermissionsTest : public auth::IdentitiesFixture {
 protected:
  PermissionsTest() {
    TargetsParts parts{authorizer_,
                       clock_,
                       [this](const aws::Sender& sender) -> std::optional<aws::Caller> {
                         const auto role = identities_->role_by_arn(sender.role_arn);
                         if (!role) return std::nullopt;
                         aws::Caller caller;
                         caller.kind = aws::Principal::assumed_role;
                         caller.account = sender.account;
                         caller.identity_arn = sender.role_arn;
                         caller.user_id = role->id + ":lambda";
                         return caller;
                       },
                       [](const aws::Sender&) { return Credentials{"ASIAEXAMPLE", "secret", "token"}; },
                       [this](const aws::Delivery& delivery) -> base::Task<void> {
                         invoked_.push_back(delivery.target_arn);
                         co_return;
                       },
                       [](const std::string& arn) { return arn.find("missing") == std::string::npos; }};
    targets_ = make_targets({{"sqs", *Endpoint::parse("http://127.0.0.1:9")}}, std::move(parts));
  }

  aws::Sender sender(const std::string& policy) {
    const auto role = add_role("r", kTrust, policy);
    return {role->arn(), "arn:aws:lambda:us-east-1:123456789012:function:f", kAccount, "us-east-1"};
  }
  aws::DeliveryOutcome deliver(const aws::Sender& sender, const std::string& target) {
    aws::Delivery delivery;
    delivery.sender = sender;
    delivery.target_arn = target;
    return run(targets_->deliver(std::move(delivery)));
  }
  static std::string allow(const std::string& action, const std::string& resource = "*") {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":")" + action + R"(","Resource":")" +
           resource + R"("}]})";
  }

  auth::Authorizer authorizer_{*identities_, clock_};
  std::unique_ptr<aws::Targets> targets_;
  std::vector<std::string> invoked_;
};

constexpr const char* kFunction = "arn:aws:lambda:us-east-1:123456789012:function:g";
constexpr const char* kQueue = "arn:aws:sqs:us-east-1:123456789012:q";
using Kind = aws::DeliveryOutcome::Kind;

TEST_F(PermissionsTest, TheRolesPolicyNamesActionAndTarget) {
  const auto from = sender(allow("sqs:SendMessage", kQueue));
  EXPECT_EQ(targets_->lacking_permission(from, kQueue), "");
  EXPECT_EQ(targets_->lacking_permission(from, "arn:aws:sqs:us-east-1:123456789012:other"), "sqs:SendMessage");
  EXPECT_EQ(targets_->lacking_permission(from, kFunction), "lambda:InvokeFunction");
  EXPECT_EQ(targets_->lacking_permission(from, "arn:aws:s3:::b"), "s3:PutObject");
}

TEST_F(PermissionsTest, WithoutTheRightNothingIsDelivered) {
  const auto from = sender(allow("sqs:ReceiveMessage"));
  EXPECT_EQ(deliver(from, kFunction).kind, Kind::refused);
  EXPECT_EQ(deliver(from, kQueue).kind, Kind::refused);
  EXPECT_TRUE(invoked_.empty());
}

TEST_F(PermissionsTest, ARoleThatIsGoneMayNothing) {
  auto from = sender(allow("*"));
  from.role_arn += "-gone";
  EXPECT_EQ(deliver(from, kFunction).kind, Kind::refused);
}

TEST_F(PermissionsTest, AFunctionOfTheSameAccountIsInvokedHere) {
  const auto from = sender(allow("lambda:InvokeFunction"));
  EXPECT_EQ(deliver(from, kFunction).kind, Kind::delivered);
  EXPECT_EQ(invoked_, std::vector<std::string>{kFunction});
}

TEST_F(PermissionsTest, AFunctionOfAnotherAccountIsNot) {
  const auto from = sender(allow("*"));
  EXPECT_EQ(deliver(from, "arn:aws:lambda:us-east-1:210987654321:function:g").kind, Kind::refused);
  EXPECT_TRUE(invoked_.empty());
}

TEST_F(PermissionsTest, WhatCannotBeReachedIsSaid) {
  const auto from = sender(allow("*"));
  EXPECT_EQ(deliver(from, "arn:aws:lambda:us-east-1:123456789012:function:missing").kind, Kind::refused);
  EXPECT_NE(targets_->why_unreachable("arn:aws:sns:us-east-1:123456789012:t").find("--target-endpoint sns=URL"),
            std::string::npos);
  EXPECT_NE(targets_->why_unreachable("arn:aws:dynamodb:us-east-1:123456789012:table/t"), "");
  EXPECT_EQ(deliver(from, kQueue).kind, Kind::unavailable) << "nobody listens there: it is tried again";
}

}  // namespace
}  // namespace lambent::targets
