// Code that is in S3: what is asked for, what comes of it, and how each failure is worded.
#include "services/lambda/code_source.h"

#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::HasSubstr;
using testing::ServiceFixture;
using testing::json::object;
namespace json = testing::json;
using Kind = aws::ObjectRead::Kind;

class FakeObjects final : public aws::Objects {
 public:
  base::Task<aws::ObjectRead> read(aws::Caller reader, aws::ObjectName object, std::size_t max_bytes) override {
    asked.push_back(reader.arn + " " + object.bucket + "/" + object.key + "?" + object.version);
    bound = max_bytes;
    co_return answer;
  }
  std::vector<std::string> asked;
  std::size_t bound = 0;
  aws::ObjectRead answer;
};

class CodeSources : public ServiceFixture {
 protected:
  CodeSources() {
    objects_ = &s3_;
    s3_.answer.bytes = *base::unbase64(zip64("from s3"));
    granted_ = {"s3:GetObject arn:aws:s3:::bucket/dir/code.zip",
                "s3:GetObjectVersion arn:aws:s3:::bucket/dir/code.zip"};
    open();
  }
  static object in_s3(object more = {}) {
    object code{{"S3Bucket", "bucket"}, {"S3Key", "dir/code.zip"}};
    for (const auto& member : more) code[member.key()] = member.value();
    return code;
  }
  Answer create_from(const object& code) {
    auto body = creation("f");
    body["Code"] = code;
    return create(body);
  }
  static std::string said(const Answer& answer) {
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  }

  FakeObjects s3_;
};

TEST_F(CodeSources, AFunctionTakesItsCodeFromS3AsFromTheRequest) {
  const auto made = create_from(in_s3());
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(s3_.asked.back(), "arn:aws:iam::123456789012:user/ann bucket/dir/code.zip?");
  EXPECT_EQ(s3_.bound, 262'144'000U);
  EXPECT_EQ(made.text("CodeSha256"), base::base64(base::sha256(s3_.answer.bytes)));
  s3_.answer.bytes = *base::unbase64(zip64("newer"));
  const auto updated = update_code("f", in_s3({{"S3ObjectVersion", "v2"}, {"S3ObjectStorageMode", "COPY"}}));
  EXPECT_EQ(updated.status, 200) << updated.body;
  EXPECT_EQ(s3_.asked.back(), "arn:aws:iam::123456789012:user/ann bucket/dir/code.zip?v2");
  EXPECT_EQ(updated.text("CodeSha256"), base::base64(base::sha256(s3_.answer.bytes)));
}

TEST_F(CodeSources, ALayerToo) {
  const auto made = send("POST", "/2018-10-31/layers/tools/versions", json::serialize(object{{"Content", in_s3()}}));
  EXPECT_EQ(made.status, 201) << made.body;
  const auto content = made.object().at("Content").as_object();
  EXPECT_EQ(std::string_view(content.at("CodeSha256").as_string()), base::base64(base::sha256(s3_.answer.bytes)));
}

TEST_F(CodeSources, ADryRunFetchesAndStoresNothing) {
  create("f");
  const auto before = code_->hashes();
  auto body = in_s3();
  body["DryRun"] = true;
  EXPECT_EQ(update_code("f", body).status, 200);
  EXPECT_EQ(s3_.asked.size(), 1U);
  EXPECT_EQ(code_->hashes(), before);
}

TEST_F(CodeSources, S3sRefusalIsPassedOnInAwssWords) {
  const auto refused = [&](std::string code, std::string message) {
    s3_.answer = {
        .kind = Kind::refused, .bytes = {}, .code = std::move(code), .message = std::move(message), .share = {}};
    return said(create_from(in_s3()));
  };
  EXPECT_EQ(refused("NoSuchKey", "The specified key does not exist."),
            "400 InvalidParameterValueException: Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error "
            "Message: The specified key does not exist.");
  EXPECT_EQ(refused("NoSuchBucket", "The specified bucket does not exist"),
            "400 InvalidParameterValueException: Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error "
            "Message: The specified bucket does not exist");
  EXPECT_EQ(refused("AccessDenied", "Access Denied"),
            "403 AccessDeniedException: Your access has been denied by S3, please make sure your request credentials "
            "have permission to GetObject for bucket/dir/code.zip. S3 Error Code: AccessDenied. S3 Error Message: "
            "Access Denied");
}

