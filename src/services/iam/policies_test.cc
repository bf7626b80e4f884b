#include "services/iam/iam_fixture.h"

namespace lambent::iam {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kBasic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

TEST_F(IamTest, AManagedPolicyIsCreatedAndFoundWithItsVersion) {
  const auto made =
      must("CreatePolicy",
           {{"PolicyName", "P"}, {"Path", "/team/"}, {"PolicyDocument", kPolicy}, {"Description", "what it is for"}});
  const std::string arn = "arn:aws:iam::123456789012:policy/team/P";
  EXPECT_EQ(made.text("Policy/Arn"), arn);
  EXPECT_THAT(made.text("Policy/PolicyId"), StartsWith("ANPA"));
  EXPECT_EQ(made.text("Policy/PolicyId").size(), 21u);
  EXPECT_EQ(made.text("Policy/DefaultVersionId"), "v1");
  EXPECT_EQ(made.text("Policy/AttachmentCount"), "0");
  EXPECT_EQ(made.text("Policy/IsAttachable"), "true");
  make_role("r");
  make_user("u");
  must("AttachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", arn}});
  must("AttachUserPolicy", {{"UserName", "u"}, {"PolicyArn", arn}});
  const auto found = must("GetPolicy", {{"PolicyArn", arn}});
  EXPECT_EQ(found.text("Policy/AttachmentCount"), "2");
  EXPECT_EQ(found.text("Policy/Description"), "what it is for");
  const auto version = must("GetPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v1"}});
  EXPECT_EQ(version.text("PolicyVersion/Document"), base::percent_encode(kPolicy));
  EXPECT_EQ(version.text("PolicyVersion/IsDefaultVersion"), "true");
  EXPECT_REFUSED(call("GetPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v2"}}), 404, "NoSuchEntity",
                 "Policy " + arn + " version v2 does not exist or is not attachable.");
}

TEST_F(IamTest, PolicyNamesAreTakenWithoutCase) {
  must("CreatePolicy", {{"PolicyName", "P"}, {"PolicyDocument", kPolicy}});
  EXPECT_REFUSED(call("CreatePolicy", {{"PolicyName", "p"}, {"Path", "/x/"}, {"PolicyDocument", kPolicy}}), 409,
                 "EntityAlreadyExists", "A policy called p already exists. Duplicate names are not allowed.");
}

TEST_F(IamTest, AwsManagedPoliciesAnswerTheirRealDocuments) {
  const std::string full = "arn:aws:iam::aws:policy/AWSLambda_FullAccess";
  const auto version = must("GetPolicy", {{"PolicyArn", full}}).text("Policy/DefaultVersionId");
  const auto document =
      must("GetPolicyVersion", {{"PolicyArn", full}, {"VersionId", version}}).text("PolicyVersion/Document");
  const auto plain = base::percent_decode(document);
  ASSERT_TRUE(plain);
  const auto statements = boost::json::parse(*plain).at("Statement").as_array();
  ASSERT_EQ(statements.size(), 3u);
  EXPECT_EQ(statements[1].at("Condition").at("StringEquals").at("iam:PassedToService"), "lambda.amazonaws.com");
}

TEST_F(IamTest, PolicyArnsThatAreNoneOrElsewhereAreRefused) {
  make_user("u");
  const std::string other = "arn:aws:iam::999999999999:policy/P";
  EXPECT_REFUSED(call("GetPolicy", {{"PolicyArn", other}}), 404, "NoSuchEntity", "Policy " + other + " was not found.");
  EXPECT_REFUSED(call("AttachUserPolicy", {{"UserName", "u"}, {"PolicyArn", other}}), 404, "NoSuchEntity",
                 "Policy " + other + " does not exist or is not attachable.");
  EXPECT_REFUSED(call("GetPolicy", {{"PolicyArn", "this is no arn at all"}}), 400, "ValidationError",
                 "ARN this is no arn at all is not valid.");
  for (const std::string bad : {"arn:aws:s3:::a-bucket-of-mine", "arn:aws:iam::aws:role/not-a-policy"})
    EXPECT_REFUSED(call("GetPolicy", {{"PolicyArn", bad}}), 400, "InvalidInput", "ARN " + bad + " is not valid.");
}

