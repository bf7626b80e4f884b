#include "auth/evaluate.h"

#include <gtest/gtest.h>

namespace lambent::auth {
namespace {

using Documents = std::vector<std::shared_ptr<const PolicyDocument>>;

std::shared_ptr<const PolicyDocument> policy(const std::string& statements) {
  return std::make_shared<const PolicyDocument>(
      parse_policy(R"({"Version":"2012-10-17","Statement":[)" + statements + "]}", PolicyUse::managed));
}

Decision decide_one(const Documents& documents, std::string_view action, std::string_view resource,
                    const RequestContext& known = {}) {
  return decide(
      {.identity = documents},
      {.action = action, .resource = resource, .context = [&known]() -> const RequestContext& { return known; }});
}

constexpr const char* kFunction = "arn:aws:lambda:eu-west-1:123456789012:function:orders";

TEST(Evaluate, NothingIsAllowedWithoutAPolicy) {
  EXPECT_EQ(decide_one({}, "lambda:GetFunction", kFunction), Decision::implicit_deny);
}

TEST(Evaluate, AllowNeedsActionAndResource) {
  const Documents documents = {policy(
      R"({"Effect":"Allow","Action":["lambda:Get*","lambda:List?unctions"],"Resource":"arn:aws:lambda:*:*:function:ord*"})")};
  EXPECT_EQ(decide_one(documents, "lambda:GetFunction", kFunction), Decision::allow);
  EXPECT_EQ(decide_one(documents, "LAMBDA:getfunction", kFunction), Decision::allow);
  EXPECT_EQ(decide_one(documents, "lambda:ListFunctions", kFunction), Decision::allow);
  EXPECT_EQ(decide_one(documents, "lambda:DeleteFunction", kFunction), Decision::implicit_deny);
  EXPECT_EQ(decide_one(documents, "iam:GetFunction", kFunction), Decision::implicit_deny);
  // Actions ignore case, resources do not.
  EXPECT_EQ(decide_one(documents, "lambda:GetFunction", "arn:aws:lambda:eu-west-1:123456789012:function:Orders"),
            Decision::implicit_deny);
  EXPECT_EQ(decide_one(documents, "lambda:GetFunction", "*"), Decision::implicit_deny);
}

TEST(Evaluate, ExplicitDenyWinsWhereverItStands) {
  const auto allow = policy(R"({"Effect":"Allow","Action":"*","Resource":"*"})");
  const auto deny = policy(R"({"Effect":"Deny","Action":"lambda:delete*","Resource":"*"})");
  for (const Documents& documents : {Documents{allow, deny}, Documents{deny, allow}}) {
    EXPECT_EQ(decide_one(documents, "lambda:DeleteFunction", kFunction), Decision::explicit_deny);
    EXPECT_EQ(decide_one(documents, "lambda:GetFunction", kFunction), Decision::allow);
  }
}

TEST(Evaluate, NotActionAndNotResourceInvert) {
  const Documents all_but_iam = {policy(R"({"Effect":"Allow","NotAction":["iam:*","sts:*"],"Resource":"*"})")};
  EXPECT_EQ(decide_one(all_but_iam, "lambda:GetFunction", kFunction), Decision::allow);
  EXPECT_EQ(decide_one(all_but_iam, "IAM:GetUser", "*"), Decision::implicit_deny);
  const Documents elsewhere = {policy(R"({"Effect":"Allow","Action":"*","Resource":"*"},
                                         {"Effect":"Deny","Action":"*","NotResource":"arn:aws:lambda:eu-west-1:*"})")};
  EXPECT_EQ(decide_one(elsewhere, "lambda:GetFunction", kFunction), Decision::allow);
  EXPECT_EQ(decide_one(elsewhere, "lambda:GetFunction", "arn:aws:lambda:us-east-1:123456789012:function:orders"),
            Decision::explicit_deny);
}

TEST(Evaluate, WhatIsNotUnderstoodFailsClosed) {
  const char* condition = R"(,"Condition":{"StringMatches":{"aws:SecureTransport":"false"}})";
  const std::string on_all = R"("Action":"*","Resource":"*")";
  const auto allow = policy(R"({"Effect":"Allow",)" + on_all + "}");
  EXPECT_EQ(decide_one({policy(R"({"Effect":"Allow",)" + on_all + condition + "}")}, "a:b", "*"),
            Decision::implicit_deny);
  // A Deny applies although its condition may not hold, but to its own actions only.
  const auto deny =
      policy(R"({"Effect":"Deny","Action":"x:y","Resource":"arn:aws:s3:::b")" + std::string(condition) + "}");
  EXPECT_EQ(decide_one({allow, deny}, "x:y", "*"), Decision::explicit_deny);
  EXPECT_EQ(decide_one({allow, deny}, "a:b", "*"), Decision::allow);
  EXPECT_EQ(decide_one({allow, nullptr}, "a:b", "*"), Decision::explicit_deny);
}

// "Policy evaluation logic" and the user guide's examples of conditions: what a request comes to.
TEST(Evaluate, ConditionsDecideWhetherAStatementApplies) {
  const auto allow = policy(R"({"Effect":"Allow","Action":"*","Resource":"*"})");
  const auto at_home = policy(
      R"({"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]},
          "Bool":{"aws:ViaAWSService":"false"}}})");
  const auto in_region = policy(
      R"({"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}})");
  const auto tagged = policy(
      R"({"Effect":"Allow","Action":"lambda:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"blue"}}})");
  const auto secure = policy(
      R"({"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:SecureTransport":"false"}}})");
  const auto only_these_tags = policy(
      R"({"Effect":"Allow","Action":"lambda:TagResource","Resource":"*","Condition":{
          "ForAllValues:StringEquals":{"aws:TagKeys":["team"]},"Null":{"aws:TagKeys":"false"}}})");
  struct Row {
    Documents documents;
    const char* action;
    RequestContext known;
    Decision outcome;
  };
  const auto yes = Decision::allow, no = Decision::explicit_deny, not_allowed = Decision::implicit_deny;
  const std::vector<Row> rows{
      {{allow, at_home}, "a:b", {{"aws:sourceip", "192.0.2.9"}, {"aws:viaawsservice", "false"}}, yes},
      {{allow, at_home}, "a:b", {{"aws:sourceip", "198.51.100.9"}, {"aws:viaawsservice", "false"}}, no},
      {{allow, at_home}, "a:b", {{"aws:sourceip", "198.51.100.9"}}, yes},
      {{allow, at_home}, "a:b", {{"aws:viaawsservice", "false"}}, no},
      {{allow, in_region}, "lambda:GetFunction", {{"aws:requestedregion", "eu-west-1"}}, yes},
      {{allow, in_region}, "lambda:GetFunction", {{"aws:requestedregion", "us-east-1"}}, no},
      {{allow, in_region}, "lambda:GetFunction", {}, no},
      {{allow, in_region}, "iam:GetUser", {{"aws:requestedregion", "us-east-1"}}, yes},
      {{tagged}, "lambda:GetFunction", {{"aws:resourcetag/team", "blue"}}, yes},
      {{tagged}, "lambda:GetFunction", {{"aws:resourcetag/team", "Blue"}}, not_allowed},
      {{tagged}, "lambda:GetFunction", {}, not_allowed},
      {{allow, secure}, "a:b", {{"aws:securetransport", "true"}}, yes},
      {{allow, secure}, "a:b", {{"aws:securetransport", "false"}}, no},
      {{allow, secure}, "a:b", {}, no},
      {{only_these_tags}, "lambda:TagResource", {{"aws:tagkeys", std::vector<std::string>{"team"}}}, yes},
      {{only_these_tags}, "lambda:TagResource", {{"aws:tagkeys", std::vector<std::string>{"team", "x"}}}, not_allowed},
      {{only_these_tags}, "lambda:TagResource", {}, not_allowed},
  };
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(decide_one(rows[i].documents, rows[i].action, "*", rows[i].known), rows[i].outcome) << "row " << i;
}

