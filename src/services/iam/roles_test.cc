#include "services/iam/iam_fixture.h"

namespace lambent::iam {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST_F(IamTest, ACreatedRoleIsAnsweredAndFound) {
  const auto made = must("CreateRole", {{"RoleName", "Exec"},
                                        {"Path", "/service/"},
                                        {"AssumeRolePolicyDocument", kTrust},
                                        {"Description", "runs it"},
                                        {"MaxSessionDuration", "7200"},
                                        {"Tags.member.1.Key", "k"},
                                        {"Tags.member.1.Value", ""}});
  EXPECT_EQ(made.text("Role/Arn"), "arn:aws:iam::123456789012:role/service/Exec");
  EXPECT_THAT(made.text("Role/RoleId"), StartsWith("AROA"));
  EXPECT_EQ(made.text("Role/RoleId").size(), 21u);
  EXPECT_EQ(made.text("Role/AssumeRolePolicyDocument"), base::percent_encode(kTrust));
  EXPECT_FALSE(made.has("Role/Description"));
  const auto found = must("GetRole", {{"RoleName", "exec"}});
  EXPECT_EQ(found.text("Role/RoleId"), made.text("Role/RoleId"));
  EXPECT_EQ(found.text("Role/Description"), "runs it");
  EXPECT_EQ(found.text("Role/MaxSessionDuration"), "7200");
  EXPECT_THAT(found.each("Role/Tags", "Key"), ElementsAre("k"));
  EXPECT_TRUE(found.has("Role/RoleLastUsed"));
}

TEST_F(IamTest, RoleNamesAreTakenWithoutCase) {
  make_role("Exec");
  EXPECT_REFUSED(call("CreateRole", {{"RoleName", "exec"}, {"AssumeRolePolicyDocument", kTrust}}), 409,
                 "EntityAlreadyExists", "Role with name exec already exists.");
}

TEST_F(IamTest, ATrustPolicyThatCannotBeReadOrEvaluatedIsRefused) {
  const char* federated =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
  const char* twice =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
  for (const char* bad : {"{", "[]", "{}", kPolicy, federated, twice}) {
    const auto answer = call("CreateRole", {{"RoleName", "r"}, {"AssumeRolePolicyDocument", bad}});
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.code, "MalformedPolicyDocument") << bad;
  }
  EXPECT_EQ(call("GetRole", {{"RoleName", "r"}}).status, 404);
  make_role("r");
  EXPECT_EQ(call("UpdateAssumeRolePolicy", {{"RoleName", "r"}, {"PolicyDocument", federated}}).code,
            "MalformedPolicyDocument");
  EXPECT_EQ(identities_->role("123456789012", "r")->trust_policy, kTrust);
  const char* condition =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]})";
  EXPECT_EQ(call("UpdateAssumeRolePolicy", {{"RoleName", "r"}, {"PolicyDocument", condition}}).status, 200);
  EXPECT_EQ(identities_->role("123456789012", "r")->trust_policy, condition);
}

TEST_F(IamTest, AnUnknownRoleIsNotFoundByAnyOperation) {
  const Parameters name = {{"RoleName", "nothing"}};
  const auto with = [&](Parameters more) {
    more.insert(more.begin(), name.front());
    return more;
  };
  const std::pair<const char*, Parameters> calls[] = {
      {"GetRole", name},
      {"DeleteRole", name},
      {"UpdateAssumeRolePolicy", with({{"PolicyDocument", kTrust}})},
      {"TagRole", with({{"Tags.member.1.Key", "k"}, {"Tags.member.1.Value", "v"}})},
      {"PutRolePolicy", with({{"PolicyName", "p"}, {"PolicyDocument", kPolicy}})},
      {"GetRolePolicy", with({{"PolicyName", "p"}})},
      {"DeleteRolePolicy", with({{"PolicyName", "p"}})},
      {"ListRolePolicies", name},
      {"AttachRolePolicy", with({{"PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"}})},
      {"DetachRolePolicy", with({{"PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"}})},
      {"ListAttachedRolePolicies", name},
  };
  for (const auto& [operation, parameters] : calls) {
    SCOPED_TRACE(operation);
    EXPECT_REFUSED(call(operation, parameters), 404, "NoSuchEntity", "The role with name nothing cannot be found.");
  }
}

