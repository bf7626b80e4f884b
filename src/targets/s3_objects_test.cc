#include "targets/s3_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "auth/claim.h"
#include "auth/sigv4.h"
#include "aws/error.h"
#include "base/digest.h"
#include "base/http_server.h"
#include "base/lanes.h"

namespace lambent::targets {
namespace {

namespace asio = base::asio;
namespace http = base::http;
using ::testing::HasSubstr;
using Kind = aws::ObjectRead::Kind;

/// An S3 that answers what a test says.
class S3ObjectsTest : public ::testing::Test {
 protected:
  S3ObjectsTest() {
    std::uint16_t port = 0;
    auto listener = http::listen_tcp("127.0.0.1", 0, &port);
    server_ = http::serve(lanes_.lane(0).get_executor(), std::move(listener), {},
                          [this](http::Exchange& exchange) { return answer(exchange); });
    endpoint_ = *Endpoint::parse("http://127.0.0.1:" + std::to_string(port) + "/prefix");
    auto credentials = [this](const aws::Caller& caller) {
      asked_for_ = caller.arn;
      if (caller.arn == "gone") throw aws::Error("AccessDeniedException", "The caller's credentials are gone.", 403);
      return Credentials{"AKIAEXAMPLE", "secret", ""};
    };
    objects_ = make_objects(endpoint_, {clock_, credentials, 5000});
    lanes_.start();
  }
  ~S3ObjectsTest() override {
    asio::post(lanes_.lane(0), [this] { server_->abort(); });
    asio::co_spawn(lanes_.lane(0), nothing(), asio::use_future).get();
    lanes_.stop();
  }
  static base::Task<void> nothing() { co_return; }
  base::Task<void> answer(http::Exchange& exchange) {
    co_await exchange.read_body(1 << 20);
    seen_ = exchange.request();
    http::Response response;
    response.status = status_;
    response.body = body_;
    co_await exchange.respond(std::move(response));
  }
  aws::ObjectRead read(const aws::ObjectName& object = {"bucket", "code.zip", ""}, std::size_t max_bytes = 4000,
                       const std::string& caller = "arn:aws:iam::123456789012:user/ann") {
    aws::Caller reader;
    reader.arn = caller;
    reader.region = "us-east-1";
    auto task = objects_->read(reader, object, max_bytes);
    return asio::co_spawn(lanes_.lane(0), std::move(task), asio::use_future).get();
  }

  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1'769'862'896'789))};
  base::Lanes lanes_{1};
  std::unique_ptr<http::Server> server_;
  Endpoint endpoint_;
  std::unique_ptr<aws::Objects> objects_;
  http::Request seen_;
  std::string asked_for_;
  int status_ = 200;
  std::string body_ = "zip";
};

TEST_F(S3ObjectsTest, ReadsByPathSignedAsTheCaller) {
  const auto found = read({"bucket", "a dir/code+1.zip", "v=1"});
  EXPECT_EQ(found.kind, Kind::read);
  EXPECT_EQ(found.bytes, "zip");
  EXPECT_EQ(asked_for_, "arn:aws:iam::123456789012:user/ann");
  EXPECT_EQ(seen_.method, "GET");
  EXPECT_EQ(seen_.path, "/prefix/bucket/a%20dir/code%2B1.zip");
  EXPECT_EQ(seen_.query, "versionId=v%3D1");
  const auth::Claim claim = auth::parse_claim(seen_);
  EXPECT_EQ(claim.service, "s3");
  EXPECT_EQ(claim.access_key_id, "AKIAEXAMPLE");
  const auto hash = auth::sigv4::payload_hash(claim, "");
  const auto text = auth::sigv4::string_to_sign(claim, auth::sigv4::canonical_request(claim, seen_, hash));
  EXPECT_EQ(auth::sigv4::signature(auth::sigv4::signing_key("secret", "20260131", "us-east-1", "s3"), text),
            claim.signature);
}

TEST_F(S3ObjectsTest, PassesS3sRefusalOn) {
  status_ = 404;
  body_ =
      "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>The specified key\ndoes not "
      "exist.</Message></Error>";
  auto found = read();
  EXPECT_EQ(found.kind, Kind::refused);
  EXPECT_EQ(found.code, "NoSuchKey");
  EXPECT_EQ(found.message, "The specified key does not exist.") << "on one line";
  status_ = 403;
  body_ = "";
  found = read();
  EXPECT_EQ(found.kind, Kind::refused);
  EXPECT_EQ(found.code, "403");
}

TEST_F(S3ObjectsTest, KnowsAFailureFromARefusal) {
  status_ = 503;
  body_ = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
  auto found = read();
  EXPECT_EQ(found.kind, Kind::unreachable);
  EXPECT_EQ(found.message, "SlowDown: Please reduce your request rate.");
  asio::post(lanes_.lane(0), [this] { server_->abort(); });
  asio::co_spawn(lanes_.lane(0), nothing(), asio::use_future).get();
  found = read();
  EXPECT_EQ(found.kind, Kind::unreachable);
  EXPECT_THAT(found.message, HasSubstr("127.0.0.1"));
  found = read({"bucket", "key", ""}, 10, "gone");
  EXPECT_EQ(found.kind, Kind::unreachable);
  EXPECT_EQ(found.message, "The caller's credentials are gone.");
}

TEST_F(S3ObjectsTest, ReadsNoMoreThanItIsAskedFor) {
  body_ = std::string(1000, 'x');
  EXPECT_EQ(read({"bucket", "key", ""}, 999).kind, Kind::too_large);
  EXPECT_EQ(read({"bucket", "key", ""}, 1000).kind, Kind::read);
}

TEST_F(S3ObjectsTest, WhatIsHeldInMemoryIsBoundedUntilItIsLetGo) {
  body_ = std::string(2000, 'x');
  auto first = read({"bucket", "key", ""}, 3000);
  auto second = read({"bucket", "key", ""}, 3000);
  ASSERT_EQ(first.kind, Kind::read);
  ASSERT_EQ(second.kind, Kind::read);
  EXPECT_EQ(read({"bucket", "key", ""}, 3000).kind, Kind::busy);
  first = {};
  EXPECT_EQ(read({"bucket", "key", ""}, 3000).kind, Kind::read);
}

}  // namespace
}  // namespace lambent::targets
