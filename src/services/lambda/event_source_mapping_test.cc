// CreateEventSourceMapping and its siblings, source by source (facts on event sources, section 1).
#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kArn;
using testing::ServiceFixture;
using testing::json::object;
using testing::json::value;
namespace json = testing::json;

constexpr const char* kQueue = "arn:aws:sqs:us-east-1:123456789012:jobs";
constexpr const char* kStream = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks";
constexpr const char* kTable = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000";

class Mappings : public ServiceFixture {
 protected:
  Mappings() { EXPECT_EQ(create("f").status, 201); }
  static constexpr const char* kPath = "/2015-03-31/event-source-mappings";

  Answer make(object body) {
    if (!body.contains("FunctionName")) body["FunctionName"] = "f";
    if (!body.contains("Enabled")) body["Enabled"] = false;
    return send("POST", kPath, json::serialize(body));
  }
  Answer ask(const std::string& method, const std::string& rest, const object& body = {}) {
    return send(method, kPath + rest, method == "PUT" ? json::serialize(body) : "");
  }
  static std::string said(const Answer& answer) {
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  }
  static std::vector<std::string> members(const Answer& answer) {
    std::vector<std::string> names;
    for (const auto& [name, item] : answer.object()) names.emplace_back(name);
    std::sort(names.begin(), names.end());
    return names;
  }
};

TEST_F(Mappings, OfAQueueHasTheMembersThatAwsSends) {
  const auto made = make({{"EventSourceArn", kQueue}});
  ASSERT_EQ(made.status, 202) << made.body;
  EXPECT_THAT(members(made), ElementsAre("BatchSize", "EventSourceArn", "EventSourceMappingArn", "FunctionArn",
                                         "FunctionResponseTypes", "LastModified", "MaximumBatchingWindowInSeconds",
                                         "State", "StateTransitionReason", "UUID"));
  EXPECT_EQ(made.object().at("BatchSize"), 10);
  EXPECT_EQ(made.text("State"), "Disabled");
  EXPECT_EQ(made.text("StateTransitionReason"), "USER_INITIATED");
  EXPECT_EQ(made.text("FunctionArn"), std::string(kArn) + "f");
  EXPECT_EQ(made.text("EventSourceMappingArn"),
            "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:" + made.text("UUID"));
  EXPECT_TRUE(made.object().at("LastModified").is_number());
  const auto got = ask("GET", "/" + made.text("UUID"));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.object(), made.object());
  open();
  EXPECT_EQ(ask("GET", "/" + made.text("UUID") + "/").object(), made.object()) << "a slash at the end is no other path";
}

TEST_F(Mappings, OfAStreamHasTheMembersThatAwsSends) {
  const auto made = make({{"EventSourceArn", kStream}, {"StartingPosition", "LATEST"}});
  ASSERT_EQ(made.status, 202) << made.body;
  EXPECT_THAT(members(made),
              ElementsAre("BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "EventSourceArn",
                          "EventSourceMappingArn", "FunctionArn", "FunctionResponseTypes", "LastModified",
                          "LastProcessingResult", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds",
                          "MaximumRetryAttempts", "ParallelizationFactor", "StartingPosition", "State",
                          "StateTransitionReason", "TumblingWindowInSeconds", "UUID"));
  EXPECT_EQ(made.object().at("BatchSize"), 100);
  EXPECT_EQ(made.object().at("MaximumRetryAttempts"), -1);
  EXPECT_EQ(json::serialize(made.object().at("DestinationConfig")), R"({"OnFailure":{}})");
  EXPECT_EQ(made.text("LastProcessingResult"), "No records processed");
  EXPECT_EQ(made.text("StateTransitionReason"), "User action");
}

