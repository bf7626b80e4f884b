// CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases, and what an alias does as a qualifier.
#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kArn;
using testing::ServiceFixture;
using testing::json::object;
namespace json = testing::json;

class AliasOperations : public ServiceFixture {
 protected:
  AliasOperations() {
    EXPECT_EQ(create("f").status, 201);
    for (const char* number : {"1", "2"}) {
      EXPECT_EQ(update_code("f", {{"ZipFile", zip64(number)}}).status, 200);
      EXPECT_EQ(send("POST", functions_path("/f/versions"), "{}").text("Version"), number);
    }
  }
  Answer put(const object& body, const std::string& function = "f") {
    return send("POST", functions_path("/" + function + "/aliases"), json::serialize(body));
  }
  Answer get(const std::string& name) { return send("GET", functions_path("/f/aliases/" + name)); }
  Answer update(const std::string& name, const object& body) {
    return send("PUT", functions_path("/f/aliases/" + name), json::serialize(body));
  }
  Answer remove(const std::string& path) { return send("DELETE", functions_path("/" + path)); }
  Answer list(const std::string& query = "") { return send("GET", functions_path("/f/aliases" + query)); }
  static std::vector<std::string> names_in(const Answer& answer) {
    std::vector<std::string> found;
    const auto members = answer.object();
    for (const auto& alias : members.at("Aliases").as_array())
      found.emplace_back(std::string_view(alias.at("Name").as_string()));
    return found;
  }
  static object weights(const std::string& version, double weight) {
    return {{"AdditionalVersionWeights", object{{version, weight}}}};
  }
  static object alias(const std::string& name, const std::string& version) {
    return {{"Name", name}, {"FunctionVersion", version}};
  }
};

TEST_F(AliasOperations, ANewOneIsAnsweredAndReadAlike) {
  auto body = alias("live", "1");
  body["Description"] = "what users see";
  body["RoutingConfig"] = weights("2", 0.2);
  const auto made = put(body);
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.resource, std::string(kArn) + "f");
  EXPECT_EQ(made.text("AliasArn"), std::string(kArn) + "f:live");
  EXPECT_EQ(made.text("Name"), "live");
  EXPECT_EQ(made.text("FunctionVersion"), "1");
  EXPECT_EQ(made.text("Description"), "what users see");
  EXPECT_EQ(made.object().at("RoutingConfig"), weights("2", 0.2));
  EXPECT_EQ(made.object().size(), 6u);
  EXPECT_EQ(get("live").object(), made.object());
  open();
  EXPECT_EQ(get("live").object(), made.object());
}

TEST_F(AliasOperations, WithoutWeightsThereIsNoRoutingConfig) {
  for (const auto& routing : {object{}, object{{"AdditionalVersionWeights", object{}}}}) {
    auto body = alias("plain" + std::to_string(routing.size()), "$LATEST");
    body["RoutingConfig"] = routing;
    const auto made = put(body);
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_FALSE(made.object().contains("RoutingConfig"));
    EXPECT_EQ(made.text("Description"), "");
  }
}

TEST_F(AliasOperations, WhatAwsRefusesIsRefusedInItsWords) {
  const auto refused = [&](const object& routing, const std::string& version = "1") {
    auto body = alias("bad", version);
    body["RoutingConfig"] = routing;
    const auto answer = put(body);
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  };
  EXPECT_EQ(refused({{"AdditionalVersionWeights", object{{"1", 0.1}, {"2", 0.1}}}}),
            "400 InvalidParameterValueException: Number of items in AdditionalVersionWeights cannot be greater than 1");
  EXPECT_EQ(refused(weights("1", 0.5)),
            "400 InvalidParameterValueException: Invalid function version 1. Function version 1 is already included in "
            "routing configuration.");
  EXPECT_EQ(
      refused(weights("2", 0.5), "$LATEST"),
      "400 InvalidParameterValueException: $LATEST is not supported for an alias pointing to more than 1 version");
  EXPECT_EQ(refused(weights("2", 2.0)),
            "400 ValidationException: 1 validation error detected: Value '{2=2.0}' at "
            "'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: "
            "[Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, "
            "Member must not be null]");
  EXPECT_EQ(refused(weights("$LATEST", 0.5)),
            "400 ValidationException: 1 validation error detected: Value '{$LATEST=0.5}' at "
            "'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: "
            "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, "
            "Member must satisfy regular expression pattern: [0-9]+, Member must not be null]");
  EXPECT_EQ(refused(weights("10", 0.5)),
            std::string("404 ResourceNotFoundException: Function not found: ") + kArn + "f:10");
  EXPECT_EQ(refused({}, "10"), std::string("404 ResourceNotFoundException: Function not found: ") + kArn + "f:10");
  EXPECT_EQ(put(alias("live", "1"), "none").message(), std::string("Function not found: ") + kArn + "none:1");
  EXPECT_EQ(put(alias("123", "1")).code(), "ValidationException");
  EXPECT_THAT(names_in(list()), IsEmpty());
}

