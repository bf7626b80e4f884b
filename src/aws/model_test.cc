// The embedded table: what compile.py wrote is what botocore's models say, and re2 reads every pattern.
#include "aws/model.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "aws/constraints.h"

namespace lambent::aws::model {
namespace {

Service service(std::string_view name) { return embedded().find_service(name).value(); }
Shape shape(std::string_view of, std::string_view name) { return service(of).find_shape(name).value(); }
Operation operation(std::string_view of, std::string_view name) { return service(of).find_operation(name).value(); }

TEST(Model, HasTheServicesOfThisBuildAndNoOther) {
  EXPECT_EQ(service("lambda").api_version(), "2015-03-31");
  EXPECT_EQ(service("lambda").protocol(), ModelProtocol::rest_json);
  // The 91 of the pinned model and PublishLayer, the older form of layer publication, which is a patch of ours.
  EXPECT_EQ(service("lambda").operation_count(), 92U);
  EXPECT_EQ(service("iam").protocol(), ModelProtocol::query);
  EXPECT_EQ(service("iam").xml_namespace(), "https://iam.amazonaws.com/doc/2010-05-08/");
  EXPECT_EQ(service("sts").signing_name(), "sts");
  EXPECT_FALSE(embedded().find_service("s3"));
}

TEST(Model, KeepsRoutesAndStatuses) {
  const auto create = operation("lambda", "CreateFunction");
  EXPECT_EQ(create.method(), "POST");
  EXPECT_EQ(create.uri(), "/2015-03-31/functions");
  EXPECT_EQ(create.response_code(), 201);
  EXPECT_EQ(operation("iam", "CreateUser").result_wrapper(), "CreateUserResult");
  EXPECT_FALSE(operation("iam", "DeleteUser").output());
}

TEST(Model, KeepsMembersInOrderWithTheirTraits) {
  const auto request = shape("lambda", "InvocationRequest");
  std::vector<std::string> names;
  for (const auto member : request.members()) names.emplace_back(member.name());
  EXPECT_EQ(names, (std::vector<std::string>{"FunctionName", "InvocationType", "LogType", "ClientContext",
                                             "DurableExecutionName", "Payload", "Qualifier", "TenantId"}));
  EXPECT_EQ(request.payload()->name(), "Payload");
  const auto type = request.find_member("InvocationType").value();
  EXPECT_EQ(type.location(), Location::header);
  EXPECT_EQ(type.wire_name(), "X-Amz-Invocation-Type");
  EXPECT_FALSE(type.required());
  EXPECT_TRUE(request.find_member("FunctionName")->required());
  EXPECT_EQ(shape("lambda", "InvocationResponse").find_member("StatusCode")->location(), Location::status);
}

TEST(Model, KeepsConstraints) {
  const auto name = shape("lambda", "FunctionName");
  EXPECT_EQ(name.kind(), ShapeKind::string);
  EXPECT_EQ(name.min(), 1);
  EXPECT_EQ(name.max(), 140);
  EXPECT_TRUE(name.pattern().ends_with("([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"));
  EXPECT_FALSE(shape("lambda", "EnvironmentVariableName").max());
  EXPECT_EQ(shape("lambda", "InvocationType").enum_value(0), "Event");
  EXPECT_TRUE(shape("lambda", "EnvironmentVariables").sensitive());
  EXPECT_EQ(shape("lambda", "EnvironmentVariables").key().shape().name(), "EnvironmentVariableName");
  EXPECT_TRUE(shape("lambda", "InvokeWithResponseStreamResponseEvent").event_stream());
}

TEST(Model, PatchesGiveTheLimitsOfOrdinaryFunctions) {
  EXPECT_EQ(shape("lambda", "MemorySize").max(), 10240);
  EXPECT_EQ(shape("lambda", "Timeout").max(), 900);
}

TEST(Model, KeepsErrors) {
  const auto throttled = shape("lambda", "TooManyRequestsException");
  EXPECT_TRUE(throttled.exception());
  EXPECT_EQ(throttled.error_status(), 429);
  EXPECT_EQ(throttled.error_code(), "TooManyRequestsException");
  EXPECT_EQ(throttled.find_member("retryAfterSeconds")->wire_name(), "Retry-After");
  EXPECT_EQ(shape("iam", "NoSuchEntityException").error_code(), "NoSuchEntity");
  EXPECT_TRUE(shape("iam", "NoSuchEntityException").sender_fault());
  EXPECT_FALSE(shape("lambda", "ServiceException").sender_fault());
  EXPECT_FALSE(shape("iam", "ServiceFailureException").sender_fault());
  const auto invoke = operation("lambda", "Invoke");
  bool found = false;
  for (std::uint32_t i = 0; i < invoke.error_count(); ++i)
    found |= invoke.error(i).name() == "RequestTooLargeException";
  EXPECT_TRUE(found);
}

TEST(Model, EveryPatternCompiles) {
  for (const std::string_view name : {"lambda", "iam", "sts"}) {
    const auto model = service(name);
    for (std::uint32_t i = 0; i < model.shape_count(); ++i) {
      const auto source = model.shape(i).re2();
      if (!source.empty())
        EXPECT_TRUE(Pattern(source).compiles()) << name << "." << model.shape(i).name() << ": " << source;
    }
  }
}

struct Translation {
  std::string_view service, shape;
  std::vector<std::string_view> good, bad;
};

TEST(Model, TranslatedPatternsMeanWhatTheOriginalsDo) {
  const std::vector<Translation> translations{
      {"lambda", "Alias", {"live", "1a", "a1", "-", "1-1"}, {"", "1", "123", "a b"}},
      {"lambda",
       "CollectionName",
       {"a", "s", "system", "systems", "syste.m", "sy.stem.", "_x", "system-1.", "Zsystem."},
       {"", "system.", "system.x", "a$b", "$", "-a", "sys$"}},
      {"lambda",
       "FunctionUrlFunctionName",
       {"f", "function:f", "f:live", "arn:aws:lambda:us-east-1:123456789012:function:f:live2"},
       {"f:1", "f:12", "f:", "f:$LATEST"}},
      {"lambda", "FunctionUrlQualifier", {"live", "2a"}, {"2", "", "$LATEST"}},
      {"lambda", "S3Bucket", {"", "my.bucket", "a_b", "A-"}, {"bucket.", ".", "a/b"}},
      {"iam", "accountAliasType", {"abc", "a-b", "a1-b2-c3"}, {"ab", "a--b", "-ab", "ab-", "Abc", "a-"}},
      {"sts", "arnType", {"arn:aws:iam::123456789012:role/r", "\xF0\x9F\x98\x80"}, {std::string_view("\0", 1), ""}},
  };
  for (const auto& each : translations) {
    const Pattern pattern(shape(each.service, each.shape).re2());
    for (const auto text : each.good) EXPECT_TRUE(pattern.matches(text)) << each.shape << " should take " << text;
    for (const auto text : each.bad) EXPECT_FALSE(pattern.matches(text)) << each.shape << " should refuse " << text;
  }
}

TEST(Model, PatternsMatchTheWholeText) {
  const Pattern handler(shape("lambda", "Handler").re2());
  EXPECT_TRUE(handler.matches("index.handler"));
  EXPECT_FALSE(handler.matches("index handler"));
  // A pattern of alternatives with anchors of their own.
  const Pattern arn(shape("lambda", "FileSystemArn").re2());
  EXPECT_TRUE(arn.matches("arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"));
  EXPECT_FALSE(arn.matches("arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0x"));
}

TEST(Model, ATableThatIsCutOrForeignIsRefused) {
  alignas(8) char bytes[64] = {};
  EXPECT_THROW(Table(std::string_view(bytes, 8)), std::logic_error);
  EXPECT_THROW(Table(std::string_view(bytes, 64)), std::logic_error);
  const std::uint32_t head[] = {0x324C444D, 64, 64, 100};
  std::memcpy(bytes, head, sizeof head);
  EXPECT_THROW(Table(std::string_view(bytes, 64)), std::logic_error);
}

}  // namespace
}  // namespace lambent::aws::model
