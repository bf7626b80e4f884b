#include "base/http_server.h"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <thread>

namespace lambent::base::http {
namespace {

using asio::ip::tcp;
using namespace std::string_literals;

/// A server that answers "METHOD PATH BODY" and, under /skip, without reading the body.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    Limits limits;
    limits.header_bytes = 2048;
    limits.header_time = std::chrono::seconds(1);
    limits.body_pause = std::chrono::seconds(1);
    limits.connections = 50;
    Fd listener = listen_tcp("127.0.0.1", 0, &port_);
    server_ = serve(context_.get_executor(), std::move(listener), limits,
                    [](Exchange& exchange) { return answer(exchange); });
    thread_ = std::thread([this] { context_.run(); });
  }
  ~ServerTest() override {
    asio::post(context_, [this] { server_->abort(); });
    thread_.join();
  }

  static Task<void> answer(Exchange& exchange) {
    Response response;
    response.headers.add("X-Good", "1");
    if (exchange.request().path == "/inject") response.headers.add("X-Bad", "1\r\nInjected: 1");
    if (exchange.request().path == "/parts") {
      co_await answer_in_parts(exchange);
      co_return;
    }
    if (exchange.request().path != "/skip") {
      const BodyStatus status = co_await exchange.read_body(1000);
      if (status == BodyStatus::too_large) response.status = 413;
      if (status == BodyStatus::malformed) response.status = 400;
      if (status == BodyStatus::timed_out) response.status = 408;
      if (status == BodyStatus::disconnected) co_return;
    }
    const Request& request = exchange.request();
    if (request.path.starts_with("/bodyless")) response.status = request.path == "/bodyless204" ? 204 : 304;
    if (request.path == "/held") {
      response.body = "held";
      co_await exchange.respond_with_next(std::move(response));
      co_return;
    }
    response.body = request.method + " " + request.path + " " + request.body;
    co_await exchange.respond(std::move(response));
  }

  /// Each part of the body as it comes, then the trailer X-End; a body that is cut short has no end.
  static Task<void> answer_in_parts(Exchange& exchange) {
    Response response;
    co_await exchange.begin_response(std::move(response));
    while (true) {
      std::string part;
      const BodyStatus status = co_await exchange.read_part(part);
      if (status != BodyStatus::complete) co_return;
      if (part.empty()) break;
      co_await exchange.write_part("<" + part + ">");
    }
    co_await exchange.write_part(exchange.trailers().get("X-End"));
    co_await exchange.end_response();
  }

  tcp::socket connect() {
    tcp::socket socket(client_);
    socket.connect({asio::ip::address_v4::loopback(), port_});
    return socket;
  }

  /// Sends and reads until the server closes.
  std::string talk(std::string_view bytes) {
    tcp::socket socket = connect();
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    std::string all;
    asio::read(socket, asio::dynamic_buffer(all), error);
    return all;
  }

  asio::io_context context_, client_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

const std::string kClose = "Host: h\r\nConnection: close\r\n";

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  const std::string all = talk("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nonePOST /b HTTP/1.1\r\n" +
                               kClose + "Transfer-Encoding: chunked\r\n\r\n2\r\ntw\r\n1\r\no\r\n0\r\n\r\n");
  EXPECT_LT(all.find("POST /a one"), all.find("POST /b two"));
  EXPECT_NE(all.find("POST /b two"), std::string::npos);
  EXPECT_NE(all.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, ABodyAfterAHeadThatAnnouncesNoneIsNotSent) {
  for (const std::string path : {"/bodyless204", "/bodyless304"}) {
    const std::string all = talk("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\n" + kClose + "\r\n");
    EXPECT_EQ(all.find("GET " + path), std::string::npos) << "it would be read as the next answer";
    EXPECT_NE(all.find("GET /b"), std::string::npos);
  }
}

TEST_F(ServerTest, AnAnswerWaitsForTheNextOnlyWhenTheNextRequestIsHere) {
  const std::string held = "POST /held HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx";
  const std::string both = talk(held + "GET /b HTTP/1.1\r\n" + kClose + "\r\n");
  EXPECT_LT(both.find("held"), both.find("GET /b"));
  EXPECT_NE(both.find("GET /b"), std::string::npos);
  tcp::socket socket = connect();
  asio::write(socket, asio::buffer(held));
  std::string alone;
  asio::read_until(socket, asio::dynamic_buffer(alone), "held");
  EXPECT_TRUE(alone.starts_with("HTTP/1.1 200"));
}

TEST_F(ServerTest, TakesBodiesByteByByte) {
  tcp::socket socket = connect();
  const std::string bytes = "POST /a HTTP/1.1\r\n" + kClose + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (const char& c : bytes) asio::write(socket, asio::buffer(&c, 1));
  std::string all;
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(all), error);
  EXPECT_NE(all.find("POST /a abc"), std::string::npos);
}

TEST_F(ServerTest, SendsContinueOnlyWhenTheBodyIsWanted) {
  const std::string start = "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ";
  tcp::socket socket = connect();
  asio::write(socket, asio::buffer(start + "2\r\n\r\n"));
  std::string got;
  asio::read_until(socket, asio::dynamic_buffer(got), "\r\n\r\n");
  EXPECT_EQ(got, "HTTP/1.1 100 Continue\r\n\r\n");
  asio::write(socket, asio::buffer(std::string("hi")));
  got.clear();
  asio::read_until(socket, asio::dynamic_buffer(got), "hi");
  const std::string refused = talk(start + "5000\r\n\r\n");
  EXPECT_EQ(refused.find("100 Continue"), std::string::npos);
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 413"));
}

