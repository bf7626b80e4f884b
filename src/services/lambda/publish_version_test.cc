// PublishVersion, ListVersionsByFunction, Publish on create and update, and what a version's qualifier does elsewhere.
#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kArn;
using testing::kRole;
using testing::ServiceFixture;
using testing::json::array;
using testing::json::object;
using testing::json::value;
namespace json = testing::json;

class PublishVersion : public ServiceFixture {
 protected:
  Answer publish(const std::string& name, const object& body = {}) {
    return send("POST", functions_path("/" + name + "/versions"), json::serialize(body));
  }
  Answer list(const std::string& query = "") { return send("GET", functions_path("/f/versions" + query)); }
  Answer get(const std::string& name) { return send("GET", functions_path("/" + name)); }
  Answer remove(const std::string& name) { return send("DELETE", functions_path("/" + name)); }
  static std::vector<std::string> versions_in(const Answer& answer) {
    std::vector<std::string> found;
    const auto members = answer.object();
    for (const auto& version : members.at("Versions").as_array())
      found.emplace_back(std::string_view(version.at("Version").as_string()));
    return found;
  }
  /// The function with `count` versions, each of other code.
  void with_versions(int count) {
    ASSERT_EQ(create("f").status, 201);
    for (int number = 1; number <= count; ++number) {
      ASSERT_EQ(update_code("f", {{"ZipFile", zip64("v" + std::to_string(number))}}).status, 200);
      ASSERT_EQ(publish("f").text("Version"), std::to_string(number));
    }
  }
};

TEST_F(PublishVersion, MakesANumberedCopyThatIsReadyAtOnce) {
  ASSERT_EQ(create("f").status, 201);
  const auto before = configuration("f");
  const auto answer = publish("f", {{"Description", "first"}});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.resource, std::string(kArn) + "f");
  EXPECT_EQ(answer.text("Version"), "1");
  EXPECT_EQ(answer.text("FunctionArn"), std::string(kArn) + "f:1");
  EXPECT_EQ(answer.text("Description"), "first");
  EXPECT_EQ(answer.text("State"), "Active");
  EXPECT_EQ(answer.text("LastUpdateStatus"), "Successful");
  EXPECT_EQ(answer.text("CodeSha256"), before.text("CodeSha256"));
  EXPECT_EQ(answer.text("LastModified"), before.text("LastModified"));
  EXPECT_NE(answer.text("RevisionId"), before.text("RevisionId"));
  const auto after = configuration("f");
  EXPECT_EQ(after.text("Description"), "");
  EXPECT_EQ(after.text("Version"), "$LATEST");
  EXPECT_NE(after.text("RevisionId"), before.text("RevisionId")) << "publishing changes $LATEST's revision too";
  EXPECT_EQ(configuration("f:1").object(), answer.object());
  EXPECT_EQ(get("f?Qualifier=1").object().at("Configuration"), value(answer.object()));
}

TEST_F(PublishVersion, WithoutAChangeAnswersTheLastOne) {
  ASSERT_EQ(create("f").status, 201);
  const auto first = publish("f");
  const auto again = publish("f", {{"Description", "is not looked at"}});
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.object(), first.object());
  ASSERT_EQ(update_configuration("f", {{"Description", "changed"}}).status, 200);
  EXPECT_EQ(publish("f").text("Version"), "2");
  ASSERT_EQ(remove("f?Qualifier=2").status, 204);
  EXPECT_EQ(publish("f").text("Version"), "3") << "the last one is gone, and a number is never given twice";
}

TEST_F(PublishVersion, IsNotTouchedByWhatComesAfter) {
  ASSERT_EQ(create("f").status, 201);
  const auto first = publish("f");
  ASSERT_EQ(update_code("f", {{"ZipFile", zip64("other")}}).status, 200);
  object variables;
  variables["NAME"] = "b";
  object environment;
  environment["Variables"] = variables;
  ASSERT_EQ(update_configuration("f", {{"MemorySize", 512}, {"Environment", environment}}).status, 200);
  EXPECT_EQ(configuration("f:1").object(), first.object());
  open();
  EXPECT_EQ(configuration("f:1").object(), first.object());
}

