// AddPermission, RemovePermission, GetPolicy, Put-, Get- and DeleteResourcePolicy, tags and account settings.
#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::HasSubstr;
using testing::kArn;
using testing::ServiceFixture;
using testing::json::object;
using testing::json::value;
namespace json = testing::json;

constexpr const char* kNobody = "c2a01b1e-0000-4000-8000-000000000000";

class Permissions : public ServiceFixture {
 protected:
  Permissions() {
    EXPECT_EQ(create("f").status, 201);
    EXPECT_EQ(send("POST", functions_path("/f/versions"), "{}").text("Version"), "1");
    EXPECT_EQ(send("POST", functions_path("/f/aliases"), R"({"Name":"live","FunctionVersion":"1"})").status, 201);
  }
  Answer add(object body, const std::string& path = "f/policy") {
    if (!body.contains("StatementId")) body["StatementId"] = "s3";
    if (!body.contains("Action")) body["Action"] = "lambda:InvokeFunction";
    if (!body.contains("Principal")) body["Principal"] = "s3.amazonaws.com";
    return send("POST", functions_path("/" + path), json::serialize(body));
  }
  Answer get(const std::string& path = "f/policy") { return send("GET", functions_path("/" + path)); }
  Answer remove(const std::string& path) { return send("DELETE", functions_path("/" + path)); }
  static value statement(const Answer& answer) { return json::parse(answer.text("Statement")); }
  static json::array statements(const Answer& answer) {
    return json::parse(answer.text("Policy")).at("Statement").as_array();
  }
  Answer put_policy(const std::string& name, const std::string& policy, const std::string& revision = "") {
    object body{{"Policy", policy}};
    if (!revision.empty()) body["RevisionId"] = revision;
    return send("PUT", policy_path(name), json::serialize(body));
  }
  static std::string policy_path(const std::string& name) {
    return "/2026-07-09/resource-policy/" + base::percent_encode(kArn + name);
  }
};

TEST_F(Permissions, AreStatementsInAwssForm) {
  const auto answer = add({{"SourceArn", "arn:aws:s3:::photos"}, {"SourceAccount", "123456789012"}});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.resource, std::string(kArn) + "f");
  EXPECT_EQ(answer.text("Statement"),
            std::string(R"({"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},)") +
                R"("Action":"lambda:InvokeFunction","Resource":")" + kArn +
                R"(f","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},)" +
                R"("ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"}}})");
  const auto policy = get();
  EXPECT_EQ(policy.status, 200);
  const auto document = json::parse(policy.text("Policy")).as_object();
  EXPECT_EQ(document.at("Version"), "2012-10-17");
  EXPECT_EQ(document.at("Id"), "default");
  EXPECT_EQ(document.at("Statement").as_array(), json::array{statement(answer)});
  EXPECT_EQ(policy.text("RevisionId"), configuration("f").text("RevisionId"));
}

TEST_F(Permissions, EveryKindOfPrincipalAndConditionIsWrittenAsAwsDoes) {
  const auto principal = [&](const std::string& sid, const std::string& given) {
    return statement(add({{"StatementId", sid}, {"Principal", given}})).at("Principal");
  };
  EXPECT_EQ(principal("star", "*"), value("*"));
  EXPECT_EQ(principal("account", "210987654321"), value(object{{"AWS", "arn:aws:iam::210987654321:root"}}));
  EXPECT_EQ(principal("role", "arn:aws:iam::210987654321:role/r"),
            value(object{{"AWS", "arn:aws:iam::210987654321:role/r"}}));
  EXPECT_EQ(principal("alexa", "alexa-appkit.amazon.com"), value(object{{"Service", "alexa-appkit.amazon.com"}}));
  const auto condition = [&](const std::string& sid, object body) {
    body["StatementId"] = sid;
    return json::serialize(statement(add(body)).at("Condition"));
  };
  EXPECT_EQ(condition("org", {{"Principal", "*"}, {"PrincipalOrgID", "o-abcdefghij"}}),
            R"({"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}})");
  EXPECT_EQ(condition("token", {{"EventSourceToken", "t.1"}}), R"({"StringEquals":{"lambda:EventSourceToken":"t.1"}})");
  EXPECT_EQ(
      condition("url", {{"Principal", "*"}, {"Action", "lambda:InvokeFunctionUrl"}, {"FunctionUrlAuthType", "NONE"}}),
      R"({"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}})");
  EXPECT_EQ(condition("via", {{"Principal", "*"}, {"InvokedViaFunctionUrl", true}}),
            R"({"Bool":{"lambda:InvokedViaFunctionUrl":"true"}})");
  EXPECT_EQ(statements(get()).size(), 8u);
}

