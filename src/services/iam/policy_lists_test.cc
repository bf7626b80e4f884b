#include "services/iam/policy_lists.h"

#include "auth/authorizer.h"
#include "services/iam/iam_fixture.h"

namespace lambent::iam {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

constexpr const char* kArn = "arn:aws:iam::123456789012:policy/team/p";

class PolicyListsTest : public IamTest {
 protected:
  void SetUp() override {
    must("CreatePolicy", {{"PolicyName", "p"}, {"Path", "/team/"}, {"PolicyDocument", kPolicy}});
    make_role("r");
    make_user("u");
  }
};

TEST_F(PolicyListsTest, PoliciesAreListedByScopePathAndAttachment) {
  const auto names = [&](Parameters parameters) {
    return must("ListPolicies", parameters).each("Policies", "PolicyName");
  };
  EXPECT_THAT(names({{"Scope", "Local"}}), ElementsAre("p"));
  EXPECT_THAT(names({{"Scope", "AWS"}}), Contains("AWSLambdaSQSQueueExecutionRole"));
  EXPECT_THAT(names({{"Scope", "AWS"}}), ::testing::Not(Contains("p")));
  EXPECT_THAT(names({}), Contains("p"));
  EXPECT_THAT(names({{"PathPrefix", "/team/"}}), ElementsAre("p"));
  EXPECT_THAT(names({{"OnlyAttached", "true"}}), ElementsAre());
  must("AttachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", kArn}});
  const Answer attached = must("ListPolicies", {{"OnlyAttached", "true"}});
  EXPECT_THAT(attached.each("Policies", "PolicyName"), ElementsAre("p"));
  EXPECT_THAT(attached.each("Policies", "AttachmentCount"), ElementsAre("1"));
  EXPECT_THAT(names({{"PolicyUsageFilter", "PermissionsBoundary"}}), ElementsAre());
  const Answer page = must("ListPolicies", {{"MaxItems", "3"}});
  EXPECT_EQ(page.text("IsTruncated"), "true");
  EXPECT_EQ(must("ListPolicies", {{"MaxItems", "3"}, {"Marker", page.text("Marker")}}).each("Policies", "Arn").size(),
            3u);
}

TEST_F(PolicyListsTest, EntitiesOfAPolicy) {
  must("AttachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", kArn}});
  must("AttachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kArn}});
  const Answer both = must("ListEntitiesForPolicy", {{"PolicyArn", kArn}});
  EXPECT_THAT(both.each("PolicyRoles", "RoleName"), ElementsAre("r"));
  EXPECT_THAT(both.each("PolicyUsers", "UserName"), ElementsAre("u"));
  EXPECT_THAT(both.each("PolicyRoles", "RoleId"), ElementsAre(identities_->role("123456789012", "r")->id));
  EXPECT_THAT(
      must("ListEntitiesForPolicy", {{"PolicyArn", kArn}, {"EntityFilter", "User"}}).each("PolicyRoles", "RoleName"),
      ElementsAre());
  const Answer page = must("ListEntitiesForPolicy", {{"PolicyArn", kArn}, {"MaxItems", "1"}});
  EXPECT_THAT(page.each("PolicyRoles", "RoleName"), ElementsAre("r"));
  EXPECT_THAT(must("ListEntitiesForPolicy", {{"PolicyArn", kArn}, {"Marker", page.text("Marker")}})
                  .each("PolicyUsers", "UserName"),
              ElementsAre("u"));
  EXPECT_EQ(call("ListEntitiesForPolicy", {{"PolicyArn", "arn:aws:iam::123456789012:policy/none"}}).code,
            "NoSuchEntity");
}

TEST_F(PolicyListsTest, ARoleHasNoInstanceProfiles) {
  const Answer answer = must("ListInstanceProfilesForRole", {{"RoleName", "r"}});
  EXPECT_TRUE(answer.has("InstanceProfiles"));
  EXPECT_EQ(answer.text("IsTruncated"), "false");
  EXPECT_REFUSED(call("ListInstanceProfilesForRole", {{"RoleName", "none"}}), 404, "NoSuchEntity",
                 "The role with name none cannot be found.");
}

