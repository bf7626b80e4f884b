#include "services/logs/logs.h"

#include "services/logs/logs_fixture.h"

namespace lambent::logs {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr const char* kNoGroup = "The specified log group does not exist.";
constexpr const char* kNoStream = "The specified log stream does not exist.";

TEST_F(LogsTest, AGroupHasTheMembersOfAwsAndNoOthers) {
  EXPECT_TRUE(must("CreateLogGroup", R"({"logGroupName":"/aws/lambda/f","tags":{"a":"b"}})").body.is_null());
  const Answer answer = must("DescribeLogGroups", "{}");
  EXPECT_FALSE(answer.object().contains("nextToken"));
  const auto& group = answer.object().at("logGroups").as_array().at(0).as_object();
  EXPECT_EQ(boost::json::serialize(group),
            R"({"logGroupName":"/aws/lambda/f","creationTime":1700000000000,"metricFilterCount":0,)"
            R"("arn":"arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*","storedBytes":0,)"
            R"("logGroupClass":"STANDARD","logGroupArn":"arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f",)"
            R"("deletionProtectionEnabled":false})");
  EXPECT_REFUSED(call("CreateLogGroup", R"({"logGroupName":"/aws/lambda/f"})"), "ResourceAlreadyExistsException",
                 "The specified log group already exists");
  EXPECT_EQ(
      call("DescribeLogGroups", "{}", caller("123456789012", "eu-west-1")).object().at("logGroups").as_array().size(),
      0u);
  EXPECT_REFUSED(call("DeleteLogGroup", R"({"logGroupName":"/aws/lambda/f"})", caller("210987654321")),
                 "ResourceNotFoundException", kNoGroup);
  must("DeleteLogGroup", R"({"logGroupName":"/aws/lambda/f"})");
  EXPECT_REFUSED(call("DeleteLogGroup", R"({"logGroupName":"/aws/lambda/f"})"), "ResourceNotFoundException", kNoGroup);
}

TEST_F(LogsTest, GroupsAreListedPageByPage) {
  for (const char* name : {"c", "a", "b", "other"})
    must("CreateLogGroup", std::string(R"({"logGroupName":")") + name + "\"}");
  const Answer first = must("DescribeLogGroups", R"({"limit":3})");
  EXPECT_THAT(first.each("logGroups", "logGroupName"), ElementsAre("a", "b", "c"));
  const Answer second = must("DescribeLogGroups", R"({"nextToken":")" + first.text("nextToken") + "\"}");
  EXPECT_THAT(second.each("logGroups", "logGroupName"), ElementsAre("other"));
  EXPECT_THAT(must("DescribeLogGroups", R"({"logGroupNamePrefix":"o"})").each("logGroups", "logGroupName"),
              ElementsAre("other"));
  EXPECT_THAT(must("DescribeLogGroups", R"({"logGroupNamePattern":"the"})").each("logGroups", "logGroupName"),
              ElementsAre("other"));
  EXPECT_THAT(must("DescribeLogGroups", R"({"logGroupIdentifiers":["b"]})").each("logGroups", "logGroupName"),
              ElementsAre("b"));
  EXPECT_REFUSED(call("DescribeLogGroups", R"({"nextToken":"nonsense"})"), "InvalidParameterException",
                 "The specified nextToken is invalid.");
  EXPECT_EQ(call("DescribeLogGroups", R"({"logGroupNamePrefix":"o","logGroupNamePattern":"o"})").code,
            "InvalidParameterException");
  EXPECT_EQ(call("DescribeLogGroups", R"({"limit":51})").code, "InvalidParameterException");
  EXPECT_EQ(call("DescribeLogGroups", R"({"includeLinkedAccounts":true})").code, "InvalidParameterException");
}

TEST_F(LogsTest, WhatIsNotDoneIsRefusedByName) {
  EXPECT_REFUSED(call("CreateLogGroup", R"({"logGroupName":"g","logGroupClass":"INFREQUENT_ACCESS"})"),
                 "InvalidParameterException",
                 "logGroupClass INFREQUENT_ACCESS is not supported: every group is STANDARD here.");
  const Answer key = call("CreateLogGroup", R"({"logGroupName":"g","kmsKeyId":"k"})");
  EXPECT_NE(key.status, 200);
  EXPECT_THAT(key.message, ::testing::HasSubstr("kmsKeyId"));
  EXPECT_EQ(call("CreateLogGroup", R"({"logGroupName":"aws/g"})").code, "InvalidParameterException");
}