TEST_F(Permissions, WhatAwsRefusesIsRefusedInItsWords) {
  ASSERT_EQ(add({}).status, 201);
  const auto refused = [&](const object& body, const std::string& path = "f/policy") {
    const auto answer = add(body, path);
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  };
  EXPECT_EQ(
      refused({}),
      "409 ResourceConflictException: The statement id (s3) provided already exists. Please provide a new statement "
      "id, or remove the existing statement.");
  for (const char* principal : {"nonsense", "arn:aws:s3:::bucket", "arn:aws:iam::210987654321:role/*"})
    EXPECT_EQ(
        refused({{"StatementId", "x"}, {"Principal", principal}}),
        "400 InvalidParameterValueException: The provided principal was invalid. Please check the principal and try "
        "again.");
  EXPECT_EQ(
      refused({{"StatementId", "x"}, {"FunctionUrlAuthType", "NONE"}}),
      "400 InvalidParameterValueException: FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
  EXPECT_EQ(refused({{"StatementId", "x"}, {"RevisionId", kNobody}}),
            "412 PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the "
            "GetFunction/GetAlias API to retrieve the latest Revision Id");
  EXPECT_EQ(refused({}, "f/policy?Qualifier=%24LATEST"),
            "400 InvalidParameterValueException: We currently do not support adding policies for $LATEST.");
  EXPECT_EQ(refused({}, "none/policy"),
            std::string("404 ResourceNotFoundException: Function not found: ") + kArn + "none");
  EXPECT_EQ(refused({}, "f/policy?Qualifier=9"),
            std::string("404 ResourceNotFoundException: Function not found: ") + kArn + "f:9");
  EXPECT_EQ(refused({}, "f/policy?Qualifier=none"),
            std::string("404 ResourceNotFoundException: Cannot find alias arn: ") + kArn + "f:none");
  EXPECT_THAT(refused({{"StatementId", "a b"}}),
              HasSubstr("400 ValidationException: 1 validation error detected: Value 'a b' at 'statementId'"));
  EXPECT_EQ(statements(get()).size(), 1u);
}

TEST_F(Permissions, APolicyHasALimit) {
  int added = 0;
  Answer last;
  do {
    last =
        add({{"StatementId", "s" + std::to_string(added++)}, {"SourceArn", "arn:aws:s3:::" + std::string(900, 'b')}});
  } while (last.status == 201 && added < 100);
  EXPECT_EQ(last.status, 400);
  EXPECT_EQ(last.code(), "PolicyLengthExceededException");
  EXPECT_THAT(last.message(), HasSubstr("is bigger than the limit (20480)."));
  EXPECT_GT(added, 10);
}

TEST_F(Permissions, OfAVersionAndAnAliasAreTheirOwn) {
  ASSERT_EQ(add({{"StatementId", "whole"}}).status, 201);
  const auto alias = add({{"StatementId", "alias"}}, "f/policy?Qualifier=live");
  EXPECT_EQ(statement(alias).at("Resource"), value(std::string(kArn) + "f:live"));
  EXPECT_EQ(add({{"StatementId", "version"}}, "f:1/policy").status, 201);
  EXPECT_EQ(statements(get("f/policy")).size(), 1u);
  EXPECT_EQ(statements(get("f/policy?Qualifier=live")), json::array{statement(alias)});
  EXPECT_EQ(get("f:live/policy").text("RevisionId"), send("GET", functions_path("/f/aliases/live")).text("RevisionId"));
  EXPECT_EQ(statements(get("f:1/policy")).front().at("Sid"), "version");
  ASSERT_EQ(update_configuration("f", {{"Timeout", 9}}).status, 200);
  ASSERT_EQ(send("POST", functions_path("/f/versions"), "{}").text("Version"), "2");
  EXPECT_EQ(get("f:2/policy").status, 404) << "a policy is not published";
  open();
  EXPECT_EQ(statements(get("f:live/policy")), json::array{statement(alias)});
}

TEST_F(Permissions, AreRemovedOneByOneAndThePolicyWithTheLast) {
  ASSERT_EQ(add({{"StatementId", "a"}}).status, 201);
  ASSERT_EQ(add({{"StatementId", "b"}}).status, 201);
  const auto refused = [&](const std::string& path) {
    const auto answer = remove(path);
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  };
  EXPECT_EQ(refused("f/policy/none"), "404 ResourceNotFoundException: Statement none is not found in resource policy.");
  EXPECT_EQ(refused("none/policy/a"),
            std::string("404 ResourceNotFoundException: No policy found for: ") + kArn + "none");
  EXPECT_EQ(refused("f/policy/a?Qualifier=live"),
            "404 ResourceNotFoundException: No policy is associated with the given resource.");
  EXPECT_EQ(remove(std::string("f/policy/a?RevisionId=") + kNobody).status, 412);
  const auto revision = get().text("RevisionId");
  EXPECT_EQ(remove("f/policy/a?RevisionId=" + revision).status, 204);
  EXPECT_NE(get().text("RevisionId"), revision);
  EXPECT_EQ(statements(get()).size(), 1u);
  EXPECT_EQ(remove("f/policy/b").status, 204);
  const auto gone = get();
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.message(), "The resource you requested does not exist.");
}