TEST(Evaluate, WhatIsKnownIsGatheredOnlyWhenAConditionAsks) {
  int gathered = 0;
  const RequestContext known;
  const auto gather = [&]() -> const RequestContext& {
    ++gathered;
    return known;
  };
  const Documents plain{policy(R"({"Effect":"Allow","Action":"*","Resource":"*"})")};
  EXPECT_EQ(decide({.identity = plain}, {.action = "a:b", .resource = "*", .context = gather}), Decision::allow);
  EXPECT_EQ(gathered, 0);
}

std::shared_ptr<const PolicyDocument> trust(const std::string& statements) {
  return std::make_shared<const PolicyDocument>(
      parse_policy(R"({"Version":"2012-10-17","Statement":[)" + statements + "]}", PolicyUse::trust));
}

std::string to(const std::string& principal, const std::string& effect = "Allow",
               const std::string& action = "sts:AssumeRole") {
  return R"({"Effect":")" + effect + R"(","Action":")" + action + R"(","Principal":)" + principal + "}";
}

constexpr AssumePrincipal kAlice = {.account = "123456789012",
                                    .arn = "arn:aws:iam::123456789012:user/alice",
                                    .identity_arn = "arn:aws:iam::123456789012:user/alice"};
constexpr AssumePrincipal kSession = {.account = "123456789012",
                                      .arn = "arn:aws:sts::123456789012:assumed-role/r/s",
                                      .identity_arn = "arn:aws:iam::123456789012:role/svc/r"};
