#include "runtime_api/runtime_api_fixture.h"

namespace lambent::runtime_api {
namespace {

TEST_F(RuntimeApiTest, CarriesAnEventToTheRuntimeAndItsResponseBack) {
  Client client(port_);
  client.next();
  Event event;
  event.request_id = "id-1";
  event.deadline_ms = 1'700'000'000'123;
  event.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live";
  event.trace_id = "Root=1-2-3;Sampled=0";
  event.client_context = "{\"custom\":{\"a\":\"b\"}}";
  event.cognito_identity = "{\"cognitoIdentityId\":\"i\",\"cognitoIdentityPoolId\":\"p\"}";
  event.payload = "{\"x\":1}";
  auto answer = invoke(event);
  const Reply got = client.read();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "{\"x\":1}");
  EXPECT_EQ(got.header("Lambda-Runtime-Aws-Request-Id"), "id-1");
  EXPECT_EQ(got.header("Lambda-Runtime-Deadline-Ms"), "1700000000123");
  EXPECT_EQ(got.header("Lambda-Runtime-Invoked-Function-Arn"), event.invoked_function_arn);
  EXPECT_EQ(got.header("Lambda-Runtime-Trace-Id"), event.trace_id);
  EXPECT_EQ(got.header("Lambda-Runtime-Client-Context"), event.client_context);
  EXPECT_EQ(got.header("Lambda-Runtime-Cognito-Identity"), event.cognito_identity);
  EXPECT_EQ(got.header("Content-Type"), "application/json");

  client.post("invocation/id-1/response", "\"done\"", "Content-Type: application/json\r\n");
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::response);
  EXPECT_EQ(said.payload, "\"done\"");
  EXPECT_EQ(said.response_size, 6u);
  EXPECT_EQ(said.content_type, "application/json");
  const Reply accepted = client.read();
  EXPECT_EQ(accepted.status, 202);
  EXPECT_EQ(accepted.body, "{\"status\":\"OK\"}\n");
}

TEST_F(RuntimeApiTest, LeavesOutHeadersThatHaveNoValue) {
  Client client(port_);
  client.next();
  auto answer = invoke("id-1");
  const Reply got = client.read();
  EXPECT_EQ(got.head.find("Trace-Id"), std::string::npos);
  EXPECT_EQ(got.head.find("Client-Context"), std::string::npos);
  EXPECT_EQ(got.head.find("Cognito"), std::string::npos);
}

TEST_F(RuntimeApiTest, TakesResponseAndNextInOneWrite) {
  Client client(port_);
  client.next();
  for (int i = 0; i < 50; ++i) {
    const std::string id = "id-" + std::to_string(i);
    auto answer = invoke(id, std::to_string(i));
    // The answer to the last response comes with the event that the same write asked for.
    if (i > 0) {
      ASSERT_EQ(client.read().status, 202);
    }
    const Reply event = client.read();
    ASSERT_EQ(event.body, std::to_string(i));
    std::string both =
        "POST /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n";
    both += "42GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(both);
    ASSERT_EQ(get(answer).payload, "42");
  }
}

TEST_F(RuntimeApiTest, ServesARuntimeThatKeepsTwoConnections) {
  Client asking(port_), answering(port_);
  for (int i = 0; i < 3; ++i) {
    asking.next();
    auto answer = invoke("id-" + std::to_string(i));
    ASSERT_EQ(asking.read().status, 200);
    answering.post("invocation/id-" + std::to_string(i) + "/response", "null");
    EXPECT_EQ(get(answer).kind, Answer::Kind::response);
    ASSERT_EQ(answering.read().status, 202);
  }
}

TEST_F(RuntimeApiTest, AnEventMayComeBeforeTheRuntimeAsks) {
  auto answer = invoke("id-1", "early");
  Client client(port_);
  client.next();
  EXPECT_EQ(client.read().body, "early");
  client.post("invocation/id-1/response", "1");
  EXPECT_EQ(get(answer).payload, "1");
}