TEST_F(Permissions, BothFormsChangeOnePolicy) {
  const auto document =
      std::string(R"({"Version":"2012-10-17","Statement":{"Sid":"mine","Effect":"Allow","Principal":)") +
      R"({"AWS":"arn:aws:iam::210987654321:root"},"Action":"lambda:*","Resource":")" + kArn + "f\"}}";
  const auto put = put_policy("f", document);
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.resource, std::string(kArn) + "f");
  EXPECT_EQ(put.text("RevisionId"), configuration("f").text("RevisionId"));
  ASSERT_EQ(add({}).status, 201);
  const auto read = send("GET", policy_path("f"));
  EXPECT_EQ(read.text("Policy"), get().text("Policy"));
  EXPECT_EQ(statements(read).size(), 2u);
  ASSERT_EQ(remove("f/policy/mine").status, 204);
  EXPECT_EQ(put_policy("f", document, put.text("RevisionId")).status, 412);
  EXPECT_EQ(put_policy("f", document, configuration("f").text("RevisionId")).status, 200);
  EXPECT_EQ(statements(get()).size(), 1u) << "the whole document at once";
  EXPECT_EQ(send("DELETE", policy_path("f") + "?RevisionId=" + kNobody).status, 412);
  EXPECT_EQ(send("DELETE", policy_path("f")).status, 204);
  EXPECT_EQ(send("GET", policy_path("f")).status, 404);
  EXPECT_EQ(send("DELETE", policy_path("f")).status, 404);
  EXPECT_EQ(put_policy("f:live", document).status, 200);
  EXPECT_EQ(statements(get("f:live/policy")).size(), 1u);
}

TEST_F(Permissions, AWholePolicyMustBeOne) {
  for (const char* bad : {"x", "[]", "{}", R"({"Statement":[]})", R"({"Statement":1})"}) {
    const auto answer = put_policy("f", bad);
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.code(), "InvalidParameterValueException");
  }
  EXPECT_EQ(put_policy("none", R"({"Statement":[{}]})").status, 404);
}

