#include "auth/authorizer.h"

#include <gtest/gtest.h>

#include "auth/identities_fixture.h"
#include "auth/refusal_matcher.h"

namespace lambent::auth {
namespace {

constexpr const char* kFunction = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
constexpr const char* kRoleArn = "arn:aws:iam::123456789012:role/r";
constexpr const char* kAllowAll =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})";
constexpr const char* kDenyAssume =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}})";

std::string trusting(const std::string& principal) {
  return R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":)" + principal + "}}";
}

class AuthorizerTest : public IdentitiesFixture {
 protected:
  Authorizer authorizer_{*identities_, clock_,
                         [](std::string_view arn) { return arn == kFunction ? Tags{{"Team", "blue"}} : Tags{}; }};

  aws::Caller as_user(const std::string& name, const std::string& account = kAccount) const {
    const auto user = identities_->user(account, name);
    aws::Caller caller;
    caller.kind = aws::Principal::user;
    caller.account = account;
    caller.arn = caller.identity_arn = user->arn();
    caller.user_id = user->id;
    return caller;
  }
  static aws::Caller as_root() {
    aws::Caller caller;
    caller.kind = aws::Principal::root;
    caller.account = kAccount;
    caller.arn = caller.identity_arn = "arn:aws:iam::123456789012:root";
    caller.user_id = kAccount;
    return caller;
  }
  static aws::Caller as_session(const store::Role& role) {
    aws::Caller caller;
    caller.kind = aws::Principal::assumed_role;
    caller.account = role.account;
    caller.arn = "arn:aws:sts::" + role.account + ":assumed-role/" + role.name + "/s";
    caller.identity_arn = role.arn();
    caller.user_id = role.id + ":s";
    return caller;
  }
  std::string outcome(const aws::Caller& caller, std::string_view action = "lambda:GetFunction",
                      std::string_view resource = kFunction) const {
    const std::string said = refusal([&] { authorizer_.require(caller, action, resource); });
    EXPECT_EQ(authorizer_.allowed(caller, action, resource), said == "accepted");
    return said;
  }
  void attach(const std::string& user, const std::string& arn) {
    const auto change = [&](store::User& edited) {
      edited.attached_policies.push_back(arn);
      return store::Change::done;
    };
    ASSERT_EQ(run(identities_->edit_user(kAccount, user, change)), store::Change::done);
  }
};

TEST_F(AuthorizerTest, RootMayDoAll) { EXPECT_EQ(outcome(as_root()), "accepted"); }

TEST_F(AuthorizerTest, AUserWithoutAPolicyMayDoNothing) {
  add_user("alice");
  EXPECT_EQ(outcome(as_user("alice")),
            "AccessDeniedException 403: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: "
            "lambda:GetFunction on resource: arn:aws:lambda:eu-west-1:123456789012:function:orders because no "
            "identity-based policy allows the lambda:GetFunction action");
}

TEST_F(AuthorizerTest, QueryServicesSayAccessDenied) {
  add_user("alice");
  EXPECT_EQ(
      outcome(as_user("alice"), "iam:ListUsers", "*"),
      "AccessDenied 403: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:ListUsers on "
      "resource: * because no identity-based policy allows the iam:ListUsers action");
}

TEST_F(AuthorizerTest, AnExplicitDenyIsSaidSo) {
  add_user("alice", R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
                        {"Effect":"Deny","Action":"lambda:GetFunction","Resource":"*"}]})");
  EXPECT_EQ(
      outcome(as_user("alice")),
      "AccessDeniedException 403: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: "
      "lambda:GetFunction on resource: arn:aws:lambda:eu-west-1:123456789012:function:orders with an explicit deny in "
      "an identity-based policy");
  EXPECT_EQ(outcome(as_user("alice"), "lambda:ListFunctions", "*"), "accepted");
}

