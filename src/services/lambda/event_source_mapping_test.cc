// CreateEventSourceMapping and its siblings, source by source (facts on event sources, section 1).
#include <cctype>

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
constexpr const char* kSecret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:broker-a1b2c3";
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
  // What a mapping of each of these sources needs.
  static object broker() {
    return {{"EventSourceArn", "arn:aws:mq:us-east-1:123456789012:broker:jobs:b-1"},
            {"Queues", json::array{"jobs"}},
            {"SourceAccessConfigurations", json::array{value(object{{"Type", "BASIC_AUTH"}, {"URI", kSecret}})}}};
  }
  static object cluster() {
    return {{"EventSourceArn", "arn:aws:kafka:us-east-1:123456789012:cluster/clicks/1"},
            {"Topics", json::array{"clicks"}},
            {"StartingPosition", "LATEST"}};
  }
  static object kafka() {
    return {{"SelfManagedEventSource",
             object{{"Endpoints", object{{"KAFKA_BOOTSTRAP_SERVERS", json::array{"a:9092", "b:9092"}}}}}},
            {"Topics", json::array{"clicks"}},
            {"StartingPosition", "LATEST"},
            {"SourceAccessConfigurations", json::array{value(object{{"Type", "BASIC_AUTH"}, {"URI", kSecret}})}}};
  }
  static object documents() {
    return {{"EventSourceArn", "arn:aws:rds:us-east-1:123456789012:cluster:orders"},
            {"StartingPosition", "LATEST"},
            {"DocumentDBEventSourceConfig", object{{"DatabaseName", "shop"}, {"CollectionName", "orders"}}},
            {"SourceAccessConfigurations", json::array{value(object{{"Type", "BASIC_AUTH"}, {"URI", kSecret}})}}};
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
  EXPECT_EQ(said(make({{"EventSourceArn", "arn:aws:s3:::bucket"}})),
            bad + "Unrecognized event source. Unsupported source arn : arn:aws:s3:::bucket");
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
  EXPECT_THAT(said(make({{"EventSourceArn", std::string(kQueue) + ".fifo"}, {"BatchSize", 11}})),
              HasSubstr("Batch size must be at most 10"));
  EXPECT_THAT(
      said(make({{"EventSourceArn", kStream}, {"StartingPosition", "LATEST"}, {"MaximumRecordAgeInSeconds", 59}})),
      HasSubstr("MaximumRecordAgeInSeconds must be -1 or between"));
}

TEST_F(Mappings, SayNothingThatTheirSourceDoesNotHave) {
  const auto foreign = [&](object source, const char* member, value given) {
    source[member] = std::move(given);
    return said(make(source));
  };
  const auto unsupported = [](const std::string& name) {
    return "400 InvalidParameterValueException: Unsupported " + name +
           " parameter for given event source mapping type.";
  };
  const json::array basic{value(object{{"Type", "BASIC_AUTH"}, {"URI", kSecret}})};
  const object group{{"ConsumerGroupId", "readers"}};
  const object queue{{"EventSourceArn", kQueue}};
  const object stream{{"EventSourceArn", kStream}, {"StartingPosition", "LATEST"}};
  for (const auto& [member, given] : std::initializer_list<std::pair<const char*, value>>{
           {"TumblingWindowInSeconds", 1},
           {"MaximumRetryAttempts", 1},
           {"Topics", json::array{"clicks"}},
           {"StartingPositionTimestamp", 1},
           {"SourceAccessConfigurations", basic},
           {"DocumentDBEventSourceConfig", object{{"DatabaseName", "shop"}}},
           {"AmazonManagedKafkaEventSourceConfig", group}})
    EXPECT_EQ(foreign(queue, member, given), unsupported(member));
  EXPECT_EQ(foreign(stream, "SourceAccessConfigurations", basic), unsupported("SourceAccessConfigurations"));
  EXPECT_EQ(foreign(queue, "StartingPosition", "LATEST"),
            "400 InvalidParameterValueException: StartingPosition is not valid for SQS event sources.");
  EXPECT_EQ(foreign(object{{"EventSourceArn", std::string(kQueue) + ".fifo"}}, "MaximumBatchingWindowInSeconds", 1),
            "400 InvalidParameterValueException: Batching window is not supported for FIFO queues");
  EXPECT_EQ(foreign(broker(), "MaximumRetryAttempts", 1), unsupported("'maximumRetryAttempts'"));
  EXPECT_EQ(foreign(broker(), "StartingPosition", "LATEST"), unsupported("'startingPosition'"));
  EXPECT_EQ(foreign(cluster(), "SelfManagedKafkaEventSourceConfig", group),
            unsupported("'selfManagedKafkaEventSourceConfig'"));
  const json::array scram{value(object{{"Type", "SASL_SCRAM_512_AUTH"}, {"URI", kSecret}})};
  EXPECT_EQ(foreign(broker(), "SourceAccessConfigurations", scram), unsupported("'sourceAccessConfigurations'"));
  EXPECT_EQ(foreign(kafka(), "EventSourceArn", kQueue), unsupported("SelfManagedEventSource"));
  EXPECT_EQ(foreign(kafka(), "EventSourceArn", cluster().at("EventSourceArn")),
            unsupported("'selfManagedEventSource'"));
  object many = documents();
  many["MaximumRetryAttempts"] = 1;
  EXPECT_EQ(foreign(many, "FunctionResponseTypes", json::array{"ReportBatchItemFailures"}),
            "400 InvalidParameterValueException: Invalid parameters: maximumRetryAttempts, functionResponseTypes");
  EXPECT_EQ(foreign(documents(), "FilterCriteria",
                    object{{"Filters", json::array{value(object{{"Pattern", R"({"event":{}})"}})}}}),
            "400 InvalidParameterValueException: Invalid parameters: filterCriteria");
  EXPECT_EQ(foreign(documents(), "SourceAccessConfigurations", scram),
            "400 InvalidParameterValueException: Invalid parameters: sourceAccessConfigurations");
  EXPECT_EQ(foreign(kafka(), "AmazonManagedKafkaEventSourceConfig", group),
            unsupported("'amazonManagedKafkaEventSourceConfig'"));
  EXPECT_EQ(ask("GET", "").object().at("EventSourceMappings").as_array().size(), 0u);
}