TEST_F(IamTest, AttachedPoliciesAreListedAndDetached) {
  make_role("r");
  const auto attach = [&](const std::string& arn) {
    must("AttachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", arn}});
  };
  attach(kBasic);
  attach(kBasic);
  attach("arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess");
  EXPECT_THAT(must("ListAttachedRolePolicies", {{"RoleName", "r"}}).each("AttachedPolicies", "PolicyName"),
              ElementsAre("AWSLambda_ReadOnlyAccess", "AWSLambdaBasicExecutionRole"));
  EXPECT_THAT(must("ListAttachedRolePolicies", {{"RoleName", "r"}, {"PathPrefix", "/service-role/"}})
                  .each("AttachedPolicies", "PolicyArn"),
              ElementsAre(kBasic));
  const auto first = must("ListAttachedRolePolicies", {{"RoleName", "r"}, {"MaxItems", "1"}});
  EXPECT_THAT(must("ListAttachedRolePolicies", {{"RoleName", "r"}, {"Marker", first.text("Marker")}})
                  .each("AttachedPolicies", "PolicyArn"),
              ElementsAre(kBasic));
  must("DetachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", kBasic}});
  EXPECT_THAT(must("ListAttachedRolePolicies", {{"RoleName", "r"}}).each("AttachedPolicies", "PolicyName"), SizeIs(1));
  EXPECT_REFUSED(call("DetachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", kBasic}}), 404, "NoSuchEntity",
                 std::string("Policy ") + kBasic + " was not found.");
}