TEST_F(RuntimeApiTest, InitEndsWithTheFirstNext) {
  auto init = initialized();
  EXPECT_TRUE(pending(init));
  Client client(port_);
  client.next();
  EXPECT_FALSE(get(init));
}

TEST_F(RuntimeApiTest, AnErrorIsHandedOnWithItsType) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.post("invocation/id-1/error", "{\"errorType\":\"E\"}", "Lambda-Runtime-Function-Error-Type: Function.E\r\n");
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::error);
  EXPECT_EQ(said.payload, "{\"errorType\":\"E\"}");
  EXPECT_EQ(said.error_type, "Function.E");
  EXPECT_EQ(client.read().status, 202);
}

TEST_F(RuntimeApiTest, AnInitErrorIsTheAnswerToInitAndToEveryInvoke) {
  auto init = initialized();
  auto early = invoke("id-1");
  Client client(port_);
  client.post("init/error", "{\"errorMessage\":\"no\"}",
              "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\n");
  EXPECT_EQ(client.read().status, 202);
  const auto failed = get(init);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind, Answer::Kind::init_error);
  EXPECT_EQ(failed->payload, "{\"errorMessage\":\"no\"}");
  EXPECT_EQ(failed->error_type, "Runtime.ImportModuleError");
  EXPECT_EQ(get(early).kind, Answer::Kind::init_error);
  auto late = invoke("id-2");
  EXPECT_EQ(get(late).payload, "{\"errorMessage\":\"no\"}");
  client.next();
  const Reply refused = client.read();
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body,
            "{\"errorMessage\":\"State transition from InitError to Ready failed for runtime. Error: State "
            "transition is not allowed\",\"errorType\":\"InvalidStateTransition\"}\n");
}

TEST_F(RuntimeApiTest, AnInitErrorAfterInitIsRefused) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.post("init/error", "{}");
  const Reply refused = client.read();
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("from Running to InitError"), std::string::npos);
  EXPECT_TRUE(pending(answer));
}

TEST_F(RuntimeApiTest, AnotherRequestIdIsRefusedAndLeavesTheInvocationAlone) {
  Client client(port_);
  auto answer = start(client, "id-1");
  for (const char* path : {"invocation/id-2/response", "invocation/id-2/error", "invocation/id-1x/response"}) {
    client.post(path, "stolen");
    const Reply refused = client.read();
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.body, "{\"errorMessage\":\"Invalid request ID\",\"errorType\":\"InvalidRequestID\"}\n");
    // A refused body is not read: the connection ends.
    EXPECT_TRUE(client.at_end());
    client = Client(port_);
  }
  EXPECT_TRUE(pending(answer));
  client.post("invocation/id-1/response", "mine");
  EXPECT_EQ(get(answer).payload, "mine");
}

TEST_F(RuntimeApiTest, AResponseBeforeAnyEventIsRefused) {
  Client client(port_);
  client.post("invocation/id-1/response", "");
  EXPECT_EQ(client.read().status, 400);
}

TEST_F(RuntimeApiTest, ASecondResponseIsRefused) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.post("invocation/id-1/response", "first");
  EXPECT_EQ(client.read().status, 202);
  client.post("invocation/id-1/response", "second");
  const Reply refused = client.read();
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body,
            "{\"errorMessage\":\"State transition from RuntimeResponseSentState to InvocationResponse failed for "
            "runtime. Error: State transition is not allowed\",\"errorType\":\"InvalidStateTransition\"}\n");
  EXPECT_EQ(get(answer).payload, "first");
  Client other(port_);
  other.post("invocation/id-1/error", "second");
  EXPECT_EQ(other.read().status, 403);
  // After the next event was asked for, the old id is nobody's.
  Client third(port_);
  third.next();
  auto following = invoke("id-2");
  EXPECT_EQ(third.read().status, 200);
  other = Client(port_);
  other.post("invocation/id-1/response", "third");
  EXPECT_EQ(other.read().status, 400);
  EXPECT_TRUE(pending(following));
}