TEST_F(Mappings, AskForNothingByEmptyLists) {
  const object nothing{{"SourceAccessConfigurations", json::array{}},
                       {"FunctionResponseTypes", json::array{}},
                       {"DestinationConfig", object{}},
                       {"ScalingConfig", object{}},
                       {"FilterCriteria", object{}}};
  const auto shown = [&](object body) {
    const auto plain = make(body);
    EXPECT_EQ(plain.status, 202) << plain.body;
    const auto path = "/" + plain.text("UUID");
    object members = plain.object();
    EXPECT_EQ(ask("PUT", path, nothing).status, 202);
    object updated = ask("GET", path).object();
    EXPECT_EQ(ask("DELETE", path).status, 202);
    for (const auto& [member, empty] : nothing) body[member] = empty;
    const auto made = make(body);
    EXPECT_EQ(made.status, 202) << made.body;
    EXPECT_EQ(ask("DELETE", "/" + made.text("UUID")).status, 202);
    object others = made.object();
    for (object* each : {&members, &updated, &others})
      for (const char* changing : {"UUID", "EventSourceMappingArn", "LastModified"}) each->erase(changing);
    EXPECT_EQ(updated, members);
    EXPECT_EQ(others, members);
  };
  shown({{"EventSourceArn", kQueue}});
  const auto queue = make({{"EventSourceArn", kQueue}});
  object success;
  success["OnSuccess"] = object{{"Destination", kStream}};
  EXPECT_EQ(said(ask("PUT", "/" + queue.text("UUID"), {{"DestinationConfig", success}})),
            "400 InvalidParameterValueException: Unsupported DestinationConfig parameter for given event source "
            "mapping type.");
  const auto made = make(broker());
  EXPECT_EQ(said(ask("PUT", "/" + made.text("UUID"), nothing)),
            "400 InvalidParameterValueException: BASIC_AUTH source access configuration was not provided");
}

TEST_F(Mappings, OpenTheirSource) {
  const std::string bad = "400 InvalidParameterValueException: ";
  const value host = object{{"Type", "VIRTUAL_HOST"}, {"URI", "/shop"}};
  const auto refused = [&](object body, const value& access, const std::string& words) {
    const auto made = make(body);
    ASSERT_EQ(made.status, 202) << made.body;
    EXPECT_EQ(said(ask("PUT", "/" + made.text("UUID"), {{"BatchSize", 7}, {"SourceAccessConfigurations", access}})),
              bad + words);
    EXPECT_EQ(ask("GET", "/" + made.text("UUID")).object(), made.object());
    ASSERT_EQ(ask("DELETE", "/" + made.text("UUID")).status, 202);
    body["SourceAccessConfigurations"] = access;
    EXPECT_EQ(said(make(body)), bad + words);
  };
  const std::string no_login = "BASIC_AUTH source access configuration was not provided";
  refused(broker(), json::array{}, no_login);
  refused(kafka(), json::array{}, "Required 'sourceAccessConfigurations' parameter is missing.");
  refused(documents(), json::array{}, "Invalid parameters: sourceAccessConfigurations");
  object without = broker();
  without["SourceAccessConfigurations"] = json::array{host};
  EXPECT_EQ(said(make(without)), bad + no_login);
  without.erase("SourceAccessConfigurations");
  EXPECT_EQ(said(make(without)), bad + "Required 'sourceAccessConfigurations' parameter is missing.");
  object open = cluster();
  open["SourceAccessConfigurations"] = json::array{};
  EXPECT_EQ(make(open).status, 202);
}

