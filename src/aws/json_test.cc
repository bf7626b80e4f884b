// The json 1.1 codec as CloudWatch Logs' model drives it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/service.h"

namespace lambent::aws {
namespace {

using base::http::Request;
using base::http::Response;

struct CreateGroupInput {
  std::string logGroupName;
  std::optional<std::map<std::string, std::string>> tags;
};
BOOST_DESCRIBE_STRUCT(CreateGroupInput, (), (logGroupName, tags))
struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct DescribeGroupsInput {
  std::optional<std::int32_t> limit;
};
BOOST_DESCRIBE_STRUCT(DescribeGroupsInput, (), (limit))
struct Group {
  std::optional<std::string> logGroupName;
  std::optional<std::int64_t> creationTime;
  std::optional<std::int32_t> retentionInDays;
};
BOOST_DESCRIBE_STRUCT(Group, (), (logGroupName, creationTime, retentionInDays))
struct DescribeGroupsOutput {
  std::vector<Group> logGroups;
  std::optional<std::string> nextToken;
};
BOOST_DESCRIBE_STRUCT(DescribeGroupsOutput, (), (logGroups, nextToken))

struct Empty {};

std::string anything(const Caller&, const CreateGroupInput&) { return "*"; }
std::string any_group(const Caller&, const DescribeGroupsInput&) { return "*"; }
base::Task<Nothing> create(Empty&, Caller, CreateGroupInput) { co_return Nothing(); }
base::Task<DescribeGroupsOutput> describe(Empty&, Caller, DescribeGroupsInput) { co_return DescribeGroupsOutput(); }

class JsonProtocol : public ::testing::Test {
 protected:
  static Request request(std::string_view operation, std::string body) {
    Request request;
    request.method = "POST";
    request.path = "/";
    request.headers.add("X-Amz-Target", "Logs_20140328." + std::string(operation));
    request.headers.add("Content-Type", "application/x-amz-json-1.1");
    request.body = std::move(body);
    return request;
  }
  Error refused(const Request& request) {
    try {
      const auto match = service_.match(request);
      service_.decode(match, request);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "was not refused";
    return {"", ""};
  }

  Empty empty_;
  Service service_ =
      service("logs", empty_,
              {operation("CreateLogGroup", create, anything), operation("DescribeLogGroups", describe, any_group)});
};

TEST_F(JsonProtocol, TheTargetNamesTheOperation) {
  const auto sent = request("CreateLogGroup", R"({"logGroupName":"g","tags":{"a":"b"}})");
  EXPECT_EQ(service_.protocol(), Protocol::json);
  EXPECT_FALSE(service_.matches_after_body());
  EXPECT_TRUE(service_.is_target(sent));
  const auto match = service_.match(sent);
  EXPECT_EQ(service_.operation_name(match), "CreateLogGroup");
  EXPECT_EQ(service_.action(match), "logs:CreateLogGroup");
  const auto value = service_.decode(match, sent);
  const auto& in = *static_cast<const CreateGroupInput*>(value.get());
  EXPECT_EQ(in.logGroupName, "g");
  ASSERT_TRUE(in.tags);
  EXPECT_EQ(in.tags->at("a"), "b");
}

TEST_F(JsonProtocol, AnUnknownTargetIsRefusedAndAModelledOneIsNotImplemented) {
  EXPECT_EQ(refused(request("MakeLogGroup", "{}")).code(), "UnknownOperationException");
  auto foreign = request("CreateLogGroup", "{}");
  foreign.headers.set("X-Amz-Target", "DynamoDB_20120810.CreateLogGroup");
  EXPECT_FALSE(service_.is_target(foreign));
  EXPECT_EQ(refused(foreign).code(), "UnknownOperationException");
  foreign.headers.set("X-Amz-Target", "Logs_20140328");
  EXPECT_EQ(refused(foreign).code(), "UnknownOperationException");
  const auto missing = refused(request("StartLiveTail", "{}"));
  EXPECT_EQ(missing.code(), "NotImplementedException");
  EXPECT_EQ(missing.status(), 501);
}

TEST_F(JsonProtocol, ViolationsHaveTheServicesOwnCode) {
  const auto error = refused(request("CreateLogGroup", R"({"logGroupName":"a b","tags":{}})"));
  EXPECT_EQ(error.code(), "InvalidParameterException");
  EXPECT_THAT(error.message(),
              ::testing::StartsWith("2 validation errors detected: Value 'a b' at 'logGroupName' failed to satisfy "
                                    "constraint: Member must satisfy regular expression pattern: "));
  EXPECT_THAT(
      refused(request("CreateLogGroup", "")).message(),
      ::testing::HasSubstr("Value null at 'logGroupName' failed to satisfy constraint: Member must not be null"));
  EXPECT_EQ(refused(request("CreateLogGroup", "[]")).code(), "SerializationException");
  EXPECT_EQ(refused(request("CreateLogGroup", R"({"logGroupName":5})")).code(), "SerializationException");
}

TEST_F(JsonProtocol, AnAnswerWithoutOutputIsEmptyAndAbsentMembersAreLeftOut) {
  const auto created = request("CreateLogGroup", R"({"logGroupName":"g"})");
  const Nothing nothing;
  const Response none = service_.encode(service_.match(created), &nothing, "id");
  EXPECT_EQ(none.status, 200);
  EXPECT_EQ(none.body, "");
  EXPECT_EQ(none.headers.get("Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(none.headers.get("x-amzn-RequestId"), "id");
  DescribeGroupsOutput out;
  out.logGroups.push_back({"g", 1700000000123, std::nullopt});
  const Response some = service_.encode(service_.match(request("DescribeLogGroups", "")), &out, "id");
  EXPECT_EQ(some.body, R"({"logGroups":[{"logGroupName":"g","creationTime":1700000000123}]})");
}

TEST_F(JsonProtocol, AnErrorNamesItsTypeInTheBody) {
  const Error missing("ResourceNotFoundException", "The specified log group does not exist.");
  const Response response = service_.encode_error(missing, "id");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(response.body,
            R"({"__type":"ResourceNotFoundException","message":"The specified log group does not exist."})");
  const Response denied = service_.encode_error(Error("AccessDeniedException", "no", 403), "id");
  EXPECT_EQ(denied.status, 400);
}

}  // namespace
}  // namespace lambent::aws