TEST_F(RuntimeApiTest, ARuntimeThatAsksAgainGetsTheSameEvent) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.next();
  const Reply again = client.read();
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.header("Lambda-Runtime-Aws-Request-Id"), "id-1");
  client.post("invocation/id-1/response", "1");
  EXPECT_EQ(get(answer).payload, "1");
}

TEST_F(RuntimeApiTest, TheLatestNextGetsTheEvent) {
  Client old(port_), young(port_);
  old.next();
  auto init = initialized();
  EXPECT_FALSE(get(init));
  young.next();
  EXPECT_EQ(old.read().status, 403);
  EXPECT_TRUE(old.at_end());
  auto answer = invoke("id-1");
  EXPECT_EQ(young.read().status, 200);
  young.post("invocation/id-1/response", "1");
  EXPECT_EQ(get(answer).payload, "1");
}

TEST_F(RuntimeApiTest, AResponseOfExactlyTheLimitIsTakenAndOneByteMoreIsNot) {
  constexpr std::size_t kLimit = 6'291'556;
  Client client(port_);
  auto answer = start(client, "id-1");
  client.post("invocation/id-1/response", std::string(kLimit, 'a'));
  EXPECT_EQ(get(answer).payload.size(), kLimit);
  EXPECT_EQ(client.read().status, 202);

  auto second = start(client, "id-2");
  client.post("invocation/id-2/response", std::string(kLimit + 1, 'a'));
  const Answer refused = get(second);
  EXPECT_EQ(refused.kind, Answer::Kind::response_too_large);
  EXPECT_EQ(refused.response_size, kLimit + 1);
  EXPECT_TRUE(refused.payload.empty());
  const Reply said = client.read();
  EXPECT_EQ(said.status, 413);
  EXPECT_EQ(said.body,
            "{\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\","
            "\"errorType\":\"RequestEntityTooLarge\"}\n");
  // The environment stays usable.
  Client fresh(port_);
  auto third = start(fresh, "id-3");
  fresh.post("invocation/id-3/response", "ok");
  EXPECT_EQ(get(third).payload, "ok");
}

TEST_F(RuntimeApiTest, AnAnnouncedOversizeIsRefusedBeforeItIsSent) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.send(
      "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 7000000\r\n\r\n");
  EXPECT_EQ(client.read().status, 413);
  EXPECT_EQ(get(answer).kind, Answer::Kind::response_too_large);
}

TEST_F(RuntimeApiTest, AStreamedResponseIsPutTogether) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.send(
      "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
      "Lambda-Runtime-Function-Response-Mode: streaming\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n"
      "Content-Type: text/plain\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  const Answer said = get(answer);
  EXPECT_EQ(said.payload, "abcde");
  EXPECT_EQ(said.content_type, "text/plain");
  EXPECT_EQ(client.read().status, 202);
}

TEST_F(RuntimeApiTest, AChunkedResponseBeyondTheLimitIsRefused) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.send(
      "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "100000\r\n" + std::string(0x100000, 'a') + "\r\n";
  for (int i = 0; i < 7; ++i) client.send(chunk);
  EXPECT_EQ(get(answer).kind, Answer::Kind::response_too_large);
  EXPECT_EQ(client.read().status, 413);
}

TEST_F(RuntimeApiTest, ABrokenBodyIsReportedToBothSides) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.send(
      "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\nzz\r\n");
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::error);
  EXPECT_EQ(said.error_type, "Runtime.TruncatedResponse");
  const Reply refused = client.read();
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body,
            "{\"errorMessage\":\"HTTP request detected as truncated\",\"errorType\":\"TruncatedHTTPRequest\"}\n");
}