TEST_F(IamTest, UsersHaveAttachmentsToo) {
  make_user("u");
  must("AttachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kBasic}});
  EXPECT_THAT(must("ListAttachedUserPolicies", {{"UserName", "u"}}).each("AttachedPolicies", "PolicyName"),
              ElementsAre("AWSLambdaBasicExecutionRole"));
  must("DetachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kBasic}});
  EXPECT_EQ(call("DetachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kBasic}}).code, "NoSuchEntity");
}

TEST_F(IamTest, AnEleventhAttachmentIsRefused) {
  make_role("r");
  make_user("u");
  for (int i = 0; i < 11; ++i) {
    const auto arn =
        must("CreatePolicy", {{"PolicyName", "p" + std::to_string(i)}, {"PolicyDocument", kPolicy}}).text("Policy/Arn");
    const auto to_role = call("AttachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", arn}});
    const auto to_user = call("AttachUserPolicy", {{"UserName", "u"}, {"PolicyArn", arn}});
    if (i < 10) {
      EXPECT_EQ(to_role.status, 200);
      EXPECT_EQ(to_user.status, 200);
    } else {
      EXPECT_REFUSED(to_role, 409, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10");
      EXPECT_REFUSED(to_user, 409, "LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10");
    }
  }
}

TEST_F(IamTest, InlinePoliciesOfUsersAndRoles) {
  make_user("Alice");
  make_role("Exec");
  for (const auto& [kind, who] : {std::pair<std::string, std::string>{"User", "Alice"}, {"Role", "Exec"}}) {
    const std::string owner = kind + "Name";
    for (const char* name : {"b", "a"})
      must("Put" + kind + "Policy", {{owner, base::lower(who)}, {"PolicyName", name}, {"PolicyDocument", kPolicy}});
    EXPECT_THAT(must("List" + kind + "Policies", {{owner, who}}).each("PolicyNames", ""), ElementsAre("a", "b"));
    const auto first = must("List" + kind + "Policies", {{owner, who}, {"MaxItems", "1"}});
    EXPECT_THAT(
        must("List" + kind + "Policies", {{owner, who}, {"Marker", first.text("Marker")}}).each("PolicyNames", ""),
        ElementsAre("b"));
    const auto found = must("Get" + kind + "Policy", {{owner, base::lower(who)}, {"PolicyName", "a"}});
    EXPECT_EQ(found.text(owner), who);
    EXPECT_EQ(found.text("PolicyDocument"), base::percent_encode(kPolicy));
    must("Delete" + kind + "Policy", {{owner, who}, {"PolicyName", "a"}});
    const auto message = "The " + base::lower(kind) + " policy with name a cannot be found.";
    EXPECT_REFUSED(call("Get" + kind + "Policy", {{owner, who}, {"PolicyName", "a"}}), 404, "NoSuchEntity", message);
    EXPECT_REFUSED(call("Delete" + kind + "Policy", {{owner, who}, {"PolicyName", "a"}}), 404, "NoSuchEntity", message);
  }
}

TEST_F(IamTest, PoliciesThatCannotBeReadOrEvaluatedAreNotStored) {
  make_user("u");
  make_role("r");
  const char* condition =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*","Condition":{"StringMatches":{"aws:SecureTransport":"true"}}}]})";
  for (const char* bad : {"{", "{}", "not json", condition, kTrust}) {
    const std::pair<const char*, Parameters> calls[] = {
        {"CreatePolicy", {{"PolicyName", "p"}, {"PolicyDocument", bad}}},
        {"PutUserPolicy", {{"UserName", "u"}, {"PolicyName", "p"}, {"PolicyDocument", bad}}},
        {"PutRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}, {"PolicyDocument", bad}}},
    };
    for (const auto& [operation, parameters] : calls) {
      const auto answer = call(operation, parameters);
      EXPECT_EQ(answer.status, 400) << operation << bad;
      EXPECT_EQ(answer.code, "MalformedPolicyDocument") << operation << bad;
    }
  }
  EXPECT_THAT(must("ListUserPolicies", {{"UserName", "u"}}).each("PolicyNames", ""), SizeIs(0));
  EXPECT_THAT(must("ListRolePolicies", {{"RoleName", "r"}}).each("PolicyNames", ""), SizeIs(0));
  EXPECT_FALSE(identities_->policy("arn:aws:iam::123456789012:policy/p"));
}

TEST_F(IamTest, TheQuotaOfInlinePoliciesIsOnTheirSum) {
  make_user("u");
  const auto padded = [&](std::size_t sid) {
    return R"({"Version":"2012-10-17","Statement":[{"Sid":")" + std::string(sid, 's') +
           R"(","Effect":"Allow","Action":"lambda:*","Resource":"*"}]})";
  };
  const auto put = [&](const std::string& name, std::size_t sid) {
    return call("PutUserPolicy", {{"UserName", "u"}, {"PolicyName", name}, {"PolicyDocument", padded(sid)}});
  };
  EXPECT_EQ(put("a", 1000).status, 200);
  EXPECT_REFUSED(put("b", 1000), 409, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user u");
  EXPECT_EQ(put("a", 1100).status, 200) << "the same name replaces";
  EXPECT_THAT(must("ListUserPolicies", {{"UserName", "u"}}).each("PolicyNames", ""), ElementsAre("a"));
}

TEST_F(IamTest, PolicyOperationsAreAuthorizedOnThePolicysArn) {
  EXPECT_EQ(resource("GetPolicy", {{"PolicyArn", kBasic}}), kBasic);
  EXPECT_EQ(resource("CreatePolicy", {{"PolicyName", "n"}, {"Path", "/b/"}, {"PolicyDocument", kPolicy}}),
            "arn:aws:iam::123456789012:policy/b/n");
  make_user("u", "/deep/");
  EXPECT_EQ(resource("AttachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kBasic}}),
            "arn:aws:iam::123456789012:user/deep/u");
}

}  // namespace
}  // namespace lambent::iam