TEST_F(LogsTest, DeletionProtectionHoldsUntilItIsTakenAway) {
  must("CreateLogGroup", R"({"logGroupName":"g","deletionProtectionEnabled":true})");
  EXPECT_EQ(call("DeleteLogGroup", R"({"logGroupName":"g"})").code, "ValidationException");
  must("PutLogGroupDeletionProtection", R"({"logGroupIdentifier":"g","deletionProtectionEnabled":false})");
  must("DeleteLogGroup", R"({"logGroupName":"g"})");
}

TEST_F(LogsTest, RetentionTakesAwsDaysAndActs) {
  make_stream();
  EXPECT_THAT(call("PutRetentionPolicy", R"({"logGroupName":"g","retentionInDays":2})").message,
              StartsWith("1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: "));
  EXPECT_REFUSED(call("PutRetentionPolicy", R"({"logGroupName":"x","retentionInDays":1})"), "ResourceNotFoundException",
                 kNoGroup);
  put(now(), {"old"});
  must("PutRetentionPolicy", R"({"logGroupName":"g","retentionInDays":1})");
  EXPECT_EQ(must("DescribeLogGroups", "{}").object().at("logGroups").as_array().at(0).at("retentionInDays"), 1);
  clock_.advance(std::chrono::hours(25));
  EXPECT_THAT(must("FilterLogEvents", R"({"logGroupName":"g"})").each("events", "message"), ElementsAre());
  store_.upkeep_now(true);
  EXPECT_EQ(store_.stored_bytes(*groups_.find({"123456789012", "us-east-1", "g"})), 0u);
  const Answer late = put(now() - 26 * 3'600'000, {"expired"});
  EXPECT_EQ(late.object().at("rejectedLogEventsInfo").at("expiredLogEventEndIndex"), 1);
  must("DeleteRetentionPolicy", R"({"logGroupName":"g"})");
  EXPECT_FALSE(must("DescribeLogGroups", "{}")
                   .object()
                   .at("logGroups")
                   .as_array()
                   .at(0)
                   .as_object()
                   .contains("retentionInDays"));
}

TEST_F(LogsTest, StreamsComeAndGo) {
  make_stream();
  EXPECT_REFUSED(call("CreateLogStream", R"({"logGroupName":"g","logStreamName":"s"})"),
                 "ResourceAlreadyExistsException", "The specified log stream already exists");
  EXPECT_REFUSED(call("CreateLogStream", R"({"logGroupName":"x","logStreamName":"s"})"), "ResourceNotFoundException",
                 kNoGroup);
  EXPECT_EQ(call("CreateLogStream", R"({"logGroupName":"g","logStreamName":"a:b"})").code, "InvalidParameterException");
  const Answer fresh = must("DescribeLogStreams", R"({"logGroupName":"g"})");
  EXPECT_EQ(boost::json::serialize(fresh.object().at("logStreams")),
            R"([{"logStreamName":"s","creationTime":1700000000000,)"
            R"("arn":"arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s","storedBytes":0}])");
  put(now() - 5, {"a", "b"});
  const Answer used =
      must("DescribeLogStreams", R"({"logGroupIdentifier":"arn:aws:logs:us-east-1:123456789012:log-group:g"})");
  const auto& stream = used.object().at("logStreams").as_array().at(0).as_object();
  EXPECT_EQ(stream.at("firstEventTimestamp"), now() - 5);
  EXPECT_EQ(stream.at("lastEventTimestamp"), now() - 4);
  EXPECT_EQ(stream.at("lastIngestionTime"), now());
  EXPECT_TRUE(stream.contains("uploadSequenceToken"));
  must("DeleteLogStream", R"({"logGroupName":"g","logStreamName":"s"})");
  EXPECT_REFUSED(call("DeleteLogStream", R"({"logGroupName":"g","logStreamName":"s"})"), "ResourceNotFoundException",
                 kNoStream);
  EXPECT_THAT(must("FilterLogEvents", R"({"logGroupName":"g"})").each("events", "message"), ElementsAre());
}

