#include "services/iam/policy_versions.h"

#include "auth/authorizer.h"
#include "services/iam/iam_fixture.h"

namespace lambent::iam {
namespace {

using ::testing::ElementsAre;

constexpr const char* kArn = "arn:aws:iam::123456789012:policy/p";
constexpr const char* kDeny =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"lambda:*","Resource":"*"}]})";

class PolicyVersionsTest : public IamTest {
 protected:
  void SetUp() override { must("CreatePolicy", {{"PolicyName", "p"}, {"PolicyDocument", kPolicy}}); }
  void add(const std::string& document, bool as_default) {
    must("CreatePolicyVersion",
         {{"PolicyArn", kArn}, {"PolicyDocument", document}, {"SetAsDefault", as_default ? "true" : "false"}});
  }
  std::vector<std::string> versions() {
    return must("ListPolicyVersions", {{"PolicyArn", kArn}}).each("Versions", "VersionId");
  }
};

TEST_F(PolicyVersionsTest, TheDefaultVersionIsWhatCounts) {
  make_role("r");
  must("AttachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", kArn}});
  auto caller = as_session();
  caller.user_id = identities_->role("123456789012", "r")->id + ":s";
  const auth::Authorizer authorizer(*identities_, clock_);
  const std::string function = "arn:aws:lambda:us-east-1:123456789012:function:f";
  EXPECT_TRUE(authorizer.allowed(caller, "lambda:GetFunction", function));
  const Answer made = must("CreatePolicyVersion", {{"PolicyArn", kArn}, {"PolicyDocument", kDeny}});
  EXPECT_EQ(made.text("PolicyVersion/VersionId"), "v2");
  EXPECT_EQ(made.text("PolicyVersion/IsDefaultVersion"), "false");
  EXPECT_TRUE(authorizer.allowed(caller, "lambda:GetFunction", function));
  must("SetDefaultPolicyVersion", {{"PolicyArn", kArn}, {"VersionId", "v2"}});
  EXPECT_FALSE(authorizer.allowed(caller, "lambda:GetFunction", function));
  EXPECT_EQ(must("GetPolicy", {{"PolicyArn", kArn}}).text("Policy/DefaultVersionId"), "v2");
  EXPECT_EQ(must("GetPolicyVersion", {{"PolicyArn", kArn}, {"VersionId", "v1"}}).text("PolicyVersion/Document"),
            base::percent_encode(kPolicy));
}

TEST_F(PolicyVersionsTest, NumbersAreNotUsedAgainAndFiveAreTheMost) {
  add(kDeny, true);
  must("DeletePolicyVersion", {{"PolicyArn", kArn}, {"VersionId", "v1"}});
  for (int i = 0; i < 4; ++i) add(kPolicy, i == 3);
  EXPECT_THAT(versions(), ElementsAre("v6", "v5", "v4", "v3", "v2"));
  EXPECT_REFUSED(
      call("CreatePolicyVersion", {{"PolicyArn", kArn}, {"PolicyDocument", kPolicy}}), 409, "LimitExceeded",
      "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
      "version.");
  const Answer page = must("ListPolicyVersions", {{"PolicyArn", kArn}, {"MaxItems", "2"}});
  EXPECT_THAT(page.each("Versions", "VersionId"), ElementsAre("v6", "v5"));
  EXPECT_THAT(
      must("ListPolicyVersions", {{"PolicyArn", kArn}, {"Marker", page.text("Marker")}}).each("Versions", "VersionId"),
      ElementsAre("v4", "v3", "v2"));
  store::Identities again(*database_);
  EXPECT_EQ(again.policy(kArn)->version, "v6");
  EXPECT_EQ(again.policy(kArn)->versions.size(), 5u);
  EXPECT_EQ(again.policy(kArn)->last_version, 6);
}

TEST_F(PolicyVersionsTest, DeletesAreRefusedWhileSomethingHangsOnIt) {
  add(kDeny, false);
  EXPECT_REFUSED(call("DeletePolicyVersion", {{"PolicyArn", kArn}, {"VersionId", "v1"}}), 409, "DeleteConflict",
                 "Cannot delete the default version of a policy.");
  EXPECT_REFUSED(call("DeletePolicyVersion", {{"PolicyArn", kArn}, {"VersionId", "v9"}}), 404, "NoSuchEntity",
                 std::string("Policy ") + kArn + " version v9 does not exist or is not attachable.");
  EXPECT_REFUSED(
      call("DeletePolicy", {{"PolicyArn", kArn}}), 409, "DeleteConflict",
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The "
      "default version is deleted with the policy.");
  must("DeletePolicyVersion", {{"PolicyArn", kArn}, {"VersionId", "v2"}});
  make_user("u");
  must("AttachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kArn}});
  EXPECT_REFUSED(call("DeletePolicy", {{"PolicyArn", kArn}}), 409, "DeleteConflict",
                 "Cannot delete a policy attached to entities.");
  must("DetachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kArn}});
  must("DeletePolicy", {{"PolicyArn", kArn}});
  EXPECT_REFUSED(call("GetPolicy", {{"PolicyArn", kArn}}), 404, "NoSuchEntity",
                 std::string("Policy ") + kArn + " was not found.");
  EXPECT_REFUSED(call("DeletePolicy", {{"PolicyArn", kArn}}), 404, "NoSuchEntity",
                 std::string("Policy ") + kArn + " was not found.");
  must("CreatePolicy", {{"PolicyName", "p"}, {"PolicyDocument", kPolicy}});
}

TEST_F(PolicyVersionsTest, AwsPoliciesCannotBeChanged) {
  const std::string arn = "arn:aws:iam::aws:policy/AdministratorAccess";
  for (const char* operation : {"DeletePolicy"})
    EXPECT_EQ(call(operation, Parameters{{"PolicyArn", arn}}).code, "AccessDenied") << operation;
  EXPECT_EQ(call("SetDefaultPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v1"}}).status, 403);
  EXPECT_EQ(call("CreatePolicyVersion", {{"PolicyArn", arn}, {"PolicyDocument", kPolicy}}).status, 403);
  EXPECT_THAT(must("ListPolicyVersions", {{"PolicyArn", arn}}).each("Versions", "VersionId"), ElementsAre("v1"));
}

TEST_F(PolicyVersionsTest, ABadDocumentMakesNoVersion) {
  EXPECT_EQ(call("CreatePolicyVersion", {{"PolicyArn", kArn}, {"PolicyDocument", "{}"}}).code,
            "MalformedPolicyDocument");
  EXPECT_THAT(versions(), ElementsAre("v1"));
}

}  // namespace
}  // namespace lambent::iam
