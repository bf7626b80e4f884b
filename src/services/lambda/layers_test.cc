// Layers: publication, lists, deletion, policies, and functions that use them.
#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ServiceFixture;
using ::testing::StartsWith;
using testing::json::object;
using testing::json::value;
namespace json = testing::json;

constexpr const char* kLayer = "arn:aws:lambda:us-east-1:123456789012:layer:";

class LayerOperations : public ServiceFixture {
 protected:
  Answer publish(const std::string& name, object body = {}, const std::string& content = "x") {
    if (!body.contains("Content")) {
      object zip;
      zip["ZipFile"] = zip64(content);
      body["Content"] = zip;
    }
    return send("POST", "/2018-10-31/layers/" + name + "/versions", json::serialize(body));
  }
  Answer get(const std::string& rest) { return send("GET", "/2018-10-31/layers" + rest); }
  Answer remove(const std::string& rest) { return send("DELETE", "/2018-10-31/layers" + rest); }
  Answer permit(const std::string& rest, const object& body) {
    return send("POST", "/2018-10-31/layers" + rest + "/policy", json::serialize(body));
  }
  static object permission(const std::string& sid, const std::string& principal) {
    return {{"StatementId", sid}, {"Action", "lambda:GetLayerVersion"}, {"Principal", principal}};
  }
  static std::string said(const Answer& answer) {
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  }
  static std::vector<std::int64_t> versions_in(const Answer& answer) {
    std::vector<std::int64_t> found;
    const auto members = answer.object();
    for (const auto& version : members.at("LayerVersions").as_array())
      found.push_back(version.at("Version").as_int64());
    return found;
  }
  static std::vector<std::string> latest_in(const Answer& answer) {
    std::vector<std::string> found;
    const auto members = answer.object();
    for (const auto& layer : members.at("Layers").as_array())
      found.emplace_back(std::string_view(layer.at("LatestMatchingVersion").at("LayerVersionArn").as_string())
                             .substr(std::string(kLayer).size()));
    return found;
  }
  /// The layer of somebody else, who let `policy` say who may use it.
  void put_foreign_layer(const std::string& policy) {
    store::LayerVersion version;
    version.key = {"210987654321", "us-east-1", "theirs"};
    version.code_hash = std::string(64, '1');
    version.policy = policy;
    run(layers_->publish(version));
  }
};

