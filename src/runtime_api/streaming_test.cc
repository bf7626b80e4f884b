#include "runtime_api/runtime_api_fixture.h"

namespace lambent::runtime_api {
namespace {

/// Takes at most `most` bytes; holds writes back while `held`.
class CollectingSink final : public ResponseSink {
 public:
  void begin(std::string content_type) override { type = std::move(content_type); }
  base::Task<bool> write(std::string bytes) override {
    body += bytes;
    co_return body.size() <= most;
  }
  std::string type, body;
  std::size_t most = 1 << 20;
};

const std::string kStreaming =
    " HTTP/1.1\r\nHost: x\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n";

class StreamingTest : public RuntimeApiTest {
 protected:
  /// The answer to an event that a runtime has taken, with a sink.
  std::future<Answer> begin(Client& client) {
    client.next();
    auto answer = std::make_shared<std::promise<Answer>>();
    auto future = answer->get_future();
    auto work = [](RuntimeApi& api, std::shared_ptr<ResponseSink> sink,
                   std::shared_ptr<std::promise<Answer>> to) -> base::Task<void> {
      Event event;
      event.request_id = "id-1";
      Answer a = co_await api.invoke(std::move(event), std::move(sink));
      to->set_value(std::move(a));
    };
    on_lane([&] { asio::co_spawn(context_, work(*api_, sink_, answer), asio::detached); });
    EXPECT_EQ(client.read().status, 200);
    return future;
  }
  /// What the sink has, once it has `size` bytes.
  std::string collected(std::size_t size) {
    std::string body;
    for (int i = 0; i < kPatienceMs && body.size() < size; ++i) {
      on_lane([&] { body = sink_->body; });
      ::poll(nullptr, 0, 1);
    }
    return body;
  }
  std::shared_ptr<CollectingSink> sink_ = std::make_shared<CollectingSink>();
};

TEST_F(StreamingTest, HandsOnEachChunkAsItComes) {
  Client client(port_);
  auto answer = begin(client);
  client.send("POST /2018-06-01/runtime/invocation/id-1/response" + kStreaming + "\r\n3\r\none\r\n");
  EXPECT_EQ(collected(3), "one");
  EXPECT_TRUE(pending(answer));
  client.send("3\r\ntwo\r\n0\r\n\r\n");
  EXPECT_EQ(client.read().status, 202);
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::response);
  EXPECT_TRUE(said.streamed);
  EXPECT_EQ(said.payload, "");
  EXPECT_EQ(said.response_size, 6u);
  EXPECT_EQ(sink_->type, "application/octet-stream");
  EXPECT_EQ(collected(6), "onetwo");
}

TEST_F(StreamingTest, TrailersTellAnErrorAfterTheBeginning) {
  Client client(port_);
  auto answer = begin(client);
  client.send("POST /2018-06-01/runtime/invocation/id-1/response" + kStreaming +
              "Content-Type: text/html\r\n\r\n1\r\nx\r\n0\r\nLambda-Runtime-Function-Error-Type: Odd\r\n"
              "Lambda-Runtime-Function-Error-Body: " +
              base::base64("{\"errorType\":\"Odd\"}") + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 202);
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::error);
  EXPECT_EQ(said.error_type, "Odd");
  EXPECT_EQ(said.payload, "{\"errorType\":\"Odd\"}");
  EXPECT_EQ(sink_->type, "text/html");
}

TEST_F(StreamingTest, AResponseWithoutItsEndIsTruncated) {
  Client client(port_);
  auto answer = begin(client);
  client.send("POST /2018-06-01/runtime/invocation/id-1/response" + kStreaming + "\r\n5\r\nhello\r\n");
  EXPECT_EQ(collected(5), "hello");
  client.shut();
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::error);
  EXPECT_EQ(said.error_type, "Runtime.TruncatedResponse");
  EXPECT_TRUE(said.streamed);
}

TEST_F(StreamingTest, TheSinkDecidesWhatIsTooLarge) {
  sink_->most = 4;
  Client client(port_);
  auto answer = begin(client);
  client.send("POST /2018-06-01/runtime/invocation/id-1/response" + kStreaming + "\r\n5\r\nhello\r\n");
  EXPECT_EQ(client.read().status, 413);
  EXPECT_EQ(get(answer).kind, Answer::Kind::response_too_large);
}

TEST_F(StreamingTest, WithoutASinkAStreamIsGathered) {
  Client client(port_);
  auto answer = start(client, "id-2");
  client.send("POST /2018-06-01/runtime/invocation/id-2/response" + kStreaming +
              "\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
  EXPECT_EQ(client.read().status, 202);
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::response);
  EXPECT_EQ(said.payload, "onetwo");
  EXPECT_FALSE(said.streamed);
}

TEST_F(StreamingTest, WithoutASinkTrailersMakeItAnError) {
  Client client(port_);
  auto answer = start(client, "id-3");
  client.send("POST /2018-06-01/runtime/invocation/id-3/response" + kStreaming +
              "\r\n3\r\none\r\n0\r\nLambda-Runtime-Function-Error-Type: Odd\r\n\r\n");
  EXPECT_EQ(client.read().status, 202);
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::error);
  EXPECT_EQ(said.payload, "{\"errorMessage\":\"\",\"errorType\":\"Odd\"}");
}

}  // namespace
}  // namespace lambent::runtime_api
