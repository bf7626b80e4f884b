#include "auth/evaluate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

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

Trust decide_trust(const PolicyDocument& policy, const AssumePrincipal& who, const RequestContext& known = {}) {
  return auth::decide_trust(policy, who, [&known]() -> const RequestContext& { return known; });
}

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
      R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringMatches":{"a":"b"}}})";
  EXPECT_EQ(decide_trust(*trust(condition), kAlice), Trust::none);
  EXPECT_EQ(
      decide_trust(*trust(to(R"("*")") + R"(,{"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":"*"})"), kAlice),
      Trust::denied);
}

/// A statement of trust with a condition.
std::string when(const std::string& principal, const std::string& condition, const std::string& effect = "Allow") {
  return R"({"Effect":")" + effect + R"(","Action":"sts:AssumeRole","Principal":)" + principal + R"(,"Condition":)" +
         condition + "}";
}

TEST(Evaluate, TrustHoldsOnItsConditions) {
  const std::string account = R"({"AWS":"123456789012"})", alice = R"({"AWS":"arn:aws:iam::123456789012:user/alice"})";
  const auto third_party = trust(when(account, R"({"StringEquals":{"sts:ExternalId":"12345"}})"));
  EXPECT_EQ(decide_trust(*third_party, kAlice, {{"sts:externalid", "12345"}}), Trust::account);
  EXPECT_EQ(decide_trust(*third_party, kAlice, {{"sts:externalid", "1234"}}), Trust::none);
  EXPECT_EQ(decide_trust(*third_party, kAlice), Trust::none) << "an absent key";
  const auto named = trust(when(alice, R"({"StringLike":{"sts:RoleSessionName":"${aws:username}"}})"));
  EXPECT_EQ(decide_trust(*named, kAlice, {{"aws:username", "alice"}, {"sts:rolesessionname", "alice"}}), Trust::named);
  EXPECT_EQ(decide_trust(*named, kAlice, {{"aws:username", "alice"}, {"sts:rolesessionname", "bob"}}), Trust::none);
  EXPECT_EQ(decide_trust(*named, kAlice, {{"sts:rolesessionname", "alice"}}), Trust::none);
  const auto not_from_there =
      trust(to(alice) + "," + when(R"("*")", R"({"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}})", "Deny"));
  EXPECT_EQ(decide_trust(*not_from_there, kAlice, {{"aws:sourceip", "10.1.2.3"}}), Trust::named);
  EXPECT_EQ(decide_trust(*not_from_there, kAlice, {{"aws:sourceip", "192.0.2.1"}}), Trust::denied);
  EXPECT_EQ(decide_trust(*not_from_there, kAlice), Trust::denied) << "of an absent key a negated operator holds";
  // The Allow by name counts although the one before it holds on the account alone.
  const auto both = trust(when(account, R"({"Null":{"sts:ExternalId":"true"}})") + "," + to(alice));
  EXPECT_EQ(decide_trust(*both, kAlice), Trust::named);
}

TEST(Evaluate, TrustInAServiceMayBeForOneOfItsResources) {
  const auto one = trust(when(R"({"Service":"lambda.amazonaws.com"})",
                              R"({"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:123456789012:function:orders"},
                                  "StringEquals":{"aws:SourceAccount":"123456789012"}})"));
  const auto from = [](const std::string& function) {
    return RequestContext{{"aws:sourcearn", "arn:aws:lambda:eu-west-1:123456789012:function:" + function},
                          {"aws:sourceaccount", "123456789012"}};
  };
  EXPECT_EQ(decide_trust(*one, kLambda, from("orders")), Trust::named);
  EXPECT_EQ(decide_trust(*one, kLambda, from("other")), Trust::none);
  EXPECT_EQ(decide_trust(*one, kLambda), Trust::none);
}

constexpr const char* kOwn =
    R"({"Effect":"Allow","Action":"lambda:*","Resource":"arn:aws:lambda:*:*:function:${aws:username}-*"})";

