#include "services/logs/filter_pattern.h"

#include <gtest/gtest.h>

#include "aws/error.h"

namespace lambent::logs {
namespace {

bool matches(std::string_view pattern, std::string_view message) { return FilterPattern(pattern).matches(message); }

std::string refusal(std::string_view pattern) {
  try {
    FilterPattern{pattern};
  } catch (const aws::Error& error) {
    EXPECT_EQ(error.code(), "InvalidParameterException");
    return error.message();
  }
  return "";
}

struct Case {
  std::string pattern, message;
  bool matches;
};

// The examples of the guide, with what it says of each.
TEST(FilterPatterns, TermsAsTheGuideHasThem) {
  const Case cases[] = {
      {"", "anything", true},
      {"ERROR", "[ERROR] A fatal exception has occurred", true},
      {"ERROR", "Exiting with ERRORCODE: -1", true},
      {"ERROR", "error in small letters", false},
      {"ERROR -Exiting", "Exiting with ERRORCODE: -1", false},
      {"\"ERROR\" - \"Exiting\"", "Exiting with ERRORCODE: -1", false},
      {"ERROR Exception", "[ERROR] Caught IllegalArgumentException", true},
      {"ERROR Exception", "[ERROR] Caught nothing", false},
      {"\"Failed to process the request\"", "[WARN] Failed to process the request", true},
      {"\"Failed to process the request\"", "Failed the request to process", false},
      {"\"a \\\"b\\\"\"", "say a \"b\" c", true},
      {"?ERROR ?WARN", "WARN message", true},
      {"?ERROR ?WARN", "ERROR message", true},
      {"?ERROR ?WARN", "INFO message", false},
      {"ERROR WARN", "WARN message", false},
      {"ERROR -WARN", "ERROR message", true},
      {"ERROR -WARN", "ERROR WARN message", false},
      {"INFO ?ERROR", "INFO message", true},
      {"%gray|grey%", "a grey cat", true},
      {"%^10\\.10\\.0\\.1%", "10.10.0.1 said", true},
      {"%^10\\.10\\.0\\.1%", "to 10.10.0.1", false},
  };
  for (const Case& each : cases)
    EXPECT_EQ(matches(each.pattern, each.message), each.matches) << each.pattern << " | " << each.message;
}

TEST(FilterPatterns, JsonAsTheGuideHasIt) {
  const std::string event =
      R"({"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],
          "objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"ThisFlag":true,"latency":512.5,
          "user":{"id":1,"email":"John.Stiles@example.com"},"coordinates":[[0,1,2],[4,5,6]],"dotted.name":"x","code":"400"})"
      "\n";
  const std::pair<std::string, bool> cases[] = {
      {R"({ $.eventType = "UpdateTrail" })", true},
      {"{ $.eventType = Update* }", true},
      {"{ $.eventType = *Trail }", true},
      {"{ $.eventType = *ateTr* }", true},
      {"{ $.eventType = Up*il }", false},
      {"{ $.eventType != UpdateTrail }", false},
      {"{ $.sourceIPAddress != 123.123.* }", true},
      {R"({ $.arrayKey[0] = "value" })", true},
      {R"({ $.arrayKey[5] = "value" })", false},
      {R"({ $.arrayKey[*] = "another value" })", true},
      {"{ $.objectList[1].id = 2 }", true},
      {"{ $.objectList[1].id = 1 }", false},
      {"{ $.objectList[*].id > 1 }", true},
      {"{ $.SomeObject IS NULL }", true},
      {"{ $.eventType IS NULL }", false},
      {"{ $.SomeOtherObject NOT EXISTS }", true},
      {"{ $.eventType NOT EXISTS }", false},
      {"{ $.eventType EXISTS }", true},
      {"{ $.ThisFlag IS TRUE }", true},
      {"{ $.ThisFlag IS FALSE }", false},
      {"{ $.ThisFlag = true }", true},
      {R"({ ($.user.id = 1) && ($.arrayKey[0] = "value") })", true},
      {R"({ ($.user.id = 2 && $.arrayKey[0] = "value") || $.latency = 1 })", false},
      {R"({ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.latency = nomatch })",
       true},
      {R"({ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.latency = nomatch })",
       false},
      {"{ $.latency >= 500 }", true},
      {"{ $.latency > 5.125e2 }", false},
      {"{ $.latency <= +512.5 }", true},
      {"{ $.latency < 10e3 }", true},
      {"{ $.latency = * }", true},
      {"{ $.nothing = * }", false},
      {"{ $.nothing != 1 }", false},
      {"{ $.user = 1 }", false},
      {"{ $.user != 1 }", false},
      {"{ $.code = 400 }", true},
      {"{ $.code > 300 }", false},
      {R"({ $.['dotted.name'] = x })", true},
      {"{ $.eventType = %Upd[a-z]+Trail% }", true},
      {"{ $.eventType != %Trail% }", false},
  };
  for (const auto& [pattern, expected] : cases) EXPECT_EQ(matches(pattern, event), expected) << pattern;
  EXPECT_FALSE(matches("{ $.a = 1 }", "not json"));
  EXPECT_FALSE(matches("{ $.a NOT EXISTS }", "[1]"));
}

TEST(FilterPatterns, FieldsAsTheGuideHasThem) {
  const std::string event = "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";
  const std::pair<std::string, bool> cases[] = {
      {"[ip, user, username, timestamp, request, status_code, bytes]", true},
      {"[ip, user]", false},
      {"[..., status_code, bytes]", true},
      {"[ip, user, ..., status_code, bytes]", true},
      {"[ip, user, ...]", true},
      {"[ip, user, username, timestamp, request, status_code, bytes > 1000]", true},
      {"[ip, user, username, timestamp, request, status_code = 200, bytes]", false},
      {"[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", true},
      {"[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]", true},
      {"[..., request=*.html*, status_code=4*,]", true},
      {"[ip=%127\\.0\\.0\\.[1-9]%, ...]", true},
      {"[ip, user, username=\"frank\", ...]", true},
  };
  for (const auto& [pattern, expected] : cases) EXPECT_EQ(matches(pattern, event), expected) << pattern;
  EXPECT_TRUE(matches("[w1=ERROR || w1=WARN, w2]", "WARN message"));
  EXPECT_FALSE(matches("[w1=!ERROR&&w1=!WARN, w2]", "WARN message"));
}

TEST(FilterPatterns, WhatCannotBeReadIsRefused) {
  EXPECT_EQ(refusal("{ $.a = 1"), "If a filter pattern starts with '{' it must end with '}'");
  EXPECT_EQ(refusal("[a, b"), "If a filter pattern starts with '[' it must end with ']'");
  EXPECT_EQ(refusal("%(a)%"), "Invalid character(s) in term");
  for (const char* pattern : {"a@b", "/path", "\"open", "-", "{}", "{ a = 1 }", "{ $ = 1 }", "{ $.a }", "{ $.a = }",
                              "{ $.a > b }", "{ $.a = 1 && }", "{ ($.a = 1 }", "{ $.a IS 1 }", "{ $.a[x] = 1 }",
                              "[a = 1 || b = 2]", "[..., a, ...]", "%[%", "{ $.a = \"open }"})
    EXPECT_EQ(refusal(pattern), "Invalid filter pattern") << pattern;
  EXPECT_EQ(refusal("{ " + std::string(400, '(') + "$.a = 1" + std::string(400, ')') + " }"), "Invalid filter pattern");
}

}  // namespace
}  // namespace lambent::logs