TEST_F(PolicyListsTest, AwsPoliciesForLambdaAllowWhatTheySay) {
  auto caller = as_session();
  caller.user_id = identities_->role("123456789012", "r")->id + ":s";
  const auth::Authorizer authorizer(*identities_, clock_);
  const auto allows = [&](const std::string& policy, const std::string& action) {
    const std::string arn = "arn:aws:iam::aws:policy/" + policy;
    must("AttachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", arn}});
    const bool allowed = authorizer.allowed(caller, action, "arn:aws:x:us-east-1:123456789012:y");
    must("DetachRolePolicy", {{"RoleName", "r"}, {"PolicyArn", arn}});
    return allowed;
  };
  EXPECT_TRUE(allows("service-role/AWSLambdaSQSQueueExecutionRole", "sqs:ReceiveMessage"));
  EXPECT_TRUE(allows("service-role/AWSLambdaKinesisExecutionRole", "kinesis:GetRecords"));
  EXPECT_TRUE(allows("service-role/AWSLambdaDynamoDBExecutionRole", "dynamodb:GetRecords"));
  EXPECT_TRUE(allows("service-role/AWSLambdaVPCAccessExecutionRole", "ec2:CreateNetworkInterface"));
  EXPECT_TRUE(allows("CloudWatchLogsFullAccess", "logs:DeleteLogGroup"));
  EXPECT_TRUE(allows("ReadOnlyAccess", "lambda:GetFunction"));
  EXPECT_TRUE(allows("ReadOnlyAccess", "logs:FilterLogEvents"));
  EXPECT_FALSE(allows("ReadOnlyAccess", "lambda:DeleteFunction"));
  EXPECT_FALSE(allows("AWSLambda_ReadOnlyAccess", "lambda:InvokeFunction"));
}

TEST_F(PolicyListsTest, TagsOfRolesUsersAndPolicies) {
  const Parameters tag{{"Tags.member.1.Key", "b"},
                       {"Tags.member.1.Value", "1"},
                       {"Tags.member.2.Key", "a"},
                       {"Tags.member.2.Value", "2"}};
  const std::tuple<std::string, std::string, std::string> kinds[] = {
      {"Role", "RoleName", "r"}, {"User", "UserName", "u"}, {"Policy", "PolicyArn", kArn}};
  for (const auto& [kind, member, name] : kinds) {
    Parameters tagged = tag;
    tagged.emplace_back(member, name);
    must("Tag" + kind, tagged);
    EXPECT_THAT(must("List" + kind + "Tags", {{member, name}}).each("Tags", "Key"), ElementsAre("a", "b")) << kind;
    must("Untag" + kind, {{member, name}, {"TagKeys.member.1", kind == "Policy" ? "a" : "A"}});
    EXPECT_THAT(must("List" + kind + "Tags", {{member, name}}).each("Tags", "Key"), ElementsAre("b")) << kind;
    const std::string none = kind == "Policy" ? "arn:aws:iam::123456789012:policy/none" : "none";
    EXPECT_EQ(call("List" + kind + "Tags", {{member, none}}).code, "NoSuchEntity");
    EXPECT_EQ(call("Untag" + kind, {{member, none}, {"TagKeys.member.1", "A"}}).code, "NoSuchEntity");
  }
}

TEST_F(PolicyListsTest, TheKeysOfAPolicysTagsHaveACase) {
  const Parameters both{{"PolicyArn", kArn},
                        {"Tags.member.1.Key", "a"},
                        {"Tags.member.1.Value", "1"},
                        {"Tags.member.2.Key", "A"},
                        {"Tags.member.2.Value", "2"}};
  must("TagPolicy", both);
  must("UntagPolicy", {{"PolicyArn", kArn}, {"TagKeys.member.1", "a"}});
  EXPECT_THAT(must("ListPolicyTags", {{"PolicyArn", kArn}}).each("Tags", "Key"), ElementsAre("A"));
  Parameters twice = both;
  twice[3].second = "a";
  EXPECT_REFUSED(call("TagPolicy", twice), 400, "InvalidInput", "Duplicate tag keys found.");
  twice[0] = {"RoleName", "r"};
  EXPECT_REFUSED(call("TagRole", twice), 400, "InvalidInput",
                 "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
}

TEST_F(PolicyListsTest, ARoleIsUpdated) {
  must("UpdateRole", {{"RoleName", "r"}, {"Description", "new"}, {"MaxSessionDuration", "7200"}});
  Answer role = must("GetRole", {{"RoleName", "r"}});
  EXPECT_EQ(role.text("Role/Description"), "new");
  EXPECT_EQ(role.text("Role/MaxSessionDuration"), "7200");
  must("UpdateRole", {{"RoleName", "r"}});
  role = must("GetRole", {{"RoleName", "r"}});
  EXPECT_EQ(role.text("Role/Description"), "new");
  EXPECT_EQ(role.text("Role/MaxSessionDuration"), "7200") << "what is not given stays";
  const Answer described = must("UpdateRoleDescription", {{"RoleName", "r"}, {"Description", "other"}});
  EXPECT_EQ(described.text("Role/Description"), "other");
  EXPECT_EQ(described.text("Role/MaxSessionDuration"), "");
  EXPECT_EQ(call("UpdateRole", {{"RoleName", "none"}}).code, "NoSuchEntity");
  EXPECT_EQ(call("UpdateRoleDescription", {{"RoleName", "none"}, {"Description", ""}}).code, "NoSuchEntity");
}

}  // namespace
}  // namespace lambent::iam
