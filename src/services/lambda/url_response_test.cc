// What a client of a function URL sees of a function's answer.
#include "services/lambda/url_response.h"

#include <gtest/gtest.h>

namespace lambent::lambda {
namespace {

constexpr const char* kJson = "application/json";
const std::string kEnd(8, '\0');

TEST(UrlResponse, WhatIsNoResponseIsTheBody) {
  const auto of = [](const std::string& payload) { return url_response(payload, kJson)->body; };
  EXPECT_EQ(of(R"({"hello":"world"})"), R"({"hello":"world"})");
  EXPECT_EQ(of(R"("plain")"), "plain");
  EXPECT_EQ(of("5"), "5");
  EXPECT_EQ(url_response("true", kJson)->headers.get("Content-Type"), "application/json");
}

TEST(UrlResponse, IsWhatTheFunctionSays) {
  const auto binary = url_response(
      R"({"statusCode":200,"body":"/w==","isBase64Encoded":true,"headers":{"content-type":"image/png"}})", kJson);
  EXPECT_EQ(binary->body, "\xff");
  EXPECT_EQ(binary->headers.get("Content-Type"), "image/png");
  EXPECT_EQ(url_response(R"({"statusCode":"404"})", kJson)->status, 404);
}

TEST(UrlResponse, ThatCannotBeOneIsABadGateway) {
  for (const char* bad :
       {R"({"statusCode":99})", R"({"statusCode":101})", R"({"statusCode":"x"})", R"({"statusCode":-1})",
        R"({"statusCode":1e9})", R"({"statusCode":200,"body":"%","isBase64Encoded":true})"})
    EXPECT_FALSE(url_response(bad, kJson)) << bad;
}

TEST(UrlResponse, HeadersCannotSmuggleAnything) {
  const auto response = url_response(
      R"({"statusCode":200,"headers":{"X-A":"1\r\nX-B: 2","Content-Length":"9","Transfer-Encoding":"chunked","X C":"1","X-Ok":7}})",
      kJson);
  EXPECT_EQ(response->headers.all().size(), 3u) << "X-Ok, the content type and the remapped length";
  EXPECT_EQ(response->headers.get("x-amzn-remapped-content-length"), "9");
  EXPECT_EQ(response->headers.get("Content-Length"), "");
  EXPECT_EQ(response->headers.get("X-Ok"), "7");
}

using State = ResponseMetadata::State;

TEST(ResponseMetadata, IsFoundHoweverItArrives) {
  const std::string whole =
      R"({"statusCode":418,"headers":{"X-Kettle":"on"},"cookies":["a=b"]})" + kEnd + std::string("sh\0rt", 5);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, whole.size()}) {
    ResponseMetadata metadata;
    auto state = State::incomplete;
    std::string rest;
    for (std::size_t at = 0; at < whole.size(); at += step) {
      if (state == State::complete)
        rest += whole.substr(at, step);
      else
        state = metadata.take(whole.substr(at, step));
    }
    ASSERT_EQ(state, State::complete) << step;
    EXPECT_EQ(metadata.head.status, 418);
    EXPECT_EQ(metadata.head.headers.get("X-Kettle"), "on");
    EXPECT_EQ(metadata.head.headers.get("Set-Cookie"), "a=b");
    EXPECT_EQ(metadata.head.headers.get("Content-Type"), "application/octet-stream");
    EXPECT_EQ(metadata.body + rest, std::string("sh\0rt", 5));
  }
}

TEST(ResponseMetadata, WithoutAStatusIs200) {
  ResponseMetadata metadata;
  EXPECT_EQ(metadata.take("{}" + kEnd), State::complete);
  EXPECT_EQ(metadata.head.status, 200);
}

TEST(ResponseMetadata, ThatIsNoneIsMalformed) {
  for (const std::string bad : {"", "[]", "{", "7", R"({"statusCode":99})", R"({"statusCode":"x"})"})
    EXPECT_EQ(ResponseMetadata().take(bad + kEnd), State::malformed) << bad;
}

TEST(ResponseMetadata, IsBounded) {
  const auto of_size = [](std::size_t size) { return R"({"a":")" + std::string(size - 8, 'x') + "\"}"; };
  EXPECT_EQ(ResponseMetadata().take(of_size(ResponseMetadata::kMaxBytes) + kEnd), State::complete);
  EXPECT_EQ(ResponseMetadata().take(of_size(ResponseMetadata::kMaxBytes + 1) + kEnd), State::malformed);
  ResponseMetadata endless;
  EXPECT_EQ(endless.take(std::string(ResponseMetadata::kMaxBytes, 'x')), State::incomplete);
  EXPECT_EQ(endless.take("12345678"), State::malformed);
}

TEST(UrlResponse, ThatWasStreamedBehindABufferedUrlHasItsMetadataReadToo) {
  const auto response = url_response(R"({"statusCode":201})" + kEnd + "made", kMetadataType);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "made");
  EXPECT_EQ(url_response("", kMetadataType)->status, 200);
  EXPECT_FALSE(url_response("{}", kMetadataType)) << "the delimiter is missing";
}

}  // namespace
}  // namespace lambent::lambda