TEST_F(LayerOperations, APublishedVersionIsAnsweredAndReadAlike) {
  const auto made = publish("deps", {{"Description", "d"},
                                     {"CompatibleRuntimes", json::array{"python3.13", "nodejs22.x"}},
                                     {"CompatibleArchitectures", json::array{"x86_64"}},
                                     {"LicenseInfo", "MIT"}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.resource, std::string(kLayer) + "deps");
  EXPECT_EQ(made.text("LayerArn"), std::string(kLayer) + "deps");
  EXPECT_EQ(made.text("LayerVersionArn"), std::string(kLayer) + "deps:1");
  EXPECT_EQ(made.text("CreatedDate"), "2026-01-31T12:34:56.789+0000");
  EXPECT_EQ(made.text("LicenseInfo"), "MIT");
  EXPECT_EQ(made.object().at("Version"), 1);
  EXPECT_EQ(made.object().at("CompatibleRuntimes"), value(json::array{"python3.13", "nodejs22.x"}));
  const auto content = made.object().at("Content").as_object();
  const std::string location(std::string_view(content.at("Location").as_string()));
  const auto hash = code_url_.verify(location.substr(location.find("/_lambent")));
  ASSERT_TRUE(hash);
  EXPECT_EQ(code_->zip(*hash), base::unbase64(zip64()));
  EXPECT_EQ(get("/deps/versions/1").object(), made.object());
  EXPECT_EQ(get("?find=LayerVersion&Arn=" + std::string(kLayer) + "deps:1").object(), made.object());
  EXPECT_EQ(get("/" + base::percent_encode(std::string(kLayer) + "deps") + "/versions/1").object(), made.object());
  open();
  EXPECT_EQ(get("/deps/versions/1").object(), made.object());
  EXPECT_EQ(publish("deps").object().at("Version"), 2);
}

TEST_F(LayerOperations, WhatIsNotSetIsAbsent) {
  const auto made = publish("plain").object();
  EXPECT_EQ(made.at("Description"), "");
  for (const char* absent : {"CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"})
    EXPECT_FALSE(made.contains(absent)) << absent;
}

TEST_F(LayerOperations, AreRefusedInAwssWords) {
  ASSERT_EQ(publish("deps").status, 201);
  EXPECT_EQ(said(get("/deps/versions/0")), "400 InvalidParameterValueException: Layer Version Cannot be less than 1");
  EXPECT_EQ(said(remove("/deps/versions/-1")),
            "400 InvalidParameterValueException: Layer Version Cannot be less than 1");
  for (const auto& missing : {get("/deps/versions/2"), get("/none/versions/1"),
                              get("?find=LayerVersion&Arn=" + std::string(kLayer) + "none:1")})
    EXPECT_EQ(said(missing), "404 ResourceNotFoundException: The resource you requested does not exist.");
  EXPECT_EQ(get("?find=LayerVersion&Arn=" + std::string(kLayer) + "deps").code(), "ValidationException");
  object empty;
  object body;
  body["Content"] = empty;
  EXPECT_EQ(publish("deps", body).code(), "InvalidParameterValueException");
  object broken;
  broken["ZipFile"] = base::base64("no zip");
  body["Content"] = broken;
  EXPECT_THAT(publish("deps", body).message(), StartsWith("Could not unzip uploaded file."));
  EXPECT_EQ(publish("deps", {{"CompatibleRuntimes", json::array{"cobol"}}}).code(), "ValidationException");
  EXPECT_EQ(said(send("POST",
                      "/2018-10-31/layers/" + base::percent_encode("arn:aws:lambda:us-east-1:210987654321:layer:x") +
                          "/versions",
                      json::serialize(object{{"Content", object{}}})))
                .substr(0, 25),
            "403 AccessDeniedException");
}

TEST_F(LayerOperations, AreListedByPageAndByWhatTheyAreFor) {
  publish("b", {{"CompatibleRuntimes", json::array{"nodejs22.x"}}});
  publish("b", {{"CompatibleRuntimes", json::array{"python3.13"}}, {"CompatibleArchitectures", json::array{"arm64"}}});
  publish("a");
  EXPECT_THAT(latest_in(get("")), ElementsAre("a:1", "b:2"));
  EXPECT_THAT(latest_in(get("?CompatibleRuntime=nodejs22.x")), ElementsAre("b:1"));
  EXPECT_THAT(latest_in(get("?CompatibleArchitecture=arm64")), ElementsAre("b:2"));
  const auto first = get("?MaxItems=1");
  EXPECT_THAT(latest_in(first), ElementsAre("a:1"));
  const auto second = get("?MaxItems=1&Marker=" + first.text("NextMarker"));
  EXPECT_THAT(latest_in(second), ElementsAre("b:2"));
  EXPECT_EQ(second.text("NextMarker"), "(absent)");
  EXPECT_THAT(versions_in(get("/b/versions")), ElementsAre(2, 1));
  EXPECT_THAT(versions_in(get("/b/versions?CompatibleRuntime=nodejs22.x")), ElementsAre(1));
  const auto page = get("/b/versions?MaxItems=1");
  EXPECT_THAT(versions_in(page), ElementsAre(2));
  EXPECT_THAT(versions_in(get("/b/versions?Marker=" + page.text("NextMarker"))), ElementsAre(1));
  EXPECT_THAT(versions_in(get("/none/versions")), IsEmpty());
  EXPECT_FALSE(get("").object().at("Layers").as_array().front().as_object().contains("Content"));
}

TEST_F(LayerOperations, GoToFunctionsInTheOrderNamed) {
  publish("one", {}, "one");
  publish("two", {}, "two");
  auto body = creation("f");
  body["Layers"] = json::array{std::string(kLayer) + "two:1", std::string(kLayer) + "one:1"};
  const auto made = create(body);
  ASSERT_EQ(made.status, 201) << made.body;
  const auto layers = made.object().at("Layers").as_array();
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].at("Arn"), value(std::string(kLayer) + "two:1"));
  EXPECT_EQ(layers[0].at("CodeSize"), value(layers_->find({testing::kAccount, "us-east-1", "two"}, 1)->code_size));
  EXPECT_EQ(stored("f")->layers[0].hash, layers_->find({testing::kAccount, "us-east-1", "two"}, 1)->code_hash);
  EXPECT_EQ(configuration("f").object().at("Layers"), value(layers));
  EXPECT_EQ(update_configuration("f", {{"Timeout", 5}}).object().at("Layers"), value(layers));
  EXPECT_FALSE(update_configuration("f", {{"Layers", json::array{}}}).object().contains("Layers"));
}

