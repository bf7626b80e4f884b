#include "invoke/async/ending.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace lambent::invoke {
namespace {

constexpr const char* kQueue = "arn:aws:sqs:us-east-1:123456789012:q";

store::AsyncEvent event(std::string payload = R"({"a": 1})") {
  store::AsyncEvent made;
  made.function = {"123456789012", "us-east-1", "f"};
  made.request_id = "00000000-0000-4000-8000-000000000001";
  made.trace_header = "Root=1-5759e988-bd862e3fe1be46a994272793";
  made.payload = std::move(payload);
  return made;
}

Ending failed(std::string payload = R"({"errorMessage":"no","errorType":"E"})") {
  Ending ending;
  ending.condition = "RetriesExhausted";
  ending.invoke_count = 3;
  ending.ended_ms = 1'769'862'896'789;
  ending.function_arn = "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST";
  ending.role_arn = "arn:aws:iam::123456789012:role/r";
  ending.run = Ending::Run{"$LATEST", "Unhandled", std::move(payload), ""};
  ending.notices = {{false, kQueue}};
  return ending;
}

TEST(EndingTest, ARecordOfFailureHasAwsMembersInTheirOrder) {
  EXPECT_EQ(
      record_of(event(), failed()),
      R"({"version":"1.0","timestamp":"2026-01-31T12:34:56.789Z","requestContext":{"requestId":"00000000-0000-4000-8000-000000000001","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"a": 1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no","errorType":"E"}})");
}

TEST(EndingTest, ARecordOfSuccessNamesNoError) {
  Ending ending = failed("[1]");
  ending.condition = "Success";
  ending.run->function_error.clear();
  EXPECT_NE(record_of(event(), ending)
                .find(R"("responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":[1]})"),
            std::string::npos);
}

TEST(EndingTest, WhatDidNotRunHasNoResponse) {
  Ending ending = failed();
  ending.run.reset();
  EXPECT_TRUE(record_of(event(), ending).ends_with(R"("requestPayload":{"a": 1}})"));
}

TEST(EndingTest, AnAnswerThatIsNoJsonBecomesText) {
  EXPECT_TRUE(record_of(event(), failed("pl\"ain")).ends_with(R"("responsePayload":"pl\"ain"})"));
  boost::system::error_code error;
  boost::json::parse(record_of(event(), failed("\xff\xfe")), error);
  EXPECT_FALSE(error);
}

TEST(EndingTest, IsReadBackAsItWasWritten) {
  Ending ending = failed("\xff\x00");
  ending.notices.push_back({true, "arn:aws:sns:us-east-1:123456789012:t"});
  const Ending read = Ending::parse(ending.text());
  EXPECT_EQ(read.text(), ending.text());
  EXPECT_EQ(read.run->payload, ending.run->payload);
  EXPECT_TRUE(read.notices.at(1).dead_letter);
  EXPECT_THROW(Ending::parse("{"), std::runtime_error);
}

TEST(EndingTest, ADeadLetterIsTheEventWithThreeAttributes) {
  const auto delivery = delivery_of(event(), failed(), {true, kQueue});
  EXPECT_EQ(delivery.body, R"({"a": 1})");
  EXPECT_EQ(delivery.attributes.at("RequestID").value, "00000000-0000-4000-8000-000000000001");
  EXPECT_EQ(delivery.attributes.at("RequestID").type, "String");
  EXPECT_EQ(delivery.attributes.at("ErrorCode").value, "200");
  EXPECT_EQ(delivery.attributes.at("ErrorCode").type, "Number");
  EXPECT_EQ(delivery.attributes.at("ErrorMessage").value, "no");
}

TEST(EndingTest, ADeadLettersMessageEndsAtOneKibibyteAndBetweenCharacters) {
  std::string message = std::string(1023, 'x') + "\u00e9tail";
  const auto delivery = delivery_of(event(), failed(R"({"errorMessage":")" + message + "\"}"), {true, kQueue});
  EXPECT_EQ(delivery.attributes.at("ErrorMessage").value, std::string(1023, 'x'));
}

TEST(EndingTest, ADestinationGetsWhatItsKindNeeds) {
  const auto delivery = delivery_of(event(), failed(), {false, kQueue});
  EXPECT_TRUE(delivery.attributes.empty());
  EXPECT_EQ(delivery.trace_header, event().trace_header);
  Ending traced = failed();
  traced.run->trace_header = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a87bd80c:1";
  EXPECT_EQ(delivery_of(event(), Ending::parse(traced.text()), {false, kQueue}).trace_header, traced.run->trace_header);
  EXPECT_EQ(delivery.source, "lambda");
  EXPECT_EQ(delivery.detail_type, "Lambda Function Invocation Result - Failure");
  EXPECT_EQ(delivery.resource, "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST");
  EXPECT_EQ(delivery.sender.role_arn, "arn:aws:iam::123456789012:role/r");
  EXPECT_EQ(delivery.key.substr(0, 58),
            "aws/lambda/async/f/2026/01/31/2026-01-31T12.34.56-" + delivery.key.substr(50, 8));
  EXPECT_EQ(delivery.key.size(), 50u + 36u);
}

}  // namespace
}  // namespace lambent::invoke
