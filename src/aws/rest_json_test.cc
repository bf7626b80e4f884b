// Reading rest-json as Lambda's model drives it: routes, inputs, validation.
#include <gtest/gtest.h>

#include <chrono>

#include "aws/lambda_fixture.h"
#include "aws/model.h"

namespace lambent::aws {
namespace {

using namespace lambda_fixture;

template <class In>
In decode(const Request& request) {
  const auto match = bound().match(request);
  const auto value = bound().decode(match, request);
  return std::move(*static_cast<In*>(value.get()));
}

CreateInput create(const std::string& body) { return decode<CreateInput>(request("POST", functions, body)); }

/// Code and message of the refusal, "code: message"; empty when there was none.
template <class Call>
std::string refusal(Call call) {
  try {
    call();
    return {};
  } catch (const Error& error) {
    return error.code() + ": " + error.message();
  }
}

std::string create_refusal(const std::string& body) {
  return refusal([&] { create(body); });
}

/// A valid request with `more` members.
std::string valid(const std::string& more) {
  return R"({"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/r","Code":{"ZipFile":"UEs="})" + more + "}";
}

const std::string one_error = "ValidationException: 1 validation error detected: ";

TEST(RestJson, ReadsEveryKindOfMember) {
  const auto in = create(
      valid(R"(,"Timeout":30,"Publish":true,"Description":"\u00e9\n","Environment":{"Variables":{"A1":"x","B2":""}},
      "Tags":{"team":"a"},"Layers":["arn:aws:lambda:us-east-1:123456789012:layer:l:1"],"Architectures":["arm64"],"Later":1)"));
  EXPECT_EQ(in.FunctionName, "f");
  EXPECT_EQ(in.Code.ZipFile, Blob{"PK"});
  EXPECT_EQ(in.Timeout, 30);
  EXPECT_EQ(in.Publish, true);
  EXPECT_EQ(in.Description, "\xC3\xA9\n");
  EXPECT_EQ(in.Environment->Variables, (std::map<std::string, std::string>{{"A1", "x"}, {"B2", ""}}));
  EXPECT_EQ(in.Tags->at("team"), "a");
  EXPECT_EQ(in.Layers->size(), 1U);
  EXPECT_EQ(in.Architectures->at(0), "arm64");
  EXPECT_FALSE(in.MemorySize);
  EXPECT_FALSE(in.Runtime);
}

TEST(RestJson, NullIsAbsent) {
  EXPECT_FALSE(create(valid(R"(,"Timeout":null)")).Timeout);
  EXPECT_EQ(create_refusal(R"({"FunctionName":null,"Role":"arn:aws:iam::123456789012:role/r","Code":{}})"),
            one_error + "Value null at 'functionName' failed to satisfy constraint: Member must not be null");
}

TEST(RestJson, ReadsPathQueryAndHeaders) {
  auto asked = request(
      "POST",
      "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations?Qualifier=live",
      "\x01\xFFraw");
  asked.headers.add("x-amz-INVOCATION-type", "Event");
  const auto in = decode<InvokeInput>(asked);
  EXPECT_EQ(in.FunctionName, "arn:aws:lambda:us-east-1:123456789012:function:f");
  EXPECT_EQ(in.InvocationType, "Event");
  EXPECT_FALSE(in.LogType);
  EXPECT_EQ(in.Qualifier, "live");
  EXPECT_EQ(in.Payload.bytes, "\x01\xFFraw");
}

TEST(RestJson, ReadsListsAndNumbersOfTheQueryString) {
  const auto untag = decode<UntagInput>(
      request("DELETE",
              "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af?tagKeys=a&tagKeys=b%20c"));
  EXPECT_EQ(untag.TagKeys, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(decode<ListInput>(request("GET", "/2015-03-31/functions/?MaxItems=50")).MaxItems, 50);
  EXPECT_EQ(refusal([] { decode<ListInput>(request("GET", "/2015-03-31/functions/?MaxItems=ten")); }),
            "SerializationException: STRING_VALUE can not be converted to an Integer");
  EXPECT_EQ(refusal([] { decode<ListInput>(request("GET", "/2015-03-31/functions/?MaxItems=%zz")); }),
            "SerializationException: Malformed escape in the request's query string");
  EXPECT_EQ(refusal([] { decode<ListInput>(request("GET", "/2015-03-31/functions/?Marker=%FF")); }),
            "SerializationException: Invalid UTF-8 in the request");
}

TEST(RestJson, SaysEveryViolationAtOnceInTheModelsOrder) {
  EXPECT_EQ(
      create_refusal(R"({"Timeout":0,"FunctionName":"a b","Code":{}})"),
      "ValidationException: 3 validation errors detected: "
      "Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: "
      R"((arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?; )"
      "Value null at 'role' failed to satisfy constraint: Member must not be null; "
      "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1");
}

TEST(RestJson, SaysLengthsRangesAndEnums) {
  EXPECT_EQ(create_refusal(valid(R"(,"Handler":")" + std::string(129, 'h') + "\"")),
            one_error + "Value '" + std::string(129, 'h') +
                "' at 'handler' failed to satisfy constraint: Member must have length less than or equal to 128");
  EXPECT_EQ(create_refusal(valid(R"(,"MemorySize":10241)")),
            one_error +
                "Value '10241' at 'memorySize' failed to satisfy constraint: "
                "Member must have value less than or equal to 10240");
  auto asked = request("POST", "/2015-03-31/functions/f/invocations");
  asked.headers.add("X-Amz-Invocation-Type", "Later");
  EXPECT_EQ(refusal([&] { decode<InvokeInput>(asked); }),
            one_error +
                "Value 'Later' at 'invocationType' failed to satisfy constraint: "
                "Member must satisfy enum value set: [Event, RequestResponse, DryRun]");
}

TEST(RestJson, CountsCharactersNotBytes) {
  std::string accents;
  for (int i = 0; i < 256; ++i) accents += "\xC3\xA9";
  EXPECT_EQ(create(valid(",\"Description\":\"" + accents + "\"")).Description, accents);
  EXPECT_NE(create_refusal(valid(",\"Description\":\"" + accents + "e\"")), "");
}

TEST(RestJson, JudgesCollectionsAsAWhole) {
  EXPECT_EQ(create_refusal(valid(R"(,"Architectures":["X86_64"])")),
            one_error +
                "Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: "
                "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]");
  EXPECT_EQ(create_refusal(valid(R"(,"Architectures":[])")),
            one_error +
                "Value '[]' at 'architectures' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1");
  EXPECT_EQ(create_refusal(valid(R"(,"Architectures":[null])")),
            one_error +
                "Value '[null]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: "
                "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]");
  EXPECT_EQ(
      create_refusal(valid(R"(,"Tags":{"":"v"})")),
      one_error +
          "Value '{=v}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: "
          "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, "
          R"(Member must satisfy regular expression pattern: ([\p{L}\p{Z}\p{N}_.:/=+\-@]*), Member must not be null])");
  EXPECT_EQ(
      create_refusal(valid(R"(,"Tags":{"k":"#"})")),
      one_error +
          "Value '{k=#}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: "
          "[Member must have length less than or equal to 256, Member must have length greater than or equal to 0, "
          R"(Member must satisfy regular expression pattern: ([\p{L}\p{Z}\p{N}_.:/=+\-@]*), Member must not be null])");
}

TEST(RestJson, NumbersStructuresInsideLists) {
  const auto filters = [](const std::string& list) {
    return request("POST", "/2015-03-31/event-source-mappings/",
                   R"({"FunctionName":"f","FilterCriteria":{"Filters":)" + list + "}}");
  };
  const auto in = decode<MappingInput>(filters(R"([{"Pattern":"{}"},{}])"));
  ASSERT_EQ(in.FilterCriteria->Filters->size(), 2U);
  EXPECT_EQ(in.FilterCriteria->Filters->at(0).Pattern, "{}");
  const std::string longer(4097, 'p');
  const auto text =
      refusal([&] { decode<MappingInput>(filters(R"([{"Pattern":"{}"},{"Pattern":")" + longer + "\"}]")); });
  EXPECT_EQ(text, one_error + "Value '" + longer.substr(0, 1024) +
                      "...' at 'filterCriteria.filters.2.member.pattern' failed to "
                      "satisfy constraint: Member must have length less than or equal to 4096");
}

TEST(RestJson, NeverEchoesSecrets) {
  const auto text = create_refusal(valid(R"(,"Environment":{"Variables":{"9":"hunter2"}})"));
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_EQ(text, one_error +
                      "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy "
                      "constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, Member "
                      "must not be null]");
}

TEST(RestJson, AMillionViolationsMakeABoundedMessage) {
  std::string list = "[";
  for (int i = 0; i < 100'000; ++i) list += i == 0 ? "{\"Pattern\":1}" : ",{}";
  // A wrong type ends the reading at once; nulls where structures belong are one violation of the list.
  EXPECT_EQ(refusal([&] {
              decode<MappingInput>(request("POST", "/2015-03-31/event-source-mappings",
                                           R"({"FunctionName":"f","FilterCriteria":{"Filters":)" + list + "]}}"));
            }),
            "SerializationException: NUMBER_VALUE can not be converted to a String");
  std::string tags = ",\"Tags\":{";
  for (int i = 0; i < 100'000; ++i) tags += (i == 0 ? "\"#" : ",\"#") + std::to_string(i) + "\":\"#\"";
  EXPECT_LT(create_refusal(valid(tags + "}")).size(), 8192U);
}

TEST(RestJson, ASettingWithoutImplementationIsRefused) {
  EXPECT_EQ(create_refusal(valid(R"(,"SnapStart":{"ApplyOn":"None"})")),
            "InvalidParameterValueException: Lambent does not implement the member snapStart of CreateFunction yet");
  EXPECT_EQ(
      create_refusal(valid(R"(,"Code":{"S3Bucket":"b","S3Key":"k"})")),
      "InvalidParameterValueException: Lambent does not implement the member code.s3Bucket of CreateFunction yet");
  EXPECT_EQ(create_refusal(valid(R"(,"SnapStart":null)")), "");
  // Violations come first: they are the caller's to mend.
  EXPECT_TRUE(create_refusal(valid(R"(,"SnapStart":{},"Timeout":0)")).starts_with("ValidationException"));
  auto asked = request("POST", "/2015-03-31/functions/f/invocations");
  asked.headers.add("X-Amz-Tenant-Id", "t");
  try {
    decode<InvokeInput>(asked);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), 400);
    EXPECT_EQ(error.message(), "Lambent does not implement the member tenantId of Invoke yet");
  }
}

TEST(RestJson, WrongTypesAreRefused) {
  const std::string no = "SerializationException: ";
  EXPECT_EQ(create_refusal(valid(R"(,"Timeout":"3")")), no + "STRING_VALUE can not be converted to an Integer");
  EXPECT_EQ(create_refusal(valid(R"(,"Timeout":1.5)")), no + "DECIMAL_VALUE can not be converted to an Integer");
  EXPECT_EQ(create_refusal(valid(R"(,"Timeout":3000000000)")), no + "NUMBER_VALUE can not be converted to an Integer");
  EXPECT_EQ(create_refusal(valid(R"(,"Timeout":18446744073709551615)")),
            no + "NUMBER_VALUE can not be converted to an Integer");
  EXPECT_EQ(create_refusal(valid(R"(,"Timeout":1e999)")), no + "DECIMAL_VALUE can not be converted to an Integer");
  EXPECT_EQ(create_refusal(valid(R"(,"Description":1)")), no + "NUMBER_VALUE can not be converted to a String");
  EXPECT_EQ(create_refusal(valid(R"(,"Publish":"true")")), no + "STRING_VALUE can not be converted to a Boolean");
  EXPECT_EQ(create_refusal(valid(R"(,"Layers":{})")), no + "Unexpected value where a list was expected.");
  EXPECT_EQ(create_refusal(valid(R"(,"Tags":[])")), no + "Unexpected value where a structure or map was expected.");
  EXPECT_EQ(create_refusal(valid(R"(,"Environment":3)")),
            no + "Unexpected value where a structure or map was expected.");
  EXPECT_EQ(create_refusal(R"({"Code":{"ZipFile":"not base64!"}})"), no + "Invalid base64 data");
}

TEST(RestJson, WeightsAreFiniteNumbersOfTheModelsRange) {
  const auto alias = [](const std::string& weight) {
    return request(
        "POST", "/2015-03-31/functions/f/aliases",
        R"({"Name":"live","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":)" + weight + "}}}");
  };
  EXPECT_EQ(decode<AliasInput>(alias("0.25")).RoutingConfig->AdditionalVersionWeights->at("2"), 0.25);
  EXPECT_EQ(decode<AliasInput>(alias("1")).RoutingConfig->AdditionalVersionWeights->at("2"), 1.0);
  EXPECT_NE(refusal([&] { decode<AliasInput>(alias("1.5")); }), "");
  EXPECT_EQ(refusal([&] { decode<AliasInput>(alias("1e999")); }),
            "SerializationException: DECIMAL_VALUE can not be converted to a Double");
}

TEST(RestJson, BrokenJsonIsRefusedCleanly) {
  const std::string no = "InvalidRequestContentException: Could not parse request body into json: ";
  const std::string deep(10'000, '[');
  for (const std::string& body :
       std::vector<std::string>{"x", "{", "[]", "3", "{\"a\":1}}", "{'a':1}", deep, "{\"Tags\":" + deep,
                                "{\"Tags\":" + std::string(10'000, '{'), "{\"a\":\"\\ud800\"}",
                                "{\"a\":\"\\udc00\\ud800\"}", "{\"a\":\"\xFF\"}", "{\"a\":nan}", "{\"a\":01}",
                                std::string("{\"a\":\"\0\"}", 9), "{\"a\":\"unended", "{\"a\":\"\\"}) {
    EXPECT_TRUE(create_refusal(body).starts_with(no)) << body.substr(0, 40) << " -> " << create_refusal(body);
  }
}

TEST(RestJson, RepeatedKeysCountOnceTheLast) {
  EXPECT_EQ(create(R"({"FunctionName":"a","FunctionName":"b","Role":"arn:aws:iam::123456789012:role/r","Code":{}})")
                .FunctionName,
            "b");
}

TEST(RestJson, TheNumberOfValuesIsBounded) {
  std::string zeros = "{\"Layers\":[0";
  for (int i = 0; i < 300'000; ++i) zeros += ",0";
  EXPECT_EQ(create_refusal(zeros + "]}"),
            "InvalidRequestContentException: Could not parse request body into json: too many values");
  // Commas inside strings cost nothing and count for nothing.
  const std::string commas(300'000, ',');
  EXPECT_TRUE(create_refusal(valid(",\"Description\":\"\\\\\\\"" + commas + "\"")).starts_with("ValidationException"));
}

TEST(RestJson, HugeBodiesTakeLinearTime) {
  const auto begin = std::chrono::steady_clock::now();
  std::string zip = "{\"FunctionName\":\"f\",\"Role\":\"arn:aws:iam::123456789012:role/r\",\"Code\":{\"ZipFile\":\"";
  zip.append(60'000'000, 'A');
  EXPECT_EQ(create(zip + "\"}}").Code.ZipFile->bytes.size(), 45'000'000U);
  create_refusal("{\"FunctionName\":\"" + std::string(5'000'000, 'n') + "\"}");
  create_refusal("{\"Description\":\"" + std::string(8'000'000, '\\') + "\"}");
  std::string keys = "{\"a\":0";
  for (int i = 0; i < 150'000; ++i) keys += ",\"k" + std::to_string(i) + "\":0";
  create_refusal(keys + "}");
  std::string same = "{\"a\":0";
  for (int i = 0; i < 150'000; ++i) same += ",\"a\":0";
  create_refusal(same + "}");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(RestJson, ReadsTimestampsAsEpochSeconds) {
  const auto at = [](const std::string& time) {
    return decode<MappingInput>(request("POST", "/2015-03-31/event-source-mappings",
                                        R"({"FunctionName":"f","StartingPositionTimestamp":)" + time + "}"))
        .StartingPositionTimestamp;
  };
  EXPECT_EQ(at("1700000000"), Timestamp{1700000000000});
  EXPECT_EQ(at("1700000000.25"), Timestamp{1700000000250});
  EXPECT_NE(refusal([&] { at("1e300"); }), "");
  EXPECT_NE(refusal([&] { at("\"2023-01-01T00:00:00Z\""); }), "");
}

TEST(RestJson, UnknownOperationsAnd501) {
  EXPECT_EQ(refusal([] { bound().match(request("GET", "/2015-03-31/nothing")); }),
            "UnknownOperationException: No operation of the service has this method and path");
  EXPECT_EQ(refusal([] { bound().match(request("PATCH", functions)); }),
            "UnknownOperationException: No operation of the service has this method and path");
  try {
    bound().match(request("POST", "/2021-11-15/functions/f/response-streaming-invocations"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), 501);
    EXPECT_EQ(error.code(), "NotImplementedException");
    EXPECT_EQ(error.message(), "Lambent does not implement InvokeWithResponseStream yet");
  }
}

TEST(RestJson, EveryOperationOfTheModelIsReachable) {
  const auto none = bind_service("lambda", nullptr, {});
  const auto model = model::embedded().find_service("lambda").value();
  for (std::uint32_t i = 0; i < model.operation_count(); ++i) {
    const auto operation = model.operation(i);
    const auto asked = request(std::string(operation.method()), std::string(operation.uri()));
    EXPECT_EQ(refusal([&] { none.match(asked); }),
              "NotImplementedException: Lambent does not implement " + std::string(operation.name()) + " yet")
        << asked.path;
  }
}

TEST(RestJson, KnowsRowsActionsAndBounds) {
  const auto match = bound().match(request("POST", "/2015-03-31/functions/f/invocations"));
  EXPECT_EQ(bound().operation_name(match), "Invoke");
  EXPECT_EQ(bound().action(match), "lambda:InvokeFunction");
  EXPECT_EQ(bound().max_body(match), 6'291'456U);
  const auto large = bound().too_large(match);
  EXPECT_EQ(large.code(), "RequestTooLargeException");
  EXPECT_EQ(large.message(), "Request must be smaller than 6291456 bytes for the InvokeFunction operation");
  EXPECT_EQ(large.status(), 413);
  const auto other = bound().too_large(bound().match(request("POST", functions)));
  EXPECT_EQ(other.code(), "RequestEntityTooLargeException");
  EXPECT_EQ(other.message(), "Request must be smaller than 70167211 bytes for the CreateFunction operation");
}

TEST(RestJson, AuthorizesOnWhatTheServiceSays) {
  const auto asked = request("GET", "/2015-03-31/functions/f/configuration");
  const auto match = bound().match(asked);
  const auto input = bound().decode(match, asked);
  EXPECT_EQ(bound().row(match).resource(Caller{}, input.get()), "arn:of:f");
}

TEST(RestJson, RunsTheHandler) {
  const auto asked = request("POST", "/2015-03-31/functions/f/invocations", "{}");
  const auto match = bound().match(asked);
  auto input = bound().decode(match, asked);
  Caller caller;
  caller.account = "7";
  base::asio::io_context lane;
  std::optional<Response> response;
  const auto run = [&]() -> base::Task<void> {
    const Value output = co_await bound().call(match, caller, std::move(input));
    response = bound().encode(match, output.get(), "id-2");
  };
  base::asio::co_spawn(lane, run(), base::asio::detached);
  lane.run();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "{}");
  EXPECT_EQ(response->headers.get("X-Amz-Executed-Version"), "7");
}

TEST(RestJson, MatchingAndDecodingTakesMicroseconds) {
  auto asked = request("GET", "/2015-03-31/functions/my-function/configuration?Qualifier=live");
  for (int i = 0; i < 20; ++i) asked.headers.add("X-Header-" + std::to_string(i), "value");
  constexpr int rounds = 2000;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    const auto match = bound().match(asked);
    ASSERT_NE(bound().decode(match, asked).get(), nullptr);
  }
  const auto each =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count() / rounds;
  RecordProperty("microseconds", std::to_string(each));
  // A few, measured; the bound leaves room for sanitizers and a busy machine.
  EXPECT_LT(each, 500);
}

}  // namespace
}  // namespace lambent::aws