TEST_F(Mappings, AreRefusedInAwssWords) {
  const std::string bad = "400 InvalidParameterValueException: ";
  EXPECT_EQ(said(make({})), bad + "Unrecognized event source.");
  EXPECT_EQ(said(make({{"EventSourceArn", "arn:aws:s3:::bucket"}})), bad + "Unrecognized event source.");
  EXPECT_EQ(said(make({{"EventSourceArn", kQueue}, {"FunctionName", "none"}})), bad + "Function does not exist");
  EXPECT_EQ(said(make({{"EventSourceArn", kQueue}, {"FunctionName", "f:9"}})), bad + "Function does not exist");
  EXPECT_EQ(said(make({{"EventSourceArn", kQueue}, {"BatchSize", 11}})),
            bad + "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10");
  EXPECT_EQ(
      said(make({{"EventSourceArn", kStream}})),
      bad +
          "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must "
          "not be null.");
  EXPECT_THAT(said(make({{"EventSourceArn", kStream}, {"StartingPosition", "invalid"}})),
              HasSubstr("ValidationException: 1 validation error detected: Value 'invalid' at 'startingPosition'"));
  EXPECT_EQ(
      said(make({{"EventSourceArn", kTable}, {"StartingPosition", "AT_TIMESTAMP"}, {"StartingPositionTimestamp", 1}})),
      bad + "Unsupported starting position for arn type: " + kTable);
  object destination;
  destination["OnFailure"] = object{{"Destination", kQueue}};
  EXPECT_EQ(said(make({{"EventSourceArn", kQueue}, {"DestinationConfig", destination}})),
            bad + "Unsupported DestinationConfig parameter for given event source mapping type.");
  object success;
  success["OnSuccess"] = object{{"Destination", kQueue}};
  EXPECT_EQ(said(make({{"EventSourceArn", kStream}, {"StartingPosition", "LATEST"}, {"DestinationConfig", success}})),
            bad + "Unsupported DestinationConfig parameter for given event source mapping type.");
  for (const char* pattern : {"null", "\"text\"", "[]", "{"}) {
    object filter;
    filter["Pattern"] = pattern;
    object criteria;
    criteria["Filters"] = json::array{value(filter)};
    EXPECT_EQ(said(make({{"EventSourceArn", kQueue}, {"FilterCriteria", criteria}})),
              bad + "Invalid filter pattern definition.")
        << pattern;
  }
  EXPECT_THAT(said(make({{"EventSourceArn", kQueue}, {"TumblingWindowInSeconds", 1}})),
              HasSubstr("TumblingWindowInSeconds is not supported"));
  EXPECT_THAT(said(make({{"EventSourceArn", std::string(kQueue) + ".fifo"}, {"BatchSize", 11}})),
              HasSubstr("Batch size must be at most 10"));
  EXPECT_THAT(
      said(make({{"EventSourceArn", kStream}, {"StartingPosition", "LATEST"}, {"MaximumRecordAgeInSeconds", 59}})),
      HasSubstr("MaximumRecordAgeInSeconds must be -1 or between"));
}

TEST_F(Mappings, AreNotEnabledWhereNothingPolls) {
  EXPECT_EQ(
      said(make({{"EventSourceArn", kQueue}, {"Enabled", true}})),
      "400 InvalidParameterValueException: Enabled: polling Amazon SQS is not supported by this version of Lambent; a "
      "mapping can be made with Enabled=false");
  const auto made = make({{"EventSourceArn", kQueue}});
  EXPECT_THAT(said(ask("PUT", "/" + made.text("UUID"), {{"Enabled", true}})), HasSubstr("polling Amazon SQS"));
}

TEST_F(Mappings, OfOneFunctionAndOneSourceThereIsOne) {
  const auto queue = make({{"EventSourceArn", kQueue}});
  EXPECT_EQ(said(make({{"EventSourceArn", kQueue}})),
            std::string("409 ResourceConflictException: An event source mapping with SQS arn (\" ") + kQueue +
                " \") and function (\" f \") already exists. Please update or delete the existing mapping with UUID " +
                queue.text("UUID"));
  const auto stream = make({{"EventSourceArn", kStream}, {"StartingPosition", "LATEST"}});
  EXPECT_EQ(
      said(make({{"EventSourceArn", kStream}, {"StartingPosition", "LATEST"}})),
      std::string("409 ResourceConflictException: The event source arn (\" ") + kStream +
          " \") and function (\" f \") provided mapping already exists. Please update or delete the existing mapping "
          "with UUID " +
          stream.text("UUID"));
}

