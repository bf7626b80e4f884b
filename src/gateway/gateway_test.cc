#include "gateway/gateway.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "auth/session_tokens.h"
#include "aws/event_stream.h"
#include "base/ids.h"
#include "store/identities.h"
#include "store/migrations.h"

namespace lambent::gateway {
namespace {

using ::testing::HasSubstr;
namespace asio = base::asio;
namespace http = base::http;

struct GetFunctionConcurrencyInput {
  std::string FunctionName;
};
BOOST_DESCRIBE_STRUCT(GetFunctionConcurrencyInput, (), (FunctionName))
struct GetFunctionConcurrencyOutput {
  std::optional<std::int32_t> ReservedConcurrentExecutions;
};
BOOST_DESCRIBE_STRUCT(GetFunctionConcurrencyOutput, (), (ReservedConcurrentExecutions))
struct GetCallerIdentityInput {};
BOOST_DESCRIBE_STRUCT(GetCallerIdentityInput, (), ())
struct GetCallerIdentityOutput {
  std::string Account;
};
BOOST_DESCRIBE_STRUCT(GetCallerIdentityOutput, (), (Account))

struct StreamInput {
  std::string FunctionName;
};
BOOST_DESCRIBE_STRUCT(StreamInput, (), (FunctionName))
struct StreamUpdate {
  aws::Blob Payload;
};
BOOST_DESCRIBE_STRUCT(StreamUpdate, (), (Payload))
struct StreamEvents {
  std::optional<StreamUpdate> PayloadChunk;
};
BOOST_DESCRIBE_STRUCT(StreamEvents, (), (PayloadChunk))
struct StreamOutput {
  aws::EventStream<StreamEvents> EventStream;
};
BOOST_DESCRIBE_STRUCT(StreamOutput, (), (EventStream))

/// Three chunks; "broken" has no end.
class ThreeChunks final : public aws::EventsOf<StreamEvents> {
 public:
  ThreeChunks(bool broken, bool* gone) : broken_(broken), gone_(gone) {}
  ~ThreeChunks() override { *gone_ = true; }
  base::Task<std::optional<StreamEvents>> next_event() override {
    if (sent_ == 3 && broken_) throw std::runtime_error("the pipe burst");
    if (sent_ == 3) co_return std::nullopt;
    StreamEvents event;
    event.PayloadChunk = StreamUpdate{{fmt::format("part {}", ++sent_)}};
    co_return event;
  }

 private:
  bool broken_;
  bool* gone_;
  int sent_ = 0;
};

/// What the operations of the test do and see.
struct Backend {
  int calls = 0;
  aws::Caller caller;
  bool stream_gone = false;
};

base::Task<StreamOutput> stream(Backend& backend, aws::Caller, StreamInput input) {
  StreamOutput out;
  out.EventStream.source = std::make_shared<ThreeChunks>(input.FunctionName == "broken", &backend.stream_gone);
  co_return out;
}

base::Task<GetFunctionConcurrencyOutput> get_concurrency(Backend& backend, aws::Caller caller,
                                                         GetFunctionConcurrencyInput input) {
  ++backend.calls;
  backend.caller = caller;
  if (input.FunctionName == "missing")
    throw aws::Error("ResourceNotFoundException", "Function not found: missing", 404);
  if (input.FunctionName == "broken") throw std::runtime_error("disk on fire, secret path");
  co_return GetFunctionConcurrencyOutput{7};
}

base::Task<GetCallerIdentityOutput> get_identity(Backend& backend, aws::Caller caller, GetCallerIdentityInput) {
  ++backend.calls;
  co_return GetCallerIdentityOutput{caller.account};
}

std::string function_arn(const aws::Caller&, const GetFunctionConcurrencyInput& input) {
  return "arn:aws:lambda:us-east-1:123456789012:function:" + input.FunctionName;
}
std::string anything(const aws::Caller&, const GetCallerIdentityInput&) { return "*"; }
std::string any_stream(const aws::Caller&, const StreamInput&) { return "*"; }

/// A request without a socket.
class FakeExchange final : public http::Exchange {
 public:
  FakeExchange(std::string method, std::string path, std::string body) : arriving_(std::move(body)) {
    request_.method = std::move(method);
    request_.path = std::move(path);
    request_.headers.add("Host", "127.0.0.1:4566");
    request_.peer = "127.0.0.1";
  }
  http::Request& request() override { return request_; }
  std::optional<std::uint64_t> declared_length() const override { return declared.value_or(arriving_.size()); }
  base::Task<http::BodyStatus> read_body(std::size_t limit) override {
    read = true;
    if (arriving_.size() > limit) co_return http::BodyStatus::too_large;
    request_.body = arriving_;
    co_return http::BodyStatus::complete;
  }
  base::Task<bool> respond(http::Response response) override {
    answer = std::move(response);
    co_return true;
  }
  base::Task<bool> respond_with_next(http::Response response) override { return respond(std::move(response)); }
  base::Task<http::BodyStatus> read_part(std::string&) override { co_return http::BodyStatus::malformed; }
  const http::Headers& trailers() const override { return request_.headers; }
  base::Task<bool> begin_response(http::Response response) override { return respond(std::move(response)); }
  base::Task<bool> write_part(std::string_view bytes) override {
    parts.emplace_back(bytes);
    co_return parts.size() < leaves_after;
  }
  base::Task<bool> end_response() override {
    ended = true;
    co_return true;
  }
  void close_after() override {}