TEST_F(AliasOperations, ANameIsTakenOnce) {
  ASSERT_EQ(put(alias("live", "1")).status, 201);
  const auto again = put(alias("live", "2"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.code(), "ResourceConflictException");
  EXPECT_EQ(again.message(), std::string("Alias already exists: ") + kArn + "f:live");
  EXPECT_EQ(get("live").text("FunctionVersion"), "1");
}

TEST_F(AliasOperations, AnUpdateChangesWhatItNamesAndTheRevision) {
  auto body = alias("live", "1");
  body["Description"] = "d";
  body["RoutingConfig"] = weights("2", 0.5);
  const auto made = put(body);
  const auto described = update("live", {{"Description", "e"}});
  EXPECT_EQ(described.status, 200);
  EXPECT_EQ(described.object().at("RoutingConfig"), weights("2", 0.5));
  EXPECT_NE(described.text("RevisionId"), made.text("RevisionId"));
  const auto same = update("live", {{"FunctionVersion", "2"}});
  EXPECT_EQ(same.code(), "InvalidParameterValueException") << "version 2 is in the routing still";
  const auto moved = update("live", {{"FunctionVersion", "2"}, {"RoutingConfig", object{}}});
  EXPECT_EQ(moved.text("FunctionVersion"), "2");
  EXPECT_EQ(moved.text("Description"), "e");
  EXPECT_FALSE(moved.object().contains("RoutingConfig"));
  EXPECT_EQ(update("live", {{"FunctionVersion", "7"}}).status, 404);
  EXPECT_NE(update("live", {}).text("RevisionId"), moved.text("RevisionId")) << "no change is a change of it too";
}

TEST_F(AliasOperations, AnUpdateCanDemandARevision) {
  const auto made = put(alias("live", "1"));
  const auto stale = update("live", {{"FunctionVersion", "2"}, {"RevisionId", "c2a01b1e-0000-4000-8000-000000000000"}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.code(), "PreconditionFailedException");
  EXPECT_EQ(update("live", {{"FunctionVersion", "2"}, {"RevisionId", made.text("RevisionId")}}).status, 200);
}

TEST_F(AliasOperations, WhatIsNotThereIsNotFoundOrDeletedAlready) {
  for (const auto& missing : {get("none"), update("none", {{"FunctionVersion", "1"}})}) {
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.code(), "ResourceNotFoundException");
    EXPECT_EQ(missing.message(), std::string("Cannot find alias arn: ") + kArn + "f:none");
  }
  EXPECT_EQ(remove("f/aliases/none").status, 204);
  EXPECT_EQ(remove("none/aliases/live").status, 404);
  EXPECT_EQ(send("GET", functions_path("/none/aliases")).status, 404);
}

TEST_F(AliasOperations, AreListedByNameByPageAndByVersion) {
  for (const auto& [name, version] : {std::pair("c", "1"), std::pair("a", "1"), std::pair("b", "2")})
    ASSERT_EQ(put(alias(name, version)).status, 201);
  EXPECT_THAT(names_in(list()), ElementsAre("a", "b", "c"));
  EXPECT_THAT(names_in(list("?FunctionVersion=1")), ElementsAre("a", "c"));
  EXPECT_THAT(names_in(list("?FunctionVersion=9")), IsEmpty());
  const auto first = list("?MaxItems=2");
  EXPECT_THAT(names_in(first), ElementsAre("a", "b"));
  ASSERT_EQ(remove("f/aliases/b").status, 204);
  const auto second = list("?MaxItems=2&Marker=" + first.text("NextMarker"));
  EXPECT_THAT(names_in(second), ElementsAre("c"));
  EXPECT_EQ(second.text("NextMarker"), "(absent)");
}

TEST_F(AliasOperations, NameAVersionWhereverAQualifierMay) {
  ASSERT_EQ(put(alias("live", "1")).status, 201);
  const auto answer = configuration("f:live");
  EXPECT_EQ(answer.text("FunctionArn"), std::string(kArn) + "f:live");
  EXPECT_EQ(answer.text("Version"), "1");
  EXPECT_EQ(answer.text("CodeSha256"), configuration("f:1").text("CodeSha256"));
  ASSERT_EQ(invoke("f:live").status, 200);
  EXPECT_EQ(engine_.invocations.back().function->version, "1");
  EXPECT_EQ(engine_.invocations.back().invoked_function_arn, std::string(kArn) + "f:live");
  ASSERT_EQ(update("live", {{"FunctionVersion", "2"}}).status, 200);
  ASSERT_EQ(invoke("f:live").status, 200);
  EXPECT_EQ(engine_.invocations.back().function->version, "2");
  EXPECT_EQ(invoke("f:gone").message(), std::string("Function not found: ") + kArn + "f:gone");
}

TEST_F(AliasOperations, ShareTheirInvocationsByWeight) {
  auto body = alias("canary", "1");
  body["RoutingConfig"] = weights("2", 1.0);
  ASSERT_EQ(put(body).status, 201);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(invoke("f:canary").status, 200);
    EXPECT_EQ(engine_.invocations.back().function->version, "2");
  }
  ASSERT_EQ(update("canary", {{"RoutingConfig", weights("2", 0.5)}}).status, 200);
  std::map<std::string, int> count;
  // Both are drawn but for one run in 10^30.
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(invoke("f:canary").status, 200);
    ++count[engine_.invocations.back().function->version];
  }
  EXPECT_EQ(count.size(), 2u);
}

TEST_F(AliasOperations, KeepTheirVersionsFromBeingDeleted) {
  auto body = alias("live", "1");
  body["RoutingConfig"] = weights("2", 0.5);
  ASSERT_EQ(put(body).status, 201);
  for (const char* version : {"f:1", "f:2"}) {
    const auto kept = remove(version);
    EXPECT_EQ(kept.status, 409);
    EXPECT_EQ(kept.code(), "ResourceConflictException");
    EXPECT_EQ(kept.message(), "Unable to delete version because the following aliases reference it: [live]");
  }
  ASSERT_EQ(remove("f/aliases/live").status, 204);
  EXPECT_EQ(remove("f:1").status, 204);
}

}  // namespace
}  // namespace lambent::lambda
