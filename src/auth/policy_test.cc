#include "auth/policy.h"

#include <gmock/gmock.h>

#include "auth/refusal_matcher.h"
#include "store/managed_policies.h"

namespace lambent::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

std::string identity(const std::string& document) {
  return refusal([&] { check_policy(document, PolicyUse::managed); });
}
std::string trust(const std::string& document) {
  return refusal([&] { check_policy(document, PolicyUse::trust); });
}
std::string document_of(const std::string& statement) {
  return R"({"Version":"2012-10-17","Statement":[)" + statement + "]}";
}
std::string identity_statement(const std::string& elements) { return identity(document_of("{" + elements + "}")); }
std::string trust_statement(const std::string& elements) { return trust(document_of("{" + elements + "}")); }

TEST(Policy, AcceptsTheFormsOfTheGrammar) {
  const std::string allow = R"("Effect":"Allow","Action":"lambda:*","Resource":"*")";
  for (const std::string& good :
       {document_of("{" + allow + "}"), R"({"Statement":{)" + allow + "}}",
        R"({"Version":"2008-10-17","Id":"x","Statement":[{)" + allow + "}]}",
        document_of(
            R"({"Sid":"","Effect":"Deny","NotAction":["iam:Get*","s3:?et"],"NotResource":["arn:aws:s3:::b/*","*"]})"),
        document_of(R"({"Effect":"Allow","Action":"*","Resource":"arn:*:lambda:*:*:function:x","Condition":{}})"),
        document_of(R"({"Effect":"Allow","Action":"*:*","Resource":"arn:aws:lambda:*"})"),
        std::string(
            R"({"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${x}"}})")})
    EXPECT_EQ(identity(good), "accepted") << good;
}

TEST(Policy, RefusesWhatIsNoJson) {
  for (const char* bad : {"", "{", "x", "{} {}", "{\"Statement\":[}", "\xff", "{'a':1}"})
    EXPECT_EQ(identity(bad), "MalformedPolicyDocument 400: This policy contains invalid Json") << bad;
}

TEST(Policy, BoundsDepthAndLength) {
  std::string deep = R"({"Statement":)";
  for (int i = 0; i < 10'000; ++i) deep += "[";
  EXPECT_EQ(identity(deep), "MalformedPolicyDocument 400: This policy contains invalid Json");
  EXPECT_THAT(identity(std::string(131'073, ' ')), StartsWith("MalformedPolicyDocument 400: Syntax errors in policy."));
}

TEST(Policy, RefusesSyntaxErrors) {
  for (const char* bad :
       {"[]", "1", "null", R"({"Version":"2012-10-17"})", R"({"Statement":[],"Extra":1})", R"({"Statement":[]})",
        R"({"Statement":"x"})", R"({"Statement":[1]})", R"({"Id":1,"Statement":{}})"})
    EXPECT_THAT(identity(bad), StartsWith("MalformedPolicyDocument 400: Syntax errors in policy.")) << bad;
  for (const char* bad :
       {R"("Action":"*","Resource":"*")", R"("Effect":"allow","Action":"*","Resource":"*")",
        R"("Effect":1,"Action":"*","Resource":"*")", R"("Effect":"Allow","Action":1,"Resource":"*")",
        R"("Effect":"Allow","Action":["a:b",1],"Resource":"*")", R"("Effect":"Allow","Action":"*","Resource":{})",
        R"("Effect":"Allow","Action":"*","Resource":"*","Actions":"*")",
        R"("Effect":"Allow","Action":"*","Resource":"*","Sid":1)",
        R"("Effect":"Allow","Action":"*","NotAction":"*","Resource":"*")",
        R"("Effect":"Allow","Action":"*","Resource":"*","NotResource":"*")",
        R"("Effect":"Allow","Action":"*","Resource":"*","Condition":[])"})
    EXPECT_THAT(identity_statement(bad), StartsWith("MalformedPolicyDocument 400: Syntax errors in policy.")) << bad;
}

TEST(Policy, RefusesOtherVersions) {
  for (const char* version : {"\"2012-10-18\"", "1", "\"\""})
    EXPECT_EQ(identity(R"({"Version":)" + std::string(version) +
                       R"(,"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})"),
              "MalformedPolicyDocument 400: Policy document must be version 2012-10-17 or greater.");
}

TEST(Policy, SaysWhatIsMissingOrWrongInIamsWords) {
  const std::string p = "MalformedPolicyDocument 400: ";
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Resource":"*")"), p + "Policy statement must contain actions.");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":[],"Resource":"*")"),
            p + "Policy statement must contain actions.");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*")"), p + "Policy statement must contain resources.");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":[])"),
            p + "Policy statement must contain resources.");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"GetFunction","Resource":"*")"),
            p + "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"a:b:c","Resource":"*")"),
            p + "Actions/Condition can contain only one colon.");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"a b:c","Resource":"*")"), p + "Vendor a b is not valid");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":":c","Resource":"*")"), p + "Vendor  is not valid");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":"bucket")"),
            p + "Resource bucket must be in ARN format or \"*\".");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":"arn:aws:s3:b")"),
            p + "Resource arn:aws:s3:b must be in ARN format or \"*\".");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":"arn:foo:s3:::b")"),
            p + "Partition \"foo\" is not valid for resource \"arn:foo:s3:::b\".");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":"arn:")"),
            p + "Partition \"\" is not valid for resource \"arn:\".");
  for (const char* vendor : {"arn:aws:*:::b", "arn:aws:", "arn:aws"})
    EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":")" + std::string(vendor) + "\""),
              p + "Resource vendor must be fully qualified and cannot contain regexes.");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":"*","Principal":"*")"),
            p + "Policy document should not specify a principal.");
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":"*","NotPrincipal":"*")"),
            p + "Policy document should not specify a principal.");
  const std::string twin = R"({"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"})";
  EXPECT_EQ(identity(document_of(twin + "," + twin)), p + "Statement IDs (SID) in a single policy must be unique.");
}

TEST(Policy, RefusesAnUnknownOperator) {
  const std::string unknown = R"(,"Condition":{"StringMatches":{"aws:username":"a"}})";
  const std::string said =
      "MalformedPolicyDocument 400: Syntax errors in policy. A condition has an operator that does not exist.";
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":"*")" + unknown), said);
  EXPECT_EQ(trust_statement(R"("Effect":"Allow","Action":"sts:AssumeRole","Principal":"*")" + unknown), said);
}

TEST(Policy, TakesConditionsInEveryKindWithAnyKey) {
  const std::string condition =
      R"(,"Condition":{"StringEquals":{"sts:ExternalId":"x","aws:SourceVpc":"vpc-1"},"Bool":{"anything":"true"}})";
  EXPECT_EQ(trust_statement(R"("Effect":"Allow","Action":"sts:AssumeRole","Principal":"*")" + condition), "accepted");
  EXPECT_EQ(identity_statement(R"("Effect":"Deny","Action":"*","Resource":"*")" + condition), "accepted");
}

TEST(Policy, TakesVariablesWhereAwsDoes) {
  const auto resource = [](const std::string& text) {
    return identity_statement(R"("Effect":"Allow","Action":"*","Resource":")" + text + "\"");
  };
  const auto when = [](const std::string& condition) {
    return identity_statement(R"("Effect":"Allow","Action":"*","Resource":"*","Condition":)" + condition);
  };
  for (const char* good :
       {"arn:aws:s3:::${aws:username}", "arn:aws:s3:::b/${aws:PrincipalTag/Cost Center, 'it''s none'}/${*}${?}${$}*"})
    EXPECT_EQ(resource(good), "accepted") << good;
  EXPECT_EQ(when(R"({"StringLike":{"a:b":"${aws:username}*"},"ArnNotLike":{"a:c":["*","arn:aws:s3:::${a:b}"]}})"),
            "accepted");
  const std::string p = "MalformedPolicyDocument 400: Syntax errors in policy. ";
  // "You can't use a variable to replace parts of the ARN before the fifth colon."
  for (const char* early :
       {"arn:aws:s3::${aws:PrincipalAccount}:b", "arn:aws:lambda:${aws:RequestedRegion}:1:function:f"})
    EXPECT_EQ(resource(early), p + "Resource " + early + " has a policy variable before its fifth colon.");
  for (const char* other :
       {R"({"NumericEquals":{"a:b":"${a:c}"}})", R"({"Bool":{"a:b":"${a:c}"}})", R"({"DateLessThan":{"a:b":"${a:c}"}})",
        R"({"IpAddress":{"a:b":"${a:c}"}})", R"({"BinaryEquals":{"a:b":"${a:c}"}})"})
    EXPECT_EQ(when(other), p + "Policy variables can only be used with String and ARN operators.") << other;
  EXPECT_EQ(resource("arn:aws:s3:::${aws:username"),
            p + "The policy variable ${aws:username is missing its closing brace.");
  EXPECT_EQ(when(R"({"StringEquals":{"a:b":"${}"}})"), p + "The policy variable ${} does not name a condition key.");
}

TEST(Policy, RefusesAMemberThatIsThereTwice) {
  const std::string said = "MalformedPolicyDocument 400: Syntax errors in policy. The element ";
  EXPECT_EQ(identity_statement(R"("Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*")"),
            said + "Effect is there more than once.");
  EXPECT_EQ(identity(R"({"Statement":[],"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})"),
            said + "Statement is there more than once.");
  const std::string twice = R"({"StringEquals":{"aws:username":"a"},"StringEquals":{"aws:userid":"b"}})";
  EXPECT_EQ(identity_statement(R"("Effect":"Allow","Action":"*","Resource":"*","Condition":)" + twice),
            said + "StringEquals is there more than once.");
  EXPECT_EQ(trust_statement(R"("Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*","AWS":"*"})"),
            said + "AWS is there more than once.");
  // What is stored already is read as it always was.
  EXPECT_EQ(refusal([] {
              parse_policy(R"({"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}})",
                           PolicyUse::managed);
            }),
            "accepted");
}

TEST(Policy, RefusesWhatIsNotEvaluated) {
  const auto refused = [](const std::string& what) {
    return "MalformedPolicyDocument 400: This server does not evaluate " + what +
           " in policies, so it does not store a policy that relies on it.";
  };
  EXPECT_EQ(
      trust_statement(
          R"("Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Federated":"cognito-identity.amazonaws.com"})"),
      refused("Federated principals"));
  EXPECT_EQ(trust_statement(R"("Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"123456789012"})"),
            refused("NotPrincipal"));
}

TEST(Policy, ReadsThePrincipalsOfTrustPolicies) {
  const PolicyDocument read =
      parse_policy(document_of(R"({"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Principal":{
        "Service":["lambda.amazonaws.com","edgelambda.amazonaws.com"],
        "AWS":["123456789012","arn:aws:iam::210987654321:root","arn:aws:iam::123456789012:user/a/b",
               "arn:aws:iam::123456789012:role/r","arn:aws:sts::123456789012:assumed-role/r/s"]}},
       {"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"*"}},
       {"Effect":"Deny","Action":"sts:AssumeRole","Principal":"*"})"),
                   PolicyUse::trust);
  ASSERT_EQ(read.statements.size(), 3u);
  const Principals& named = read.statements[0].principals;
  EXPECT_THAT(named.services, ElementsAre("lambda.amazonaws.com", "edgelambda.amazonaws.com"));
  EXPECT_THAT(named.accounts, ElementsAre("123456789012", "210987654321"));
  EXPECT_THAT(named.arns, ElementsAre("arn:aws:iam::123456789012:user/a/b", "arn:aws:iam::123456789012:role/r",
                                      "arn:aws:sts::123456789012:assumed-role/r/s"));
  EXPECT_FALSE(named.everyone);
  EXPECT_TRUE(read.statements[1].principals.everyone);
  EXPECT_TRUE(read.statements[2].principals.everyone);
}

TEST(Policy, RefusesMalformedTrustPolicies) {
  const std::string p = "MalformedPolicyDocument 400: ";
  const std::string allow = R"("Effect":"Allow","Action":"sts:AssumeRole")";
  EXPECT_EQ(trust_statement(allow), p + "Missing required field Principal");
  EXPECT_EQ(trust_statement(allow + R"(,"Principal":"*","Resource":"*")"), p + "Has prohibited field Resource");
  EXPECT_EQ(trust_statement(allow + R"(,"Principal":"*","NotResource":"*")"), p + "Has prohibited field NotResource");
  EXPECT_EQ(trust_statement(R"("Effect":"Allow","Action":"lambda:*","Principal":"*")"),
            p + "AssumeRole policy may only specify STS AssumeRole actions.");
  EXPECT_EQ(trust_statement(R"("Effect":"Allow","Principal":"*")"), p + "Policy statement must contain actions.");
  EXPECT_EQ(trust_statement(R"("Effect":"Allow","Action":"*","Principal":"*")"),
            p + "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  for (const char* bad :
       {"12345678901", "arn:aws:iam::123456789012:role/*", "arn:aws:iam::123456789012:group/g", "arn:aws:iam::x:role/r",
        "arn:aws:iam::123456789012:role/", "arn:aws:iam:eu-west-1:123456789012:role/r",
        "arn:aws:sts::123456789012:assumed-role/r", "arn:aws:s3:::b", "alice", ""})
    EXPECT_EQ(trust_statement(allow + R"(,"Principal":{"AWS":")" + bad + "\"}"),
              p + "Invalid principal in policy: \"AWS\":\"" + bad + "\"");
  for (const char* bad : {"lambda", "*", ".amazonaws.com", "Lambda.amazonaws.com", "x.example.com"})
    EXPECT_EQ(trust_statement(allow + R"(,"Principal":{"Service":")" + bad + "\"}"),
              p + "Invalid principal in policy: \"SERVICE\":\"" + bad + "\"");
  EXPECT_EQ(trust_statement(allow + R"(,"Principal":{"Foo":"x"})"), p + "Invalid principal in policy: \"Foo\":\"x\"");
  for (const char* bad : {"\"x\"", "[]", "{}", "1", R"({"AWS":[]})", R"({"AWS":[1]})", R"({"AWS":{}})"})
    EXPECT_THAT(trust_statement(allow + R"(,"Principal":)" + bad),
                StartsWith(p + "Syntax errors in policy. Principal must be"));
}

TEST(Policy, QuotasCountWhatIsNotWhiteSpace) {
  EXPECT_EQ(policy_size(" {\n\t\"a\" : 1 }\r"), 7u);
  EXPECT_EQ(policy_size("\xc3\xa9"), 1u);
  const auto of_size = [](std::size_t size) {
    const std::string head = R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Sid":")", tail = "\"}}";
    return head + std::string(size - head.size() - tail.size(), 'x') + tail;
  };
  EXPECT_EQ(identity(of_size(6144) + std::string(1000, ' ')), "accepted");
  EXPECT_EQ(identity(of_size(6145)), "LimitExceeded 409: Cannot exceed quota for PolicySize: 6144");
  const std::string trusted = R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Sid":")" +
                              std::string(2048, 'x') + "\"}}";
  EXPECT_EQ(trust(trusted), "LimitExceeded 409: Cannot exceed quota for ACLSizePerRole: 2048");
}

TEST(Policy, CompiledDocumentsAreSharedAndMalformedOnesAreNull) {
  const std::string document = document_of(R"({"Effect":"Allow","Action":"a:b","Resource":"*"})");
  const auto first = compiled_policy(document, PolicyUse::managed);
  ASSERT_TRUE(first);
  EXPECT_EQ(compiled_policy(std::string(document), PolicyUse::inline_user), first);
  EXPECT_FALSE(compiled_policy("{", PolicyUse::managed));
  // The same text is malformed as a trust policy.
  EXPECT_FALSE(compiled_policy(document, PolicyUse::trust));
}

TEST(Policy, ManagedPoliciesOfAwsCanBeRead) {
  ASSERT_FALSE(store::managed_policies().empty());
  for (const store::Policy& policy : store::managed_policies())
    EXPECT_EQ(refusal([&] { parse_policy(policy.document, PolicyUse::managed); }), "accepted") << policy.name;
}

}  // namespace
}  // namespace lambent::auth