TEST_F(IamTest, RolesAreListedInPages) {
  for (const char* name : {"c", "a", "b"}) make_role(name, "/p/");
  make_role("elsewhere");
  const auto first = must("ListRoles", {{"PathPrefix", "/p/"}, {"MaxItems", "2"}});
  EXPECT_THAT(first.each("Roles", "RoleName"), ElementsAre("a", "b"));
  const auto second = must("ListRoles", {{"PathPrefix", "/p/"}, {"Marker", first.text("Marker")}});
  EXPECT_THAT(second.each("Roles", "RoleName"), ElementsAre("c"));
  EXPECT_THAT(second.each("Roles", "MaxSessionDuration"), ElementsAre("3600"));
}

TEST_F(IamTest, ARoleIsDeletedOnlyWithoutPolicies) {
  make_role("r");
  const Parameters attachment = {{"RoleName", "r"},
                                 {"PolicyArn", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}};
  must("AttachRolePolicy", attachment);
  must("PutRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}, {"PolicyDocument", kPolicy}});
  const auto remove = [&] { return call("DeleteRole", {{"RoleName", "r"}}); };
  EXPECT_REFUSED(remove(), 409, "DeleteConflict", "Cannot delete entity, must detach all policies first.");
  must("DetachRolePolicy", attachment);
  EXPECT_REFUSED(remove(), 409, "DeleteConflict", "Cannot delete entity, must delete policies first.");
  must("DeleteRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}});
  EXPECT_EQ(remove().status, 200);
  EXPECT_EQ(call("GetRole", {{"RoleName", "r"}}).status, 404);
}

TEST_F(IamTest, TheTrustPolicyIsReplaced) {
  make_role("r");
  const std::string other =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]})";
  must("UpdateAssumeRolePolicy", {{"RoleName", "r"}, {"PolicyDocument", other}});
  EXPECT_EQ(must("GetRole", {{"RoleName", "r"}}).text("Role/AssumeRolePolicyDocument"), base::percent_encode(other));
}

TEST_F(IamTest, TagRoleAddsAndReplacesUpToTheQuota) {
  make_role("r");
  const auto tag = [&](const std::string& key, const std::string& value) {
    return call("TagRole", {{"RoleName", "r"}, {"Tags.member.1.Key", key}, {"Tags.member.1.Value", value}});
  };
  EXPECT_EQ(tag("Stage", "dev").status, 200);
  EXPECT_EQ(tag("stage", "prod").status, 200);
  EXPECT_THAT(must("GetRole", {{"RoleName", "r"}}).each("Role/Tags", "Value"), ElementsAre("prod"));
  for (int i = 1; i < 50; ++i) EXPECT_EQ(tag("k" + std::to_string(i), "v").status, 200);
  EXPECT_REFUSED(tag("one-more", "v"), 409, "LimitExceeded", "Cannot exceed quota for TagsPerRole: 50");
  EXPECT_EQ(must("GetRole", {{"RoleName", "r"}}).each("Role/Tags", "Key").size(), 50u);
}

TEST_F(IamTest, RoleOperationsAreAuthorizedOnTheRolesOwnPath) {
  make_role("Exec", "/service/");
  EXPECT_EQ(resource("GetRole", {{"RoleName", "exec"}}), "arn:aws:iam::123456789012:role/service/Exec");
  EXPECT_EQ(resource("GetRole", {{"RoleName", "gone"}}), "arn:aws:iam::123456789012:role/gone");
  EXPECT_EQ(resource("CreateRole", {{"RoleName", "n"}, {"Path", "/b/"}, {"AssumeRolePolicyDocument", kTrust}}),
            "arn:aws:iam::123456789012:role/b/n");
  EXPECT_EQ(resource("ListRoles", {{"PathPrefix", "/b/"}}), "arn:aws:iam::123456789012:role/b/");
}

}  // namespace
}  // namespace lambent::iam
