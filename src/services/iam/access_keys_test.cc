#include "services/iam/iam_fixture.h"

namespace lambent::iam {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

TEST_F(IamTest, ANewKeyLooksLikeAwsKeysAndIsStored) {
  make_user("Alice");
  const auto made = must("CreateAccessKey", {{"UserName", "alice"}});
  EXPECT_EQ(made.text("AccessKey/UserName"), "Alice");
  EXPECT_EQ(made.text("AccessKey/Status"), "Active");
  EXPECT_EQ(made.text("AccessKey/CreateDate"), "2023-11-14T22:13:20Z");
  const auto id = made.text("AccessKey/AccessKeyId");
  EXPECT_THAT(id, MatchesRegex("AKIA[A-Z2-7]{16}"));
  EXPECT_THAT(made.text("AccessKey/SecretAccessKey"), MatchesRegex("[A-Za-z0-9+/]{40}"));
  const auto stored = identities_->access_key(id);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->secret, made.text("AccessKey/SecretAccessKey"));
  EXPECT_EQ(stored->user_name, "Alice");
}

TEST_F(IamTest, AThirdKeyIsRefused) {
  make_user("bob");
  must("CreateAccessKey", {{"UserName", "bob"}});
  must("CreateAccessKey", {{"UserName", "bob"}});
  EXPECT_REFUSED(call("CreateAccessKey", {{"UserName", "bob"}}), 409, "LimitExceeded",
                 "Cannot exceed quota for AccessKeysPerUser: 2");
}

TEST_F(IamTest, KeysAreListedWithoutTheirSecretsAndInPages) {
  make_user("carol");
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i)
    ids.push_back(must("CreateAccessKey", {{"UserName", "carol"}}).text("AccessKey/AccessKeyId"));
  std::sort(ids.begin(), ids.end());
  const auto all = must("ListAccessKeys", {{"UserName", "carol"}});
  EXPECT_EQ(all.each("AccessKeyMetadata", "AccessKeyId"), ids);
  EXPECT_THAT(all.each("AccessKeyMetadata", "UserName"), ElementsAre("carol", "carol"));
  EXPECT_EQ(all.body.find("Secret"), std::string::npos);
  const auto first = must("ListAccessKeys", {{"UserName", "carol"}, {"MaxItems", "1"}});
  EXPECT_EQ(first.text("IsTruncated"), "true");
  const auto second =
      must("ListAccessKeys", {{"UserName", "carol"}, {"MaxItems", "1"}, {"Marker", first.text("Marker")}});
  EXPECT_EQ(first.each("AccessKeyMetadata", "AccessKeyId").at(0), ids[0]);
  EXPECT_EQ(second.each("AccessKeyMetadata", "AccessKeyId").at(0), ids[1]);
  EXPECT_EQ(second.text("IsTruncated"), "false");
}

TEST_F(IamTest, AKeyIsSwitchedOffAndOnAndDeleted) {
  make_user("dan");
  const auto id = must("CreateAccessKey", {{"UserName", "dan"}}).text("AccessKey/AccessKeyId");
  const auto status = [&] {
    return must("ListAccessKeys", {{"UserName", "dan"}}).each("AccessKeyMetadata", "Status").at(0);
  };
  must("UpdateAccessKey", {{"UserName", "dan"}, {"AccessKeyId", id}, {"Status", "Inactive"}});
  EXPECT_EQ(status(), "Inactive");
  EXPECT_FALSE(identities_->access_key(id)->active);
  must("UpdateAccessKey", {{"UserName", "dan"}, {"AccessKeyId", id}, {"Status", "Active"}});
  EXPECT_EQ(status(), "Active");
  EXPECT_EQ(call("UpdateAccessKey", {{"UserName", "dan"}, {"AccessKeyId", id}, {"Status", "Expired"}}).code,
            "InvalidInput");
  EXPECT_EQ(call("UpdateAccessKey", {{"UserName", "dan"}, {"AccessKeyId", id}, {"Status", "active"}}).code,
            "ValidationError");
  EXPECT_EQ(status(), "Active");
  must("DeleteAccessKey", {{"UserName", "dan"}, {"AccessKeyId", id}});
  EXPECT_FALSE(identities_->access_key(id));
}

TEST_F(IamTest, SomebodyElsesKeyIsNotFound) {
  make_user("a");
  make_user("b");
  const auto id = must("CreateAccessKey", {{"UserName", "a"}}).text("AccessKey/AccessKeyId");
  const auto message = "The Access Key with id " + id + " cannot be found.";
  EXPECT_REFUSED(call("DeleteAccessKey", {{"UserName", "b"}, {"AccessKeyId", id}}), 404, "NoSuchEntity", message);
  EXPECT_REFUSED(call("UpdateAccessKey", {{"AccessKeyId", id}, {"Status", "Inactive"}}), 404, "NoSuchEntity", message);
  EXPECT_REFUSED(call("DeleteAccessKey", {{"AccessKeyId", id}}, as_user("b")), 404, "NoSuchEntity", message);
  EXPECT_TRUE(identities_->access_key(id)->active);
}

TEST_F(IamTest, WithoutANameTheKeysAreTheCallers) {
  make_user("eve");
  const auto caller = as_user("eve");
  const auto id = must("CreateAccessKey", {}, caller).text("AccessKey/AccessKeyId");
  EXPECT_EQ(identities_->access_key(id)->user_name, "eve");
  EXPECT_THAT(must("ListAccessKeys", {}, caller).each("AccessKeyMetadata", "AccessKeyId"), ElementsAre(id));
  must("DeleteAccessKey", {{"AccessKeyId", id}}, caller);

  const auto root_id = must("CreateAccessKey", {}).text("AccessKey/AccessKeyId");
  EXPECT_EQ(identities_->access_key(root_id)->user_name, "");
  EXPECT_THAT(must("ListAccessKeys", {}).each("AccessKeyMetadata", "AccessKeyId"), ElementsAre(root_id));
  EXPECT_THAT(must("ListAccessKeys", {}, caller).each("AccessKeyMetadata", "AccessKeyId"), SizeIs(0));
  EXPECT_EQ(call("CreateAccessKey", {}, as_session()).code, "ValidationError");
}

}  // namespace
}  // namespace lambent::iam
