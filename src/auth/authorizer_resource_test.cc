// A resource's own policy beside the caller's.
#include <gtest/gtest.h>

#include "auth/authorizer.h"
#include "auth/identities_fixture.h"
#include "auth/refusal_matcher.h"

namespace lambent::auth {
namespace {

using ::testing::Test;

constexpr const char* kFunction = "arn:aws:lambda:eu-west-1:123456789012:function:orders";

std::string policy(const std::string& principal, const std::string& effect = "Allow", const std::string& rest = "") {
  return R"({"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s","Effect":")" + effect + R"(","Principal":)" +
         principal + R"(,"Action":"lambda:InvokeFunction","Resource":")" + kFunction + "\"" + rest + "}]}";
}

class ResourcePolicy : public IdentitiesFixture {
 protected:
  aws::Caller as_root(const std::string& account) const {
    aws::Caller caller;
    caller.kind = aws::Principal::root;
    caller.account = account;
    caller.arn = caller.identity_arn = "arn:aws:iam::" + account + ":root";
    caller.user_id = account;
    return caller;
  }
  /// A user without policies of their own.
  aws::Caller as_ann() const {
    aws::Caller caller = as_root(kAccount);
    caller.kind = aws::Principal::user;
    caller.arn = caller.identity_arn = "arn:aws:iam::123456789012:user/nobody-yet";
    return caller;
  }
  std::string outcome(const aws::Caller& caller, const std::string& document,
                      const std::string& action = "lambda:InvokeFunction") const {
    return refusal([&] { authorizer_.require(caller, {.action = action, .resource = kFunction, .policy = document}); });
  }
  Authorizer authorizer_{*identities_, clock_};
};

TEST_F(ResourcePolicy, AtHomeAnAllowByNameIsEnough) {
  const auto ann = as_ann();
  EXPECT_NE(outcome(ann, ""), "accepted");
  EXPECT_EQ(outcome(ann, policy(R"({"AWS":")" + ann.arn + "\"}")), "accepted");
  EXPECT_EQ(outcome(ann, policy(R"("*")")), "accepted");
  EXPECT_NE(outcome(ann, policy(R"({"AWS":"123456789012"})")), "accepted") << "the account's policies decide then";
  EXPECT_NE(outcome(ann, policy(R"({"AWS":")" + ann.arn + "\"}"), "lambda:GetFunction"), "accepted");
}

TEST_F(ResourcePolicy, ADenyWinsOverRootToo) {
  const auto said = outcome(as_root(kAccount), policy(R"("*")", "Deny"));
  EXPECT_NE(said.find("with an explicit deny in a resource-based policy"), std::string::npos) << said;
  EXPECT_EQ(outcome(as_root(kAccount), ""), "accepted");
}

TEST_F(ResourcePolicy, AnotherAccountNeedsItAndItsOwn) {
  const auto other = as_root("210987654321");
  const auto said = outcome(other, "");
  EXPECT_NE(said.find("because no resource-based policy allows the lambda:InvokeFunction action"), std::string::npos)
      << said;
  EXPECT_EQ(outcome(other, policy(R"({"AWS":"arn:aws:iam::210987654321:root"})")), "accepted");
  EXPECT_NE(outcome(other, policy(R"({"AWS":"arn:aws:iam::111111111111:root"})")), "accepted");
  auto user = other;
  user.kind = aws::Principal::user;
  user.arn = user.identity_arn = "arn:aws:iam::210987654321:user/bob";
  EXPECT_NE(outcome(user, policy(R"({"AWS":"210987654321"})")), "accepted") << "bob's own policies allow nothing";
}

