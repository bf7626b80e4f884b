#include "runtime_api/telemetry.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

#include "base/fd.h"

namespace lambent::runtime_api {
namespace {

namespace asio = base::asio;
namespace http = base::http;
using asio::ip::tcp;

/// Telemetry on a lane of its own, and a listener of the test's.
class TelemetryTest : public ::testing::Test {
 protected:
  TelemetryTest()
      : listener_(client_, {asio::ip::address_v4::loopback(), 0}),
        guard_(asio::make_work_guard(lane_)),
        thread_([this] { lane_.run(); }) {
    auto make_socket = []() -> base::Task<base::Fd> {
      const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      co_return base::Fd(base::check(made, "socket"));
    };
    on_lane([&] { telemetry_ = std::make_unique<Telemetry>(lane_.get_executor(), clock_, make_socket); });
  }
  ~TelemetryTest() override {
    on_lane([&] { telemetry_.reset(); });
    guard_.reset();
    thread_.join();
  }

  template <class Work>
  void on_lane(Work work) {
    std::promise<void> done;
    asio::post(lane_, [&] {
      work();
      done.set_value();
    });
    done.get_future().get();
  }
  void subscribe(const std::string& types, const std::string& more = R"("buffering":{"timeoutMs":25})") {
    const std::string body = R"({"schemaVersion":"2022-07-01","types":[)" + types +
                             R"(],"destination":{"protocol":"TCP","port":)" +
                             std::to_string(listener_.local_endpoint().port()) + "}," + more + "}";
    on_lane([&] { EXPECT_EQ(telemetry_->subscribe(Telemetry::Api::telemetry, "ears", body, true).status, 200); });
  }
  http::Response answer_to(Telemetry::Api api, const std::string& body) {
    http::Response answer;
    on_lane([&] { answer = telemetry_->subscribe(api, "ears", body, true); });
    return answer;
  }
  /// Of function events, over HTTP.
  void subscribe_by_http(const std::string& buffering) {
    const std::string body = R"({"schemaVersion":"2022-07-01","types":["function"],"destination":{"protocol":"HTTP",)"
                             R"("URI":"http://sandbox.localdomain:)" +
                             std::to_string(listener_.local_endpoint().port()) + R"("},"buffering":)" + buffering + "}";
    EXPECT_EQ(answer_to(Telemetry::Api::telemetry, body).status, 200);
  }
  /// Throws when nobody connects.
  tcp::socket accept() {
    pollfd waiting{listener_.native_handle(), POLLIN, 0};
    if (::poll(&waiting, 1, 20'000) != 1) throw std::runtime_error("nobody has connected for twenty seconds");
    return listener_.accept();
  }
  /// The events of one request, which is answered with 200.
  boost::json::array next_batch() {
    tcp::socket from = accept();
    std::string bytes;
    const std::size_t head = asio::read_until(from, asio::dynamic_buffer(bytes), "\r\n\r\n");
    const std::size_t length = std::stoul(bytes.substr(bytes.find("Content-Length: ") + 16));
    if (bytes.size() < head + length)
      asio::read(from, asio::dynamic_buffer(bytes), asio::transfer_exactly(head + length - bytes.size()));
    asio::write(from, asio::buffer(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")));
    return boost::json::parse(bytes.substr(head)).as_array();
  }
  boost::json::value next_event() {
    if (!connection_) connection_ = accept();
    const std::size_t length = asio::read_until(*connection_, asio::dynamic_buffer(received_), '\n');
    boost::json::value event = boost::json::parse(received_.substr(0, length - 1));
    received_.erase(0, length);
    return event;
  }

  base::SystemClock clock_;
  asio::io_context client_, lane_;
  tcp::acceptor listener_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::thread thread_;
  std::unique_ptr<Telemetry> telemetry_;
  std::optional<tcp::socket> connection_;
  std::string received_;
};

TEST_F(TelemetryTest, DeliversWhatWasAskedForInOrder) {
  on_lane([&] { telemetry_->platform({"platform.initStart", boost::json::object{{"phase", "init"}}, "", nullptr}); });
  subscribe(R"("platform","function")");
  on_lane([&] {
    telemetry_->function("a line", false);
    telemetry_->extension("not wanted");
    telemetry_->function(R"({"level":"INFO"})", true);
    telemetry_->platform({"", nullptr, "platform.end", nullptr});
    telemetry_->platform({"platform.report", boost::json::object{{"n", 1}}, "", nullptr});
  });
  EXPECT_EQ(next_event().at("type"), "platform.initStart");
  const boost::json::value line = next_event();
  EXPECT_EQ(line.at("type"), "function");
  EXPECT_EQ(line.at("record"), "a line");
  EXPECT_EQ(line.at("time").as_string().size(), 24u);
  EXPECT_EQ(next_event().at("record").at("level"), "INFO");
  EXPECT_EQ(next_event().at("record").at("n"), 1);
}

TEST_F(TelemetryTest, BytesThatAreNoTextStillMakeJson) {
  subscribe(R"("function")");
  on_lane([&] { telemetry_->function("caf\xe9 \xff", false); });
  EXPECT_EQ(next_event().at("record"), "caf\xef\xbf\xbd \xef\xbf\xbd");
}

TEST_F(TelemetryTest, CountsWhatASlowSubscriberMakesItDrop) {
  subscribe(R"("platform","function")", R"("buffering":{"timeoutMs":30000})");
  const std::string line(10'000, 'x');
  on_lane([&] {
    telemetry_->pause(true);
    for (int i = 0; i < 200; ++i) telemetry_->function(line, false);
    telemetry_->pause(false);
    telemetry_->flush();
  });
  std::int64_t lines = 0, dropped = 0;
  while (dropped == 0) {
    const boost::json::value event = next_event();
    if (event.at("type") == "function")
      ++lines;
    else
      dropped = event.at("record").at("droppedRecords").as_int64();
  }
  EXPECT_EQ(lines + dropped, 200);
  EXPECT_LT(lines, 120);
}

TEST_F(TelemetryTest, ABatchHoldsWhatWasAskedFor) {
  subscribe_by_http(R"({"maxItems":1000,"timeoutMs":30000})");
  on_lane([&] {
    telemetry_->pause(true);
    for (int i = 0; i < 2500; ++i) telemetry_->function(std::to_string(i), false);
    telemetry_->pause(false);
    telemetry_->flush();
  });
  EXPECT_EQ(next_batch().size(), 1000u);
  EXPECT_EQ(next_batch().size(), 1000u);
  const boost::json::array last = next_batch();
  ASSERT_EQ(last.size(), 500u);
  EXPECT_EQ(last.back().at("record"), "2499");
}

TEST_F(TelemetryTest, ABatchHasAboutAsManyBytesAsWasAskedFor) {
  constexpr std::size_t bytes = 262'144, line = 10'000;
  subscribe_by_http(R"({"maxBytes":262144,"timeoutMs":30000})");
  on_lane([&] {
    telemetry_->pause(true);
    for (int i = 0; i < 60; ++i) telemetry_->function(std::string(line, 'x'), false);
    telemetry_->pause(false);
    telemetry_->flush();
  });
  const std::size_t events = next_batch().size();
  // AWS: "Expect to receive payloads as large as 2 * maxBytes + metadataBytes".
  EXPECT_GE(events * line, bytes - 2 * line);
  EXPECT_LE(events * line, bytes + line);
  EXPECT_EQ(next_batch().size(), events);
  EXPECT_EQ(next_batch().size(), 60 - 2 * events);
}

TEST_F(TelemetryTest, AFullBufferDoesNotWaitForItsTime) {
  const auto begin = std::chrono::steady_clock::now();
  subscribe_by_http(R"({"maxItems":1000,"timeoutMs":30000})");
  on_lane([&] {
    for (int i = 0; i < 1000; ++i) telemetry_->function("x", false);
  });
  EXPECT_EQ(next_batch().size(), 1000u);
  on_lane([&] {
    for (int i = 0; i < 30; ++i) telemetry_->function(std::string(9'000, 'x'), false);
  });
  EXPECT_GE(next_batch().size(), 29u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(TelemetryTest, AnExtensionSubscribesByOneOfTheApis) {
  const std::string rest = R"("types":["function"],"destination":{"protocol":"TCP","port":8000})";
  const std::string telemetry = R"({"schemaVersion":"2022-07-01",)" + rest + "}";
  const std::string logs = "{" + rest + "}";
  EXPECT_EQ(answer_to(Telemetry::Api::telemetry, telemetry).status, 200);
  const http::Response second = answer_to(Telemetry::Api::logs, logs);
  EXPECT_EQ(second.status, 400);
  EXPECT_EQ(boost::json::parse(second.body).at("errorType"), "Logs.ValidationError");
  // The same again is no second subscription.
  EXPECT_EQ(answer_to(Telemetry::Api::telemetry, telemetry).status, 200);
  on_lane([&] { telemetry_->clear(); });
  EXPECT_EQ(answer_to(Telemetry::Api::logs, logs).status, 200);
  const http::Response other = answer_to(Telemetry::Api::telemetry, telemetry);
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(boost::json::parse(other.body).at("errorType"), "ValidationError");
}

TEST_F(TelemetryTest, NothingIsSentWhileTheEnvironmentIsFrozen) {
  subscribe(R"("function")");
  on_lane([&] {
    telemetry_->pause(true);
    telemetry_->function("later", false);
    telemetry_->flush();
  });
  on_lane([&] {
    EXPECT_FALSE(telemetry_->empty());
    telemetry_->pause(false);
  });
  EXPECT_EQ(next_event().at("record"), "later");
}

}  // namespace
}  // namespace lambent::runtime_api