TEST(Evaluate, ResourcesMayHaveVariables) {
  const auto of = [](const std::string& name) { return "arn:aws:lambda:eu-west-1:123456789012:function:" + name; };
  const Documents own{policy(kOwn)};
  const RequestContext ann{{"aws:username", "ann"}}, star{{"aws:username", "*"}};
  EXPECT_EQ(decide_one(own, "lambda:GetFunction", of("ann-1"), ann), Decision::allow);
  EXPECT_EQ(decide_one(own, "lambda:GetFunction", of("bob-1"), ann), Decision::implicit_deny);
  EXPECT_EQ(decide_one(own, "lambda:GetFunction", of("bob-1"), star), Decision::implicit_deny);
  EXPECT_EQ(decide_one(own, "lambda:GetFunction", of("-1")), Decision::implicit_deny) << "no user, no name";
  const Documents others_denied{policy(std::string(R"({"Effect":"Allow","Action":"*","Resource":"*"},)") +
                                       R"({"Effect":"Deny","Action":"*","NotResource":)" +
                                       R"("arn:aws:lambda:*:*:function:${aws:username}"})")};
  EXPECT_EQ(decide_one(others_denied, "a:b", of("ann"), ann), Decision::allow);
  EXPECT_EQ(decide_one(others_denied, "a:b", of("bob"), ann), Decision::explicit_deny);
  EXPECT_EQ(decide_one(others_denied, "a:b", of("ann")), Decision::explicit_deny) << "it matches no resource";
  const Documents stars{policy(R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${*}"})")};
  EXPECT_EQ(decide_one(stars, "a:b", "arn:aws:s3:::b/*"), Decision::allow);
  EXPECT_EQ(decide_one(stars, "a:b", "arn:aws:s3:::b/x"), Decision::implicit_deny);
}

TEST(Evaluate, VariablesOfOlderDocumentsAreText) {
  const Documents old{std::make_shared<const PolicyDocument>(
      parse_policy(std::string(R"({"Version":"2008-10-17","Statement":)") + kOwn + "}", PolicyUse::managed))};
  const RequestContext ann{{"aws:username", "ann"}};
  EXPECT_EQ(decide_one(old, "lambda:Invoke", "arn:aws:lambda:eu-west-1:1:function:ann-1", ann),
            Decision::implicit_deny);
  EXPECT_EQ(decide_one(old, "lambda:Invoke", "arn:aws:lambda:eu-west-1:1:function:${aws:username}-1", ann),
            Decision::allow);
}

TEST(Evaluate, ResourcePoliciesHaveVariablesToo) {
  const PolicyDocument shared = parse_policy(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction",
          "Resource":"arn:aws:lambda:eu-west-1:123456789012:function:${aws:PrincipalTag/team}",
          "Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}}})",
      PolicyUse::resource);
  const auto asked = [&](const RequestContext& known) {
    return decide_resource(shared, kAlice,
                           {.action = "lambda:InvokeFunction",
                            .resource = kFunction,
                            .context = [&known]() -> const RequestContext& { return known; }});
  };
  RequestContext known{{"aws:principaltag/team", "orders"},
                       {"aws:principalaccount", "123456789012"},
                       {"aws:resourceaccount", "123456789012"}};
  EXPECT_EQ(asked(known), Trust::named);
  known.insert_or_assign("aws:resourceaccount", "210987654321");
  EXPECT_EQ(asked(known), Trust::none);
  known.erase("aws:resourceaccount");
  EXPECT_EQ(asked(known), Trust::none);
}

// Trial 34: whoever may write a policy must not be able to stop the server with it.
TEST(Evaluate, TheWorstPolicyIsDecidedInBoundedTime) {
  std::string resources = R"("arn:aws:s3:::b")", values = R"("x")";
  while (resources.size() < kManagedPolicySize) resources += R"(,"arn:aws:s3:::${a:b}*${a:b}?*${a:b}b")";
  while (values.size() < kManagedPolicySize) values += R"(,"*${a:b}*?${a:b}c")";
  const auto by_resource = policy(R"({"Effect":"Allow","Action":"*","Resource":[)" + resources + "]}");
  const auto by_value =
      policy(R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"a:many":[)" +
             values + "]}}}");
  std::vector<std::string> many(50, std::string(128, 'a'));
  many.front() = std::string(2047, 'a') + "b";
  const RequestContext known{{"a:b", std::string(640, 'a')}, {"a:many", many}};
  Documents documents(10, by_resource);
  documents.resize(20, by_value);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(decide_one(documents, "a:b", "arn:aws:s3:::" + std::string(2035, 'a'), known), Decision::implicit_deny);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("twenty policies of 6144 characters: {:.3f} s\n", took.count());
  EXPECT_LT(took.count(), 5.0);
}

}  // namespace
}  // namespace lambent::auth