TEST_F(LogsTest, StreamsAreListedPageByPage) {
  make_stream();
  for (const char* name : {"b", "a"}) {
    must("CreateLogStream", std::string(R"({"logGroupName":"g","logStreamName":")") + name + "\"}");
    put(now(), {"x"}, name);
    clock_.advance(std::chrono::milliseconds(1));
  }
  const auto names = [](const Answer& answer) { return answer.each("logStreams", "logStreamName"); };
  const std::string order = R"("orderBy":"LastEventTime","descending":true)";
  const Answer first = must("DescribeLogStreams", R"({"logGroupName":"g","limit":2,)" + order + "}");
  EXPECT_THAT(names(first), ElementsAre("a", "s"));
  const Answer second = must("DescribeLogStreams",
                             R"({"logGroupName":"g",)" + order + R"(,"nextToken":")" + first.text("nextToken") + "\"}");
  EXPECT_THAT(names(second), ElementsAre("b"));
  EXPECT_FALSE(second.object().contains("nextToken"));
  EXPECT_THAT(names(must("DescribeLogStreams", R"({"logGroupName":"g","logStreamNamePrefix":"b"})")), ElementsAre("b"));
  EXPECT_REFUSED(call("DescribeLogStreams", R"({"logGroupName":"g","logStreamNamePrefix":"b",)" + order + "}"),
                 "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.");
  EXPECT_EQ(call("DescribeLogStreams", "{}").code, "InvalidParameterException");
  EXPECT_EQ(call("DescribeLogStreams", R"({"logGroupName":"g","nextToken":"x"})").message,
            "The specified nextToken is invalid.");
}

