#include "services/lambda/function_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/error.h"
#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using ::testing::HasSubstr;
using testing::ServiceFixture;

aws::Caller caller() {
  return {.account = "123456789012", .region = "us-east-1", .arn = "arn:aws:iam::123456789012:user/ann"};
}

constexpr NamedBy kEvery[] = {NamedBy::create, NamedBy::update_code, NamedBy::update_configuration,
                              NamedBy::remove, NamedBy::get,         NamedBy::get_configuration,
                              NamedBy::invoke};

/// "name qualifier", or the refusal's "code: message".
std::string outcome(NamedBy operation, std::string_view name,
                    const std::optional<std::string>& qualifier = std::nullopt) {
  try {
    const auto found = resolve_function(operation, caller(), name, qualifier);
    EXPECT_EQ(found.key.account, "123456789012");
    EXPECT_EQ(found.key.region, "us-east-1");
    return found.key.name + " " + found.qualifier;
  } catch (const aws::Error& error) {
    return error.code() + ": " + error.message();
  }
}

class EveryForm : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryForm, NamesTheFunctionForEveryOperation) {
  for (const auto operation : kEvery) EXPECT_EQ(outcome(operation, GetParam()), "f-1_x ") << GetParam();
}

TEST_P(EveryForm, WithAQualifierIsDecidedByTheTable) {
  const auto other = [&](NamedBy operation, const std::string& qualifier) {
    const auto in_name = outcome(operation, GetParam() + ":" + qualifier);
    // A qualifier beside the name is treated the same.
    EXPECT_EQ(in_name.substr(0, 40), outcome(operation, GetParam(), qualifier).substr(0, 40));
    return in_name;
  };
  EXPECT_THAT(
      outcome(NamedBy::create, GetParam() + ":1"),
      HasSubstr("ValidationException: 1 validation error detected: Value '" + GetParam() + ":1' at 'functionName'"));
  for (const auto operation : {NamedBy::update_code, NamedBy::update_configuration})
    for (const char* qualifier : {"$LATEST", "1", "live"})
      EXPECT_THAT(other(operation, qualifier), HasSubstr("This operation is permitted on Lambda functions only."));
  for (const auto operation : {NamedBy::publish_version, NamedBy::list_versions, NamedBy::create_alias,
                               NamedBy::get_alias, NamedBy::update_alias, NamedBy::remove_alias, NamedBy::list_aliases})
    EXPECT_THAT(other(operation, "1"), HasSubstr("This operation is permitted on Lambda functions only."));
  for (const auto operation : {NamedBy::tag, NamedBy::untag, NamedBy::list_tags})
    EXPECT_THAT(other(operation, "1"), HasSubstr("Tags on function aliases and versions are not supported."));
  for (const auto operation : {NamedBy::add_permission, NamedBy::remove_permission, NamedBy::put_resource_policy})
    EXPECT_THAT(other(operation, "$LATEST"), HasSubstr("do not support adding policies for $LATEST."));
  EXPECT_THAT(other(NamedBy::remove, "$LATEST"), HasSubstr("$LATEST version cannot be deleted"));
  EXPECT_THAT(other(NamedBy::remove, "live"), HasSubstr("Deletion of aliases is not currently supported."));
  EXPECT_EQ(other(NamedBy::remove, "7"), "f-1_x 7");
  for (const auto operation : {NamedBy::get, NamedBy::get_configuration, NamedBy::invoke})
    for (const std::string qualifier : {"$LATEST", "1", "live"})
      EXPECT_EQ(other(operation, qualifier), "f-1_x " + qualifier);
}

INSTANTIATE_TEST_SUITE_P(FunctionName, EveryForm,
                         ::testing::Values("f-1_x", "123456789012:function:f-1_x", "123456789012:f-1_x",
                                           "function:f-1_x", "us-east-1:123456789012:function:f-1_x",
                                           "arn:aws:lambda:us-east-1:123456789012:function:f-1_x",
                                           "arn:aws:lambda:us-east-1:function:f-1_x"));

TEST(FunctionName, AnotherAccountsFunctionIsDeniedToOperationsThatNoPolicyShares) {
  for (const auto operation : {NamedBy::create, NamedBy::update_code, NamedBy::update_configuration, NamedBy::remove,
                               NamedBy::publish_version, NamedBy::create_alias, NamedBy::list_aliases, NamedBy::tag,
                               NamedBy::add_permission, NamedBy::get_policy, NamedBy::put_resource_policy})
    for (const char* name : {"210987654321:function:f", "arn:aws:lambda:us-east-1:210987654321:function:f"}) {
      const auto denied = outcome(operation, name);
      EXPECT_THAT(denied,
                  HasSubstr("AccessDeniedException: User: arn:aws:iam::123456789012:user/ann is not authorized"));
      EXPECT_THAT(denied, HasSubstr("on resource: arn:aws:lambda:us-east-1:210987654321:function:f because"));
    }
}

