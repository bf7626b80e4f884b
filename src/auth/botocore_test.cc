// Requests signed by botocore (tests/sigv4/generate.py) verify, and stop verifying when one byte of them is changed.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <random>

#include "auth/authenticator.h"
#include "auth/identities_fixture.h"
#include "auth/refusal_matcher.h"
#include "auth/sigv4.h"
#include "base/bytes.h"

namespace lambent::auth {
namespace {

namespace json = boost::json;
using base::http::Request;

struct Vector {
  Request request;
  std::string access_key_id, secret, token;
  std::int64_t now_s = 0;
};

std::string text(const json::value& value) { return std::string(value.as_string()); }

Vector read_vector(const std::string& line) {
  const json::value value = json::parse(line);
  const auto& object = value.as_object();
  Vector out;
  out.request.method = text(object.at("method"));
  out.request.path = text(object.at("path"));
  out.request.query = text(object.at("query"));
  for (const auto& header : object.at("headers").as_array())
    out.request.headers.add(text(header.as_array()[0]), text(header.as_array()[1]));
  out.request.body = base::unbase64(text(object.at("body"))).value();
  out.access_key_id = text(object.at("access_key_id"));
  out.secret = text(object.at("secret"));
  out.token = text(object.at("token"));
  out.now_s = object.at("now_s").as_int64();
  return out;
}

class BotocoreTest : public IdentitiesFixture {
 protected:
  BotocoreTest() : tokens_(std::string(32, 'k'), clock_), authenticator_(*identities_, tokens_, clock_) {}

  /// Everything that check_head and verify do but the look-up of the key, which the vector carries itself.
  std::string outcome(const Vector& vector, const Request& request) {
    return refusal([&] {
      Claim claim = parse_claim(request);
      check_signed_headers(claim, request.headers);
      check_time(claim, vector.now_s);
      if (claim.access_key_id != vector.access_key_id || claim.session_token != vector.token)
        throw aws::Error("UnrecognizedClientException", "another key", 403);
      claim.secret_access_key = vector.secret;
      authenticator_.verify(claim, request);
    });
  }

  /// A letter or digit for another, outside of escapes; false when there is none.
  bool flip(std::string& text) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool escaped = (i >= 1 && text[i - 1] == '%') || (i >= 2 && text[i - 2] == '%');
      if (!escaped && std::isalnum(static_cast<unsigned char>(text[i]))) places.push_back(i);
    }
    if (places.empty()) return false;
    char& c = text[places[random_() % places.size()]];
    c = c == 'a' ? 'b' : 'a';
    return true;
  }

  static Request with_header(const Request& request, std::size_t index, std::string value) {
    Request out = request;
    out.headers = {};
    for (std::size_t i = 0; i < request.headers.all().size(); ++i) {
      const auto& [name, old] = request.headers.all()[i];
      out.headers.add(name, i == index ? value : old);
    }
    return out;
  }

  void expect_refused(const Vector& vector, const Request& changed, std::string_view what) {
    ++changes_;
    EXPECT_NE(outcome(vector, changed), "accepted") << what << " of " << changed.path << "?" << changed.query;
  }

  void change_target(const Vector& vector) {
    const bool s3 = parse_claim(vector.request).service == "s3";
    Request changed = vector.request;
    changed.method += 'X';
    expect_refused(vector, changed, "method");
    changed = vector.request;
    if (flip(changed.path)) {
      // "/a/.." is "/" whatever a is: only then may a changed path still verify.
      if (sigv4::canonical_path(changed.path, s3) != sigv4::canonical_path(vector.request.path, s3))
        expect_refused(vector, changed, "path");
      else
        EXPECT_EQ(outcome(vector, changed), "accepted") << changed.path;
    }
    changed = vector.request;
    if (flip(changed.query)) expect_refused(vector, changed, "query");
    changed = vector.request;
    changed.query += changed.query.empty() ? "extra=" : "&extra=";
    expect_refused(vector, changed, "query");
  }

  void change_headers(const Vector& vector) {
    const Claim claim = parse_claim(vector.request);
    const auto& headers = vector.request.headers.all();
    for (std::size_t i = 0; i < headers.size(); ++i) {
      const auto& [name, value] = headers[i];
      std::string changed = value;
      if (!flip(changed)) continue;
      const bool is_signed =
          std::binary_search(claim.signed_headers.begin(), claim.signed_headers.end(), base::lower(name));
      if (is_signed || base::equal_ignoring_case(name, "authorization"))
        expect_refused(vector, with_header(vector.request, i, changed), name);
      else
        EXPECT_EQ(outcome(vector, with_header(vector.request, i, changed)), "accepted") << name;
    }
    Request changed = vector.request;
    changed.headers.add("X-Amz-Late", "1");
    expect_refused(vector, changed, "x-amz- header");
  }

  void change_body(const Vector& vector) {
    const Claim claim = parse_claim(vector.request);
    Request changed = vector.request;
    if (changed.body.empty())
      changed.body = "x";
    else
      changed.body[random_() % changed.body.size()] ^= 1;
    const bool is_unsigned = claim.service == "s3" && (claim.content_sha256 == "UNSIGNED-PAYLOAD" ||
                                                       (claim.presigned && claim.content_sha256.empty()));
    if (is_unsigned)
      EXPECT_EQ(outcome(vector, changed), "accepted");
    else
      expect_refused(vector, changed, "body");
  }

  void change_signature(const Vector& vector) {
    const Claim claim = parse_claim(vector.request);
    std::string wrong = claim.signature;
    char& c = wrong[random_() % wrong.size()];
    c = c == '0' ? '1' : '0';
    Request changed = vector.request;
    const auto replace = [&](std::string& where, const std::string& with) {
      if (const auto at = where.find(claim.signature); at != std::string::npos) where.replace(at, with.size(), with);
    };
    replace(changed.query, wrong);
    std::string authorization(changed.headers.get("authorization"));
    replace(authorization, wrong);
    if (!claim.presigned) changed.headers.set("Authorization", authorization);
    expect_refused(vector, changed, "signature");
    Vector other_secret = vector;
    other_secret.secret[0] ^= 1;
    expect_refused(other_secret, vector.request, "secret");
    Vector later = vector;
    later.now_s = claim.signed_at_s + (claim.presigned ? claim.expires_s : kClockSkew_s) + 1;
    expect_refused(later, vector.request, "age");
    Vector earlier = vector;
    earlier.now_s = claim.signed_at_s - kClockSkew_s - 1;
    expect_refused(earlier, vector.request, "future date");
  }

  SessionTokens tokens_;
  Authenticator authenticator_;
  std::mt19937 random_{1};
  std::size_t changes_ = 0;
};

TEST_F(BotocoreTest, WhatBotocoreSignsVerifiesAndOneChangedByteDoesNot) {
  const char* path = std::getenv("LAMBENT_SIGV4_VECTORS");
  if (!path) GTEST_SKIP() << "LAMBENT_SIGV4_VECTORS names no file of tests/sigv4/generate.py";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::size_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const Vector vector = read_vector(line);
    ASSERT_EQ(outcome(vector, vector.request), "accepted") << "line " << count + 1 << ": " << line;
    change_target(vector);
    change_headers(vector);
    change_body(vector);
    change_signature(vector);
    if (HasFailure()) FAIL() << "line " << count + 1 << ": " << line;
  }
  EXPECT_GT(count, 0u);
  fmt::print("{} signed requests verified, {} changed ones refused\n", count, changes_);
}

}  // namespace
}  // namespace lambent::auth
