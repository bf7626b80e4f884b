// GetFunction, GetFunctionConfiguration, ListFunctions and DeleteFunction.
#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kArn;
using testing::ServiceFixture;
using ::testing::StartsWith;
using testing::json::object;
using testing::json::value;

class GetFunction : public ServiceFixture {
 protected:
  Answer get(const std::string& name) { return send("GET", functions_path("/" + name)); }
  Answer remove(const std::string& name) { return send("DELETE", functions_path("/" + name)); }
  static std::string arn_in(const value& configuration) {
    return std::string(std::string_view(configuration.at("FunctionArn").as_string()));
  }
  static std::vector<std::string> listed_names(const Answer& answer) {
    std::vector<std::string> found;
    const auto members = answer.object();
    for (const auto& function : members.at("Functions").as_array())
      found.emplace_back(std::string_view(function.at("FunctionName").as_string()));
    return found;
  }
};

TEST_F(GetFunction, HasTheConfigurationAndASignedUrlOfItsCode) {
  ASSERT_EQ(create("f").status, 201);
  const auto answer = get("f");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.resource, std::string(kArn) + "f");
  const auto members = answer.object();
  EXPECT_EQ(members.at("Configuration"), value(configuration("f").object()));
  EXPECT_EQ(members.size(), 2u) << "no Tags, no Concurrency";
  const auto& code = members.at("Code").as_object();
  EXPECT_EQ(code.at("RepositoryType"), "S3");
  const std::string location(std::string_view(code.at("Location").as_string()));
  EXPECT_THAT(location, StartsWith("http://127.0.0.1:4566/_lambent/code/123456789012/us-east-1/f/"));
  const auto hash = code_url_.verify(location.substr(location.find("/_lambent")));
  ASSERT_TRUE(hash);
  EXPECT_EQ(code_->zip(*hash), base::unbase64(zip64()));
}

TEST_F(GetFunction, TheQualifierLatestShowsInTheArn) {
  ASSERT_EQ(create("f").status, 201);
  for (const char* path : {"f?Qualifier=%24LATEST", "f:$LATEST"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer.resource, std::string(kArn) + "f:$LATEST");
    EXPECT_EQ(arn_in(answer.object().at("Configuration")), std::string(kArn) + "f:$LATEST");
  }
}

TEST_F(GetFunction, WhatIsNotThereIsNotFoundWithItsQualifier) {
  ASSERT_EQ(create("f").status, 201);
  const std::vector<std::pair<std::string, std::string>> missing{
      {"none", "none"}, {"none:$LATEST", "none:$LATEST"}, {"f:1", "f:1"}, {"f?Qualifier=live", "f:live"}};
  for (const auto& [path, name] : missing) {
    const auto answer = get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.code(), "ResourceNotFoundException");
    EXPECT_EQ(answer.object(),
              (object{{"Type", "User"}, {"Message", "Function not found: " + std::string(kArn) + name}}));
  }
}

TEST_F(GetFunction, AnyApiVersionInThePathIsTheSame) {
  ASSERT_EQ(create("f").status, 201);
  EXPECT_EQ(send("GET", "/2017-10-31/functions/f").status, 200);
}

TEST_F(GetFunction, ListsArePagedInOrderAndWithoutState) {
  for (const char* name : {"c", "a", "b"}) ASSERT_EQ(create(name).status, 201);
  auto page = send("GET", functions_path("?MaxItems=2"));
  EXPECT_EQ(page.resource, "*");
  EXPECT_THAT(listed_names(page), ElementsAre("a", "b"));
  const auto marker = page.text("NextMarker");
  page = send("GET", functions_path("?MaxItems=2&Marker=" + base::percent_encode(marker)));
  EXPECT_THAT(listed_names(page), ElementsAre("c"));
  EXPECT_EQ(page.text("NextMarker"), "(absent)");
  page = send("GET", functions_path());
  EXPECT_THAT(listed_names(page), ElementsAre("a", "b", "c"));
  EXPECT_EQ(page.text("NextMarker"), "(absent)");
  auto expected = configuration("a").object();
  for (const char* absent : {"State", "LastUpdateStatus", "RuntimeVersionConfig"}) expected.erase(absent);
  EXPECT_EQ(page.object().at("Functions").as_array().at(0), value(expected));
}

TEST_F(GetFunction, APageHasAtMostFifty) {
  for (int i = 0; i < 51; ++i) put("f" + std::to_string(100 + i), "Active", "Successful");
  for (const char* query : {"", "?MaxItems=10000"}) {
    const auto page = send("GET", functions_path(query));
    EXPECT_EQ(listed_names(page).size(), 50u);
    EXPECT_NE(page.text("NextMarker"), "(absent)");
  }
  EXPECT_EQ(send("GET", functions_path("?MaxItems=0")).code(), "ValidationException");
  EXPECT_EQ(send("GET", functions_path("?MaxItems=10001")).code(), "ValidationException");
}

TEST_F(GetFunction, AListMayAskForAllVersionsAndForReplicas) {
  ASSERT_EQ(create("f").status, 201);
  const auto all = send("GET", functions_path("?FunctionVersion=ALL"));
  EXPECT_EQ(arn_in(all.object().at("Functions").at(0)), std::string(kArn) + "f:$LATEST");
  EXPECT_THAT(listed_names(send("GET", functions_path("?FunctionVersion=ALL&MasterRegion=us-east-1"))), IsEmpty());
  EXPECT_EQ(send("GET", functions_path("?MasterRegion=us-east-1")).code(), "InvalidParameterValueException");
  EXPECT_EQ(send("GET", functions_path("?FunctionVersion=SOME")).code(), "ValidationException");
}

TEST_F(GetFunction, AMarkerThatWasNotGivenIsRefused) {
  for (const char* marker : {"x", "Zg", "%2F", ""})
    EXPECT_EQ(send("GET", functions_path(std::string("?Marker=") + marker)).code(), "InvalidParameterValueException")
        << marker;
}

TEST_F(GetFunction, OnlyTheCallersOwnFunctionsAreListed) {
  ASSERT_EQ(create("f").status, 201);
  caller_.account = "210987654321";
  EXPECT_THAT(listed_names(send("GET", functions_path())), IsEmpty());
}

using DeleteFunction = GetFunction;

TEST_F(DeleteFunction, AnswersWithNoBodyAndTheFunctionIsGone) {
  ASSERT_EQ(create("f").status, 201);
  const auto answer = remove("f");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.resource, std::string(kArn) + "f");
  EXPECT_EQ(get("f").status, 404);
  EXPECT_EQ(remove("f").status, 404);
  EXPECT_THAT(engine_.retired, ElementsAre("f"));
  EXPECT_EQ(create("f").status, 201);
}

TEST_F(DeleteFunction, AQualifierNeverDeletesTheFunction) {
  ASSERT_EQ(create("f").status, 201);
  EXPECT_EQ(remove("f?Qualifier=%24LATEST").message(),
            "$LATEST version cannot be deleted without deleting the function.");
  EXPECT_EQ(remove("f:live").message(), "Deletion of aliases is not currently supported.");
  EXPECT_EQ(remove("f:7").status, 204) << "there is no such version";
  EXPECT_NE(stored("f"), nullptr);
  EXPECT_THAT(engine_.retired, IsEmpty());
}

}  // namespace
}  // namespace lambent::lambda