TEST(FunctionName, AnotherAccountsFunctionCanBeNamedWhereItsPolicyDecides) {
  for (const auto operation : {NamedBy::get, NamedBy::get_configuration, NamedBy::invoke})
    EXPECT_EQ(resolve_function(operation, caller(), "210987654321:function:f").key.account, "210987654321");
}

TEST(FunctionName, AnotherRegionOrPartitionIsNotReachable) {
  for (const auto operation : kEvery) {
    EXPECT_EQ(outcome(operation, "arn:aws:lambda:eu-west-1:123456789012:function:f"),
              "ResourceNotFoundException: Functions from 'eu-west-1' are not reachable in this region ('us-east-1')");
    EXPECT_THAT(outcome(operation, "arn:aws-cn:lambda:us-east-1:123456789012:function:f"),
                HasSubstr("ResourceNotFoundException: Function not found: arn:aws-cn:"));
  }
}

TEST(FunctionName, TwoQualifiersMustAgree) {
  EXPECT_EQ(outcome(NamedBy::get, "f:1", "1"), "f 1");
  EXPECT_EQ(outcome(NamedBy::get, "f:1", "2"),
            "InvalidParameterValueException: The derived qualifier from the function name does not match the specified "
            "qualifier.");
}

TEST(FunctionName, WordsThatLookLikePartsAreNames) {
  EXPECT_EQ(outcome(NamedBy::get, "function"), "function ");
  EXPECT_EQ(outcome(NamedBy::get, "us-east-1"), "us-east-1 ");
  EXPECT_EQ(outcome(NamedBy::get, "123456789012"), "123456789012 ");
  EXPECT_EQ(outcome(NamedBy::get, "f:function"), "f function");
}

TEST(FunctionName, LeftOverPartsAreRefused) {
  EXPECT_THAT(outcome(NamedBy::get, "a:b:c"), HasSubstr("ValidationException"));
  EXPECT_THAT(outcome(NamedBy::get, "function:"), HasSubstr("ValidationException"));
  EXPECT_THAT(outcome(NamedBy::get, ""), HasSubstr("ValidationException"));
}

TEST(FunctionName, ANameToCreateHasAtMost64Characters) {
  EXPECT_EQ(outcome(NamedBy::create, std::string(64, 'n')), std::string(64, 'n') + " ");
  EXPECT_EQ(outcome(NamedBy::create, std::string(65, 'n')),
            "InvalidParameterValueException: 1 validation error detected: Value '" + std::string(65, 'n') +
                "' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64");
}

TEST(FunctionName, TheArnHasTheQualifierThatWasGiven) {
  EXPECT_EQ(resolve_function(NamedBy::get, caller(), "f").arn(), "arn:aws:lambda:us-east-1:123456789012:function:f");
  EXPECT_EQ(resolve_function(NamedBy::get, caller(), "f", "$LATEST").arn(),
            "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST");
}

// Trial 33, from the path of a request to the refusal.
class HostileName : public ServiceFixture, public ::testing::WithParamInterface<std::string> {
 protected:
  std::set<std::string> everything() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) found.insert(entry.path());
    return found;
  }
};

TEST_P(HostileName, IsRefusedByTheModelAndTouchesNothing) {
  const auto before = everything();
  const auto path = functions_path("/" + base::percent_encode(GetParam()));
  const std::vector<testing::Answer> answers{send("GET", path),
                                             send("GET", path + "/configuration"),
                                             send("DELETE", path),
                                             send("POST", path + "/invocations", "{}"),
                                             update_code(base::percent_encode(GetParam()), {{"ZipFile", zip64()}}),
                                             update_configuration(base::percent_encode(GetParam()), {{"Timeout", 3}}),
                                             create(GetParam())};
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_EQ(answer.code(), "ValidationException");
    EXPECT_THAT(answer.message(), HasSubstr("at 'functionName' failed to satisfy constraint: Member must "));
  }
  EXPECT_EQ(everything(), before);
}

INSTANTIATE_TEST_SUITE_P(FunctionName, HostileName,
                         ::testing::Values("../x", "..%2fx", "%2e%2e", "a/b", std::string("a\0b", 3),
                                           std::string(1000, 'n'), ";reboot", "$(id)", "`id`",
                                           "\xe2\x80\xa4\xe2\x80\xa4", "a b", "a\r\nb", "$LATEST",
                                           "arn:aws:s3:::bucket", "a:b:c:d:e:f"));

TEST_F(ServiceFixture, DotsAreLegalWhereNamespacesAreButNameNothing) {
  for (const char* name : {"..", ".", "a.b"}) {
    const auto answer = send("GET", functions_path("/" + base::percent_encode(name)));
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.message(), std::string("Function not found: ") + testing::kArn + name);
  }
}

}  // namespace
}  // namespace lambent::lambda