TEST_F(Mappings, StartAtATimeThatHasBeen) {
  const std::string bad = "400 InvalidParameterValueException: ";
  object body{{"EventSourceArn", kStream}, {"StartingPosition", "AT_TIMESTAMP"}};
  EXPECT_EQ(said(make(body)), bad + "Need to specify a timestamp");
  object later = cluster();
  later["StartingPosition"] = "AT_TIMESTAMP";
  EXPECT_EQ(said(make(later)),
            bad + "When the starting position is 'AT_TIMESTAMP', a starting position timestamp must be provided.");
  const auto now_s = clock_.now_ms() / 1000;
  body["StartingPositionTimestamp"] = now_s + 1;
  EXPECT_EQ(said(make(body)), bad + "StartingPositionTimestamp cannot be in the future.");
  body["StartingPositionTimestamp"] = now_s;
  EXPECT_EQ(make(body).status, 202);
}

TEST_F(Mappings, OfDocumentDbNameTheirDatabaseForGood) {
  const std::string bad = "400 InvalidParameterValueException: ";
  object body = documents();
  body.erase("DocumentDBEventSourceConfig");
  EXPECT_EQ(said(make(body)), bad + "Invalid parameters: documentDBEventSourceConfig, databaseName");
  body["DocumentDBEventSourceConfig"] = object{{"CollectionName", "orders"}};
  EXPECT_EQ(said(make(body)), bad + "Invalid parameters: databaseName");
  body = documents();
  body.erase("SourceAccessConfigurations");
  EXPECT_EQ(said(make(body)), bad + "Invalid parameters: sourceAccessConfigurations, sourceAccessConfigurations");
  const auto made = make(documents());
  ASSERT_EQ(made.status, 202) << made.body;
  const auto update = [&](const object& config) {
    return ask("PUT", "/" + made.text("UUID"), {{"DocumentDBEventSourceConfig", config}});
  };
  EXPECT_EQ(said(update({{"DatabaseName", "shop"}, {"CollectionName", "other"}})),
            bad + "Invalid parameters: collectionName, databaseName");
  ASSERT_EQ(update({{"FullDocument", "UpdateLookup"}}).status, 202);
  EXPECT_EQ(json::serialize(ask("GET", "/" + made.text("UUID")).object().at("DocumentDBEventSourceConfig")),
            R"({"DatabaseName":"shop","CollectionName":"orders","FullDocument":"UpdateLookup"})");
}

TEST_F(Mappings, KeepWhatAnUpdateCannotName) {
  object msk = cluster();
  msk["AmazonManagedKafkaEventSourceConfig"] = object{{"ConsumerGroupId", "readers"}};
  for (const auto& [body, member] : {std::pair{msk, "AmazonManagedKafkaEventSourceConfig"},
                                     std::pair{kafka(), "SelfManagedKafkaEventSourceConfig"}}) {
    const auto made = make(body);
    ASSERT_EQ(made.status, 202) << made.body;
    const auto group = made.object().at(member);
    for (const value& given : {value(object{{"ConsumerGroupId", "writers"}}), group}) {
      std::string name = member;
      name[0] = static_cast<char>(std::tolower(name[0]));
      EXPECT_EQ(said(ask("PUT", "/" + made.text("UUID"), {{"BatchSize", 7}, {member, given}})),
                "400 InvalidParameterValueException: Unsupported '" + name +
                    ".consumerGroupId' parameter for given event source mapping type.");
    }
    EXPECT_EQ(ask("GET", "/" + made.text("UUID")).object(), made.object());
    EXPECT_EQ(ask("PUT", "/" + made.text("UUID"), {{member, object{}}}).object().at(member), group);
  }
  object rabbit = broker();
  const value host = object{{"Type", "VIRTUAL_HOST"}, {"URI", "/shop"}};
  const value login = object{{"Type", "BASIC_AUTH"}, {"URI", std::string(kSecret) + "2"}};
  rabbit.at("SourceAccessConfigurations").as_array().push_back(host);
  const auto path = "/" + make(rabbit).text("UUID");
  EXPECT_EQ(said(ask("PUT", path, {{"SourceAccessConfigurations", json::array{host}}})),
            "400 InvalidParameterValueException: Invalid parameters: VIRTUAL_HOST");
  EXPECT_EQ(
      ask("PUT", path, {{"SourceAccessConfigurations", json::array{login}}}).object().at("SourceAccessConfigurations"),
      value(json::array{login, host}));
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
  object body = kafka();
  body.erase("SourceAccessConfigurations");
  EXPECT_EQ(said(make(body)),
            "400 InvalidParameterValueException: Required 'sourceAccessConfigurations' parameter is missing.");
  body.erase("Topics");
  EXPECT_EQ(said(make(body)), "400 InvalidParameterValueException: Required 'topics' parameter is missing.");
  body = kafka();
  const auto made = make(body);
  ASSERT_EQ(made.status, 202) << made.body;
  EXPECT_EQ(made.object().at("SelfManagedEventSource"), body.at("SelfManagedEventSource"));
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