TEST_F(AuthorizerTest, ManagedPoliciesCount) {
  add_user("alice");
  attach("alice", "arn:aws:iam::aws:policy/AWSLambda_FullAccess");
  EXPECT_EQ(outcome(as_user("alice")), "accepted");
  // Its permission to pass roles is for Lambda alone.
  EXPECT_NE(outcome(as_user("alice"), "iam:PassRole", "*"), "accepted");
  const auto pass = [&](std::string_view service) {
    return refusal([&] { authorizer_.require_pass_role(as_user("alice"), kRoleArn, service); });
  };
  EXPECT_EQ(pass("lambda"), "accepted");
  EXPECT_EQ(pass("ec2"),
            "AccessDeniedException 403: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: "
            "iam:PassRole on resource: arn:aws:iam::123456789012:role/r because no identity-based policy allows the "
            "iam:PassRole action");
}

TEST_F(AuthorizerTest, ConditionsSeeTheCallerTheRequestAndTheResource) {
  const auto when = [](const std::string& condition) {
    return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":)" +
           condition + "}}";
  };
  const auto said = [&](const aws::Caller& caller, const std::string& condition, aws::ConditionKeys keys = {}) {
    const auto change = [&](auto& edited) {
      edited.inline_policies["p"] = when(condition);
      return store::Change::done;
    };
    if (caller.kind == aws::Principal::user)
      EXPECT_EQ(run(identities_->edit_user(kAccount, "alice", change)), store::Change::done);
    else
      EXPECT_EQ(run(identities_->edit_role(kAccount, "worker", change)), store::Change::done);
    return authorizer_.allowed(caller, {.action = "lambda:GetFunction", .resource = kFunction, .context = keys});
  };
  add_user("alice");
  auto alice = as_user("alice");
  alice.region = "eu-west-1";
  alice.source_ip = "203.0.113.7";
  alice.user_agent = "aws-cli/2";
  alice.referer = "https://example.com/";
  alice.over_tls = true;
  for (const char* true_of_alice :
       {R"({"StringEquals":{"aws:username":"alice","aws:PrincipalType":"User","aws:RequestedRegion":"eu-west-1"}})",
        R"({"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/alice"}})",
        R"({"StringEquals":{"aws:PrincipalAccount":"123456789012","aws:ResourceAccount":"123456789012"}})",
        R"({"StringLike":{"aws:userid":"AIDA*","aws:UserAgent":"aws-cli/*"}})",
        R"({"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"Bool":{"aws:SecureTransport":"true"}})",
        R"({"DateGreaterThan":{"aws:CurrentTime":"2026-01-31T11:59:59Z"}})",
        R"({"DateEquals":{"aws:CurrentTime":"2026-01-31T12:00:00Z"},"NumericEquals":{"aws:EpochTime":"1769860800"}})",
        R"({"StringEquals":{"aws:ResourceTag/Team":"blue"},"StringLike":{"aws:Referer":"https://example.com/*"}})"}) {
    EXPECT_TRUE(said(alice, true_of_alice)) << true_of_alice;
  }
  for (const char* false_of_alice :
       {R"({"StringEquals":{"aws:username":"bob"}})", R"({"StringEquals":{"aws:PrincipalOrgID":"o-1"}})",
        R"({"Bool":{"aws:MultiFactorAuthPresent":"true"}})", R"({"Null":{"aws:username":"true"}})",
        R"({"StringEquals":{"aws:RequestTag/team":"blue"}})"}) {
    EXPECT_FALSE(said(alice, false_of_alice)) << false_of_alice;
  }
  EXPECT_TRUE(said(alice, R"({"StringEquals":{"aws:RequestTag/team":"blue"}})", {{"aws:requesttag/team", "blue"}}));
  const auto role = add_role("worker", trusting(R"("*")"));
  EXPECT_TRUE(said(as_session(*role), R"({"Null":{"aws:username":"true","aws:SourceIp":"true"}})"));
  EXPECT_TRUE(said(as_session(*role), R"({"StringEquals":{"aws:PrincipalType":"AssumedRole"}})"));
  auto inside = as_session(*role);
  inside.source_function = kFunction;
  inside.token_issued_ms = 1'769'860'800'000;
  const char* const revoked = R"({"DateLessThan":{"aws:TokenIssueTime":"2026-01-31T12:00:00Z"}})";
  EXPECT_TRUE(said(as_session(*role), revoked)) << "a token that does not say when it was issued is an old one";
  EXPECT_FALSE(said(inside, revoked));
  EXPECT_TRUE(said(inside, R"({"Bool":{"aws:MultiFactorAuthPresent":"false"}})"));
  const std::string from = std::string(R"({"ArnEquals":{"lambda:SourceFunctionArn":")") + kFunction + "\"}}";
  EXPECT_TRUE(said(inside, from));
  EXPECT_FALSE(said(as_session(*role), from));
  EXPECT_TRUE(said(as_session(*role), R"({"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/svc/worker"}})"));
}

TEST_F(AuthorizerTest, AnAttachedPolicyThatIsGoneDeniesAll) {
  add_user("alice", kAllowAll);
  ASSERT_EQ(outcome(as_user("alice")), "accepted");
  attach("alice", "arn:aws:iam::123456789012:policy/gone");
  EXPECT_NE(outcome(as_user("alice")), "accepted");
}

TEST_F(AuthorizerTest, ARolesSessionHasTheRolesPolicies) {
  const auto role = add_role("worker", trusting(R"("*")"), kAllowAll);
  const auto idle = add_role("idle", trusting(R"("*")"));
  EXPECT_EQ(outcome(as_session(*role)), "accepted");
  EXPECT_EQ(outcome(as_session(*idle)).substr(0, 91),
            "AccessDeniedException 403: User: arn:aws:sts::123456789012:assumed-role/idle/s is not autho");
}

TEST_F(AuthorizerTest, AChangeOfPolicyIsSeenAtOnceAndANamesakeInheritsNothing) {
  add_user("alice", kAllowAll);
  const aws::Caller before = as_user("alice");
  ASSERT_EQ(outcome(before), "accepted");
  const auto strip = [](store::User& user) {
    user.inline_policies.clear();
    return store::Change::done;
  };
  ASSERT_EQ(run(identities_->edit_user(kAccount, "alice", strip)), store::Change::done);
  EXPECT_NE(outcome(before), "accepted");
  ASSERT_EQ(run(identities_->delete_user(kAccount, "alice")), store::Change::done);
  EXPECT_NE(outcome(before), "accepted");
  add_user("alice", kAllowAll);
  EXPECT_NE(outcome(before), "accepted");
  EXPECT_EQ(outcome(as_user("alice")), "accepted");
}

TEST_F(AuthorizerTest, ATrustPolicyThatNamesTheCallerIsEnoughInTheAccount) {
  add_user("alice");
  add_user("bob");
  const auto role = add_role("r", trusting(R"({"AWS":"arn:aws:iam::123456789012:user/alice"})"));
  EXPECT_TRUE(authorizer_.may_assume(as_user("alice"), *role));
  EXPECT_FALSE(authorizer_.may_assume(as_user("bob"), *role));
}

TEST_F(AuthorizerTest, TrustInTheAccountNeedsTheCallersOwnPolicyToo) {
  add_user("alice");
  add_user(
      "bob",
      R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::123456789012:role/svc/r"}})");
  add_user(
      "carol",
      R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::123456789012:role/svc/x"}})");
  for (const char* account : {R"({"AWS":"123456789012"})", R"({"AWS":"arn:aws:iam::123456789012:root"})"}) {
    const auto role = add_role("r", trusting(account));
    EXPECT_FALSE(authorizer_.may_assume(as_user("alice"), *role));
    EXPECT_TRUE(authorizer_.may_assume(as_user("bob"), *role));
    EXPECT_FALSE(authorizer_.may_assume(as_user("carol"), *role));
    ASSERT_EQ(run(identities_->delete_role(kAccount, "r")), store::Change::done);
  }
}

TEST_F(AuthorizerTest, AnOwnDenyForbidsToAssumeWhateverTheRoleTrusts) {
  add_user("alice", kDenyAssume);
  const auto role = add_role("r", trusting(R"({"AWS":"arn:aws:iam::123456789012:user/alice"})"));
  EXPECT_FALSE(authorizer_.may_assume(as_user("alice"), *role));
}

TEST_F(AuthorizerTest, AcrossAccountsBothSidesMustAllow) {
  add_user("alice", "", "210987654321");
  add_user("bob", kAllowAll, "210987654321");
  const auto role = add_role(
      "r", trusting(R"({"AWS":["arn:aws:iam::210987654321:user/alice","arn:aws:iam::210987654321:user/bob"]})"));
  EXPECT_FALSE(authorizer_.may_assume(as_user("alice", "210987654321"), *role));
  EXPECT_TRUE(authorizer_.may_assume(as_user("bob", "210987654321"), *role));
}

TEST_F(AuthorizerTest, SessionsAssumeByRoleOrBySession) {
  const auto worker = add_role("worker", trusting(R"("*")"));
  const auto by_role = add_role("a", trusting(R"({"AWS":")" + worker->arn() + "\"}"));
  const auto by_session = add_role("b", trusting(R"({"AWS":"arn:aws:sts::123456789012:assumed-role/worker/s"})"));
  const auto other = add_role("c", trusting(R"({"AWS":"arn:aws:sts::123456789012:assumed-role/worker/t"})"));
  EXPECT_TRUE(authorizer_.may_assume(as_session(*worker), *by_role));
  EXPECT_TRUE(authorizer_.may_assume(as_session(*worker), *by_session));
  EXPECT_FALSE(authorizer_.may_assume(as_session(*worker), *other));
}

TEST_F(AuthorizerTest, RefusalsToAssumeAreInStsWords) {
  add_user("alice");
  const auto role = add_role("r", trusting(R"("*")"));
  const auto closed = add_role("closed", trusting(R"({"Service":"lambda.amazonaws.com"})"));
  const auto said = [&](const aws::Caller& caller, const store::Role& wanted) {
    return refusal([&] { authorizer_.require_assume(caller, wanted); });
  };
  EXPECT_EQ(said(as_user("alice"), *role), "accepted");
  EXPECT_EQ(
      said(as_user("alice"), *closed),
      "AccessDenied 403: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sts:AssumeRole on "
      "resource: arn:aws:iam::123456789012:role/svc/closed");
  EXPECT_EQ(said(as_root(), *role), "AccessDenied 403: Roles may not be assumed by root accounts.");
}

TEST_F(AuthorizerTest, ServicesAssumeWhatTrustsThem) {
  const auto role = add_role("r", trusting(R"({"Service":"lambda.amazonaws.com"})"));
  const auto may = [&](const char* service, const store::Role& wanted) {
    return authorizer_.service_may_assume(service, wanted, kFunction);
  };
  EXPECT_TRUE(may("lambda.amazonaws.com", *role));
  EXPECT_FALSE(may("events.amazonaws.com", *role));
  EXPECT_FALSE(may("lambda.amazonaws.com", *add_role("u", trusting(R"({"AWS":"*"})"))));
  EXPECT_FALSE(may("lambda.amazonaws.com", *add_role("junk", "{")));
}

std::string trusting_when(const std::string& principal, const std::string& condition) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":)" + principal +
         R"(,"Condition":)" + condition + "}}";
}

TEST_F(AuthorizerTest, AServiceAssumesForTheSakeOfOneResource) {
  const auto may = [&](const std::string& condition) {
    const auto role = add_role(base::random_hex(6), trusting_when(R"({"Service":"lambda.amazonaws.com"})", condition));
    return authorizer_.service_may_assume("lambda.amazonaws.com", *role, kFunction);
  };
  for (const char* holds :
       {R"({"StringEquals":{"aws:SourceAccount":"123456789012"}})",
        R"({"ArnEquals":{"aws:SourceArn":"arn:aws:lambda:eu-west-1:123456789012:function:orders"}})",
        R"({"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:123456789012:function:ord*"}})",
        R"({"Bool":{"aws:PrincipalIsAWSService":"true"}})",
        R"({"StringEquals":{"aws:PrincipalServiceName":"lambda.amazonaws.com","aws:ResourceAccount":"123456789012"}})",
        R"({"DateGreaterThan":{"aws:CurrentTime":"2026-01-31T11:59:59Z"}})",
        R"({"Null":{"aws:SourceIp":"true","aws:PrincipalArn":"true","sts:ExternalId":"true"}})"})
    EXPECT_TRUE(may(holds)) << holds;
  for (const char* fails :
       {R"({"StringEquals":{"aws:SourceAccount":"210987654321"}})",
        R"({"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:123456789012:function:other"}})",
        R"({"DateLessThan":{"aws:CurrentTime":"2026-01-31T12:00:00Z"}})", R"({"StringEquals":{"sts:ExternalId":"x"}})"})
    EXPECT_FALSE(may(fails)) << fails;
}

TEST_F(AuthorizerTest, WhoAssumesARoleMustMeetItsConditions) {
  add_user("alice");
  auto alice = as_user("alice");
  alice.source_ip = "203.0.113.7";
  alice.user_agent = "aws-cli/2";
  alice.over_tls = true;
  const RequestContext asked{{"sts:rolesessionname", "alice"}, {"sts:externalid", "12345"}};
  const auto may = [&](const std::string& condition) {
    const auto role =
        add_role(base::random_hex(6), trusting_when(R"({"AWS":"arn:aws:iam::123456789012:user/alice"})", condition));
    return authorizer_.may_assume(alice, *role, asked);
  };
  for (
      const char* holds :
      {R"({"StringEquals":{"sts:ExternalId":"12345","sts:RoleSessionName":"${aws:username}"}})",
       R"({"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"Bool":{"aws:SecureTransport":"true"}})",
       R"({"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/alice"}})",
       R"({"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"},"StringLike":{"aws:UserAgent":"aws-cli/*"}})",
       R"({"DateLessThan":{"aws:CurrentTime":"2026-02-01"}})", R"({"Null":{"aws:SourceArn":"true"}})"})
    EXPECT_TRUE(may(holds)) << holds;
  for (const char* fails :
       {R"({"StringEquals":{"sts:ExternalId":"123456"}})", R"({"StringNotEquals":{"sts:ExternalId":"12345"}})",
        R"({"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}})",
        R"({"StringEquals":{"aws:SourceAccount":"123456789012"}})", R"({"Bool":{"aws:MultiFactorAuthPresent":"true"}})",
        R"({"DateLessThan":{"aws:CurrentTime":"2026-01-31"}})"})
    EXPECT_FALSE(may(fails)) << fails;
}

TEST_F(AuthorizerTest, ACallersOwnPolicySeesWhatIsAskedOfTheRole) {
  add_user("alice", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":
      "arn:aws:iam::*:role/svc/${aws:username}","Condition":{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}}})");
  const auto own = add_role("alice", trusting(R"({"AWS":"123456789012"})"));
  const auto other = add_role("bob", trusting(R"({"AWS":"123456789012"})"));
  EXPECT_TRUE(authorizer_.may_assume(as_user("alice"), *own, {{"sts:rolesessionname", "alice"}}));
  EXPECT_FALSE(authorizer_.may_assume(as_user("alice"), *own, {{"sts:rolesessionname", "bob"}}));
  EXPECT_FALSE(authorizer_.may_assume(as_user("alice"), *other, {{"sts:rolesessionname", "alice"}}));
}

TEST_F(AuthorizerTest, AMalformedTrustPolicyTrustsNobody) {
  add_user("alice", kAllowAll);
  EXPECT_FALSE(authorizer_.may_assume(as_user("alice"), *add_role("r", "{")));
}

}  // namespace
}  // namespace lambent::auth