TEST_F(Permissions, ForEverybodyCanBeForbidden) {
  block_public_policies_ = true;
  open();
  const auto refused = add({{"Principal", "*"}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.code(), "PublicPolicyException");
  EXPECT_EQ(
      put_policy("f", R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":"lambda:*"}]})").code(),
      "PublicPolicyException");
  EXPECT_EQ(add({{"StatementId", "org"}, {"Principal", "*"}, {"PrincipalOrgID", "o-abcdefghij"}}).status, 201);
  EXPECT_EQ(add({{"StatementId", "service"}}).status, 201);
}

TEST_F(Permissions, TagsAreOfTheFunctionAndOfNothingElse) {
  const auto path = [](const std::string& name) { return "/2017-03-31/tags/" + base::percent_encode(kArn + name); };
  const auto list = [&] { return send("GET", path("f")).object().at("Tags").as_object(); };
  EXPECT_EQ(list(), object{});
  const auto before = configuration("f").text("RevisionId");
  const auto tagged = send("POST", path("f"), R"({"Tags":{"a":"1","b":"2"}})");
  EXPECT_EQ(tagged.status, 204);
  EXPECT_EQ(tagged.resource, std::string(kArn) + "f");
  EXPECT_NE(configuration("f").text("RevisionId"), before);
  ASSERT_EQ(send("POST", path("f"), R"({"Tags":{"b":"3"}})").status, 204);
  EXPECT_EQ(list(), (object{{"a", "1"}, {"b", "3"}}));
  EXPECT_EQ(send("GET", functions_path("/f:1")).object().at("Tags"), value(list()));
  EXPECT_EQ(send("DELETE", path("f") + "?tagKeys=a&tagKeys=zz").status, 204);
  EXPECT_EQ(list(), (object{{"b", "3"}}));
  open();
  EXPECT_EQ(list(), (object{{"b", "3"}}));
  EXPECT_EQ(send("POST", functions_path("/f/versions"), "{}").text("Version"), "1") << "tags are no change to publish";
  const auto refused = [&](const std::string& name, const std::string& body) {
    const auto answer = send("POST", path(name), body);
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  };
  const std::string one = R"({"Tags":{"a":"1"}})";
  EXPECT_EQ(
      refused("f:live", one),
      "400 InvalidParameterValueException: Tags on function aliases and versions are not supported. Please specify a "
      "function ARN.");
  EXPECT_EQ(refused("none", one), std::string("404 ResourceNotFoundException: Function not found: ") + kArn + "none");
  EXPECT_EQ(refused("f", R"({"Tags":{}})"),
            "400 InvalidParameterValueException: An error occurred and the request cannot be processed.");
  object many;
  for (int i = 0; i < 51; ++i) many["k" + std::to_string(i)] = "v";
  object body;
  body["Tags"] = many;
  EXPECT_EQ(refused("f", json::serialize(body)),
            "400 InvalidParameterValueException: Number of tags exceeds resource tag limit.");
  EXPECT_EQ(send("DELETE", path("f")).code(), "ValidationException");
}

TEST_F(Permissions, TagsCanBeGivenAtCreation) {
  auto body = creation("g");
  object tags;
  tags["team"] = "blue";
  body["Tags"] = tags;
  ASSERT_EQ(create(body).status, 201);
  EXPECT_EQ(send("GET", functions_path("/g")).object().at("Tags"), value(tags));
}

TEST_F(Permissions, AccountSettingsCountWhatIsThere) {
  const auto settings = send("GET", "/2016-08-19/account-settings");
  ASSERT_EQ(settings.status, 200) << settings.body;
  const auto limit = settings.object().at("AccountLimit").as_object();
  EXPECT_EQ(limit.at("TotalCodeSize"), 80530636800);
  EXPECT_EQ(limit.at("CodeSizeUnzipped"), 262144000);
  EXPECT_EQ(limit.at("CodeSizeZipped"), 52428800);
  EXPECT_EQ(limit.at("ConcurrentExecutions"), 1000);
  EXPECT_EQ(limit.at("UnreservedConcurrentExecutions"), 1000);
  const auto size = stored("f")->code_size;
  const auto usage = settings.object().at("AccountUsage").as_object();
  EXPECT_EQ(usage.at("FunctionCount"), 1);
  EXPECT_EQ(usage.at("TotalCodeSize"), 2 * size) << "$LATEST and version 1";
}

}  // namespace
}  // namespace lambent::lambda
