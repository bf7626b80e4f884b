#include "auth/claim.h"

#include <gtest/gtest.h>

#include "auth/refusal_matcher.h"

namespace lambent::auth {
namespace {

using base::http::Request;

constexpr std::int64_t kNow_s = 1'769'860'800;  // 2026-01-31T12:00:00Z
constexpr const char* kCredential = "AKIAIOSFODNN7EXAMPLE/20260131/eu-west-1/lambda/aws4_request";

Request with_authorization(const std::string& authorization) {
  Request out;
  out.method = "GET";
  out.path = "/";
  out.headers.add("Host", "localhost:4566");
  out.headers.add("X-Amz-Date", "20260131T120000Z");
  out.headers.add("Authorization", authorization);
  return out;
}

Request signed_request(const std::string& credential = kCredential, const std::string& list = "host;x-amz-date") {
  return with_authorization("AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=" + list +
                            ", Signature=ab12");
}

Request presigned(const std::string& change = "", const std::string& to = "") {
  Request out;
  out.method = "GET";
  out.path = "/";
  out.query =
      "x=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260131%2Feu-west-1%2Flambda%2F"
      "aws4_request&X-Amz-Date=20260131T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=a%2Bb"
      "&X-Amz-Signature=ab12";
  out.headers.add("Host", "localhost:4566");
  if (!change.empty()) {
    const auto at = out.query.find(change);
    EXPECT_NE(at, std::string::npos) << change;
    out.query.replace(at, change.size(), to);
  }
  return out;
}

std::string outcome(const Request& request) {
  return refusal([&] { parse_claim(request); });
}

void expect_starts(const std::string& text, const std::string& start) {
  EXPECT_EQ(text.substr(0, start.size()), start);
}

TEST(Claim, ReadsTheHeaderForm) {
  Request request = signed_request();
  request.headers.add("X-Amz-Security-Token", "token");
  const Claim claim = parse_claim(request);
  EXPECT_EQ(claim.access_key_id, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(claim.date, "20260131");
  EXPECT_EQ(claim.region, "eu-west-1");
  EXPECT_EQ(claim.service, "lambda");
  EXPECT_EQ(claim.amz_date, "20260131T120000Z");
  EXPECT_EQ(claim.signed_at_s, kNow_s);
  EXPECT_EQ(claim.signed_headers, (std::vector<std::string>{"host", "x-amz-date"}));
  EXPECT_EQ(claim.signature, "ab12");
  EXPECT_EQ(claim.session_token, "token");
  EXPECT_FALSE(claim.presigned);
}

TEST(Claim, ReadsTheHeaderFormWithoutSpaces) {
  const Claim claim = parse_claim(
      with_authorization("AWS4-HMAC-SHA256 Signature=s,SignedHeaders=host,Credential=" + std::string(kCredential)));
  EXPECT_EQ(claim.signature, "s");
  EXPECT_EQ(claim.signed_headers.size(), 1u);
}

TEST(Claim, ReadsThePresignedForm) {
  const Claim claim = parse_claim(presigned());
  EXPECT_TRUE(claim.presigned);
  EXPECT_EQ(claim.access_key_id, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(claim.service, "lambda");
  EXPECT_EQ(claim.expires_s, 60);
  EXPECT_EQ(claim.session_token, "a+b");
  EXPECT_EQ(claim.signed_at_s, kNow_s);
}

TEST(Claim, TakesTheDateHeaderInPlaceOfXAmzDate) {
  for (const char* date : {"Sat, 31 Jan 2026 12:00:00 GMT", "20260131T120000Z"}) {
    Request request;
    request.headers.add("Host", "h");
    request.headers.add("Date", date);
    request.headers.add("Authorization", "AWS4-HMAC-SHA256 Credential=" + std::string(kCredential) +
                                             ", SignedHeaders=date;host, Signature=a");
    EXPECT_EQ(parse_claim(request).amz_date, "20260131T120000Z");
  }
}

TEST(Claim, MissingAuthenticationIsSaidSo) {
  Request request;
  request.query = "X-Amz-Date=20260131T120000Z";
  EXPECT_EQ(outcome(request), "MissingAuthenticationTokenException 403: Missing Authentication Token");
}

TEST(Claim, MissingPiecesAreAllNamedAndTheHeaderIsHashed) {
  Request request;
  request.headers.add("Authorization", "Basic");
  EXPECT_EQ(
      outcome(request),
      "IncompleteSignatureException 403: Authorization header requires 'Credential' parameter. Authorization header "
      "requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header "
      "requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) "
      "Authorization=DjX26XQuB039Yuh03jwkLG2bZMIb+a+689EfBVebRJU=");
  expect_starts(outcome(with_authorization("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host")),
                "IncompleteSignatureException 403: Authorization header requires 'Signature' parameter. (Hashed");
}

TEST(Claim, ABearerTokenIsRefusedAndNotEchoed) {
  const std::string text = outcome(with_authorization("Bearer very.secret.token"));
  expect_starts(text,
                "IncompleteSignatureException 403: Invalid key=value pair (missing equal-sign) in Authorization header "
                "(hashed with SHA-256 and encoded with Base64): '");
  EXPECT_EQ(text.find("very"), std::string::npos);
}

TEST(Claim, OtherAlgorithmsAreRefused) {
  expect_starts(outcome(with_authorization("AWS4-ECDSA-P256-SHA256 Credential=" + std::string(kCredential) +
                                           ", SignedHeaders=host, Signature=a")),
                "IncompleteSignatureException 403: Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.");
  expect_starts(outcome(presigned("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1")),
                "IncompleteSignatureException 403: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.");
}

TEST(Claim, TheCredentialHasFiveElements) {
  for (const char* bad : {"", "a", "a/20260131/us-east-1/lambda", "a/b/20260131/us-east-1/lambda/aws4_request",
                          "a/20260131/us-east-1/lambda/aws4_request/"})
    expect_starts(outcome(signed_request(bad)),
                  "IncompleteSignatureException 403: Credential must have exactly 5 slash-delimited elements, e.g. "
                  "keyid/date/region/service/term, got (hashed with SHA-256 and encoded with Base64): '");
}

TEST(Claim, EachElementOfTheScopeIsChecked) {
  EXPECT_EQ(outcome(signed_request("AKIA/20260131/us-east-1/lambda/aws5")),
            "InvalidSignatureException 403: Credential should be scoped with a valid terminator: 'aws4_request', not "
            "'aws5'.");
  EXPECT_EQ(
      outcome(signed_request("AKIA/20260130/us-east-1/lambda/aws4_request")),
      "InvalidSignatureException 403: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
      "from HTTP: '20260130' != '20260131', from '20260131T120000Z'.");
  for (const char* date : {"", "2026013", "202601311", "2026013x"})
    expect_starts(outcome(signed_request("AKIA/" + std::string(date) + "/us-east-1/lambda/aws4_request")),
                  "InvalidSignatureException 403: Date in Credential scope does not match");
  for (const std::string& region : {std::string(), std::string("EU"), std::string("eu_west"), std::string(33, 'a')})
    expect_starts(outcome(signed_request("AKIA/20260131/" + region + "/lambda/aws4_request")),
                  "InvalidSignatureException 403: Credential should be scoped to a valid region, not '");
  for (const std::string& service : {std::string(), std::string("Lambda"), std::string(65, 'a')})
    expect_starts(outcome(signed_request("AKIA/20260131/us-east-1/" + service + "/aws4_request")),
                  "InvalidSignatureException 403: Credential should be scoped to a valid service.");
  for (const std::string& key : {std::string(), std::string("AKIA;x"), std::string(129, 'A')})
    EXPECT_EQ(outcome(signed_request(key + "/20260131/us-east-1/lambda/aws4_request")),
              "UnrecognizedClientException 403: The security token included in the request is invalid.");
}

TEST(Claim, DatesInOtherFormsAreRefused) {
  Request request = signed_request();
  for (const char* date : {"2026-01-31T12:00:00Z", "Sat, 31 Jan 2026 12:00:00 GMT", "", "\x01\xff"}) {
    request.headers.set("X-Amz-Date", date);
    expect_starts(outcome(request), "IncompleteSignatureException 403: Date must be in ISO-8601 'basic format'. Got '");
  }
  expect_starts(outcome(presigned("20260131T120000Z", "x")), "IncompleteSignatureException 403: Date must be in");
}

TEST(Claim, SignedHeadersAreLowerCaseAscendingAndUnique) {
  for (const char* bad :
       {"", "host;", ";host", "Host", "x-amz-date;host", "host;host", "host;;x", "host; x", "h\xc3\xa9"})
    EXPECT_TRUE(outcome(signed_request(kCredential, bad)) != "accepted") << bad;
  expect_starts(outcome(signed_request(kCredential, "Host")),
                "InvalidSignatureException 403: SignedHeaders must be lower-case header names in ascending order");
  std::string many = "a100";
  for (int i = 101; i < 201; ++i) many += ";a" + std::to_string(i);
  EXPECT_EQ(outcome(signed_request(kCredential, many)),
            "InvalidSignatureException 403: SignedHeaders names too many headers.");
}

TEST(Claim, TwoProofsAreRefused) {
  Request both = presigned();
  both.headers.add("Authorization", "AWS4-HMAC-SHA256 x=y");
  expect_starts(outcome(both), "InvalidSignatureException 403: Only one auth mechanism allowed");
  for (const char* name : {"Authorization", "X-Amz-Date", "Host", "X-Amz-Security-Token", "X-Amz-Content-Sha256"}) {
    Request twice = signed_request();
    twice.headers.add(name, "1");
    twice.headers.add(name, "1");
    expect_starts(outcome(twice), "InvalidSignatureException 403: The header '");
  }
  EXPECT_EQ(outcome(with_authorization("AWS4-HMAC-SHA256 Credential=" + std::string(kCredential) +
                                       ", SignedHeaders=host, Signature=a, Signature=b")),
            "IncompleteSignatureException 403: Authorization header has a parameter twice.");
  for (const char* name : {"X-Amz-Signature", "X%2DAmz-Date", "X-Amz-Security-Token"}) {
    Request twice = presigned();
    twice.query += "&" + std::string(name) + "=1";
    EXPECT_EQ(outcome(twice),
              "IncompleteSignatureException 403: A query-string parameter of the signature is given twice.");
  }
  Request hash = presigned("x=1", "X-Amz-Content-Sha256=1");
  hash.headers.add("X-Amz-Content-Sha256", "1");
  EXPECT_EQ(outcome(hash),
            "InvalidSignatureException 403: X-Amz-Content-Sha256 is given both in the query string and as a header.");
}

TEST(Claim, PresignedUrlsNeedEveryParameter) {
  for (const char* name :
       {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"})
    EXPECT_EQ(outcome(presigned(name, "y")),
              "IncompleteSignatureException 403: AWS query-string parameters must include '" + std::string(name) +
                  "'. Re-examine the query-string parameters.");
}

TEST(Claim, PresignedUrlsLiveAWeekAtMost) {
  EXPECT_EQ(outcome(presigned("Expires=60", "Expires=604800")), "accepted");
  for (const char* bad : {"604801", "0", "-1", "", "x", "99999999999999999999"})
    expect_starts(outcome(presigned("Expires=60", "Expires=" + std::string(bad))),
                  "InvalidSignatureException 403: X-Amz-Expires ");
}

TEST(Claim, SizesAreBounded) {
  EXPECT_EQ(outcome(with_authorization(std::string(kMaxAuthorizationBytes + 1, 'a'))),
            "IncompleteSignatureException 403: The Authorization header is too long.");
  Request target = signed_request();
  target.query = std::string(kMaxTargetBytes, 'a');
  EXPECT_EQ(outcome(target), "InvalidSignatureException 403: The request target is too long.");
  Request token = signed_request();
  token.headers.add("X-Amz-Security-Token", std::string(kMaxSessionToken + 1, 'a'));
  EXPECT_EQ(outcome(token), "UnrecognizedClientException 403: The security token included in the request is invalid.");
}

TEST(Claim, TheServiceIsFoundBeforeAnythingIsChecked) {
  EXPECT_EQ(claimed_service(signed_request()), "lambda");
  EXPECT_EQ(claimed_service(presigned()), "lambda");
  EXPECT_EQ(claimed_region(presigned()), "eu-west-1");
  EXPECT_EQ(claimed_service(with_authorization("X Credential=a/b/c/iam")), "iam");
  for (const char* none : {"", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b/c", "AWS4-HMAC-SHA256 Credential=a/b/c//x",
                           "A Credential=a/b/c/Q/x"})
    EXPECT_FALSE(claimed_service(with_authorization(none))) << none;
  EXPECT_FALSE(claimed_service(Request()));
}

TEST(Claim, TheServiceMustBeTheOneAsked) {
  const Claim claim = parse_claim(signed_request());
  EXPECT_EQ(refusal([&] { check_service(claim, "lambda"); }), "accepted");
  EXPECT_EQ(refusal([&] { check_service(claim, "iam"); }),
            "InvalidSignatureException 403: Credential should be scoped to correct service: 'iam'. ");
}

TEST(Claim, HostAndEveryAmzHeaderMustBeSigned) {
  const auto check = [](const Request& request) {
    return refusal([&] { check_signed_headers(parse_claim(request), request.headers); });
  };
  EXPECT_EQ(check(signed_request()), "accepted");
  EXPECT_EQ(check(signed_request(kCredential, "x-amz-date")),
            "InvalidSignatureException 403: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  EXPECT_EQ(
      check(signed_request(kCredential, "host")),
      "InvalidSignatureException 403: There were headers present in the request which were not signed: x-amz-date");
  EXPECT_EQ(check(signed_request(kCredential, "host;x-absent;x-amz-date")),
            "InvalidSignatureException 403: A header named in SignedHeaders was not sent: x-absent");
  Request others = signed_request();
  others.headers.add("X-Amzn-Trace-Id", "proxies add it");
  others.headers.add("Content-Type", "text/plain");
  EXPECT_EQ(check(others), "accepted");
  others.headers.add("X-AMZ-Meta", "1");
  EXPECT_EQ(
      check(others),
      "InvalidSignatureException 403: There were headers present in the request which were not signed: x-amz-meta");
}

TEST(Claim, ClocksMayDifferByFiveMinutes) {
  const Claim claim = parse_claim(signed_request());
  const auto at = [&](std::int64_t offset_s) { return refusal([&] { check_time(claim, kNow_s + offset_s); }); };
  for (const int good : {-300, -240, 0, 240, 300}) EXPECT_EQ(at(good), "accepted") << good;
  EXPECT_EQ(at(301),
            "InvalidSignatureException 403: Signature expired: 20260131T120000Z is now earlier than "
            "20260131T120001Z (20260131T120501Z - 5 min.)");
  EXPECT_EQ(at(-301),
            "InvalidSignatureException 403: Signature not yet current: 20260131T120000Z is still later than "
            "20260131T115959Z (20260131T115459Z + 5 min.)");
}

TEST(Claim, APresignedUrlEndsWithItsTime) {
  const Claim claim = parse_claim(presigned());
  const auto at = [&](std::int64_t offset_s) { return refusal([&] { check_time(claim, kNow_s + offset_s); }); };
  for (const int good : {-300, 0, 60}) EXPECT_EQ(at(good), "accepted") << good;
  EXPECT_EQ(at(61),
            "InvalidSignatureException 403: Signature expired: 20260131T120000Z is now earlier than "
            "20260131T120001Z (20260131T120101Z - 1 min.)");
  expect_starts(at(-301), "InvalidSignatureException 403: Signature not yet current");
  const Claim week = parse_claim(presigned("Expires=60", "Expires=604800"));
  EXPECT_EQ(refusal([&] { check_time(week, kNow_s + 604'800); }), "accepted");
  EXPECT_NE(refusal([&] { check_time(week, kNow_s + 604'801); }), "accepted");
}

}  // namespace
}  // namespace lambent::auth