TEST_F(ServerTest, BoundsBodiesBeforeAndWhileTheyArrive) {
  EXPECT_TRUE(talk("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n").starts_with("HTTP/1.1 413"));
  const std::string chunk = "3e8\r\n" + std::string(1000, 'x') + "\r\n";
  EXPECT_TRUE(talk("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n")
                  .starts_with("HTTP/1.1 413"));
}

TEST_F(ServerTest, RefusesBrokenFramingAndCloses) {
  for (const char* body : {"-2\r\nab\r\n0\r\n\r\n", "2;x=y\r\nab\r\n0\r\n\r\n", "zz\r\n", "2\r\nabXX0\r\n\r\n"})
    EXPECT_TRUE(talk(std::string("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n") + body)
                    .starts_with("HTTP/1.1 400"))
        << body;
  EXPECT_TRUE(talk("GET / HTTP/1.1\nHost: h\n\n").starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(talk("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(3000, 'x')).starts_with("HTTP/1.1 431"));
}

TEST_F(ServerTest, ClosesSlowHeadersAndSlowBodies) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(talk("GET / HT"), "");
  EXPECT_EQ(talk("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab").find("POST"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8));
}

TEST_F(ServerTest, LeavesOutHeadersThatCouldEndTheirLine) {
  const std::string all = talk("GET /inject HTTP/1.1\r\n" + kClose + "\r\n");
  EXPECT_NE(all.find("X-Good: 1\r\n"), std::string::npos);
  EXPECT_EQ(all.find("Injected"), std::string::npos);
}

TEST_F(ServerTest, AnswersARefusedBodyBeforeItIsSent) {
  const std::string all =
      talk("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" + std::string(5'000'000, 'x'));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413")) << all.substr(0, 50);
}

TEST_F(ServerTest, HandsOnABodyWhileItArrives) {
  tcp::socket socket = connect();
  asio::write(socket,
              asio::buffer("POST /parts HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"s));
  std::string got;
  asio::read_until(socket, asio::dynamic_buffer(got), "<one>");
  EXPECT_NE(got.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(got.find("Content-Length"), std::string::npos);
  asio::write(socket, asio::buffer("3\r\ntwo\r\n0\r\nX-End: fin\r\n\r\nGET /after HTTP/1.1\r\nHost: h\r\n\r\n"s));
  asio::read_until(socket, asio::dynamic_buffer(got), "GET /after ");
  EXPECT_NE(got.find("\r\n\r\n5\r\n<one>\r\n5\r\n<two>\r\n3\r\nfin\r\n0\r\n\r\nHTTP/1.1 200"), std::string::npos)
      << got;
}

TEST_F(ServerTest, HandsOnABodyOfKnownLengthToo) {
  const std::string got = talk("POST /parts HTTP/1.1\r\n" + kClose + "Content-Length: 4\r\n\r\nbody");
  EXPECT_TRUE(got.ends_with("\r\n\r\n6\r\n<body>\r\n0\r\n\r\n")) << got;
  const std::string old = talk("POST /parts HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_TRUE(old.ends_with("Connection: close\r\n\r\n<body>")) << old;
}

TEST_F(ServerTest, AnAnswerThatIsNotEndedClosesTheConnection) {
  tcp::socket socket = connect();
  asio::write(socket,
              asio::buffer("POST /parts HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"s));
  socket.shutdown(tcp::socket::shutdown_send);
  std::string got;
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(got), error);
  EXPECT_TRUE(got.ends_with("5\r\n<one>\r\n")) << got;
}

/// What has come when the server is told to stop, which it has not read yet, and what comes after.
class StoppedServerTest : public ServerTest {
 protected:
  /// All that the server sends back, until it closes.
  std::string stop_between(tcp::socket& socket, std::string_view before, std::string_view after) {
    std::promise<void> stopped;
    asio::post(context_, [&] {
      asio::write(socket, asio::buffer(before));
      server_->stop();
      stopped.set_value();
    });
    stopped.get_future().wait();
    boost::system::error_code error;
    asio::write(socket, asio::buffer(after), error);
    std::string all;
    asio::read(socket, asio::dynamic_buffer(all), error);
    EXPECT_EQ(error, asio::error::eof);
    return all;
  }

  /// A connection that is kept after its first request.
  tcp::socket connect_and_ask() {
    tcp::socket socket = connect();
    asio::write(socket, asio::buffer("GET /first HTTP/1.1\r\nHost: h\r\n\r\n"s));
    std::string got;
    asio::read_until(socket, asio::dynamic_buffer(got), "GET /first ");
    return socket;
  }
};

TEST_F(StoppedServerTest, AnswersWhatHadCome) {
  tcp::socket kept = connect_and_ask();
  const std::string all = stop_between(kept, "GET /last HTTP/1.1\r\nHost: h\r\n\r\n", "");
  EXPECT_TRUE(all.ends_with("GET /last ")) << all;
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos) << all;
}

TEST_F(StoppedServerTest, AnswersTheFirstRequestOfAConnectionToo) {
  tcp::socket fresh = connect();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (server_->connections() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  ASSERT_EQ(server_->connections(), 1u);
  EXPECT_TRUE(stop_between(fresh, "GET /first HTTP/1.1\r\nHost: h\r\n\r\n", "").ends_with("GET /first "));
}

TEST_F(StoppedServerTest, ReadsTheRestOfWhatHadBegunAndNothingBehindIt) {
  tcp::socket kept = connect_and_ask();
  const std::string all = stop_between(
      kept, "POST /last HT", "TP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nabGET /more HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(all.ends_with("POST /last ab")) << all;
}

TEST_F(StoppedServerTest, ClosesWhatAskedNothingAtOnce) {
  tcp::socket kept = connect_and_ask();
  // It would be kept for 75 s.
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(stop_between(kept, "", ""), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace lambent::base::http