TEST_F(LogsTest, EventsAreRefusedAsAwsDoes) {
  make_stream();
  EXPECT_REFUSED(put(now(), {"x"}, "none"), "ResourceNotFoundException", kNoStream);
  EXPECT_REFUSED(put(now(), {std::string(1'048'577, 'x')}), "InvalidParameterException",
                 "Log event too large: 1048577 bytes exceeds limit of 1048576");
  EXPECT_REFUSED(put(now(), {std::string(600'000, 'x'), std::string(448'525, 'x')}), "InvalidParameterException",
                 "Upload too large: 1048577 bytes exceeds limit of 1048576");
  EXPECT_EQ(put(now(), {std::string(600'000, 'x'), std::string(448'524, 'x')}).status, 200);
  const auto events = [&](std::int64_t a, std::int64_t b) {
    return call("PutLogEvents", R"({"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":)" +
                                    std::to_string(a) + R"(,"message":"x"},{"timestamp":)" + std::to_string(b) +
                                    R"(,"message":"y"}]})");
  };
  EXPECT_REFUSED(events(now(), now() - 1), "InvalidParameterException",
                 "Log events in a single PutLogEvents request must be in chronological order.");
  EXPECT_REFUSED(events(now() - 86'400'001, now()), "InvalidParameterException",
                 "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  EXPECT_EQ(put(now(), {""}).code, "InvalidParameterException") << "a message has a character at least";
  EXPECT_EQ(put(now(), {}).code, "InvalidParameterException");
  EXPECT_EQ(put(now(), std::vector<std::string>(10'001, "x")).code, "InvalidParameterException");
  const auto rejected = events(now() - 15 * 86'400'000ll, now() + 3 * 3'600'000).object().at("rejectedLogEventsInfo");
  EXPECT_EQ(boost::json::serialize(rejected), R"({"tooNewLogEventStartIndex":1,"tooOldLogEventEndIndex":1})");
}

TEST_F(LogsTest, AStreamIsReadForwardAndBackward) {
  make_stream();
  put(now(), {"1", "2", "3", "4", "5"});
  const auto get = [&](const std::string& more) {
    return must("GetLogEvents", R"({"logGroupName":"g","logStreamName":"s","limit":2)" + more + "}");
  };
  const auto with = [](const std::string& token) { return R"(,"nextToken":")" + token + "\""; };
  const auto texts = [](const Answer& answer) { return answer.each("events", "message"); };
  Answer page = get("");
  EXPECT_THAT(texts(page), ElementsAre("4", "5")) << "the latest first, each page in order";
  page = get(with(page.text("nextBackwardToken")));
  EXPECT_THAT(texts(page), ElementsAre("2", "3"));
  page = get(with(page.text("nextBackwardToken")));
  EXPECT_THAT(texts(page), ElementsAre("1"));
  const std::string begin = page.text("nextBackwardToken");
  page = get(with(begin));
  EXPECT_THAT(texts(page), ElementsAre());
  EXPECT_EQ(page.text("nextBackwardToken"), begin) << "the same token at the end";
  page = get(with(page.text("nextForwardToken")));
  EXPECT_THAT(texts(page), ElementsAre("1", "2"));
  page = get(R"(,"startFromHead":true)");
  EXPECT_THAT(texts(page), ElementsAre("1", "2"));
  EXPECT_THAT(page.text("nextForwardToken"), ::testing::MatchesRegex("f/[0-9]{56}"));
  for (int i = 0; i < 2; ++i) page = get(R"(,"startFromHead":true)" + with(page.text("nextForwardToken")));
  EXPECT_THAT(texts(page), ElementsAre("5"));
  const std::string end = page.text("nextForwardToken");
  page = get(with(end));
  EXPECT_EQ(page.text("nextForwardToken"), end);
  put(now() + 100, {"6"});
  EXPECT_THAT(texts(get(with(end))), ElementsAre("6"));
  EXPECT_THAT(texts(get(with(page.text("nextBackwardToken")))), ElementsAre("4", "5"));
  EXPECT_THAT(texts(get(R"(,"startTime":)" + std::to_string(now() + 1) + R"(,"endTime":)" + std::to_string(now() + 2))),
              ElementsAre("2"))
      << "the end is not included";
}

TEST_F(LogsTest, ReadingIsRefusedAsAwsDoes) {
  make_stream();
  EXPECT_REFUSED(call("GetLogEvents", R"({"logGroupName":"g","logStreamName":"x"})"), "ResourceNotFoundException",
                 kNoStream);
  EXPECT_REFUSED(call("GetLogEvents", R"({"logGroupName":"x","logStreamName":"s"})"), "ResourceNotFoundException",
                 kNoGroup);
  for (const char* token : {"x", "f/1", "g/00000000000000000000000000000000000000000000000000000000"})
    EXPECT_EQ(
        call("GetLogEvents", std::string(R"({"logGroupName":"g","logStreamName":"s","nextToken":")") + token + "\"}")
            .message,
        "The specified nextToken is invalid.");
  EXPECT_REFUSED(call("FilterLogEvents", R"({"logGroupName":"g","filterPattern":"a@b"})"), "InvalidParameterException",
                 "Invalid filter pattern");
  EXPECT_EQ(call("FilterLogEvents", R"({"logGroupName":"g","logStreamNames":["s"],"logStreamNamePrefix":"s"})").code,
            "InvalidParameterException");
  EXPECT_REFUSED(call("FilterLogEvents", R"({"logGroupName":"g","logStreamNames":["x"]})"), "ResourceNotFoundException",
                 kNoStream);
  EXPECT_EQ(call("FilterLogEvents", R"({"logGroupName":"g","nextToken":"x"})").message,
            "The specified nextToken is invalid.");
  EXPECT_EQ(call("FilterLogEvents", R"({"logGroupName":"g","startFromHead":false})").code, "InvalidParameterException");
}

TEST_F(LogsTest, FilteredEventsInterleaveStreamsAndPage) {
  make_stream();
  must("CreateLogStream", R"({"logGroupName":"g","logStreamName":"t"})");
  put(now(), {"ERROR s1", "fine", "ERROR s2"});
  put(now() + 1, {"ERROR t1", "ERROR t2"}, "t");
  const std::string ask = R"({"logGroupName":"g","filterPattern":"ERROR","limit":3)";
  const Answer first = must("FilterLogEvents", ask + "}");
  EXPECT_THAT(first.each("events", "message"), ElementsAre("ERROR s1", "ERROR t1", "ERROR s2"));
  EXPECT_EQ(first.object().at("searchedLogStreams").as_array().size(), 0u);
  EXPECT_THAT(first.each("events", "eventId")[0], ::testing::MatchesRegex("[0-9]{56}"));
  const Answer second = must("FilterLogEvents", ask + R"(,"nextToken":")" + first.text("nextToken") + "\"}");
  EXPECT_THAT(second.each("events", "message"), ElementsAre("ERROR t2"));
  EXPECT_FALSE(second.object().contains("nextToken"));
  EXPECT_THAT(must("FilterLogEvents", R"({"logGroupName":"g","logStreamNamePrefix":"t"})").each("events", "message"),
              ElementsAre("ERROR t1", "ERROR t2"));
  EXPECT_THAT(must("FilterLogEvents", R"({"logGroupName":"g","endTime":)" + std::to_string(now()) + "}")
                  .each("events", "message"),
              ElementsAre("ERROR s1"))
      << "the end is included";
  clock_.advance(std::chrono::hours(24 * 400));
  put(now(), {"a", "b", "c"});
  const std::string latest =
      R"({"logGroupName":"g","startFromHead":false,"limit":2,"startTime":)" + std::to_string(now());
  const Answer newest = must("FilterLogEvents", latest + "}");
  EXPECT_THAT(newest.each("events", "message"), ElementsAre("c", "b"));
  EXPECT_THAT(must("FilterLogEvents", latest + R"(,"nextToken":")" + newest.text("nextToken") + "\"}")
                  .each("events", "message"),
              ElementsAre("a"));
}

TEST_F(LogsTest, TagsOfAGroup) {
  make_stream();
  const std::string arn = R"("resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:g")";
  must("TagResource", "{" + arn + R"(,"tags":{"a":"1","b":"2"}})");
  must("UntagResource", "{" + arn + R"(,"tagKeys":["a"]})");
  EXPECT_EQ(boost::json::serialize(must("ListTagsForResource", "{" + arn + "}").body), R"({"tags":{"b":"2"}})");
  must("TagLogGroup", R"({"logGroupName":"g","tags":{"c":"3"}})");
  must("UntagLogGroup", R"({"logGroupName":"g","tags":["b"]})");
  EXPECT_EQ(boost::json::serialize(must("ListTagsLogGroup", R"({"logGroupName":"g"})").body), R"({"tags":{"c":"3"}})");
  std::string many;
  for (int i = 0; i < 50; ++i) many += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
  EXPECT_EQ(call("TagResource", "{" + arn + ",\"tags\":{" + many + "}}").code, "TooManyTagsException");
  EXPECT_EQ(call("ListTagsForResource", R"({"resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:x"})").message,
            kNoGroup);
  EXPECT_EQ(call("ListTagsForResource", R"({"resourceArn":"arn:aws:logs:eu-west-1:123456789012:log-group:g"})").message,
            kNoGroup);
  EXPECT_EQ(call("ListTagsForResource", R"({"resourceArn":"arn:aws:lambda:us-east-1:123456789012:function:g"})").code,
            "InvalidParameterException");
}

TEST_F(LogsTest, ResourcesAreNamedAsAwsNamesThem) {
  const std::string group = "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:";
  EXPECT_EQ(resource("CreateLogGroup", R"({"logGroupName":"g"})"), group);
  EXPECT_EQ(resource("FilterLogEvents", R"({"logGroupIdentifier":"g"})"), group);
  EXPECT_EQ(resource("CreateLogStream", R"({"logGroupName":"g","logStreamName":"s"})"), group + "s");
  EXPECT_EQ(resource("GetLogEvents", R"({"logGroupName":"g","logStreamName":"s"})"), group + "s");
  EXPECT_EQ(resource("DescribeLogGroups", "{}"), "arn:aws:logs:us-east-1:123456789012:log-group::log-stream:");
  const std::string arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
  EXPECT_EQ(resource("ListTagsForResource", R"({"resourceArn":")" + arn + "\"}"), arn);
}

}  // namespace
}  // namespace lambent::logs