TEST_F(ResourcePolicy, WhatAnotherAccountDoesNotShareIsNotLookedAt) {
  // A Deny that depends on the other's tags would tell by its wording what they are.
  add_user("probe",
           R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*",)"
           R"("Condition":{"Null":{"aws:ResourceTag/secret":"false"}}},)"
           R"({"Effect":"Deny","Action":"lambda:GetFunction","Resource":"*"}]})",
           "210987654321");
  auto probe = as_root("210987654321");
  probe.kind = aws::Principal::user;
  probe.arn = probe.identity_arn = "arn:aws:iam::210987654321:user/probe";
  probe.user_id = identities_->user("210987654321", "probe")->id;
  for (const char* action : {"lambda:InvokeFunction", "lambda:GetFunction"}) {
    const auto said = outcome(probe, "", action);
    EXPECT_NE(said.find("because no resource-based policy allows the"), std::string::npos) << said;
  }
  const auto shared = outcome(probe, policy(R"("*")"), "lambda:InvokeFunction");
  EXPECT_EQ(shared.find("because no resource-based policy"), std::string::npos) << shared;
}

TEST_F(ResourcePolicy, ConditionsDecideToo) {
  const std::string when = R"(,"Condition":{"StringEquals":{"aws:PrincipalAccount":"210987654321"}})";
  EXPECT_EQ(outcome(as_root("210987654321"), policy(R"("*")", "Allow", when)), "accepted");
  EXPECT_NE(outcome(as_root("333333333333"), policy(R"("*")", "Allow", when)), "accepted");
  const std::string unknown = R"(,"Condition":{"StringMatches":{"aws:CurrentTime":"2030-01-01"}})";
  EXPECT_NE(outcome(as_ann(), policy(R"("*")", "Allow", unknown)), "accepted")
      << "what is not understood allows nothing";
  EXPECT_NE(outcome(as_root(kAccount), policy(R"("*")", "Deny", unknown)), "accepted") << "and denies all the same";
}

TEST_F(ResourcePolicy, OneThatCannotBeReadDenies) { EXPECT_NE(outcome(as_root(kAccount), "{"), "accepted"); }

TEST_F(ResourcePolicy, AServiceHasWhatItGivesFromWhereItSays) {
  const auto document = policy(R"({"Service":"s3.amazonaws.com"})", "Allow",
                               R"(,"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"}})");
  const auto asked = [&](std::string_view service, const std::string& source) {
    return authorizer_.service_allowed(service, {.action = "lambda:InvokeFunction",
                                                 .resource = kFunction,
                                                 .policy = document,
                                                 .context = {{"aws:sourcearn", source}}});
  };
  EXPECT_TRUE(asked("s3.amazonaws.com", "arn:aws:s3:::photos"));
  EXPECT_FALSE(asked("s3.amazonaws.com", "arn:aws:s3:::other"));
  EXPECT_FALSE(asked("sns.amazonaws.com", "arn:aws:s3:::photos"));
}

TEST_F(ResourcePolicy, WhatIsKnownOfTheResourceIsKnownWhoeverAsks) {
  const Authorizer tagged(*identities_, clock_, [](std::string_view) { return Tags{{"Team", "blue"}}; });
  const auto may = [&](const std::string& condition, std::string_view service) {
    const auto document = policy(service.empty() ? R"("*")" : R"({"Service":"s3.amazonaws.com"})", "Allow",
                                 R"(,"Condition":)" + condition);
    return tagged.service_allowed(service,
                                  {.action = "lambda:InvokeFunction", .resource = kFunction, .policy = document});
  };
  for (const std::string_view who : {"", "s3.amazonaws.com"}) {
    EXPECT_TRUE(may(R"({"StringEquals":{"aws:ResourceTag/team":"blue","aws:ResourceAccount":"123456789012"}})", who));
    EXPECT_FALSE(may(R"({"StringEquals":{"aws:ResourceTag/team":"green"}})", who));
    EXPECT_EQ(may(R"({"Bool":{"aws:PrincipalIsAWSService":"true"}})", who), !who.empty());
    EXPECT_EQ(may(R"({"Null":{"aws:PrincipalServiceName":"false"}})", who), !who.empty());
  }
}

}  // namespace
}  // namespace lambent::auth
