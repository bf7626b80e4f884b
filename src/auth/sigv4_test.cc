// AWS's own vectors: the "Signature Version 4 test suite" (service "service") and the worked examples of the S3 and IAM
// documentation. What the suite signs is what an AWS service accepts.
#include "auth/sigv4.h"

#include <gtest/gtest.h>

#include "auth/refusal_matcher.h"
#include "base/bytes.h"

namespace lambent::auth::sigv4 {
namespace {

using base::http::Request;
using Headers = std::vector<std::pair<const char*, const char*>>;

constexpr std::string_view kSuiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kDocsSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr const char* kMismatch =
    "InvalidSignatureException 403: The request signature we calculated does not match the signature you provided. "
    "Check "
    "your AWS Secret Access Key and signing method. Consult the service documentation for details.";

Request request(const char* method, const char* path, const char* query, const Headers& headers,
                const char* body = "") {
  Request out;
  out.method = method;
  out.path = path;
  out.query = query;
  for (const auto& [name, value] : headers) out.headers.add(name, value);
  out.body = body;
  return out;
}

std::string sign(const Request& signed_request, std::string_view secret) {
  const Claim claim = parse_claim(signed_request);
  check_signed_headers(claim, signed_request.headers);
  const std::string payload = payload_hash(claim, signed_request.body);
  const std::string text = string_to_sign(claim, canonical_request(claim, signed_request, payload));
  return signature(signing_key(secret, claim.date, claim.region, claim.service), text);
}

struct SuiteCase {
  const char* name;
  const char* method;
  const char* path;
  const char* query;
  Headers headers;
  const char* signed_headers;
  const char* signature;
  const char* body = "";
};

constexpr const char* kVanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
constexpr const char* kPost = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
constexpr const char* kUnreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const std::string kUnreservedPath = "/" + std::string(kUnreserved);
const std::string kUnreservedQuery = std::string(kUnreserved) + "=" + kUnreserved;

const std::vector<SuiteCase> kSuite = {
    {"get-vanilla", "GET", "/", "", {}, "", kVanilla},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/",
     "Param2=value2&Param1=value1",
     {},
     "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-empty-query-key",
     "GET",
     "/",
     "Param1=value1",
     {},
     "",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-unreserved",
     "GET",
     "/",
     kUnreservedQuery.c_str(),
     {},
     "",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query",
     "GET",
     "/",
     "\xe1\x88\xb4=bar",
     {},
     "",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-unreserved",
     "GET",
     kUnreservedPath.c_str(),
     "",
     {},
     "",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8",
     "GET",
     "/\xe1\x88\xb4",
     "",
     {},
     "",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-relative", "GET", "/example/..", "", {}, "", kVanilla},
    {"get-relative-relative", "GET", "/example1/example2/../..", "", {}, "", kVanilla},
    {"get-slash", "GET", "//", "", {}, "", kVanilla},
    {"get-slash-dot-slash", "GET", "/./", "", {}, "", kVanilla},
    {"get-slash-pointless-dot",
     "GET",
     "/./example",
     "",
     {},
     "",
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slashes",
     "GET",
     "//example//",
     "",
     {},
     "",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-space",
     "GET",
     "/example space/",
     "",
     {},
     "",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-header-key-duplicate",
     "GET",
     "/",
     "",
     {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
     "my-header1;",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-order",
     "GET",
     "/",
     "",
     {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}},
     "my-header1;",
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim",
     "GET",
     "/",
     "",
     {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     "my-header1;my-header2;",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"post-vanilla", "POST", "/", "", {}, "", kPost},
    {"post-vanilla-query",
     "POST",
     "/",
     "Param1=value1",
     {},
     "",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-header-key-sort",
     "POST",
     "/",
     "",
     {{"My-Header1", "value1"}},
     "my-header1;",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case",
     "POST",
     "/",
     "",
     {{"My-Header1", "VALUE1"}},
     "my-header1;",
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     "",
     {{"Content-Type", "application/x-www-form-urlencoded"}},
     "content-type;",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
     "Param1=value1"},
};

TEST(SigV4, SignsAsAwsTestSuite) {
  for (const SuiteCase& each : kSuite) {
    Request made = request(each.method, each.path, each.query, {{"Host", "example.amazonaws.com"}}, each.body);
    for (const auto& [name, value] : each.headers) made.headers.add(name, value);
    made.headers.add("X-Amz-Date", "20150830T123600Z");
    const std::string list = each.signed_headers;
    const bool before_host = list.starts_with("content-type");
    made.headers.add("Authorization",
                     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" +
                         (before_host ? list + "host;" : "host;" + list) + "x-amz-date, Signature=" + each.signature);
    EXPECT_EQ(sign(made, kSuiteSecret), each.signature) << each.name;
  }
}

TEST(SigV4, SignsASessionTokenAsAwsTestSuite) {
  const Request made = request(
      "POST", "/", "",
      {{"Host", "example.amazonaws.com"},
       {"X-Amz-Date", "20150830T123600Z"},
       {"X-Amz-Security-Token",
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8Y"
        "UuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE"
        "8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2"
        "ICCR/oLxBA=="},
       {"Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=x"}});
  EXPECT_EQ(sign(made, kSuiteSecret), "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

TEST(SigV4, SignsTheExampleOfTheIamDocumentation) {
  const Request made = request("GET", "/", "Action=ListUsers&Version=2010-05-08",
                               {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                                {"Host", "iam.amazonaws.com"},
                                {"X-Amz-Date", "20150830T123600Z"},
                                {"Authorization",
                                 "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                                 "SignedHeaders=content-type;host;x-amz-date, Signature=x"}});
  EXPECT_EQ(sign(made, kSuiteSecret), "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

std::string s3_authorization(const std::string& signed_headers) {
  return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=" +
         signed_headers + ",Signature=x";
}

TEST(SigV4, SignsTheExamplesOfTheS3Documentation) {
  constexpr const char* host = "examplebucket.s3.amazonaws.com";
  constexpr const char* empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  Request get = request(
      "GET", "/test.txt", "",
      {{"Host", host}, {"Range", "bytes=0-9"}, {"x-amz-content-sha256", empty}, {"x-amz-date", "20130524T000000Z"}});
  get.headers.add("Authorization", s3_authorization("host;range;x-amz-content-sha256;x-amz-date"));
  EXPECT_EQ(sign(get, kDocsSecret), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

  Request put = request("PUT", "/test%24file.text", "",
                        {{"Host", host},
                         {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                         {"x-amz-date", "20130524T000000Z"},
                         {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                         {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}},
                        "Welcome to Amazon S3.");
  put.headers.add("Authorization", s3_authorization("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"));
  EXPECT_EQ(sign(put, kDocsSecret), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

  for (const auto& [query, expected] :
       {std::pair("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        std::pair("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")}) {
    Request list = request("GET", "/", query,
                           {{"Host", host}, {"x-amz-date", "20130524T000000Z"}, {"x-amz-content-sha256", empty}});
    list.headers.add("Authorization", s3_authorization("host;x-amz-content-sha256;x-amz-date"));
    EXPECT_EQ(sign(list, kDocsSecret), expected) << query;
  }
}

TEST(SigV4, SignsThePresignedExampleOfTheS3Documentation) {
  const Request get =
      request("GET", "/test.txt",
              "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1"
              "%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
              "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
              {{"Host", "examplebucket.s3.amazonaws.com"}});
  EXPECT_EQ(sign(get, kDocsSecret), parse_claim(get).signature);
}

TEST(SigV4, PathIsEncodedOnceForS3AndTwiceElsewhere) {
  EXPECT_EQ(canonical_path("/a%20b/%2e/x:y", false), "/a%2520b/%252e/x%3Ay");
  EXPECT_EQ(canonical_path("/a%20b/%2e/x:y", true), "/a%20b/./x%3Ay");
  EXPECT_EQ(canonical_path("//a/./../b//", true), "//a/./../b//");
  EXPECT_EQ(canonical_path("//a/./../b//", false), "/b/");
  EXPECT_EQ(canonical_path("/../..", false), "/");
  EXPECT_EQ(canonical_path("", false), "/");
  EXPECT_EQ(canonical_path("", true), "/");
  EXPECT_EQ(canonical_path("/%zz%4", true), "/%25zz%254");
}

TEST(SigV4, QueryIsSortedByEncodedNameThenValueAndKeepsRepeats) {
  EXPECT_EQ(canonical_query("b=2&a=2&a=1&a=1&c&d="), "a=1&a=1&a=2&b=2&c=&d=");
  // '-' sorts before '=', so sorting joined pairs would be wrong.
  EXPECT_EQ(canonical_query("a-=0&a=1"), "a=1&a-=0");
  EXPECT_EQ(canonical_query("B=1&a=1&%41=2"), "A=2&B=1&a=1");
  EXPECT_EQ(canonical_query("x=a+b&y=%2f%C3%a9&z=a=b"), "x=a%2Bb&y=%2F%C3%A9&z=a%3Db");
  EXPECT_EQ(canonical_query("X-Amz-Signature=1&X%2DAmz-Signature=2&x-amz-signature=3"), "x-amz-signature=3");
  EXPECT_EQ(canonical_query("&&"), "");
}

TEST(SigV4, HeaderValuesAreTrimmedAndFolded) {
  EXPECT_EQ(canonical_header_value("  a   b \t c "), "a b c");
  EXPECT_EQ(canonical_header_value("   "), "");
  EXPECT_EQ(canonical_header_value("\"a  b\""), "\"a b\"");
}

Claim claim_for(const char* service, const char* content_sha256, bool presigned = false) {
  Claim claim;
  claim.service = service;
  claim.content_sha256 = content_sha256;
  claim.presigned = presigned;
  return claim;
}

TEST(SigV4, PayloadHashIsTheBodysUnlessS3SaysOtherwise) {
  constexpr const char* abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(payload_hash(claim_for("lambda", ""), "abc"), abc);
  EXPECT_EQ(payload_hash(claim_for("lambda", "", true), "abc"), abc);
  EXPECT_EQ(payload_hash(claim_for("lambda", abc), "abc"), abc);
  EXPECT_EQ(payload_hash(claim_for("lambda", "UNSIGNED-PAYLOAD"), ""), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(payload_hash(claim_for("s3", "UNSIGNED-PAYLOAD"), "abc"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(payload_hash(claim_for("s3", "", true), "abc"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(payload_hash(claim_for("s3", abc, true), "abc"), abc);
}

TEST(SigV4, PayloadHashRefusesAnotherBodyAndUnsignedOnesOutsideS3) {
  constexpr const char* abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const auto outcome = [](const Claim& claim, const char* body) { return refusal([&] { payload_hash(claim, body); }); };
  EXPECT_EQ(outcome(claim_for("lambda", abc), "abd"), kMismatch);
  EXPECT_EQ(outcome(claim_for("s3", abc), "abd"), kMismatch);
  EXPECT_EQ(outcome(claim_for("lambda", "junk"), "abc"), kMismatch);
  EXPECT_EQ(outcome(claim_for("lambda", "UNSIGNED-PAYLOAD"), "abc"), kMismatch);
  for (const char* form : {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}) {
    EXPECT_EQ(outcome(claim_for("lambda", form), "abc"), kMismatch);
    EXPECT_EQ(outcome(claim_for("s3", form), "abc"),
              "NotImplemented 501: A header you provided implies functionality that is not implemented");
  }
}

}  // namespace
}  // namespace lambent::auth::sigv4