  http::Response answer;
  std::vector<std::string> parts;
  bool ended = false;
  /// How many parts the client waits for.
  std::size_t leaves_after = 1000;
  bool read = false;
  std::optional<std::uint64_t> declared;

 private:
  http::Request request_;
  std::string arriving_;
};

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest()
      : directory_(std::filesystem::temp_directory_path() / ("lambent-gateway-" + base::random_hex(8))),
        lambda_(aws::service("lambda", backend_,
                             rows(aws::operation("GetFunctionConcurrency", get_concurrency, function_arn),
                                  aws::operation("InvokeWithResponseStream", stream, any_stream)))),
        sts_(aws::service("sts", backend_,
                          rows(aws::operation("GetCallerIdentity", get_identity, anything)
                                   .authorized(aws::Authorization::authenticated)))) {
    std::filesystem::create_directories(directory_);
    database_ = std::make_unique<store::Database>(directory_ / "db", store::migrations());
    identities_ = std::make_unique<store::Identities>(*database_);
    authenticator_ = std::make_unique<auth::Authenticator>(*identities_, tokens_, clock_);
    authorizer_ = std::make_unique<auth::Authorizer>(*identities_, clock_);
    open(false);
  }
  ~GatewayTest() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  template <class... Rows>
  static std::vector<aws::Row> rows(Rows... row) {
    std::vector<aws::Row> rows;
    (rows.push_back(std::move(row)), ...);
    return rows;
  }

  void open(bool verify, std::size_t budget = 1 << 24) {
    Options options{verify, "123456789012", budget};
    gateway_ = std::make_unique<Gateway>(options, std::vector<const aws::Service*>{&lambda_, &sts_}, *authenticator_,
                                         *authorizer_, clock_, metrics_, cpu_);
  }

  http::Response send(FakeExchange& exchange, Door door = Door::server) {
    asio::io_context context(1);
    const http::Server::Handler handler = gateway_->handler(door);
    asio::co_spawn(context, handler(exchange), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    context.run();
    return exchange.answer;
  }
  http::Response send(std::string method, std::string path, std::string body = {}) {
    FakeExchange exchange(std::move(method), std::move(path), std::move(body));
    return send(exchange);
  }

  static constexpr auto kConcurrency = "/2019-09-30/functions/f/concurrency";

  std::filesystem::path directory_;
  base::SystemClock clock_;
  base::Metrics metrics_;
  base::CpuPool cpu_{1};
  Backend backend_;
  aws::Service lambda_, sts_;
  auth::SessionTokens tokens_{std::string(32, 'k'), clock_};
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Identities> identities_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<auth::Authorizer> authorizer_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayTest, CarriesARequestToItsOperationAndBack) {
  const auto response = send("GET", kConcurrency);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"ReservedConcurrentExecutions":7})");
  EXPECT_EQ(response.headers.get("x-amzn-RequestId"), backend_.caller.request_id);
  EXPECT_EQ(backend_.caller.endpoint, "http://127.0.0.1:4566");
  EXPECT_EQ(backend_.caller.arn, "arn:aws:iam::123456789012:root");
}

TEST_F(GatewayTest, MatchesThePathThatASignatureCovers) {
  EXPECT_EQ(send("GET", "/2019-09-30/functions/x/../f//concurrency").status, 200);
  EXPECT_EQ(send("GET", "/2019-09-30/functions/f/concurrency/../../..").status, 404);
}

TEST_F(GatewayTest, FormsGoToTheQueryServices) {
  FakeExchange exchange("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15");
  exchange.request().headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_THAT(send(exchange).body, HasSubstr("<Account>123456789012</Account>"));
}

TEST_F(GatewayTest, RefusalsKeepTheirWordsAndSurprisesDoNot) {
  const auto missing = send("GET", "/2019-09-30/functions/missing/concurrency");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("Function not found: missing"));
  EXPECT_EQ(missing.headers.get("x-amzn-ErrorType"), "ResourceNotFoundException");
  const auto broken = send("GET", "/2019-09-30/functions/broken/concurrency");
  EXPECT_EQ(broken.status, 500);
  EXPECT_THAT(broken.body, ::testing::Not(HasSubstr("secret")));
}

