// For tests: a Runtime API on a lane of its own, and a runtime reduced to its socket.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <thread>

#include "base/bytes.h"
#include "base/http_server.h"
#include "runtime_api/runtime_api.h"

namespace lambent::runtime_api {

namespace asio = base::asio;
inline constexpr int kPatienceMs = 10'000;

struct Reply {
  int status = 0;
  std::string head;
  std::string body;

  std::string header(std::string_view name) const {
    std::string wanted = "\r\n" + base::lower(name) + ": ";
    const auto at = base::lower(head).find(wanted);
    if (at == std::string::npos) return "";
    const auto begin = at + wanted.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

/// A runtime reduced to its socket.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    base::check(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "connect");
    const int on = 1;
    setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void next() { send("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"); }
  void post(std::string_view path, std::string_view body, std::string_view headers = "") {
    std::string request = "POST /2018-06-01/runtime/";
    request.append(path).append(" HTTP/1.1\r\nHost: x\r\nContent-Length: ").append(std::to_string(body.size()));
    request.append("\r\n").append(headers).append("\r\n").append(body);
    send(request);
  }

  /// The next response; status 0 when the connection ends first.
  Reply read() {
    Reply reply;
    auto end = buffer_.find("\r\n\r\n");
    for (; end == std::string::npos; end = buffer_.find("\r\n\r\n"))
      if (!more()) return {};
    reply.head = buffer_.substr(0, end + 2);
    reply.status = std::stoi(reply.head.substr(9, 3));
    const std::string declared = reply.header("Content-Length");
    const std::size_t length = declared.empty() ? 0 : std::stoul(declared);
    while (buffer_.size() < end + 4 + length)
      if (!more()) return {};
    reply.body = buffer_.substr(end + 4, length);
    buffer_.erase(0, end + 4 + length);
    return reply;
  }
  bool at_end() { return buffer_.empty() && !more(); }
  void shut() { fd_.reset(); }
  void shut_sending() { ::shutdown(fd_.get(), SHUT_WR); }

 private:
  bool more() {
    pollfd wanted{fd_.get(), POLLIN, 0};
    if (::poll(&wanted, 1, kPatienceMs) <= 0) return false;
    char bytes[16384];
    const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  base::Fd fd_;
  std::string buffer_;
};

/// A Runtime API on a lane of its own.
class RuntimeApiTest : public testing::Test {
 protected:
  RuntimeApiTest() : guard_(context_.get_executor()), lane_([this] { context_.run(); }) {
    base::Fd listener = base::http::listen_tcp("127.0.0.1", 0, &port_);
    on_lane([&] { api_ = serve_runtime_api(context_.get_executor(), std::move(listener)); });
  }
  ~RuntimeApiTest() override {
    on_lane([this] { api_.reset(); });
    guard_.reset();
    lane_.join();
  }

  template <class Work>
  void on_lane(Work work) {
    std::promise<void> done;
    asio::post(context_, [&] {
      work();
      done.set_value();
    });
    done.get_future().get();
  }
  std::future<Answer> invoke(std::string id, std::string payload = "{}") {
    Event event;
    event.request_id = std::move(id);
    event.payload = std::move(payload);
    return invoke(std::move(event));
  }
  std::future<Answer> invoke(Event event) {
    auto answer = std::make_shared<std::promise<Answer>>();
    auto future = answer->get_future();
    auto work = [](RuntimeApi& api, Event e, std::shared_ptr<std::promise<Answer>> to) -> base::Task<void> {
      Answer a = co_await api.invoke(std::move(e));
      to->set_value(std::move(a));
    };
    on_lane([&] { asio::co_spawn(context_, work(*api_, std::move(event), answer), asio::detached); });
    return future;
  }
  std::future<std::optional<Answer>> initialized() {
    auto answer = std::make_shared<std::promise<std::optional<Answer>>>();
    auto future = answer->get_future();
    auto work = [](RuntimeApi& api, std::shared_ptr<std::promise<std::optional<Answer>>> to) -> base::Task<void> {
      std::optional<Answer> a = co_await api.initialized();
      to->set_value(std::move(a));
    };
    on_lane([&] { asio::co_spawn(context_, work(*api_, answer), asio::detached); });
    return future;
  }
  template <class T>
  T get(std::future<T>& future) {
    if (future.wait_for(std::chrono::milliseconds(kPatienceMs)) != std::future_status::ready)
      throw std::runtime_error("nothing came");
    return future.get();
  }
  template <class T>
  static bool pending(std::future<T>& future) {
    return future.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready;
  }
  /// A runtime that has taken the event `id` and not answered it.
  std::future<Answer> start(Client& client, std::string id) {
    client.next();
    auto answer = invoke(std::move(id));
    EXPECT_EQ(client.read().status, 200);
    return answer;
  }

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::thread lane_;
  std::uint16_t port_ = 0;
  std::unique_ptr<RuntimeApi> api_;
};

}  // namespace lambent::runtime_api
