// The query codec as IAM's and STS's models drive it.
#include <gtest/gtest.h>

#include <chrono>
#include <pugixml.hpp>

#include "aws/service.h"

namespace lambent::aws {
namespace {

using base::http::Request;
using base::http::Response;

struct Tag {
  std::string Key;
  std::string Value;
  bool operator==(const Tag&) const = default;
};
BOOST_DESCRIBE_STRUCT(Tag, (), (Key, Value))

struct CreateUserInput {
  std::optional<std::string> Path;
  std::string UserName;
  std::optional<std::vector<Tag>> Tags;
};
BOOST_DESCRIBE_STRUCT(CreateUserInput, (), (Path, UserName, Tags))

struct User {
  std::string UserName;
  std::optional<std::string> Path;
  std::optional<Timestamp> CreateDate;
  std::optional<std::vector<Tag>> Tags;
};
BOOST_DESCRIBE_STRUCT(User, (), (UserName, Path, CreateDate, Tags))

struct CreateUserOutput {
  User User;
};
BOOST_DESCRIBE_STRUCT(CreateUserOutput, (), (User))

struct ListUsersInput {
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListUsersInput, (), (MaxItems))

struct ListUsersOutput {
  std::vector<User> Users;
  bool IsTruncated = false;
};
BOOST_DESCRIBE_STRUCT(ListUsersOutput, (), (Users, IsTruncated))

struct ContextEntry {
  std::optional<std::string> ContextKeyName;
  std::optional<std::vector<std::string>> ContextKeyValues;
};
BOOST_DESCRIBE_STRUCT(ContextEntry, (), (ContextKeyName, ContextKeyValues))

struct SimulateInput {
  std::vector<std::string> PolicyInputList;
  std::vector<std::string> ActionNames;
  std::optional<std::vector<ContextEntry>> ContextEntries;
};
BOOST_DESCRIBE_STRUCT(SimulateInput, (), (PolicyInputList, ActionNames, ContextEntries))

struct SummaryOutput {
  std::optional<std::map<std::string, std::int32_t>> SummaryMap;
};
BOOST_DESCRIBE_STRUCT(SummaryOutput, (), (SummaryMap))

struct UserNameInput {
  std::string UserName;
};
BOOST_DESCRIBE_STRUCT(UserNameInput, (), (UserName))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct Iam {};
Iam iam;

template <class In, class Out>
base::Task<Out> unused(Iam&, Caller, In) {
  co_return Out{};
}

template <class In>
std::string any(const Caller&, const In&) {
  return "*";
}

const Service& bound() {
  static const Service made = service("iam", iam,
                                      {operation("CreateUser", unused<CreateUserInput, CreateUserOutput>, any),
                                       operation("ListUsers", unused<ListUsersInput, ListUsersOutput>, any),
                                       operation("DeleteUser", unused<UserNameInput, Nothing>, any),
                                       operation("SimulateCustomPolicy", unused<SimulateInput, Nothing>, any),
                                       operation("GetAccountSummary", unused<Nothing, SummaryOutput>, any)});
  return made;
}

Request form(const std::string& parameters) {
  Request request;
  request.method = "POST";
  request.path = "/";
  request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  request.body = "Version=2010-05-08&" + parameters;
  return request;
}

template <class In>
In decode(const Request& request) {
  const auto match = bound().match(request);
  const auto value = bound().decode(match, request);
  return std::move(*static_cast<In*>(value.get()));
}

template <class Call>
std::string refusal(Call call) {
  try {
    call();
    return {};
  } catch (const Error& error) {
    return error.code() + ": " + error.message();
  }
}

std::string create_refusal(const std::string& parameters) {
  return refusal([&] { decode<CreateUserInput>(form("Action=CreateUser&" + parameters)); });
}

template <class Out>
Response encode(const std::string& action, const Out& out) {
  return bound().encode(bound().match(form("Action=" + action)), &out, "id-1");
}

TEST(Query, ReadsScalarsListsAndStructures) {
  const auto in = decode<CreateUserInput>(form(
      "Action=CreateUser&UserName=a%2Bb&Path=%2Fteam%2F&Tags.member.2.Key=second+key&Tags.member.2.Value=&"
      "Tags.member.1.Value=1&Tags.member.1.Key=first&Tags.member.10.Key=last&Tags.member.10.Value=x&Unknown.a.b=1"));
  EXPECT_EQ(in.UserName, "a+b");
  EXPECT_EQ(in.Path, "/team/");
  EXPECT_EQ(*in.Tags, (std::vector<Tag>{{"first", "1"}, {"second key", ""}, {"last", "x"}}));
}

TEST(Query, ReadsListsInsideStructuresInsideLists) {
  const auto in = decode<SimulateInput>(
      form("Action=SimulateCustomPolicy&PolicyInputList.member.1=p&ActionNames.member.1=a:b&ActionNames.member.2=c:d&"
           "ContextEntries.member.1.ContextKeyName=a:key&ContextEntries.member.1.ContextKeyValues.member.1=v"));
  EXPECT_EQ(in.ActionNames, (std::vector<std::string>{"a:b", "c:d"}));
  EXPECT_EQ(in.ContextEntries->at(0).ContextKeyName, "a:key");
  EXPECT_EQ(*in.ContextEntries->at(0).ContextKeyValues, (std::vector<std::string>{"v"}));
}

TEST(Query, ReadsTheQueryStringOfAGet) {
  Request request;
  request.method = "GET";
  request.path = "/";
  request.query = "Action=ListUsers&Version=2010-05-08&MaxItems=5&X-Amz-Algorithm=AWS4-HMAC-SHA256";
  EXPECT_TRUE(bound().matches_after_body());
  EXPECT_EQ(decode<ListUsersInput>(request).MaxItems, 5);
}

TEST(Query, EmptyListsAreWrittenAsEmptyText) {
  const auto in = decode<CreateUserInput>(form("Action=CreateUser&UserName=a&Tags="));
  ASSERT_TRUE(in.Tags);
  EXPECT_TRUE(in.Tags->empty());
}

TEST(Query, SaysEveryViolationAtOnce) {
  EXPECT_EQ(
      create_refusal("Path=x&Tags.member.1.Key=%23&Tags.member.1.Value=v"),
      "ValidationError: 2 validation errors detected: "
      "Value at 'userName' failed to satisfy constraint: Member must not be null; "
      "Value at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: "
      R"([\p{L}\p{Z}\p{N}_.:/=+\-@]+)");
  EXPECT_EQ(create_refusal("UserName=a&Tags.member.1.Key=k"),
            "ValidationError: 1 validation error detected: Value at 'tags.1.member.value' failed to satisfy "
            "constraint: Member must not be null");
  EXPECT_EQ(refusal([] { decode<ListUsersInput>(form("Action=ListUsers&MaxItems=0")); }),
            "ValidationError: 1 validation error detected: Value at 'maxItems' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1");
}

TEST(Query, IamHasWordsOfItsOwnForNamesAndPaths) {
  EXPECT_EQ(
      create_refusal("UserName=a/b"),
      "ValidationError: The specified value for userName is invalid. It must contain only alphanumeric characters "
      "and/or the following: +=,.@_-");
  EXPECT_EQ(create_refusal("UserName=a&Path=x"),
            "ValidationError: The specified value for path is invalid. It must begin and end with / and contain only "
            "alphanumeric characters and/or / characters.");
  EXPECT_EQ(
      create_refusal("UserName=" + std::string(65, '/')),
      "ValidationError: 1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must "
      "have length less than or equal to 64");
}

TEST(Query, MalformedInputIsRefused) {
  EXPECT_EQ(create_refusal("UserName.member.1=a"),
            "MalformedInput: Start of structure or list found where not expected");
  EXPECT_EQ(create_refusal("UserName=a&Tags.member.x.Key=k"),
            "MalformedInput: Unexpected name where the number of a list's member was expected");
  EXPECT_EQ(create_refusal("UserName=a&Tags=x"), "MalformedInput: Unexpected value where a list was expected");
  EXPECT_EQ(create_refusal("UserName=a&Tags.member.1=x"),
            "MalformedInput: Unexpected value where a structure was expected");
  EXPECT_EQ(create_refusal("UserName=%FF"), "MalformedInput: Invalid UTF-8 in the request");
  EXPECT_EQ(create_refusal("UserName=%F"), "MalformedQueryString: The query string contains a syntax error");
  EXPECT_EQ(refusal([] { decode<ListUsersInput>(form("Action=ListUsers&MaxItems=ten")); }),
            "MalformedInput: STRING_VALUE can not be converted to an Integer");
}

TEST(Query, DepthAndCountAreBounded) {
  std::string deep = "A";
  for (int i = 0; i < 30; ++i) deep += ".a";
  EXPECT_EQ(create_refusal("UserName=a&" + deep + "=1"), "MalformedInput: A parameter's name is nested too deeply");
  std::string dots = std::string(500'000, '.');
  EXPECT_EQ(create_refusal("UserName=a&" + dots + "=1"), "MalformedInput: A parameter's name is nested too deeply");
  std::string many;
  for (int i = 0; i < 30'000; ++i) many += "&a" + std::to_string(i) + "=1";
  EXPECT_EQ(create_refusal(many), "MalformedInput: Too many parameters");
}

TEST(Query, ASettingWithoutImplementationIsRefused) {
  EXPECT_EQ(create_refusal("UserName=a&PermissionsBoundary=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess"),
            "NotImplementedException: Lambent does not implement the member permissionsBoundary of CreateUser yet");
}

TEST(Query, ActionsAndVersions) {
  EXPECT_EQ(refusal([] { bound().match(form("Action=Nothing")); }),
            "InvalidAction: Could not find operation Nothing for version 2010-05-08");
  EXPECT_EQ(refusal([] { bound().match(form("UserName=a")); }), "MissingAction: Missing Action");
  auto other = form("Action=ListUsers");
  other.body = "Action=ListUsers&Version=2011-06-15";
  EXPECT_EQ(refusal([&] { bound().match(other); }),
            "InvalidAction: Could not find operation ListUsers for version 2011-06-15");
  other.body = "Action=ListUsers";
  EXPECT_EQ(refusal([&] { bound().match(other); }),
            "InvalidAction: Could not find operation ListUsers for version NO_VERSION_SPECIFIED");
  EXPECT_EQ(refusal([] { bound().match(form("Action=ListGroups")); }),
            "NotImplementedException: Lambent does not implement ListGroups yet");
  other.method = "PUT";
  EXPECT_EQ(refusal([&] { bound().match(other); }), "UnsupportedHttpVerb: iam takes GET and POST requests only");
}

TEST(Query, WritesResultsInTheirWrappers) {
  CreateUserOutput out;
  out.User.UserName = "a<b>&\"c";
  out.User.CreateDate = Timestamp{1700000000000};
  out.User.Tags = std::vector<Tag>{Tag{"k", "v"}};
  const auto response = encode("CreateUser", out);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "text/xml");
  EXPECT_EQ(response.headers.get("x-amzn-RequestId"), "id-1");
  EXPECT_EQ(response.body,
            "<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateUserResult><User>"
            "<UserName>a&lt;b&gt;&amp;&quot;c</UserName><CreateDate>2023-11-14T22:13:20Z</CreateDate>"
            "<Tags><member><Key>k</Key><Value>v</Value></member></Tags></User></CreateUserResult>"
            "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></CreateUserResponse>");
}

TEST(Query, WritesEmptyListsBooleansAndMaps) {
  EXPECT_NE(encode("ListUsers", ListUsersOutput{})
                .body.find("<ListUsersResult><Users></Users><IsTruncated>false</IsTruncated>"),
            std::string::npos);
  SummaryOutput out;
  out.SummaryMap.emplace()["Users"] = 3;
  EXPECT_NE(encode("GetAccountSummary", out)
                .body.find("<SummaryMap><entry><key>Users</key><value>3</value></entry></SummaryMap>"),
            std::string::npos);
}

TEST(Query, AnOperationWithoutResultAnswersItsMetadata) {
  EXPECT_EQ(encode("DeleteUser", Nothing{}).body,
            "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
            "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DeleteUserResponse>");
}

TEST(Query, AnyBytesBecomeValidXml) {
  CreateUserOutput out;
  for (int i = 0; i < 256; ++i) out.User.UserName += static_cast<char>(i);
  out.User.UserName += "\xEF\xBF\xBF\xED\xA0\x80";
  const auto response = encode("CreateUser", out);
  pugi::xml_document document;
  ASSERT_TRUE(document.load_buffer(response.body.data(), response.body.size()));
  for (const char c : response.body)
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r');
  EXPECT_NE(response.body.find("&#xD;"), std::string::npos);
  EXPECT_EQ(response.body.find("\xEF\xBF\xBF"), std::string::npos);
}

TEST(Query, ErrorsNameTheSenderOrTheReceiver) {
  const auto missing = bound().encode_error(Error("NoSuchEntity", "The user <a> cannot be found."), "id-2");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.headers.get("Content-Type"), "text/xml");
  EXPECT_EQ(missing.headers.get("x-amzn-RequestId"), "id-2");
  EXPECT_EQ(missing.body,
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>"
            "<Code>NoSuchEntity</Code><Message>The user &lt;a&gt; cannot be found.</Message></Error>"
            "<RequestId>id-2</RequestId></ErrorResponse>");
  EXPECT_NE(bound().encode_error(Error("ServiceFailure", "x"), "id").body.find("<Type>Receiver</Type>"),
            std::string::npos);
  EXPECT_EQ(bound().encode_error(Error("ServiceFailure", "x"), "id").status, 500);
  EXPECT_EQ(bound().encode_error(Error("AccessDenied", "x", 403), "id").status, 403);
}

TEST(Query, HugeFormsTakeLinearTime) {
  const auto begin = std::chrono::steady_clock::now();
  create_refusal("UserName=" + std::string(1'000'000, '%'));
  create_refusal("UserName=" + std::string(1'000'000, 'a'));
  std::string tags = "UserName=a";
  for (int i = 1; i < 9'000; ++i) {
    const auto tag = "&Tags.member." + std::to_string(i);
    tags += tag + ".Key=k" + tag + ".Value=v";
  }
  EXPECT_EQ(create_refusal(tags),
            "ValidationError: 1 validation error detected: Value at 'tags' failed to satisfy constraint: "
            "Member must have length less than or equal to 50");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace lambent::aws
