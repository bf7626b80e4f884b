// The codec design held against rest-xml: an S3-shaped input and outputs, with S3's own model, which only this test carries.
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "aws/model.h"
#include "aws/service.h"

__asm__(
    ".section .rodata,\"a\",@progbits\n"
    ".balign 8\n"
    "s3_model_begin:\n"
    ".incbin \"" LAMBENT_MODEL_TABLE
    "\"\n"
    "s3_model_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" const char s3_model_begin[];
extern "C" const char s3_model_end[];

namespace lambent::aws {
namespace {

using base::http::Request;
using base::http::Response;

struct Tag {
  std::string Key, Value;
};
BOOST_DESCRIBE_STRUCT(Tag, (), (Key, Value))

struct And {
  std::optional<std::string> Prefix;
  std::optional<std::vector<Tag>> Tags;
};
BOOST_DESCRIBE_STRUCT(And, (), (Prefix, Tags))

struct Filter {
  std::optional<std::string> Prefix;
  std::optional<And> And;
};
BOOST_DESCRIBE_STRUCT(Filter, (), (Prefix, And))

struct Expiration {
  std::optional<std::int32_t> Days;
  std::optional<Timestamp> Date;
};
BOOST_DESCRIBE_STRUCT(Expiration, (), (Days, Date))

struct Transition {
  std::optional<std::int32_t> Days;
  std::optional<std::string> StorageClass;
};
BOOST_DESCRIBE_STRUCT(Transition, (), (Days, StorageClass))

struct Rule {
  std::optional<std::string> ID;
  std::string Status;
  std::optional<Filter> Filter;
  std::optional<Expiration> Expiration;
  std::optional<std::vector<Transition>> Transitions;
};
BOOST_DESCRIBE_STRUCT(Rule, (), (ID, Status, Filter, Expiration, Transitions))

struct Lifecycle {
  std::vector<Rule> Rules;
};
BOOST_DESCRIBE_STRUCT(Lifecycle, (), (Rules))

struct PutLifecycleInput {
  std::string Bucket;
  std::optional<std::string> ExpectedBucketOwner;
  std::optional<Lifecycle> LifecycleConfiguration;
};
BOOST_DESCRIBE_STRUCT(PutLifecycleInput, (), (Bucket, ExpectedBucketOwner, LifecycleConfiguration))

struct PutLifecycleOutput {
  std::optional<std::string> TransitionDefaultMinimumObjectSize;
};
BOOST_DESCRIBE_STRUCT(PutLifecycleOutput, (), (TransitionDefaultMinimumObjectSize))

struct ListInput {
  std::string Bucket;
  std::optional<std::int32_t> MaxKeys;
  std::optional<std::string> Prefix;
};
BOOST_DESCRIBE_STRUCT(ListInput, (), (Bucket, MaxKeys, Prefix))

struct Owner {
  std::optional<std::string> ID;
};
BOOST_DESCRIBE_STRUCT(Owner, (), (ID))

struct Object {
  std::optional<std::string> Key;
  std::optional<Timestamp> LastModified;
  std::optional<std::int64_t> Size;
  std::optional<Owner> Owner;
};
BOOST_DESCRIBE_STRUCT(Object, (), (Key, LastModified, Size, Owner))

struct ListOutput {
  std::optional<bool> IsTruncated;
  std::optional<std::vector<Object>> Contents;
  std::optional<std::string> Name;
  std::optional<std::string> RequestCharged;
};
BOOST_DESCRIBE_STRUCT(ListOutput, (), (IsTruncated, Contents, Name, RequestCharged))

struct Bucket {
  std::optional<std::string> Name;
  std::optional<Timestamp> CreationDate;
};
BOOST_DESCRIBE_STRUCT(Bucket, (), (Name, CreationDate))

struct BucketsOutput {
  std::optional<std::vector<Bucket>> Buckets;
};
BOOST_DESCRIBE_STRUCT(BucketsOutput, (), (Buckets))

struct Grantee {
  std::optional<std::string> ID;
  std::string Type;
};
BOOST_DESCRIBE_STRUCT(Grantee, (), (ID, Type))

struct Grant {
  std::optional<Grantee> Grantee;
  std::optional<std::string> Permission;
};
BOOST_DESCRIBE_STRUCT(Grant, (), (Grantee, Permission))

struct BucketInput {
  std::string Bucket;
};
BOOST_DESCRIBE_STRUCT(BucketInput, (), (Bucket))

struct AclOutput {
  std::optional<std::vector<Grant>> Grants;
};
BOOST_DESCRIBE_STRUCT(AclOutput, (), (Grants))

struct Policy {
  std::optional<std::vector<Grant>> Grants;
};
BOOST_DESCRIBE_STRUCT(Policy, (), (Grants))

struct PutAclInput {
  std::string Bucket;
  std::optional<Policy> AccessControlPolicy;
};
BOOST_DESCRIBE_STRUCT(PutAclInput, (), (Bucket, AccessControlPolicy))

struct PutObjectInput {
  std::string Bucket;
  std::string Key;
  Blob Body;
  std::optional<std::map<std::string, std::string>> Metadata;
  std::optional<Timestamp> ObjectLockRetainUntilDate;
};
BOOST_DESCRIBE_STRUCT(PutObjectInput, (), (Bucket, Key, Body, Metadata, ObjectLockRetainUntilDate))

struct HeadInput {
  std::string Bucket, Key;
  std::optional<Timestamp> IfModifiedSince;
};
BOOST_DESCRIBE_STRUCT(HeadInput, (), (Bucket, Key, IfModifiedSince))

struct HeadOutput {
  std::optional<std::int64_t> ContentLength;
  std::optional<Timestamp> LastModified;
  std::optional<std::map<std::string, std::string>> Metadata;
};
BOOST_DESCRIBE_STRUCT(HeadOutput, (), (ContentLength, LastModified, Metadata))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct S3 {};
S3 s3;

template <class In, class Out>
base::Task<Out> unused(S3&, Caller, In) {
  co_return Out{};
}

template <class In>
std::string any(const Caller&, const In&) {
  return "*";
}

const model::Table& table() {
  static const model::Table made(
      std::string_view(s3_model_begin, static_cast<std::size_t>(s3_model_end - s3_model_begin)));
  return made;
}

const Service& bound() {
  static const Service made =
      bind_service_of(table(), "s3", &s3,
                      {operation("PutBucketLifecycleConfiguration", unused<PutLifecycleInput, PutLifecycleOutput>, any),
                       operation("ListObjectsV2", unused<ListInput, ListOutput>, any),
                       operation("ListBuckets", unused<Nothing, BucketsOutput>, any),
                       operation("GetBucketAcl", unused<BucketInput, AclOutput>, any),
                       operation("PutBucketAcl", unused<PutAclInput, Nothing>, any),
                       operation("PutObject", unused<PutObjectInput, Nothing>, any),
                       operation("HeadObject", unused<HeadInput, HeadOutput>, any)});
  return made;
}

Request request(std::string method, std::string path, std::string body = {}) {
  Request made;
  made.method = std::move(method);
  const auto mark = path.find('?');
  made.path = path.substr(0, mark);
  if (mark != std::string::npos) made.query = path.substr(mark + 1);
  made.body = std::move(body);
  return made;
}

template <class In>
In decode(const Request& request) {
  const auto match = bound().match(request);
  const auto value = bound().decode(match, request);
  return std::move(*static_cast<In*>(value.get()));
}

template <class Out>
Response encode(const Request& request, const Out& out) {
  return bound().encode(bound().match(request), &out, "id-1");
}

TEST(RestXml, EveryOperationOfTheModelIsReachable) {
  const auto none = bind_service_of(table(), "s3", nullptr, {});
  const auto model = table().find_service("s3").value();
  for (std::uint32_t i = 0; i < model.operation_count(); ++i) {
    const auto operation = model.operation(i);
    auto asked = request(std::string(operation.method()), std::string(operation.uri()));
    if (const auto input = operation.input()) {
      for (const auto member : input->members()) {
        const std::string name(member.wire_name());
        if (member.required() && member.location() == model::Location::query) asked.query += "&" + name + "=1";
        if (member.required() && member.location() == model::Location::header) asked.headers.add(name, "1");
      }
    }
    try {
      none.match(asked);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), "Lambent does not implement " + std::string(operation.name()) + " yet");
    }
  }
}

TEST(RestXml, ReadsAStructuredPayload) {
  const auto in =
      decode<PutLifecycleInput>(request("PUT", "/bucket?lifecycle", R"(<?xml version="1.0" encoding="UTF-8"?>
    <LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
      <!-- two rules -->
      <Rule><ID>a &amp; b</ID><Status>Enabled</Status><Filter><And><Prefix>logs/</Prefix>
        <Tag><Key>k1</Key><Value>v1</Value></Tag><Tag><Key>k2</Key><Value/></Tag></And></Filter>
        <Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition>
        <Transition><Days>90</Days><StorageClass><![CDATA[DEEP_ARCHIVE]]></StorageClass></Transition>
        <Expiration><Date>2026-01-01T00:00:00.000Z</Date></Expiration></Rule>
      <Rule><Status>Disabled</Status><Filter><Prefix>tmp/</Prefix></Filter><Expiration><Days>1</Days></Expiration></Rule>
    </LifecycleConfiguration>)"));
  EXPECT_EQ(in.Bucket, "bucket");
  ASSERT_EQ(in.LifecycleConfiguration->Rules.size(), 2U);
  const auto& first = in.LifecycleConfiguration->Rules[0];
  EXPECT_EQ(first.ID, "a & b");
  EXPECT_EQ(first.Filter->And->Prefix, "logs/");
  ASSERT_EQ(first.Filter->And->Tags->size(), 2U);
  EXPECT_EQ(first.Filter->And->Tags->at(1).Value, "");
  ASSERT_EQ(first.Transitions->size(), 2U);
  EXPECT_EQ(first.Transitions->at(1).StorageClass, "DEEP_ARCHIVE");
  EXPECT_EQ(first.Expiration->Date, Timestamp{1767225600000});
  EXPECT_EQ(in.LifecycleConfiguration->Rules[1].Expiration->Days, 1);
}

TEST(RestXml, ReadsAttributesAndPrefixedElements) {
  const auto in = decode<PutAclInput>(request("PUT", "/bucket?acl", R"(<s3:AccessControlPolicy xmlns:s3="urn:x"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s3:AccessControlList><s3:Grant>
    <s3:Grantee xsi:type="CanonicalUser"><s3:ID>me</s3:ID></s3:Grantee><s3:Permission>READ</s3:Permission>
    </s3:Grant></s3:AccessControlList></s3:AccessControlPolicy>)"));
  ASSERT_EQ(in.AccessControlPolicy->Grants->size(), 1U);
  EXPECT_EQ(in.AccessControlPolicy->Grants->at(0).Grantee->Type, "CanonicalUser");
  EXPECT_EQ(in.AccessControlPolicy->Grants->at(0).Grantee->ID, "me");
}

TEST(RestXml, ReadsKeysHeadersMetadataAndRawBodies) {
  auto asked = request("PUT", "/bucket/a/b%20c/", "\x00\xFF<");
  asked.body = std::string("\x00\xFF<", 3);
  asked.headers.add("X-Amz-Meta-Owner", "me");
  asked.headers.add("x-amz-meta-", "nameless");
  asked.headers.add("x-amz-object-lock-retain-until-date", "2026-01-31T12:34:56Z");
  const auto in = decode<PutObjectInput>(asked);
  EXPECT_EQ(in.Key, "a/b c/");
  EXPECT_EQ(in.Body.bytes, std::string("\x00\xFF<", 3));
  EXPECT_EQ(*in.Metadata, (std::map<std::string, std::string>{{"owner", "me"}}));
  EXPECT_EQ(in.ObjectLockRetainUntilDate, Timestamp{1769862896000});
}

TEST(RestXml, ReadsTimestampsOfHeaders) {
  auto asked = request("HEAD", "/bucket/key");
  asked.headers.add("If-Modified-Since", "Sat, 31 Jan 2026 12:34:56 GMT");
  EXPECT_EQ(decode<HeadInput>(asked).IfModifiedSince, Timestamp{1769862896000});
}

TEST(RestXml, RefusesWhatIsNotPlainXml) {
  const auto code = [](const std::string& body) {
    try {
      decode<PutLifecycleInput>(request("PUT", "/bucket?lifecycle", body));
      return std::string();
    } catch (const Error& error) {
      return error.code();
    }
  };
  const std::string bomb =
      R"(<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><LifecycleConfiguration><Rule><ID>&b;</ID></Rule></LifecycleConfiguration>)";
  for (const std::string& body : std::vector<std::string>{
           "x", "<a>", "<a></b>", bomb, "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
           "<LifecycleConfiguration><Rule><Expiration><Days>x</Days></Expiration></Rule></LifecycleConfiguration>",
           "<LifecycleConfiguration><Rule><ID><x/></ID></Rule></LifecycleConfiguration>",
           "<LifecycleConfiguration><Rule><ID>\xFF</ID></Rule></LifecycleConfiguration>"}) {
    EXPECT_EQ(code(body), "MalformedXML") << body;
  }
  EXPECT_EQ(code("<LifecycleConfiguration><Rule><Status>On</Status></Rule></LifecycleConfiguration>"),
            "InvalidRequest");
  // An entity that nobody declared stays the text it is.
  const auto in = decode<PutLifecycleInput>(
      request("PUT", "/bucket?lifecycle",
              "<LifecycleConfiguration><Rule><ID>&b;</ID><Status>Enabled</Status></Rule></LifecycleConfiguration>"));
  EXPECT_EQ(in.LifecycleConfiguration->Rules[0].ID, "&b;");
}

TEST(RestXml, DeepAndHugeDocumentsAreHarmless) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_THROW(decode<PutLifecycleInput>(request("PUT", "/bucket?lifecycle", deep)), Error);
  for (int i = 0; i < 100'000; ++i) deep += "</a>";
  EXPECT_THROW(decode<PutLifecycleInput>(request("PUT", "/bucket?lifecycle", deep)), Error);
  std::string rules = "<LifecycleConfiguration>";
  for (int i = 0; i < 50'000; ++i) rules += "<Rule><Status>Enabled</Status></Rule>";
  EXPECT_EQ(decode<PutLifecycleInput>(request("PUT", "/bucket?lifecycle", rules + "</LifecycleConfiguration>"))
                .LifecycleConfiguration->Rules.size(),
            50'000U);
}

TEST(RestXml, WritesFlattenedAndWrappedLists) {
  ListOutput out;
  out.IsTruncated = false;
  out.Name = "bucket";
  out.RequestCharged = "requester";
  out.Contents = std::vector<Object>{Object{"a&b", Timestamp{1700000000000}, 1LL << 40, Owner{"me"}},
                                     Object{"c", std::nullopt, 0, std::nullopt}};
  const auto response = encode(request("GET", "/bucket?list-type=2"), out);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/xml");
  EXPECT_EQ(response.headers.get("x-amz-request-charged"), "requester");
  EXPECT_EQ(response.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListObjectsV2Output><IsTruncated>false</IsTruncated>"
            "<Contents><Key>a&amp;b</Key><LastModified>2023-11-14T22:13:20Z</LastModified><Size>1099511627776</Size>"
            "<Owner><ID>me</ID></Owner></Contents><Contents><Key>c</Key><Size>0</Size></Contents>"
            "<Name>bucket</Name></ListObjectsV2Output>");
  BucketsOutput buckets;
  buckets.Buckets = std::vector<Bucket>{Bucket{"b", Timestamp{0}}};
  EXPECT_NE(
      encode(request("GET", "/"), buckets)
          .body.find(
              "<Buckets><Bucket><Name>b</Name><CreationDate>1970-01-01T00:00:00Z</CreationDate></Bucket></Buckets>"),
      std::string::npos);
}

TEST(RestXml, WritesAttributesHeadersAndMetadata) {
  AclOutput acl;
  acl.Grants = std::vector<Grant>{Grant{Grantee{"me", "CanonicalUser"}, "READ"}};
  EXPECT_NE(encode(request("GET", "/bucket?acl"), acl)
                .body.find("<AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                           "xsi:type=\"CanonicalUser\"><ID>me</ID></Grantee><Permission>READ</Permission></Grant></"
                           "AccessControlList>"),
            std::string::npos);
  HeadOutput head;
  head.LastModified = Timestamp{1769862896000};
  head.Metadata.emplace()["owner"] = "me";
  const auto response = encode(request("HEAD", "/bucket/key"), head);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.headers.get("Last-Modified"), "Sat, 31 Jan 2026 12:34:56 GMT");
  EXPECT_EQ(response.headers.get("x-amz-meta-owner"), "me");
}

TEST(RestXml, WordsErrors) {
  const auto response = bound().encode_error(Error("NoSuchBucket", "no <b>", 404).with("BucketName", "b"), "id-2");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(
      response.body,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code><Message>no &lt;b&gt;</Message>"
      "<BucketName>b</BucketName><RequestId>id-2</RequestId></Error>");
}

}  // namespace
}  // namespace lambent::aws