constexpr AssumePrincipal kLambda = {.service = "lambda.amazonaws.com"};

TEST(Evaluate, TrustNamesPrincipalsOrTheirAccount) {
  const std::string alice = R"({"AWS":"arn:aws:iam::123456789012:user/alice"})";
  EXPECT_EQ(decide_trust(*trust(to(alice)), kAlice), Trust::named);
  EXPECT_EQ(decide_trust(*trust(to(alice)), kSession), Trust::none);
  EXPECT_EQ(decide_trust(*trust(to(R"({"AWS":"123456789012"})")), kAlice), Trust::account);
  EXPECT_EQ(decide_trust(*trust(to(R"({"AWS":"arn:aws:iam::123456789012:root"})")), kSession), Trust::account);
  EXPECT_EQ(decide_trust(*trust(to(R"({"AWS":"210987654321"})")), kAlice), Trust::none);
  EXPECT_EQ(decide_trust(*trust(to(R"("*")")), kAlice), Trust::named);
  EXPECT_EQ(decide_trust(*trust(to(R"({"AWS":"arn:aws:sts::123456789012:assumed-role/r/s"})")), kSession),
            Trust::named);
  EXPECT_EQ(decide_trust(*trust(to(R"({"AWS":"arn:aws:iam::123456789012:role/svc/r"})")), kSession), Trust::named);
  EXPECT_EQ(decide_trust(*trust(to(R"({"AWS":"123456789012"})") + "," + to(alice)), kAlice), Trust::named);
  EXPECT_EQ(decide_trust(*trust(to(alice) + "," + to(R"({"AWS":"123456789012"})")), kAlice), Trust::named);
}

TEST(Evaluate, TrustInServicesIsNotTrustInUsers) {
  const auto lambda = trust(to(R"({"Service":"lambda.amazonaws.com"})"));
  EXPECT_EQ(decide_trust(*lambda, kLambda), Trust::named);
  EXPECT_EQ(decide_trust(*lambda, kAlice), Trust::none);
  EXPECT_EQ(decide_trust(*lambda, {.service = "edgelambda.amazonaws.com"}), Trust::none);
  // "*" means every AWS principal, not every service.
  EXPECT_EQ(decide_trust(*trust(to(R"("*")")), kLambda), Trust::none);
}

TEST(Evaluate, TrustIsForTheActionAndDenyWins) {
  const std::string all = R"({"AWS":"*"})", service = R"({"Service":"lambda.amazonaws.com"})";
  EXPECT_EQ(decide_trust(*trust(to(all, "Allow", "sts:TagSession")), kAlice), Trust::none);
  EXPECT_EQ(decide_trust(*trust(to(all, "Allow", "STS:assume*")), kAlice), Trust::named);
  EXPECT_EQ(decide_trust(*trust(to(all) + "," + to(R"({"AWS":"123456789012"})", "Deny")), kAlice), Trust::denied);
  EXPECT_EQ(decide_trust(*trust(to(service) + "," + to(service, "Deny")), kLambda), Trust::denied);
  EXPECT_EQ(decide_trust(*trust(to(all) + "," + to(all, "Deny", "sts:TagSession")), kAlice), Trust::named);
}

TEST(Evaluate, TrustThatIsNotUnderstoodFailsClosed) {
  const std::string condition =
      R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"Bool":{"a":"b"}}})";
  EXPECT_EQ(decide_trust(*trust(condition), kAlice), Trust::none);
  EXPECT_EQ(
      decide_trust(*trust(to(R"("*")") + R"(,{"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":"*"})"), kAlice),
      Trust::denied);
}

}  // namespace
}  // namespace lambent::auth
