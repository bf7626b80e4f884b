// Writing rest-json as Lambda's model drives it: outputs and errors.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>

#include "aws/lambda_fixture.h"

namespace lambent::aws {
namespace {

using namespace lambda_fixture;

template <class Out>
Response encode(const Request& request, const Out& out) {
  return bound().encode(bound().match(request), &out, "id-1");
}

TEST(RestJson, WritesWhatIsThereAndNothingElse) {
  Configuration out;
  out.FunctionName = "f";
  out.CodeSize = 1LL << 40;
  out.Environment.emplace().Variables.emplace()["A1"] = "\"\\\n\x01\x7F<\xC3\xA9";
  const auto response = encode(request("POST", functions), out);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(response.headers.get("x-amzn-requestid"), "id-1");
  EXPECT_EQ(response.body,
            R"({"FunctionName":"f","CodeSize":1099511627776,"Environment":{"Variables":{"A1":"\"\\\n\u0001\u007f<)"
            "\xC3\xA9\"}}}");
}

TEST(RestJson, AnyBytesBecomeValidJson) {
  Configuration out;
  for (int i = 0; i < 256; ++i) out.FunctionName = out.FunctionName.value_or("") + static_cast<char>(i) + "a";
  const auto response = encode(request("POST", functions), out);
  boost::json::error_code failed;
  const auto parsed = boost::json::parse(response.body, failed);
  ASSERT_FALSE(failed) << failed.message();
  EXPECT_NE(response.body.find("\xEF\xBF\xBD"), std::string::npos);
  EXPECT_EQ(std::string_view(parsed.at("FunctionName").as_string()).substr(0, 4), std::string_view("\0a\1a", 4));
}

TEST(RestJson, WritesExactNumbers) {
  Alias out;
  auto& weights = out.RoutingConfig.emplace().AdditionalVersionWeights.emplace();
  weights["1"] = 0.1;
  weights["2"] = 1e-7;
  weights["3"] = std::numeric_limits<double>::infinity();
  const auto response = encode(request("POST", "/2015-03-31/functions/f/aliases"), out);
  EXPECT_EQ(response.body, R"({"RoutingConfig":{"AdditionalVersionWeights":{"1":0.1,"2":1e-07,"3":"Infinity"}}})");
}

TEST(RestJson, WritesTimestampsAsEpochSeconds) {
  const auto asked = request("POST", "/2015-03-31/event-source-mappings");
  EXPECT_EQ(encode(asked, Mapping{Timestamp{1700000000000}}).body, R"({"LastModified":1700000000})");
  EXPECT_EQ(encode(asked, Mapping{Timestamp{1700000000050}}).body, R"({"LastModified":1700000000.050})");
  EXPECT_EQ(encode(asked, Mapping{}).body, "{}");
}

TEST(RestJson, APayloadIsTheBodyAsItIs) {
  InvokeOutput out;
  out.FunctionError = "Unhandled";
  out.Payload = Blob{std::string("\0\xFF{", 3)};
  const auto response = encode(request("POST", "/2015-03-31/functions/f/invocations"), out);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, std::string("\0\xFF{", 3));
  EXPECT_EQ(response.headers.get("X-Amz-Function-Error"), "Unhandled");
  EXPECT_EQ(response.headers.count("X-Amz-Executed-Version"), 0U);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  out.StatusCode = 202;
  out.Payload.reset();
  EXPECT_EQ(encode(request("POST", "/2015-03-31/functions/f/invocations"), out).status, 202);
  out.StatusCode = 204;
  EXPECT_EQ(encode(request("POST", "/2015-03-31/functions/f/invocations"), out).body, "");
}

TEST(RestJson, AHeaderCannotBeSplit) {
  InvokeOutput out;
  out.FunctionError = "a\r\nSet-Cookie: b";
  const auto response = encode(request("POST", "/2015-03-31/functions/f/invocations"), out);
  EXPECT_EQ(response.headers.get("X-Amz-Function-Error"), "a  Set-Cookie: b");
}

TEST(RestJson, ErrorsSpeakAsTheirShapesDo) {
  const auto found = bound().encode_error(Error("ResourceNotFoundException", "Function not found: f"), "id-3");
  EXPECT_EQ(found.status, 404);
  EXPECT_EQ(found.body, R"({"Type":"User","Message":"Function not found: f"})");
  EXPECT_EQ(found.headers.get("x-amzn-ErrorType"), "ResourceNotFoundException");
  EXPECT_EQ(found.headers.get("x-amzn-RequestId"), "id-3");
  EXPECT_EQ(found.headers.get("Content-Type"), "application/json");

  auto throttled =
      Error("TooManyRequestsException", "Rate Exceeded.").with("Reason", "ConcurrentInvocationLimitExceeded");
  throttled.with("retryAfterSeconds", "1");
  const auto slow = bound().encode_error(throttled, "id");
  EXPECT_EQ(slow.status, 429);
  EXPECT_EQ(slow.body, R"({"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."})");
  EXPECT_EQ(slow.headers.get("Retry-After"), "1");

  EXPECT_EQ(bound().encode_error(Error("ServiceException", "x", 500), "id").body,
            R"({"Type":"Service","Message":"x"})");
}

TEST(RestJson, ErrorsOutsideTheModelAreWordedPlainly) {
  const auto invalid = bound().encode_error(Error("ValidationException", "1 \"x\""), "id");
  EXPECT_EQ(invalid.status, 400);
  EXPECT_EQ(invalid.body, R"({"message":"1 \"x\""})");
  const auto denied = bound().encode_error(Error("AccessDeniedException", "User: a is not authorized", 403), "id");
  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(denied.body, R"({"Message":"User: a is not authorized"})");
  const auto nowhere = encode_error(Protocol::rest_json, Error("MissingAuthenticationTokenException", "m", 403), "id");
  EXPECT_EQ(nowhere.body, R"({"message":"m"})");
  EXPECT_EQ(nowhere.headers.get("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
}

}  // namespace
}  // namespace lambent::aws
