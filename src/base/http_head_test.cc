#include "base/http_head.h"

#include <gtest/gtest.h>

namespace lambent::base::http {
namespace {

int status_of(std::string_view bytes) {
  bool broken = false;
  if (head_length(bytes, 0, broken) != bytes.size()) return broken ? 400 : -1;
  std::optional<HeadError> error;
  parse_head(bytes, 8, error);
  return error ? error->status : 200;
}

TEST(HttpHead, KeepsSpellingOrderAndRawTarget) {
  std::optional<HeadError> error;
  const Head head = parse_head("POST /a%20b?x=1&y HTTP/1.1\r\nHost: h:1\r\nX-B:  v w \r\nx-a: 1\r\n\r\n", 8, error);
  ASSERT_FALSE(error);
  EXPECT_EQ(head.request.path, "/a%20b");
  EXPECT_EQ(head.request.query, "x=1&y");
  EXPECT_EQ(head.request.headers.all()[1], (Headers::Entry{"X-B", "v w"}));
  EXPECT_EQ(head.content_length, 0u);
  EXPECT_TRUE(head.keep_alive);
}

TEST(HttpHead, RefusesWhatCouldBeReadInTwoWays) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(status_of(start + "\r\n"), 200);
  for (const char* fields :
       {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "Content-Length: +5\r\n\r\n", "Content-Length: 5 5\r\n\r\n", "Content-Length: \r\n\r\n",
        "Content-Length: 99999999999999999999\r\n\r\n", "Transfer-Encoding: xchunked\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "A: b\r\n folded\r\n\r\n", "A : b\r\n\r\n", ": b\r\n\r\n", "no colon\r\n\r\n", "Host: other\r\n\r\n",
        "A: \x01\r\n\r\n", "A: b\n\r\n"})
    EXPECT_EQ(status_of(start + fields), 400) << fields;
  EXPECT_EQ(status_of(start + std::string("A: \0\r\n\r\n", 8)), 400);
}

TEST(HttpHead, RequestLineIsStrict) {
  const std::string host = "\r\nHost: h\r\n\r\n";
  EXPECT_EQ(status_of("GET http://h/x HTTP/1.1" + host), 200);
  EXPECT_EQ(status_of("GET http://other/x HTTP/1.1" + host), 400);
  for (const char* line : {"GET x HTTP/1.1", "GET  / HTTP/1.1", "GET / a HTTP/1.1", "G@T / HTTP/1.1",
                           "GET /\x7f HTTP/1.1", "GET /#f HTTP/1.1", "GET /", "* / HTTP/1.1 "})
    EXPECT_NE(status_of(line + host), 200) << line;
  EXPECT_EQ(status_of("GET / HTTP/2.0" + host), 505);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
}

TEST(HttpHead, CountsFieldsAndKnowsOneExpectation) {
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 8; ++i) many += "a: b\r\n";
  EXPECT_EQ(status_of(many + "\r\n"), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n"), 417);
}

}  // namespace
}  // namespace lambent::base::http