TEST_F(GatewayTest, UnknownPathsAndUnservedOperationsAreTold) {
  EXPECT_EQ(send("GET", "/nothing").status, 404);
  EXPECT_EQ(send("GET", "/2018-10-31/layers").status, 501);
  EXPECT_EQ(backend_.calls, 0);
}

TEST_F(GatewayTest, UnsignedRequestsGetNowhereAndTheirBodiesAreNotRead) {
  open(true);
  FakeExchange exchange("GET", kConcurrency, "{}");
  const auto response = send(exchange);
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.headers.get("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
  EXPECT_FALSE(exchange.read);
  EXPECT_EQ(backend_.calls, 0);
}

TEST_F(GatewayTest, AFunctionsDoorVerifiesEvenWithoutAuthAndHasNothingButTheApi) {
  FakeExchange unsigned_call("GET", kConcurrency, "");
  EXPECT_EQ(send(unsigned_call, Door::function).status, 403);
  gateway_->add_route({"/_lambent/health", false,
                       [](const http::Request&) -> base::Task<http::Response> { co_return http::Response{}; }});
  EXPECT_EQ(send("GET", "/_lambent/health").status, 200);
  FakeExchange health("GET", "/_lambent/health", "");
  EXPECT_NE(send(health, Door::function).status, 200);
}

TEST_F(GatewayTest, LocalRoutesAnswerNobodyElse) {
  gateway_->add_route({"/_lambent/metrics", true,
                       [](const http::Request&) -> base::Task<http::Response> { co_return http::Response{}; }});
  FakeExchange far("GET", "/_lambent/metrics", "");
  far.request().peer = "192.0.2.1";
  EXPECT_EQ(send(far).status, 404);
  EXPECT_EQ(send("GET", "/_lambent/metrics").status, 200);
  EXPECT_EQ(send("POST", "/_lambent/metrics").status, 405);
}

TEST_F(GatewayTest, BodiesAreBoundedByTheOperationAndByTheBudgetOfAll) {
  FakeExchange large("GET", kConcurrency, "");
  large.declared = (1 << 20) + 1;
  EXPECT_EQ(send(large).status, 413);
  EXPECT_FALSE(large.read);
  open(false, 100);
  FakeExchange unlucky("GET", kConcurrency, std::string(101, 'x'));
  EXPECT_EQ(send(unlucky).status, 503);
  FakeExchange fits("GET", kConcurrency, "");
  EXPECT_EQ(send(fits).status, 200);
}

TEST_F(GatewayTest, RefusalsOfHostsOfTheirOwnCarryARequestId) {
  open(false, 100);
  HostRoute route;
  route.id_of = [](std::string_view) { return std::nullopt; };
  route.max_body = 1000;
  route.answer = [](const http::Request&, std::string, std::string,
                    const std::function<aws::Caller()>&) -> base::Task<aws::Answer> { co_return aws::Answer{}; };
  gateway_->set_host_route(std::move(route));
  for (const auto& [length, status] : {std::pair(1001, 413), std::pair(101, 503), std::pair(1, 200)}) {
    FakeExchange asked("POST", "/_lambent/url/abc/", std::string(static_cast<std::size_t>(length), 'x'));
    const http::Response response = send(asked);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.headers.get("x-amzn-RequestId").size(), 36u) << status;
  }
}

TEST(BodyBudget, SharesReturnThemselves) {
  BodyBudget budget(10);
  {
    const auto share = budget.take(8);
    EXPECT_TRUE(share);
    EXPECT_FALSE(budget.take(3));
  }
  EXPECT_TRUE(budget.take(10));
}

TEST_F(GatewayTest, SendsAStreamingOutputPartByPart) {
  FakeExchange whole("POST", "/2021-11-15/functions/f/response-streaming-invocations", "");
  const http::Response head = send(whole);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.get("Content-Type"), "application/vnd.amazon.eventstream");
  EXPECT_FALSE(head.headers.get("x-amzn-RequestId").empty());
  ASSERT_EQ(whole.parts.size(), 3u);
  EXPECT_NE(whole.parts[2].find("part 3"), std::string::npos);
  EXPECT_TRUE(whole.ended);
}

TEST_F(GatewayTest, LeavesAnAnswerUnendedWhenItsSourceFails) {
  FakeExchange broken("POST", "/2021-11-15/functions/broken/response-streaming-invocations", "");
  send(broken);
  EXPECT_EQ(broken.parts.size(), 3u);
  EXPECT_FALSE(broken.ended);
}

TEST_F(GatewayTest, LetsGoOfAStreamWhoseClientHasLeft) {
  FakeExchange leaving("POST", "/2021-11-15/functions/f/response-streaming-invocations", "");
  leaving.leaves_after = 2;
  send(leaving);
  EXPECT_EQ(leaving.parts.size(), 2u);
  EXPECT_FALSE(leaving.ended);
  EXPECT_TRUE(backend_.stream_gone);
}

}  // namespace
}  // namespace lambent::gateway