TEST_F(CodeSources, FailuresSayWhatToDo) {
  const auto failing = [&](Kind kind, std::string message = "") {
    s3_.answer = {.kind = kind, .bytes = {}, .code = {}, .message = std::move(message), .share = {}};
    return said(create_from(in_s3()));
  };
  EXPECT_EQ(failing(Kind::too_large),
            "400 InvalidParameterValueException: Unzipped size must be smaller than 262144000 bytes");
  EXPECT_THAT(failing(Kind::busy), HasSubstr("429 TooManyRequestsException: "));
  EXPECT_EQ(failing(Kind::unreachable, "h:80: no answer within 50000 ms"),
            "500 ServiceException: Error occurred while GetObject. h:80: no answer within 50000 ms");
  s3_.answer = {};
  s3_.answer.bytes = "no zip";
  EXPECT_THAT(said(create_from(in_s3())), HasSubstr("400 InvalidParameterValueException: Could not unzip"));
}

TEST_F(CodeSources, TheCallerNeedsTheRightToRead) {
  granted_.erase("s3:GetObjectVersion arn:aws:s3:::bucket/dir/code.zip");
  EXPECT_THAT(said(create_from(in_s3({{"S3ObjectVersion", "v2"}}))),
              HasSubstr("403 AccessDeniedException: Your access"));
  EXPECT_THAT(said(create_from(in_s3({{"S3Key", "other.zip"}}))),
              HasSubstr("for bucket/other.zip. S3 Error Code: Acc"));
  EXPECT_TRUE(s3_.asked.empty());
  EXPECT_EQ(create_from(in_s3()).status, 201);
}

TEST_F(CodeSources, WhatIsJudgedIsWhatIsRead) {
  for (const char* key : {"../theirs/code.zip", "dir/./code.zip", "dir/.."})
    EXPECT_THAT(said(create_from(in_s3({{"S3Key", key}}))), HasSubstr("S3 Error Code: InvalidArgument")) << key;
  EXPECT_THAT(said(create_from(in_s3({{"S3Bucket", ""}}))), HasSubstr("400"));
  EXPECT_TRUE(s3_.asked.empty());
}

TEST_F(CodeSources, ThereIsOneSource) {
  const auto zip = zip64();
  EXPECT_EQ(said(create_from(in_s3({{"ZipFile", zip}}))),
            "400 InvalidParameterValueException: Please do not provide other FunctionCode parameters when providing a "
            "ZipFile.");
  constexpr const char* kNone = "400 InvalidParameterValueException: Please provide a source for function code.";
  EXPECT_EQ(said(create_from({{"S3Bucket", "bucket"}})), kNone);
  EXPECT_EQ(said(create_from({{"S3Key", "key"}})), kNone);
  EXPECT_EQ(said(create_from({})), kNone);
  EXPECT_THAT(said(create_from(in_s3({{"S3ObjectStorageMode", "REFERENCE"}}))),
              HasSubstr("400 InvalidParameterValueException: S3ObjectStorageMode: "));
  EXPECT_TRUE(s3_.asked.empty());
}

TEST_F(CodeSources, WithoutAnEndpointTheRefusalNamesTheOption) {
  objects_ = nullptr;
  open();
  EXPECT_THAT(said(create_from(in_s3())), HasSubstr("400 InvalidParameterValueException: S3Bucket: no endpoint is "
                                                    "configured for s3: start Lambent with --target-endpoint s3=URL"));
}

}  // namespace
}  // namespace lambent::lambda