TEST_F(LayerOperations, AFunctionMayNotHaveEveryList) {
  publish("l");
  publish("l");
  for (int i = 0; i < 6; ++i) publish("l" + std::to_string(i));
  ASSERT_EQ(create("f").status, 201);
  const auto refused = [&](const std::vector<std::string>& arns) {
    json::array list;
    for (const auto& arn : arns) list.emplace_back(arn);
    return said(update_configuration("f", {{"Layers", list}}));
  };
  const std::string l = kLayer;
  EXPECT_EQ(refused({l + "l0:1", l + "l1:1", l + "l2:1", l + "l3:1", l + "l4:1", l + "l5:1"}),
            "400 InvalidParameterValueException: Cannot reference more than 5 layers.");
  EXPECT_EQ(
      refused({l + "l:1", l + "l:2"}),
      "400 InvalidParameterValueException: Two different versions of the same layer are not allowed to be referenced "
      "in the same function. " +
          l + "l:1 and " + l + "l:2 are versions of the same layer.");
  EXPECT_EQ(refused({l + "l:3"}), "400 InvalidParameterValueException: Layer version " + l + "l:3 does not exist.");
  EXPECT_EQ(
      refused({"arn:aws:lambda:eu-west-1:123456789012:layer:l:1"}),
      "400 InvalidParameterValueException: Layers are not in the same region as the function. Layers are expected to "
      "be in region us-east-1.");
  EXPECT_THAT(refused({l + "l"}),
              HasSubstr("ValidationException: 1 validation error detected: Value '[" + l + "l]' at 'layers'"));
  EXPECT_EQ(refused({"arn:aws:lambda:us-east-1:210987654321:layer:theirs:1"}),
            "403 AccessDeniedException: User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "
            "lambda:GetLayerVersion on resource: arn:aws:lambda:us-east-1:210987654321:layer:theirs:1 because no "
            "resource-based policy allows the lambda:GetLayerVersion action");
}

TEST_F(LayerOperations, AnotherAccountsMayBeUsedWhenItsPolicySaysSo) {
  put_foreign_layer("for 123456789012");
  ASSERT_EQ(create("f").status, 201);
  EXPECT_EQ(update_configuration("f", {{"Layers", json::array{"arn:aws:lambda:us-east-1:210987654321:layer:theirs:1"}}})
                .status,
            200);
}

TEST_F(LayerOperations, TogetherWithCodeThereAre250Mb) {
  ASSERT_EQ(create("f").status, 201);
  for (const char* name : {"a", "b"}) {
    store::LayerVersion version;
    version.key = {testing::kAccount, "us-east-1", name};
    version.unzipped_size = 200'000'000;
    run(layers_->publish(version));
  }
  EXPECT_EQ(said(update_configuration(
                "f", {{"Layers", json::array{std::string(kLayer) + "a:1", std::string(kLayer) + "b:1"}}})),
            "400 InvalidParameterValueException: Layers consume more than the available size of 262144000 bytes");
  ASSERT_EQ(update_configuration("f", {{"Layers", json::array{std::string(kLayer) + "a:1"}}}).status, 200);
  auto big = *stored("f");
  big.unzipped_size = 100'000'000;
  const auto revision = big.revision_id;
  ASSERT_TRUE(run(functions_->replace(big, revision)));
  EXPECT_EQ(
      said(update_configuration("f", {{"Timeout", 4}})),
      "400 InvalidParameterValueException: Function code combined with layers exceeds the maximum allowed size of "
      "262144000 bytes. The actual size is 300000000 bytes.");
}

