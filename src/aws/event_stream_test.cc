#include "aws/event_stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>

#include "aws/service.h"

namespace lambent::aws {
namespace {

struct Update {
  Blob Payload;
};
BOOST_DESCRIBE_STRUCT(Update, (), (Payload))

struct Complete {
  std::optional<std::string> ErrorCode;
  std::optional<std::string> LogResult;
};
BOOST_DESCRIBE_STRUCT(Complete, (), (ErrorCode, LogResult))

struct Events {
  std::optional<Update> PayloadChunk;
  std::optional<Complete> InvokeComplete;
};
BOOST_DESCRIBE_STRUCT(Events, (), (PayloadChunk, InvokeComplete))

struct Input {
  std::string FunctionName;
};
BOOST_DESCRIBE_STRUCT(Input, (), (FunctionName))

struct Output {
  std::string ResponseStreamContentType;
  EventStream<Events> EventStream;
};
BOOST_DESCRIBE_STRUCT(Output, (), (ResponseStreamContentType, EventStream))

class Given final : public EventsOf<Events> {
 public:
  explicit Given(std::vector<Events> events) : events_(std::move(events)) {}
  base::Task<std::optional<Events>> next_event() override {
    if (at_ == events_.size()) co_return std::nullopt;
    co_return events_[at_++];
  }

 private:
  std::vector<Events> events_;
  std::size_t at_ = 0;
};

struct Nothing {};

base::Task<Output> answer(Nothing&, Caller, Input) {
  Output out;
  out.ResponseStreamContentType = "application/octet-stream";
  std::vector<Events> events(3);
  events[0].PayloadChunk = Update{{"Hello world "}};
  events[1].PayloadChunk = Update{{"from Lambda!"}};
  events[2].InvokeComplete.emplace();
  out.EventStream.source = std::make_shared<Given>(std::move(events));
  co_return out;
}

std::string anything(const Caller&, const Input&) { return "*"; }

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

template <class T>
T run(base::Task<T> task) {
  base::asio::io_context lane;
  auto result = base::asio::co_spawn(lane, std::move(task), base::asio::use_future);
  lane.run();
  return result.get();
}

// The bytes of a real answer of AWS, as Kong's test-suite keeps them (spec/fixtures/aws-lambda.lua).
TEST(EventStream, IsWhatAwsSends) {
  Nothing nothing;
  std::vector<Row> rows;
  rows.push_back(operation("InvokeWithResponseStream", answer, anything));
  const Service service = aws::service("lambda", nothing, std::move(rows));
  base::http::Request request;
  request.method = "POST";
  request.path = "/2021-11-15/functions/f/response-streaming-invocations";
  const Match match = service.match(request);
  const Caller caller;
  auto task = service.call(match, caller, service.decode(match, request));
  const Value output = run(std::move(task));

  const auto head = service.encode(match, output.get(), "id");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.get("Content-Type"), "application/vnd.amazon.eventstream");
  EXPECT_EQ(head.headers.get("X-Amzn-Remapped-Content-Type"), "application/octet-stream");
  EXPECT_EQ(head.body, "");

  const auto body = service.body_stream(match, output.get());
  ASSERT_NE(body, nullptr);
  EXPECT_EQ(hex(run(body->next()).value()),
            "000000760000005a980e72ec0b3a6576656e742d7479706507000c5061796c6f61644368756e6b0d3a636f6e74656e742d747970"
            "650700186170706c69636174696f6e2f6f637465742d73747265616d0d3a6d6573736167652d747970650700056576656e74"
            "48656c6c6f20776f726c642033971fd8");
  EXPECT_EQ(hex(run(body->next()).value()),
            "000000760000005a980e72ec0b3a6576656e742d7479706507000c5061796c6f61644368756e6b0d3a636f6e74656e742d747970"
            "650700186170706c69636174696f6e2f6f637465742d73747265616d0d3a6d6573736167652d747970650700056576656e74"
            "66726f6d204c616d62646121fe88eff4");
  EXPECT_EQ(hex(run(body->next()).value()),
            "00000066000000541f56c8690b3a6576656e742d7479706507000e496e766f6b65436f6d706c6574650d3a636f6e74656e742d74"
            "7970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b7d7006d467");
  EXPECT_EQ(run(body->next()), std::nullopt);
}

TEST(EventStream, HeadersAreBounded) {
  EXPECT_THROW(event_message({{":x", std::string(40'000, 'x')}}, ""), std::length_error);
}

}  // namespace
}  // namespace lambent::aws
