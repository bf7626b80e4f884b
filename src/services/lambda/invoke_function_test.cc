#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kArn;
using testing::ServiceFixture;
using ::testing::SizeIs;

class InvokeFunction : public ServiceFixture {
 protected:
  InvokeFunction() { EXPECT_EQ(create("f").status, 201); }
};

TEST_F(InvokeFunction, PassesTheEventOnAsItIsAndAnswersWhatTheFunctionSaid) {
  engine_.outcome.payload = "{\"answer\": 42}";
  const std::string event = " {\"b\":1.50,\"a\":\"\\u00e9\",\"a\":2}\n";
  const auto answer = invoke("f", event);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "{\"answer\": 42}");
  EXPECT_EQ(answer.headers.get("X-Amz-Executed-Version"), "$LATEST");
  EXPECT_EQ(answer.headers.find("X-Amz-Function-Error"), nullptr);
  EXPECT_EQ(answer.headers.find("X-Amz-Log-Result"), nullptr);
  EXPECT_EQ(answer.resource, std::string(kArn) + "f");
  ASSERT_THAT(engine_.invocations, SizeIs(1));
  const auto& invocation = engine_.invocations[0];
  EXPECT_EQ(invocation.payload, event);
  EXPECT_EQ(invocation.request_id, "request-1");
  EXPECT_EQ(invocation.invoked_function_arn, std::string(kArn) + "f");
  EXPECT_EQ(invocation.function, stored("f"));
  EXPECT_EQ(invocation.client_context, "");
}

TEST_F(InvokeFunction, IsAuthorizedAsInvokeFunctionOnTheQualifiedArn) {
  base::http::Request request;
  request.method = "POST";
  request.path = functions_path("/f/invocations");
  EXPECT_EQ(service_->action(service_->match(request)), "lambda:InvokeFunction");
  EXPECT_EQ(invoke("f:$LATEST").resource, std::string(kArn) + "f:$LATEST");
  EXPECT_EQ(engine_.invocations.back().invoked_function_arn, std::string(kArn) + "f:$LATEST");
}

TEST_F(InvokeFunction, AFunctionsErrorIsAnAnswer) {
  engine_.outcome.function_error = "Unhandled";
  const auto answer = invoke("f");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("X-Amz-Function-Error"), "Unhandled");
}

TEST_F(InvokeFunction, TheTraceHeaderIsAnswered) {
  EXPECT_EQ(invoke("f").headers.find("X-Amzn-Trace-Id"), nullptr);
  engine_.outcome.trace_header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
  EXPECT_EQ(invoke("f").headers.get("X-Amzn-Trace-Id"), engine_.outcome.trace_header);
}

TEST_F(InvokeFunction, TheLogTailComesWhenAskedFor) {
  EXPECT_EQ(invoke("f", "{}", {{"X-Amz-Log-Type", "Tail"}}).headers.get("X-Amz-Log-Result"),
            base::base64("START\nEND\n"));
  EXPECT_EQ(invoke("f", "{}", {{"X-Amz-Log-Type", "None"}}).headers.find("X-Amz-Log-Result"), nullptr);
  EXPECT_EQ(invoke("f", "{}", {{"X-Amz-Log-Type", "All"}}).code(), "ValidationException");
}

TEST_F(InvokeFunction, NoPayloadIsAnEmptyEvent) {
  EXPECT_EQ(invoke("f", "").status, 200);
  EXPECT_EQ(engine_.invocations.back().payload, "{}");
}