TEST_F(LayerOperations, ADeletedOneStaysWithTheFunctionsThatUseIt) {
  run(lambda_->start());
  publish("deps", {}, "deps");
  const auto hash = layers_->find({testing::kAccount, "us-east-1", "deps"}, 1)->code_hash;
  auto body = creation("f");
  body["Layers"] = json::array{std::string(kLayer) + "deps:1"};
  ASSERT_EQ(create(body).status, 201);
  EXPECT_EQ(remove("/deps/versions/1").status, 204);
  EXPECT_EQ(remove("/deps/versions/1").status, 204) << "what is gone is deleted, as on AWS";
  drain_cpu();
  EXPECT_TRUE(code_->contains(hash));
  open();
  run(lambda_->start());
  EXPECT_TRUE(code_->contains(hash)) << "after a restart too";
  EXPECT_EQ(stored("f")->layers.front().hash, hash);
  EXPECT_THAT(said(update_configuration("f", {{"Layers", json::array{std::string(kLayer) + "deps:1"}}})),
              HasSubstr("does not exist"));
  ASSERT_EQ(send("DELETE", functions_path("/f")).status, 204);
  drain_cpu();
  EXPECT_FALSE(code_->contains(hash));
}

TEST_F(LayerOperations, HavePoliciesWithRevisionsOfTheirOwn) {
  publish("deps");
  EXPECT_EQ(said(get("/deps/versions/1/policy")),
            "404 ResourceNotFoundException: No policy is associated with the given resource.");
  const auto added = permit("/deps/versions/1", permission("xaccount", "210987654321"));
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.text("Statement"),
            std::string(R"({"Sid":"xaccount","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:root"},)") +
                R"("Action":"lambda:GetLayerVersion","Resource":")" + kLayer + "deps:1\"}");
  const auto policy = get("/deps/versions/1/policy");
  EXPECT_EQ(policy.text("RevisionId"), added.text("RevisionId"));
  EXPECT_EQ(json::parse(policy.text("Policy")).at("Statement").as_array().front(),
            json::parse(added.text("Statement")));
  auto organization = permission("org", "*");
  organization["OrganizationId"] = "o-abcdefghij";
  EXPECT_THAT(permit("/deps/versions/1", organization).text("Statement"), HasSubstr(R"("Principal":"*")"));
  EXPECT_EQ(
      said(permit("/deps/versions/1", permission("org", "*"))),
      "409 ResourceConflictException: The statement id (org) provided already exists. Please provide a new statement "
      "id, or remove the existing statement.");
  EXPECT_EQ(said(permit("/deps/versions/9", permission("x", "*"))),
            std::string("404 ResourceNotFoundException: Layer version ") + kLayer + "deps:9 does not exist.");
  EXPECT_EQ(said(remove("/deps/versions/1/policy/none")),
            "404 ResourceNotFoundException: Statement none is not found in resource policy.");
  const std::string stale =
      "412 PreconditionFailedException: The Revision Id provided does not match the latest Revision "
      "Id. Call the GetLayerPolicy API to retrieve the latest Revision Id";
  EXPECT_EQ(said(remove("/deps/versions/1/policy/org?RevisionId=" + added.text("RevisionId"))), stale);
  EXPECT_EQ(
      remove("/deps/versions/1/policy/org?RevisionId=" + get("/deps/versions/1/policy").text("RevisionId")).status,
      204);
  EXPECT_EQ(remove("/deps/versions/1/policy/xaccount").status, 204);
  EXPECT_EQ(get("/deps/versions/1/policy").status, 404);
}

}  // namespace
}  // namespace lambent::lambda