TEST_F(PublishVersion, HasPreconditions) {
  ASSERT_EQ(create("f").status, 201);
  const auto stale = publish("f", {{"RevisionId", "c2a01b1e-0000-4000-8000-000000000000"}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.code(), "PreconditionFailedException");
  EXPECT_EQ(stale.message(),
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id");
  const auto sha = configuration("f").text("CodeSha256");
  const auto other = publish("f", {{"CodeSha256", "somenonexistentsha256"}});
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(other.code(), "InvalidParameterValueException");
  EXPECT_EQ(other.message(), "CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST (" +
                                 sha + "). Please try again with the CodeSHA256 in $LATEST.");
  EXPECT_EQ(publish("f", {{"CodeSha256", sha}, {"RevisionId", configuration("f").text("RevisionId")}}).text("Version"),
            "1");
}

TEST_F(PublishVersion, WaitsForNobody) {
  put("p", "Pending", "");
  const auto pending = publish("p");
  EXPECT_EQ(pending.status, 409);
  EXPECT_EQ(pending.code(), "ResourceConflictException");
  EXPECT_EQ(
      pending.message(),
      "The operation cannot be performed at this time. The function is currently in the following state: Pending");
  put("u", "Active", "InProgress");
  EXPECT_EQ(publish("u").status, 409);
}

TEST_F(PublishVersion, OfWhatIsNotThereOrQualified) {
  const auto missing = publish("f");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.message(), std::string("Function not found: ") + kArn + "f");
  const auto qualified = publish("f:1");
  EXPECT_EQ(qualified.status, 400);
  EXPECT_EQ(qualified.message(),
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN.");
}

TEST_F(PublishVersion, OnCreateAnswersTheVersionWithoutItInTheArn) {
  auto body = creation("f");
  body["Publish"] = true;
  const auto answer = create(body);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.text("Version"), "1");
  EXPECT_EQ(answer.text("FunctionArn"), std::string(kArn) + "f");
  EXPECT_EQ(answer.text("State"), "Pending");
  EXPECT_EQ(answer.text("StateReasonCode"), "Creating");
  EXPECT_EQ(answer.text("LastUpdateStatus"), "(absent)");
  EXPECT_EQ(configuration("f:1").text("State"), "Active");
  EXPECT_EQ(configuration("f:1").text("LastUpdateStatus"), "Successful");
  EXPECT_EQ(publish("f").text("Version"), "1") << "nothing has changed since";
}

TEST_F(PublishVersion, OnUpdateAnswersTheVersionWhileItIsMade) {
  ASSERT_EQ(create("f").status, 201);
  const auto answer = update_code("f", {{"ZipFile", zip64("new")}, {"Publish", true}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text("Version"), "1");
  EXPECT_EQ(answer.text("FunctionArn"), std::string(kArn) + "f:1");
  EXPECT_EQ(answer.text("State"), "Pending");
  EXPECT_EQ(answer.text("StateReason"), "The function is being created.");
  EXPECT_EQ(answer.text("LastUpdateStatus"), "(absent)");
  EXPECT_EQ(configuration("f:1").text("State"), "Active");
  EXPECT_EQ(configuration("f").text("CodeSha256"), configuration("f:1").text("CodeSha256"));
  EXPECT_EQ(update_code("f", {{"ZipFile", zip64("dry")}, {"Publish", true}, {"DryRun", true}}).status, 200);
  EXPECT_THAT(versions_in(list()), ElementsAre("$LATEST", "1")) << "a dry run publishes nothing";
}

TEST_F(PublishVersion, AVersionThatACrashLeftPendingIsFinishedAtTheNextStart) {
  put("f", "Active", "Successful");
  auto version = *stored("f");
  version.version = "1";
  version.state = "Pending";
  version.update_status = "";
  version.revision_id = "r-1";
  auto latest = *stored("f");
  ASSERT_TRUE(run(functions_->replace(latest, latest.revision_id, version)));
  open();
  EXPECT_EQ(configuration("f:1").text("State"), "Pending");
  run(lambda_->start());
  EXPECT_EQ(configuration("f:1").text("State"), "Active");
}

TEST_F(PublishVersion, ListsEveryVersionInItsOrder) {
  with_versions(3);
  const auto answer = list();
  EXPECT_EQ(answer.resource, std::string(kArn) + "f");
  EXPECT_THAT(versions_in(answer), ElementsAre("$LATEST", "1", "2", "3"));
  const auto first = answer.object().at("Versions").as_array().front().as_object();
  EXPECT_EQ(first.at("FunctionArn"), value(std::string(kArn) + "f:$LATEST"));
  for (const char* absent : {"State", "LastUpdateStatus", "RuntimeVersionConfig"})
    EXPECT_FALSE(first.contains(absent)) << absent;
  EXPECT_FALSE(answer.object().contains("NextMarker"));
}

TEST_F(PublishVersion, ListsPageByPageWhileVersionsComeAndGo) {
  with_versions(3);
  const auto first = list("?MaxItems=2");
  EXPECT_THAT(versions_in(first), ElementsAre("$LATEST", "1"));
  ASSERT_EQ(remove("f:1").status, 204);
  ASSERT_EQ(update_configuration("f", {{"Timeout", 9}}).status, 200);
  ASSERT_EQ(publish("f").text("Version"), "4");
  const auto second = list("?MaxItems=2&Marker=" + first.text("NextMarker"));
  EXPECT_THAT(versions_in(second), ElementsAre("2", "3"));
  const auto third = list("?MaxItems=2&Marker=" + second.text("NextMarker"));
  EXPECT_THAT(versions_in(third), ElementsAre("4"));
  EXPECT_EQ(list("?Marker=nonsense").code(), "InvalidParameterValueException");
  EXPECT_EQ(send("GET", functions_path("/none/versions")).status, 404);
}

TEST_F(PublishVersion, ListFunctionsShowsThemAllWhenAsked) {
  with_versions(2);
  ASSERT_EQ(create("e").status, 201);
  const auto arns = [&](const std::string& query) {
    std::vector<std::string> found;
    const auto answer = send("GET", functions_path("?FunctionVersion=ALL" + query));
    const auto members = answer.object();
    for (const auto& function : members.at("Functions").as_array())
      found.push_back(
          std::string(std::string_view(function.at("FunctionArn").as_string())).substr(std::string(kArn).size()));
    found.push_back(answer.text("NextMarker"));
    return found;
  };
  EXPECT_THAT(arns(""), ElementsAre("e:$LATEST", "f:$LATEST", "f:1", "f:2", "(absent)"));
  const auto first = arns("&MaxItems=3");
  EXPECT_THAT(arns("&MaxItems=3&Marker=" + first.back()), ElementsAre("f:2", "(absent)"));
}

TEST_F(PublishVersion, IsInvokedByItsNumber) {
  with_versions(2);
  ASSERT_EQ(invoke("f:1").status, 200);
  EXPECT_EQ(engine_.invocations.back().function->version, "1");
  EXPECT_EQ(engine_.invocations.back().invoked_function_arn, std::string(kArn) + "f:1");
  EXPECT_EQ(engine_.invocations.back().function->code_sha256, configuration("f:1").text("CodeSha256"));
  const auto missing = send("POST", functions_path("/f/invocations?Qualifier=9"), "{}");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.message(), std::string("Function not found: ") + kArn + "f:9");
}

TEST_F(PublishVersion, IsDeletedAloneAndOnlyOnce) {
  with_versions(2);
  EXPECT_EQ(remove("f?Qualifier=1").status, 204);
  EXPECT_EQ(remove("f?Qualifier=1").status, 204) << "what is gone is deleted, as on AWS";
  EXPECT_EQ(engine_.retired.back(), "f:1");
  EXPECT_EQ(configuration("f:1").status, 404);
  EXPECT_EQ(configuration("f:2").status, 200);
  EXPECT_EQ(remove("none?Qualifier=1").status, 404);
  EXPECT_EQ(remove("f").status, 204);
  EXPECT_EQ(configuration("f:2").status, 404);
}

TEST_F(PublishVersion, CodeIsKeptWhileAnyVersionNeedsItAndRemovedWithTheLast) {
  run(lambda_->start());
  ASSERT_EQ(create(creation("f", "first")).status, 201);
  const std::string first = stored("f")->code_hash;
  ASSERT_EQ(publish("f").status, 201);
  ASSERT_EQ(update_code("f", {{"ZipFile", zip64("second")}}).status, 200);
  const std::string second = stored("f")->code_hash;
  EXPECT_TRUE(code_->contains(first)) << "version 1 has it";
  ASSERT_EQ(update_code("f", {{"ZipFile", zip64("third")}}).status, 200);
  const std::string third = stored("f")->code_hash;
  drain_cpu();
  EXPECT_FALSE(code_->contains(second)) << "nothing has it any more";
  auto running = functions_->find({testing::kAccount, "us-east-1", "f"}, "1");
  ASSERT_EQ(remove("f").status, 204);
  drain_cpu();
  EXPECT_TRUE(code_->contains(first)) << "an environment of version 1 is still there";
  EXPECT_FALSE(code_->contains(third));
  running.reset();
  drain_cpu();
  EXPECT_FALSE(code_->contains(first));
  EXPECT_THAT(code_->hashes(), IsEmpty());
}

TEST_F(PublishVersion, StorageHasALimit) {
  const auto size = static_cast<std::int64_t>(base::unbase64(zip64("x"))->size());
  code_storage_ = 2 * size + size / 2;
  open();
  ASSERT_EQ(create("f").status, 201);
  ASSERT_EQ(publish("f").status, 201);
  ASSERT_EQ(update_configuration("f", {{"Timeout", 9}}).status, 200);
  for (const auto& full : {publish("f"), create("g"), update_code("f", {{"ZipFile", zip64("y")}, {"Publish", true}})}) {
    EXPECT_EQ(full.status, 400) << full.body;
    EXPECT_EQ(full.code(), "CodeStorageExceededException");
    EXPECT_EQ(full.message(), "Code storage limit exceeded.");
  }
  EXPECT_EQ(update_code("f", {{"ZipFile", zip64("y")}}).status, 200) << "in place of what is there";
  ASSERT_EQ(remove("f?Qualifier=1").status, 204);
  EXPECT_EQ(publish("f").status, 201);
}

}  // namespace
}  // namespace lambent::lambda