TEST_F(Mappings, OfKafkaNeedItsAccessAndKeepItsGroup) {
  object endpoints;
  endpoints["KAFKA_BOOTSTRAP_SERVERS"] = json::array{"a:9092", "b:9092"};
  object source;
  source["Endpoints"] = endpoints;
  object body{{"SelfManagedEventSource", source}, {"Topics", json::array{"clicks"}}, {"StartingPosition", "LATEST"}};
  EXPECT_EQ(said(make(body)),
            "400 InvalidParameterValueException: Required 'sourceAccessConfigurations' parameter is missing.");
  body["SourceAccessConfigurations"] = json::array{};
  const auto made = make(body);
  ASSERT_EQ(made.status, 202) << made.body;
  EXPECT_EQ(made.object().at("SelfManagedEventSource"), value(source));
  const auto group = made.object().at("SelfManagedKafkaEventSourceConfig").at("ConsumerGroupId");
  EXPECT_EQ(group.as_string().size(), 36u);
  EXPECT_THAT(said(make(body)), HasSubstr("with event source (\"a:9092,b:9092\")"));
}

TEST_F(Mappings, ChangeWhatAnUpdateNames) {
  const auto made = make({{"EventSourceArn", kQueue}, {"FilterCriteria", object{{"Filters", json::array{}}}}});
  EXPECT_FALSE(made.object().contains("FilterCriteria")) << "no filters are not shown";
  const auto changed = ask("PUT", "/" + made.text("UUID"), {{"BatchSize", 5}, {"Enabled", false}});
  EXPECT_EQ(changed.status, 202) << changed.body;
  EXPECT_EQ(changed.text("State"), "Updating");
  const auto got = ask("GET", "/" + made.text("UUID"));
  EXPECT_EQ(got.object().at("BatchSize"), 5);
  EXPECT_EQ(got.text("State"), "Disabled");
  EXPECT_EQ(said(ask("PUT", "/" + made.text("UUID"), {{"BatchSize", 100}})),
            "400 InvalidParameterValueException: Maximum batch window in seconds must be greater than 0 if maximum "
            "batch size "
            "is greater than 10");
  EXPECT_EQ(said(ask("PUT", "/" + made.text("UUID"), {{"FunctionName", "none"}})),
            "400 InvalidParameterValueException: Function does not exist");
}

TEST_F(Mappings, AreListedByFunctionAndBySourceAndDeleted) {
  const auto queue = make({{"EventSourceArn", kQueue}});
  const auto stream = make({{"EventSourceArn", kStream}, {"StartingPosition", "LATEST"}});
  const auto found = [&](const std::string& query) {
    return ask("GET", query).object().at("EventSourceMappings").as_array().size();
  };
  EXPECT_EQ(found(""), 2u);
  EXPECT_EQ(found("?FunctionName=f"), 2u);
  EXPECT_EQ(found("?FunctionName=g"), 0u);
  EXPECT_EQ(found("?EventSourceArn=" + std::string(kQueue)), 1u);
  const auto first = ask("GET", "?MaxItems=1");
  EXPECT_EQ(
      ask("GET", "?MaxItems=1&Marker=" + first.text("NextMarker")).object().at("EventSourceMappings").as_array().size(),
      1u);
  const auto gone = ask("DELETE", "/" + queue.text("UUID"));
  EXPECT_EQ(gone.status, 202);
  EXPECT_EQ(gone.text("State"), "Deleting");
  for (const auto& missing : {ask("GET", "/" + queue.text("UUID")), ask("DELETE", "/" + queue.text("UUID")),
                              ask("PUT", "/" + queue.text("UUID"))})
    EXPECT_EQ(said(missing), "404 ResourceNotFoundException: The resource you requested does not exist.");
  EXPECT_EQ(found(""), 1u);
}

TEST_F(Mappings, CanBeTagged) {
  object tags;
  tags["a"] = "1";
  const auto arn = make({{"EventSourceArn", kQueue}, {"Tags", tags}}).text("EventSourceMappingArn");
  const auto path = "/2017-03-31/tags/" + base::percent_encode(arn);
  EXPECT_EQ(send("GET", path).object().at("Tags"), value(tags));
  const auto tagged = send("POST", path, R"({"Tags":{"b":"2"}})");
  EXPECT_EQ(tagged.status, 204);
  EXPECT_EQ(tagged.resource, arn);
  EXPECT_EQ(send("DELETE", path + "?tagKeys=a").status, 204);
  EXPECT_EQ(json::serialize(send("GET", path).object().at("Tags")), R"({"b":"2"})");
  const auto other = arn.substr(0, arn.size() - 1) + (arn.back() == '0' ? "1" : "0");
  EXPECT_EQ(said(send("GET", "/2017-03-31/tags/" + base::percent_encode(other))),
            "404 ResourceNotFoundException: Event source mapping not found: " + other);
}

}  // namespace
}  // namespace lambent::lambda
