#include "services/iam/iam_fixture.h"

namespace lambent::iam {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST_F(IamTest, ACreatedUserIsAnsweredAndFound) {
  const auto made =
      must("CreateUser",
           {{"UserName", "Alice"}, {"Path", "/staff/"}, {"Tags.member.1.Key", "team"}, {"Tags.member.1.Value", "a b"}});
  EXPECT_EQ(made.text("User/UserName"), "Alice");
  EXPECT_EQ(made.text("User/Path"), "/staff/");
  EXPECT_EQ(made.text("User/Arn"), "arn:aws:iam::123456789012:user/staff/Alice");
  EXPECT_EQ(made.text("User/CreateDate"), "2023-11-14T22:13:20Z");
  EXPECT_THAT(made.text("User/UserId"), StartsWith("AIDA"));
  EXPECT_EQ(made.text("User/UserId").size(), 21u);
  const auto found = must("GetUser", {{"UserName", "aLICE"}});
  for (const char* member : {"User/UserName", "User/UserId", "User/Arn", "User/CreateDate"})
    EXPECT_EQ(found.text(member), made.text(member)) << member;
  EXPECT_THAT(found.each("User/Tags", "Key"), ElementsAre("team"));
  EXPECT_THAT(found.each("User/Tags", "Value"), ElementsAre("a b"));
}

TEST_F(IamTest, AUserWithoutTagsAnswersNoTags) {
  make_user("bob");
  EXPECT_FALSE(must("GetUser", {{"UserName", "bob"}}).has("User/Tags"));
}

TEST_F(IamTest, UserNamesAreTakenWithoutCase) {
  make_user("Alice");
  EXPECT_REFUSED(call("CreateUser", {{"UserName", "alice"}}), 409, "EntityAlreadyExists",
                 "User with name alice already exists.");
}

TEST_F(IamTest, AnUnknownUserIsNotFoundByAnyOperation) {
  const Parameters name = {{"UserName", "nobody"}};
  const auto with = [&](Parameters more) {
    more.insert(more.begin(), name.front());
    return more;
  };
  const std::pair<const char*, Parameters> calls[] = {
      {"GetUser", name},
      {"DeleteUser", name},
      {"CreateAccessKey", name},
      {"ListAccessKeys", name},
      {"UpdateAccessKey", with({{"AccessKeyId", "AKIAAAAAAAAAAAAAAAAA"}, {"Status", "Active"}})},
      {"DeleteAccessKey", with({{"AccessKeyId", "AKIAAAAAAAAAAAAAAAAA"}})},
      {"PutUserPolicy", with({{"PolicyName", "p"}, {"PolicyDocument", kPolicy}})},
      {"GetUserPolicy", with({{"PolicyName", "p"}})},
      {"DeleteUserPolicy", with({{"PolicyName", "p"}})},
      {"ListUserPolicies", name},
      {"AttachUserPolicy", with({{"PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"}})},
      {"DetachUserPolicy", with({{"PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"}})},
      {"ListAttachedUserPolicies", name},
  };
  for (const auto& [operation, parameters] : calls) {
    SCOPED_TRACE(operation);
    EXPECT_REFUSED(call(operation, parameters), 404, "NoSuchEntity", "The user with name nobody cannot be found.");
  }
}

TEST_F(IamTest, GetUserWithoutANameIsAboutTheCaller) {
  make_user("carol", "/x/");
  EXPECT_EQ(must("GetUser", {}, as_user("carol")).text("User/Arn"), "arn:aws:iam::123456789012:user/x/carol");
  const auto answer = must("GetUser", {});
  EXPECT_EQ(answer.text("User/Arn"), "arn:aws:iam::123456789012:root");
  EXPECT_EQ(answer.text("User/UserId"), "123456789012");
  EXPECT_FALSE(answer.has("User/UserName"));
  EXPECT_FALSE(answer.has("User/Path"));
  EXPECT_REFUSED(call("GetUser", {}, as_session()), 400, "ValidationError",
                 "Must specify userName when calling with non-User credentials");
}

TEST_F(IamTest, UsersAreListedInPagesByName) {
  for (const char* name : {"delta", "Alpha", "charlie", "bravo", "echo"}) make_user(name);
  EXPECT_THAT(must("ListUsers", {}).each("Users", "UserName"),
              ElementsAre("Alpha", "bravo", "charlie", "delta", "echo"));
  std::vector<std::string> seen;
  std::string marker;
  int pages = 0;
  do {
    Parameters parameters = {{"MaxItems", "2"}};
    if (!marker.empty()) parameters.emplace_back("Marker", marker);
    const auto page = must("ListUsers", parameters);
    for (auto& name : page.each("Users", "UserName")) seen.push_back(name);
    marker = page.text("Marker");
    EXPECT_EQ(page.text("IsTruncated"), marker.empty() ? "false" : "true");
    ++pages;
  } while (!marker.empty() && pages < 10);
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(seen, ElementsAre("Alpha", "bravo", "charlie", "delta", "echo"));
}

TEST_F(IamTest, APageThatEndsWithTheListIsNotTruncated) {
  make_user("a");
  make_user("b");
  const auto page = must("ListUsers", {{"MaxItems", "2"}});
  EXPECT_EQ(page.text("IsTruncated"), "false");
  EXPECT_FALSE(page.has("Marker"));
}

TEST_F(IamTest, PathPrefixSelectsAcrossPages) {
  for (int i = 0; i < 12; ++i) make_user("u" + std::to_string(i), i % 3 == 0 ? "/team/" : "/");
  const auto first = must("ListUsers", {{"PathPrefix", "/team"}, {"MaxItems", "3"}});
  EXPECT_THAT(first.each("Users", "UserName"), ElementsAre("u0", "u3", "u6"));
  const auto second = must("ListUsers", {{"PathPrefix", "/team"}, {"MaxItems", "3"}, {"Marker", first.text("Marker")}});
  EXPECT_THAT(second.each("Users", "UserName"), ElementsAre("u9"));
  EXPECT_EQ(second.text("IsTruncated"), "false");
}

TEST_F(IamTest, AMarkerThatWasNotMadeForTheOperationIsRefused) {
  make_user("a");
  make_user("b");
  make_role("a");
  const auto marker = must("ListUsers", {{"MaxItems", "1"}}).text("Marker");
  ASSERT_FALSE(marker.empty());
  EXPECT_REFUSED(call("ListRoles", {{"Marker", marker}}), 400, "ValidationError", "Invalid Marker.");
  for (const char* forged : {"x", "a", "%%%", "TGlzdFVzZXJzOg", "ZZZZ"})
    EXPECT_REFUSED(call("ListUsers", {{"Marker", forged}}), 400, "ValidationError", "Invalid Marker.");
}

TEST_F(IamTest, MaxItemsBeyondTheModelIsRefused) {
  for (const char* count : {"0", "1001", "-1"}) {
    const auto answer = call("ListUsers", {{"MaxItems", count}});
    EXPECT_EQ(answer.status, 400) << count;
    EXPECT_EQ(answer.code, "ValidationError") << answer.body;
  }
}

TEST_F(IamTest, AUserIsDeletedOnlyWhenNothingHangsOnIt) {
  make_user("dan");
  const auto key = must("CreateAccessKey", {{"UserName", "dan"}}).text("AccessKey/AccessKeyId");
  must("PutUserPolicy", {{"UserName", "dan"}, {"PolicyName", "p"}, {"PolicyDocument", kPolicy}});
  const Parameters attachment = {{"UserName", "dan"}, {"PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"}};
  must("AttachUserPolicy", attachment);
  const auto remove = [&] { return call("DeleteUser", {{"UserName", "dan"}}); };
  EXPECT_REFUSED(remove(), 409, "DeleteConflict", "Cannot delete entity, must detach all policies first.");
  must("DetachUserPolicy", attachment);
  EXPECT_REFUSED(remove(), 409, "DeleteConflict", "Cannot delete entity, must delete policies first.");
  must("DeleteUserPolicy", {{"UserName", "dan"}, {"PolicyName", "p"}});
  EXPECT_REFUSED(remove(), 409, "DeleteConflict", "Cannot delete entity, must delete access keys first.");
  must("DeleteAccessKey", {{"UserName", "dan"}, {"AccessKeyId", key}});
  EXPECT_EQ(remove().status, 200);
  EXPECT_EQ(call("GetUser", {{"UserName", "dan"}}).status, 404);
}

TEST_F(IamTest, TagsThatAreTheSameButForCaseAreRefused) {
  const auto answer = call("CreateUser", {{"UserName", "t"},
                                          {"Tags.member.1.Key", "Team"},
                                          {"Tags.member.1.Value", "1"},
                                          {"Tags.member.2.Key", "team"},
                                          {"Tags.member.2.Value", "2"}});
  EXPECT_REFUSED(answer, 400, "InvalidInput",
                 "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  EXPECT_EQ(call("GetUser", {{"UserName", "t"}}).status, 404);
  EXPECT_EQ(call("CreateUser", {{"UserName", "t"}, {"Tags.member.1.Key", "aws:x"}, {"Tags.member.1.Value", "1"}}).code,
            "InvalidInput");
}

TEST_F(IamTest, WhatIsNotEvaluatedYetIsRefusedRatherThanIgnored) {
  const auto answer =
      call("CreateUser", {{"UserName", "u"}, {"PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"}});
  EXPECT_EQ(answer.status, 501) << answer.body;
  EXPECT_EQ(call("GetUser", {{"UserName", "u"}}).status, 404);
}

TEST_F(IamTest, UserOperationsAreAuthorizedOnTheUsersOwnPath) {
  make_user("Eve", "/a/");
  EXPECT_EQ(resource("DeleteUser", {{"UserName", "eve"}}), "arn:aws:iam::123456789012:user/a/Eve");
  EXPECT_EQ(resource("DeleteUser", {{"UserName", "gone"}}), "arn:aws:iam::123456789012:user/gone");
  EXPECT_EQ(resource("CreateUser", {{"UserName", "new"}, {"Path", "/b/"}}), "arn:aws:iam::123456789012:user/b/new");
  EXPECT_EQ(resource("CreateUser", {{"UserName", "new"}}), "arn:aws:iam::123456789012:user/new");
  EXPECT_EQ(resource("ListUsers", {}), "arn:aws:iam::123456789012:user/");
  EXPECT_EQ(resource("ListUsers", {{"PathPrefix", "/a/"}}), "arn:aws:iam::123456789012:user/a/");
  EXPECT_EQ(resource("GetUser", {}, as_user("Eve")), "arn:aws:iam::123456789012:user/a/Eve");
  EXPECT_EQ(resource("GetUser", {}), "arn:aws:iam::123456789012:root");
  EXPECT_EQ(resource("CreateAccessKey", {}, as_user("Eve")), "arn:aws:iam::123456789012:user/a/Eve");
  EXPECT_THROW(resource("ListAccessKeys", {}, as_session()), aws::Error);
}

}  // namespace
}  // namespace lambent::iam