TEST_F(RuntimeApiTest, AnAnswerCutOffByItsConnectionMayBeSaidAgain) {
  Client cut(port_);
  auto answer = start(cut, "id-1");
  cut.send("POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  cut.shut();
  // Until the server has seen the end, the half-read answer stands in the way of another.
  Reply said;
  for (int tries = 0; said.status != 202; ++tries) {
    ASSERT_LT(tries, 1000);
    Client client(port_);
    client.post("invocation/id-1/response", "whole");
    said = client.read();
  }
  EXPECT_EQ(get(answer).payload, "whole");
}

TEST_F(RuntimeApiTest, AnUnknownResponseModeFailsTheInvocation) {
  Client client(port_);
  auto answer = start(client, "id-1");
  client.post("invocation/id-1/response", "", "Lambda-Runtime-Function-Response-Mode: backwards\r\n");
  const Reply refused = client.read();
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body,
            "{\"errorMessage\":\"Invalid function response mode\",\"errorType\":\"InvalidFunctionResponseMode\"}\n");
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::error);
  EXPECT_EQ(said.error_type, "Runtime.InvalidResponseModeHeader");
}

TEST_F(RuntimeApiTest, UnknownPathsAreNotFoundAndWrongMethodsNotAllowed) {
  Client client(port_);
  client.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read().status, 404);
  client.send("GET /2018-06-01/runtime/invocation//response HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read().status, 404);
  client.send("GET /2018-06-01/runtime/invocation/a/response/b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read().status, 404);
  client.send("POST /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read().status, 405);
  client.send("GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read().body, "pong");
}

TEST_F(RuntimeApiTest, NoValueCanAddAHeader) {
  Client client(port_);
  client.next();
  Event event;
  event.request_id = "id-1";
  event.client_context = "{\r\nX-Injected: yes\r\n\r\n}";
  event.trace_id = std::string("a\0b\nX-Other: yes", 16);
  event.payload = "{}";
  auto answer = invoke(event);
  const Reply got = client.read();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("X-Injected"), "");
  EXPECT_EQ(got.header("X-Other"), "");
  EXPECT_EQ(got.header("Lambda-Runtime-Client-Context"), "{  X-Injected: yes    }");
  EXPECT_EQ(got.body, "{}");
}

TEST_F(RuntimeApiTest, TakesTheMebibyteOfHeaderThatOfficialClientsSend) {
  Client client(port_);
  auto answer = start(client, "id-1");
  const std::string cause = "Lambda-Runtime-Function-XRay-Error-Cause: " + std::string(1024 * 1024 - 1, 'x') + "\r\n";
  client.post("invocation/id-1/error", "{}", cause);
  EXPECT_EQ(get(answer).kind, Answer::Kind::error);
  EXPECT_EQ(client.read().status, 202);
}

TEST_F(RuntimeApiTest, CloseEndsWhoeverWaits) {
  auto init = initialized();
  auto before = invoke("id-1");
  on_lane([this] { api_->close(); });
  ASSERT_EQ(get(init)->kind, Answer::Kind::closed);
  EXPECT_EQ(get(before).kind, Answer::Kind::closed);
  auto after = invoke("id-2");
  EXPECT_EQ(get(after).kind, Answer::Kind::closed);
  on_lane([this] { api_->close(); });
}

TEST_F(RuntimeApiTest, CloseEndsEveryConnection) {
  Client idle(port_), working(port_);
  idle.send("GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(idle.read().status, 200);
  auto answer = start(working, "id-1");
  on_lane([this] { api_->close(); });
  EXPECT_EQ(get(answer).kind, Answer::Kind::closed);
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(working.at_end());
}

TEST_F(RuntimeApiTest, CloseEndsAWaitingNext) {
  Client client(port_);
  client.next();
  auto init = initialized();
  EXPECT_FALSE(get(init));
  on_lane([this] { api_->close(); });
  EXPECT_EQ(client.read().status, 0);
}

}  // namespace
}  // namespace lambent::runtime_api
