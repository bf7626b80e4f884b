#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kArn;
using testing::ServiceFixture;
using testing::json::array;
using testing::json::object;
using testing::json::value;

class UpdateFunction : public ServiceFixture {
 protected:
  UpdateFunction() {
    EXPECT_EQ(create("f").status, 201);
    clock_.advance(std::chrono::seconds(1));
  }
};

TEST_F(UpdateFunction, CodeIsReplacedAndReportedInProgressThenSuccessful) {
  const auto before = stored("f");
  const auto answer = update_code("f", {{"ZipFile", zip64("new")}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.resource, std::string(kArn) + "f");
  EXPECT_EQ(answer.text("State"), "Active");
  EXPECT_EQ(answer.text("LastUpdateStatus"), "InProgress");
  EXPECT_EQ(answer.text("LastUpdateStatusReasonCode"), "Creating");
  EXPECT_EQ(answer.text("LastModified"), "2026-01-31T12:34:57.789+0000");
  EXPECT_NE(answer.text("CodeSha256"), before->code_sha256);
  EXPECT_NE(answer.text("RevisionId"), before->revision_id);
  EXPECT_EQ(configuration("f").text("LastUpdateStatus"), "Successful");
  EXPECT_EQ(configuration("f").text("LastUpdateStatusReasonCode"), "(absent)");
  EXPECT_TRUE(code_->contains(stored("f")->code_hash));
  EXPECT_THAT(engine_.retired, ElementsAre("f:$LATEST"));
}

TEST_F(UpdateFunction, ADryRunAnswersTheNewDigestAndChangesNothing) {
  const auto before = stored("f");
  const auto answer = update_code("f", {{"ZipFile", zip64("new")}, {"DryRun", true}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text("CodeSha256"), base::base64(base::sha256(*base::unbase64(zip64("new")))));
  EXPECT_EQ(answer.text("RevisionId"), before->revision_id);
  EXPECT_EQ(stored("f"), before);
  EXPECT_EQ(code_->hashes().size(), 1u);
  EXPECT_THAT(engine_.retired, IsEmpty());
  EXPECT_EQ(update_code("f", {{"ZipFile", "AAAA"}, {"DryRun", true}}).status, 400);
}

TEST_F(UpdateFunction, CodeMayChangeTheArchitecture) {
  EXPECT_EQ(update_code("f", {{"ZipFile", zip64()}, {"Architectures", array{"arm64"}}}).object().at("Architectures"),
            value(array{"arm64"}));
}

TEST_F(UpdateFunction, CodeRefusesWhatItCannotDo) {
  const auto before = stored("f");
  const std::vector<std::pair<object, std::string>> refused{
      {{}, "Please provide a source for function code."},
      {{{"S3Bucket", "bucket"}, {"S3Key", "k"}}, "S3Bucket: "},
      {{{"ImageUri", "image"}}, "Please don't provide ImageUri when updating a function with packageType Zip."},
      {{{"ZipFile", zip64()}, {"SourceKMSKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k"}}, "SourceKMSKeyArn: "},
  };
  for (const auto& [body, says] : refused) {
    const auto answer = update_code("f", body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "InvalidParameterValueException");
    EXPECT_THAT(answer.message(), HasSubstr(says));
  }
  EXPECT_EQ(stored("f"), before);
}

TEST_F(UpdateFunction, ConfigurationChangesWhatIsNamedAndNothingElse) {
  auto settings = creation("g");
  settings["Description"] = "kept";
  settings["Environment"] = object{{"Variables", object{{"KEY", "v"}}}};
  ASSERT_EQ(create(settings).status, 201);
  const auto before = configuration("g").object();
  const auto answer = update_configuration("g", {{"Timeout", 42}, {"Handler", "new.handler"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  auto expected = before;
  const auto now = configuration("g").object();
  expected["Timeout"] = 42;
  expected["Handler"] = "new.handler";
  expected["RevisionId"] = now.at("RevisionId");
  expected["LastModified"] = now.at("LastModified");
  EXPECT_EQ(value(now), value(expected));
  EXPECT_THAT(engine_.retired, ElementsAre("g:$LATEST"));
}

TEST_F(UpdateFunction, AnEnvironmentIsReplacedAsAWhole) {
  const auto answer = [&](const object& environment) {
    return update_configuration("f", {{"Environment", environment}}).object();
  };
  const auto set = [&](const object& environment) { return answer(environment).at("Environment"); };
  EXPECT_EQ(set({{"Variables", object{{"AA", "1"}, {"BB", "2"}}}}),
            value(object{{"Variables", object{{"AA", "1"}, {"BB", "2"}}}}));
  EXPECT_EQ(set({{"Variables", object{{"CC", "3"}}}}), value(object{{"Variables", object{{"CC", "3"}}}}));
  EXPECT_EQ(set({}), value(object{{"Variables", object{{"CC", "3"}}}})) << "without Variables none changes";
  EXPECT_FALSE(answer({{"Variables", object{}}}).contains("Environment")) << "none is not shown";
}

TEST_F(UpdateFunction, ALoggingConfigIsReplacedAsAWhole) {
  const auto set = [&](const object& logging) {
    return update_configuration("f", {{"LoggingConfig", logging}}).object().at("LoggingConfig");
  };
  set({{"LogFormat", "JSON"}, {"ApplicationLogLevel", "DEBUG"}, {"LogGroup", "/mine"}});
  EXPECT_EQ(set({{"LogFormat", "JSON"}}), value(object{{"LogFormat", "JSON"},
                                                       {"ApplicationLogLevel", "INFO"},
                                                       {"SystemLogLevel", "INFO"},
                                                       {"LogGroup", "/aws/lambda/f"}}));
  EXPECT_EQ(set({{"LogGroup", "/mine"}}), value(object{{"LogFormat", "Text"}, {"LogGroup", "/mine"}}));
}

TEST_F(UpdateFunction, ConfigurationIsCheckedLikeANewFunctions) {
  const auto before = stored("f");
  const std::vector<object> refused{{{"Timeout", 901}},
                                    {{"Role", "arn:aws:iam::123456789012:role/other"}},
                                    {{"Runtime", "cobol85"}},
                                    {{"Layers", array{"arn:aws:lambda:us-east-1:123456789012:layer:l:1"}}},
                                    {{"Environment", object{{"Variables", object{{"AWS_REGION", "x"}}}}}}};
  for (const auto& body : refused) EXPECT_EQ(update_configuration("f", body).status, 400) << body;
  EXPECT_EQ(stored("f"), before);
  EXPECT_THAT(engine_.retired, IsEmpty());
}

TEST_F(UpdateFunction, ARevisionIdMustBeTheLatest) {
  const std::string stale = "11111111-2222-3333-4444-555555555555";
  for (const auto& answer : {update_code("f", {{"ZipFile", zip64("n")}, {"RevisionId", stale}}),
                             update_configuration("f", {{"Timeout", 5}, {"RevisionId", stale}})}) {
    EXPECT_EQ(answer.status, 412);
    EXPECT_EQ(answer.code(), "PreconditionFailedException");
    EXPECT_EQ(
        answer.message(),
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
        "the latest Revision Id");
  }
  EXPECT_EQ(stored("f")->timeout_s, 3);
  EXPECT_EQ(update_configuration("f", {{"Timeout", 5}, {"RevisionId", stored("f")->revision_id}}).status, 200);
  EXPECT_EQ(update_code("f", {{"ZipFile", zip64("n")}, {"RevisionId", stored("f")->revision_id}}).status, 200);
}

TEST_F(UpdateFunction, AFunctionInProgressCannotBeUpdated) {
  put("busy", "Active", "InProgress");
  for (const auto& answer :
       {update_code("busy", {{"ZipFile", zip64()}}), update_configuration("busy", {{"Timeout", 5}})}) {
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.code(), "ResourceConflictException");
    EXPECT_EQ(answer.message(),
              std::string("The operation cannot be performed at this time. An update is in progress for "
                          "resource: ") +
                  kArn + "busy");
  }
  put("new", "Pending", "");
  EXPECT_EQ(
      update_configuration("new", {{"Timeout", 5}}).message(),
      "The operation cannot be performed at this time. The function is currently in the following state: Pending");
}

TEST_F(UpdateFunction, TwoUpdatesFromOneRevisionCannotBothBeStored) {
  const auto body = [](int timeout) {
    UpdateFunctionConfigurationInput in;
    in.FunctionName = "f";
    in.Timeout = timeout;
    return in;
  };
  // Both read the function before either is stored: the second to commit loses.
  lane_.restart();
  std::vector<std::future<FunctionConfiguration>> updates;
  for (const int timeout : {10, 20})
    updates.push_back(asio_spawn(update_function_configuration(*lambda_, caller_, body(timeout))));
  lane_.run();
  EXPECT_EQ(updates[0].get().Timeout, 10);
  try {
    updates[1].get();
    FAIL() << "the second update was stored over the first";
  } catch (const aws::Error& error) {
    EXPECT_EQ(error.code(), "ResourceConflictException");
  }
  EXPECT_EQ(stored("f")->timeout_s, 10);
}

TEST_F(UpdateFunction, AMissingFunctionIsNotFound) {
  for (const auto& answer :
       {update_code("none", {{"ZipFile", zip64()}}), update_configuration("none", {{"Timeout", 5}})}) {
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.message(), std::string("Function not found: ") + kArn + "none");
  }
}

}  // namespace
}  // namespace lambent::lambda
