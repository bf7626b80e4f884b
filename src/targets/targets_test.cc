#include "targets/targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>

#include "auth/claim.h"
#include "auth/sigv4.h"
#include "base/digest.h"
#include "base/http_server.h"
#include "base/lanes.h"
#include "targets/messages.h"

namespace lambent::targets {
namespace {

namespace asio = base::asio;
namespace json = boost::json;
using ::testing::HasSubstr;
using Kind = aws::DeliveryOutcome::Kind;

constexpr const char* kQueue = "arn:aws:sqs:us-east-1:123456789012:q";

aws::Delivery delivery(const std::string& target = kQueue) {
  aws::Delivery made;
  made.sender = {"arn:aws:iam::123456789012:role/r", "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST",
                 "123456789012", "us-east-1"};
  made.target_arn = target;
  made.body = R"({"a":"b c&"})";
  made.attributes["ErrorCode"] = {"Number", "200"};
  made.trace_header = "Root=1-0-0";
  made.source = "lambda";
  made.detail_type = "Lambda Function Invocation Result - Success";
  made.resource = made.sender.source_arn;
  made.key = "aws/lambda/async/f/2026/01/31/2026-01-31T12.34.56-x";
  return made;
}

base::http::Request message(const std::string& target) {
  return message_of(delivery(target), *aws::Arn::parse(target), *Endpoint::parse("http://127.0.0.1:5000"));
}

TEST(EndpointTest, IsASchemeAHostAndAPort) {
  EXPECT_EQ(Endpoint::parse("http://127.0.0.1:5000/")->authority(), "127.0.0.1:5000");
  EXPECT_EQ(Endpoint::parse("https://sqs.us-east-1.amazonaws.com")->authority(), "sqs.us-east-1.amazonaws.com");
  EXPECT_EQ(Endpoint::parse("https://h/prefix/")->path, "/prefix");
  EXPECT_EQ(Endpoint::parse("http://[::1]:80")->authority(), "[::1]");
  for (const char* bad : {"", "ftp://h", "http://", "http://u:p@h", "http://h:0", "http://h:70000", "http://h?x",
                          "http://h/a?b", "http://h\r\n", "h:80"})
    EXPECT_FALSE(Endpoint::parse(bad)) << bad;
}

TEST(MessagesTest, AQueueGetsSendMessageWithTheTraceAsASystemAttribute) {
  const auto request = message(kQueue);
  EXPECT_EQ(request.headers.get("X-Amz-Target"), "AmazonSQS.SendMessage");
  EXPECT_EQ(request.headers.get("Content-Type"), "application/x-amz-json-1.0");
  const auto body = json::parse(request.body);
  EXPECT_EQ(body.at("QueueUrl").as_string(), "http://127.0.0.1:5000/123456789012/q");
  EXPECT_EQ(body.at("MessageBody").as_string(), R"({"a":"b c&"})");
  EXPECT_EQ(body.at("MessageAttributes").at("ErrorCode").at("DataType").as_string(), "Number");
  EXPECT_EQ(body.at("MessageSystemAttributes").at("AWSTraceHeader").at("StringValue").as_string(), "Root=1-0-0");
}

TEST(MessagesTest, ATopicGetsPublish) {
  const auto request = message("arn:aws:sns:us-east-1:123456789012:t");
  EXPECT_EQ(
      request.body,
      "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3At&Message=%7B%22a%22%"
      "3A%22b%20c%26%22%7D&MessageAttributes.entry.1.Name=ErrorCode&MessageAttributes.entry.1.Value.DataType=Number&"
      "MessageAttributes.entry.1.Value.StringValue=200");
}

TEST(MessagesTest, ABusGetsAnEntry) {
  const auto request = message("arn:aws:events:us-east-1:123456789012:event-bus/b");
  EXPECT_EQ(request.headers.get("X-Amz-Target"), "AWSEvents.PutEvents");
  const auto entry = json::parse(request.body).at("Entries").at(0);
  EXPECT_EQ(entry.at("Source").as_string(), "lambda");
  EXPECT_EQ(entry.at("DetailType").as_string(), "Lambda Function Invocation Result - Success");
  EXPECT_EQ(entry.at("Detail").as_string(), R"({"a":"b c&"})");
  EXPECT_EQ(
      json::serialize(entry.at("Resources")),
      R"(["arn:aws:events:us-east-1:123456789012:event-bus/b","arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"])");
}

TEST(MessagesTest, ABucketGetsAnObject) {
  const auto request = message("arn:aws:s3:::bucket");
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.path, "/bucket/aws/lambda/async/f/2026/01/31/2026-01-31T12.34.56-x");
  EXPECT_EQ(request.body, R"({"a":"b c&"})");
}

TEST(MessagesTest, AnswersMeanDeliveredRefusedOrLater) {
  const auto outcome = [](int status, std::string body, std::string_view service = "sqs") {
    base::http::Response response;
    response.status = status;
    response.body = std::move(body);
    return outcome_of(service, response).kind;
  };
  EXPECT_EQ(outcome(200, "{}"), Kind::delivered);
  EXPECT_EQ(outcome(400, "AWS.SimpleQueueService.NonExistentQueue"), Kind::refused);
  EXPECT_EQ(outcome(403, "AccessDenied"), Kind::refused);
  EXPECT_EQ(outcome(400, "ThrottlingException"), Kind::unavailable);
  EXPECT_EQ(outcome(503, ""), Kind::unavailable);
  EXPECT_EQ(outcome(200, R"({"FailedEntryCount":1})", "events"), Kind::unavailable);
  EXPECT_EQ(outcome(200, R"({"FailedEntryCount":0})", "events"), Kind::delivered);
}

TEST(SignTest, WhatIsSignedVerifies) {
  for (const char* target : {kQueue, "arn:aws:s3:::bucket"}) {
    auto request = message(target);
    const std::string service = aws::Arn::parse(target)->service;
    sign(request, {"ASIAEXAMPLE", "secret", "token"}, "us-east-1", service, 1'769'862'896);
    const auth::Claim claim = auth::parse_claim(request);
    EXPECT_EQ(claim.session_token, "token");
    EXPECT_EQ(claim.service, service);
    auth::check_signed_headers(claim, request.headers);
    const auto hash = auth::sigv4::payload_hash(claim, request.body);
    const auto text = auth::sigv4::string_to_sign(claim, auth::sigv4::canonical_request(claim, request, hash));
    EXPECT_EQ(auth::sigv4::signature(auth::sigv4::signing_key("secret", "20260131", "us-east-1", service), text),
              claim.signature);
  }
}

/// A server on a lane that answers as a test says.
class ExchangeTest : public ::testing::Test {
 protected:
  ExchangeTest() {
    std::uint16_t port = 0;
    auto listener = base::http::listen_tcp("127.0.0.1", 0, &port);
    server_ = base::http::serve(lanes_.lane(0).get_executor(), std::move(listener), {},
                                [this](base::http::Exchange& exchange) { return answer(exchange); });
    url_ = "http://127.0.0.1:" + std::to_string(port);
    lanes_.start();
  }
  ~ExchangeTest() override {
    asio::post(lanes_.lane(0), [this] { server_->abort(); });
    asio::co_spawn(lanes_.lane(0), nothing(), asio::use_future).get();
    lanes_.stop();
  }
  static base::Task<void> nothing() { co_return; }
  base::Task<void> answer(base::http::Exchange& exchange) {
    co_await exchange.read_body(1 << 20);
    seen_ = exchange.request().path + " " + exchange.request().body;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(delay_);
    co_await timer.async_wait(asio::use_awaitable);
    base::http::Response response;
    response.status = 201;
    response.body = std::string(size_, 'x');
    co_await exchange.respond(std::move(response));
  }
  base::http::Response send(const std::string& url, ExchangeLimits limits = {}) {
    base::http::Request request;
    request.method = "POST";
    request.path = "/p";
    request.body = "hello";
    auto task = exchange(*Endpoint::parse(url), std::move(request), limits);
    return asio::co_spawn(lanes_.lane(0), std::move(task), asio::use_future).get();
  }

  base::Lanes lanes_{1};
  std::unique_ptr<base::http::Server> server_;
  std::string url_, seen_;
  std::size_t size_ = 3;
  std::chrono::milliseconds delay_{0};
};

TEST_F(ExchangeTest, SendsAndReads) {
  const auto response = send(url_);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "xxx");
  EXPECT_EQ(seen_, "/p hello");
}

TEST_F(ExchangeTest, EndsAtItsTime) {
  delay_ = std::chrono::seconds(20);
  ExchangeLimits limits;
  limits.time = std::chrono::milliseconds(50);
  try {
    send(url_, limits);
    FAIL() << "answered";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no answer within 50 ms"));
  }
}

TEST_F(ExchangeTest, ReadsNoMoreThanItsBound) {
  size_ = 5000;
  ExchangeLimits limits;
  limits.answer_bytes = 4096;
  EXPECT_THROW(send(url_, limits), std::runtime_error);
}

TEST_F(ExchangeTest, SaysWhenNobodyListens) {
  std::uint16_t port = 0;
  {
    const auto closed = base::http::listen_tcp("127.0.0.1", 0, &port);
  }
  EXPECT_THROW(send("http://127.0.0.1:" + std::to_string(port)), std::runtime_error);
}

TEST(TargetEndpointTest, NamesAServiceAndAUrl) {
  EXPECT_EQ(parse_target_endpoint("sqs=http://127.0.0.1:9324").first, "sqs");
  for (const char* bad : {"sqs", "sqs=", "lambda=http://h", "iam=http://h", "=http://h"})
    EXPECT_THROW(parse_target_endpoint(bad), std::invalid_argument) << bad;
}

}  // namespace
}  // namespace lambent::targets