TEST_F(InvokeFunction, ADryRunChecksAndInvokesNothing) {
  const auto answer = invoke("f", "{}", {{"X-Amz-Invocation-Type", "DryRun"}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.headers.find("X-Amz-Executed-Version"), nullptr);
  EXPECT_EQ(invoke("none", "{}", {{"X-Amz-Invocation-Type", "DryRun"}}).status, 404);
  EXPECT_EQ(invoke("f", "{", {{"X-Amz-Invocation-Type", "DryRun"}}).status, 400);
  EXPECT_THAT(engine_.invocations, IsEmpty());
}

TEST_F(InvokeFunction, OtherInvocationTypesAreRefusedNotForgotten) {
  EXPECT_EQ(invoke("f", "{}", {{"X-Amz-Invocation-Type", "Whenever"}}).code(), "ValidationException");
  EXPECT_THAT(engine_.invocations, IsEmpty());
}

TEST_F(InvokeFunction, ATenantIsNamedJustWhereTenantsAreIsolated) {
  auto body = creation("tenants");
  body["TenancyConfig"] = boost::json::object{{"TenantIsolationMode", "PER_TENANT"}};
  ASSERT_EQ(create(body).status, 201);
  EXPECT_THAT(invoke("tenants").message(), HasSubstr("Add a valid tenant ID"));
  EXPECT_THAT(invoke("f", "{}", {{"X-Amz-Tenant-Id", "blue"}}).message(), HasSubstr("Remove the tenant ID"));
  EXPECT_EQ(invoke("tenants", "{}", {{"X-Amz-Tenant-Id", "semi;colon"}}).code(), "ValidationException");
  EXPECT_THAT(engine_.invocations, IsEmpty());
  EXPECT_EQ(invoke("tenants", "{}", {{"X-Amz-Tenant-Id", "blue"}}).status, 200);
  EXPECT_EQ(engine_.invocations.back().tenant_id, "blue");
}

TEST_F(InvokeFunction, APayloadThatIsNotJsonIsRefused) {
  // The last is long enough to be checked off the lane.
  for (const auto& payload : {std::string("badbod"), std::string("{"), std::string("\xff"), std::string(" "),
                              std::string(300'000, '['), "\"" + std::string(300'000, 'x')}) {
    const auto answer = invoke("f", payload);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "InvalidRequestContentException");
    EXPECT_THAT(answer.message(),
                HasSubstr("Could not parse request body into json: Could not parse payload into json: "));
  }
  EXPECT_EQ(invoke("f", "\"" + std::string(300'000, 'x') + "\"").status, 200);
  EXPECT_THAT(engine_.invocations, SizeIs(1));
}

// Trial 32.
TEST_F(InvokeFunction, ClientContextIsBase64OfAJsonObject) {
  const auto with = [&](const std::string& header) { return invoke("f", "{}", {{"X-Amz-Client-Context", header}}); };
  EXPECT_EQ(with(base::base64("{\"custom\":{\"a\":1}}")).status, 200);
  EXPECT_EQ(engine_.invocations.back().client_context, "{\"custom\":{\"a\":1}}");
  for (const auto& bad : {std::string("!"), base::base64("not json"), base::base64("[1]"), base::base64("1"),
                          base::base64("{\"a\":"), std::string("string")}) {
    const auto answer = with(bad);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "InvalidRequestContentException");
    EXPECT_EQ(answer.message(), "Client context must be a valid Base64-encoded JSON object.");
  }
  const auto padded = [](std::size_t bytes) { return base::base64("{\"a\":\"" + std::string(bytes - 8, 'x') + "\"}"); };
  EXPECT_EQ(with(padded(2685)).status, 200) << "3580 characters of base64";
  EXPECT_EQ(with(padded(2688)).code(), "InvalidRequestContentException") << "3584 characters";
}

TEST_F(InvokeFunction, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(invoke("none").message(), std::string("Function not found: ") + kArn + "none");
  EXPECT_EQ(invoke("f:1").message(), std::string("Function not found: ") + kArn + "f:1");
  EXPECT_EQ(invoke("none").text("Type"), "User");
}

TEST_F(InvokeFunction, APendingFunctionIsFinishedFirst) {
  put("new", "Pending", "");
  EXPECT_EQ(invoke("new").status, 200);
  EXPECT_EQ(engine_.invocations.back().function->state, "Active");
  put("failed", "Failed", "Failed");
  const auto answer = invoke("failed");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.code(), "ResourceConflictException");
  EXPECT_EQ(answer.message(),
            "The operation cannot be performed at this time. The function is currently in the following state: Failed");
}

TEST_F(InvokeFunction, GoesOnWhileAnUpdateIsInProgress) {
  put("busy", "Active", "InProgress");
  EXPECT_EQ(invoke("busy").status, 200);
}

TEST_F(InvokeFunction, TheLimitOfItsBodyIsAwss) {
  base::http::Request request;
  request.method = "POST";
  request.path = functions_path("/f/invocations");
  const auto match = service_->match(request);
  EXPECT_EQ(service_->max_body(match), 6'291'456u);
  EXPECT_EQ(service_->too_large(match).status(), 413);
}

}  // namespace
}  // namespace lambent::lambda
