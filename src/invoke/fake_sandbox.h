// A sandbox for tests without privilege: real pipes and sockets, and a runtime that is a coroutine of the test's.
//
// The event's payload says what the fake runtime does: "echo" answers with the payload, "print" writes a line first, "fail"
// reports an error, "exit" ends with status 3, "hang" never answers, "hold" answers when FakeLauncher::release() says so, "linger"
// asks for its next event then. `init` says how it starts.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/http_server.h"
#include "sandbox/sandbox.h"

namespace lambent::invoke {

namespace asio = base::asio;

enum class FakeInit { ready, error, exit, hang };

/// The signals that a sandbox sent, and when; whoever keeps it may read it after the sandbox's end, on the lane.
struct FakeSignals {
  struct Sent {
    int signal;
    base::SteadyTime at;
    /// Milliseconds since the epoch.
    std::int64_t wall_ms;
  };
  void send(int signal) {
    const base::SystemClock clock;
    sent.push_back({signal, clock.steady(), clock.now_ms()});
  }
  std::vector<Sent> sent;
  /// The last time.
  base::SteadyTime thawed_at;
};

/// What outlives the Sandbox object: the runtime's side.
struct FakeRuntime : std::enable_shared_from_this<FakeRuntime> {
  explicit FakeRuntime(asio::io_context& context) : socket(context) {}

  asio::ip::tcp::socket socket;
  /// While it is true events that say "hold" are held, and whoever answered "linger" lingers.
  std::shared_ptr<const bool> held;
  std::uint16_t port = 0;
  base::Fd out, err;
  std::function<void(sandbox::Exit)> observer;
  FakeInit init = FakeInit::ready;
  bool killed = false;

  void end(sandbox::Exit exit) {
    boost::system::error_code ignored;
    socket.close(ignored);
    // Posted, as the launcher's message would be; the sandbox forgets the observer when it is destroyed before.
    asio::post(socket.get_executor(), [self = shared_from_this(), exit] {
      if (auto call = std::exchange(self->observer, nullptr)) call(exit);
    });
  }

  base::Task<std::string> request(std::string text) {
    co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
    std::string answer;
    const std::size_t head =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), "\r\n\r\n", asio::use_awaitable);
    const std::string lower = base::lower(answer.substr(0, head));
    const auto at = lower.find("content-length: ");
    const std::size_t length = at == std::string::npos ? 0 : std::stoul(lower.substr(at + 16));
    if (answer.size() < head + length) {
      const std::size_t more = head + length - answer.size();
      co_await asio::async_read(socket, asio::dynamic_buffer(answer), asio::transfer_exactly(more),
                                asio::use_awaitable);
    }
    co_return answer;
  }

  base::Task<void> released() {
    const std::shared_ptr<const bool> until = held;
    asio::steady_timer pause(socket.get_executor());
    while (until && *until && !killed) {
      pause.expires_after(std::chrono::milliseconds(1));
      co_await pause.async_wait(asio::use_awaitable);
    }
  }

  static std::string post(const std::string& path, const std::string& body) {
    return "POST /2018-06-01/runtime/" + path +
           " HTTP/1.1\r\nHost: r\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  static base::Task<void> run(std::shared_ptr<FakeRuntime> self) try {
    if (self->init == FakeInit::hang) co_return;
    if (self->init == FakeInit::exit) {
      self->end({.status = 1});
      co_return;
    }
    const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), self->port);
    co_await self->socket.async_connect(server, asio::use_awaitable);
    if (self->init == FakeInit::error) {
      co_await self->request(post("init/error", R"({"errorType":"Runtime.ImportModuleError"})"));
      self->end({.status = 1});
      co_return;
    }
    while (true) {
      std::string next = co_await self->request("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n");
      const std::string body = next.substr(next.find("\r\n\r\n") + 4);
      const std::string lower = base::lower(next);
      const std::string id = next.substr(lower.find("lambda-runtime-aws-request-id: ") + 31, 36);
      if (body == "\"hang\"") co_return;
      if (body == "\"hold\"") co_await self->released();
      if (body == "\"exit\"") {
        self->end({.status = 3});
        co_return;
      }
      if (body == "\"print\"" && ::write(self->out.get(), "hello\n", 6) != 6) co_return;
      const bool fail = body == "\"fail\"";
      std::string answer =
          post("invocation/" + id + (fail ? "/error" : "/response"), fail ? R"({"errorType":"E"})" : body);
      co_await self->request(std::move(answer));
      if (body == "\"linger\"") co_await self->released();
    }
  } catch (const boost::system::system_error&) {
    // The other side closed: the environment is over.
  }
};

class FakeSandbox final : public sandbox::Sandbox {
 public:
  explicit FakeSandbox(asio::io_context& context)
      : context_(context), runtime_(std::make_shared<FakeRuntime>(context)) {
    int out[2], err[2];
    base::check(pipe2(out, O_CLOEXEC), "pipe");
    base::check(pipe2(err, O_CLOEXEC), "pipe");
    out_ = base::Fd(out[0]);
    err_ = base::Fd(err[0]);
    for (const int fd : {out[0], err[0]}) base::check(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
    runtime_->out = base::Fd(out[1]);
    runtime_->err = base::Fd(err[1]);
    runtime_api_ = base::http::listen_tcp("127.0.0.1", 0, &runtime_->port);
    api_ = base::http::listen_tcp("127.0.0.1", 0);
  }
  ~FakeSandbox() override {
    runtime_->observer = nullptr;
    kill();
  }

  base::Task<void> assign(sandbox::Spec spec) override {
    if (refuses) throw std::runtime_error("assign: mount: Operation not permitted");
    assigned.push_back(std::move(spec));
    start(FakeInit::ready);
    co_return;
  }
  base::Fd take_runtime_api_listener() override { return std::move(runtime_api_); }
  base::Fd take_api_listener() override { return std::move(api_); }
  base::Fd take_stdout() override { return std::move(out_); }
  base::Fd take_stderr() override { return std::move(err_); }
  /// The test writes what extensions print into `extensions_output`.
  base::Fd take_extensions_output() override {
    if (assigned.empty() || assigned.back().extensions.empty()) return {};
    int ends[2];
    base::check(pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe");
    extensions_output = base::Fd(ends[1]);
    return base::Fd(ends[0]);
  }
  base::Task<base::Fd> make_socket() override {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    co_return base::Fd(base::check(made, "socket"));
  }
  void on_exit(std::function<void(sandbox::Exit)> observer) override {
    observer_ = observer;
    runtime_->observer = std::move(observer);
  }
  void on_extension_exit(std::function<void(std::size_t, sandbox::Exit)> observer) override {
    extension_ended = std::move(observer);
  }
  void kill() override {
    if (std::exchange(runtime_->killed, true)) return;
    signals->send(SIGKILL);
    runtime_->end({.signal = SIGKILL});
  }
  void terminate() override {
    signals->send(SIGTERM);
    if (ends_on_sigterm) runtime_->end({.signal = SIGTERM});
  }
  /// A new runtime with the pipes, the listener and the observer of the old one.
  base::Task<void> restart(std::vector<std::string>, std::vector<std::string>) override {
    const auto old = std::exchange(runtime_, std::make_shared<FakeRuntime>(context_));
    runtime_->port = old->port;
    runtime_->out = std::move(old->out);
    runtime_->err = std::move(old->err);
    runtime_->observer = observer_;
    boost::system::error_code ignored;
    old->socket.close(ignored);
    ++restarts;
    if (restart_fails) throw std::runtime_error("restart: clone3: Resource temporarily unavailable");
    start(restart_init);
    co_return;
  }
  void freeze() override { frozen = true; }
  void thaw() override {
    frozen = false;
    signals->thawed_at = base::SystemClock().steady();
  }
  std::int32_t peak_memory_mib() const override { return 42; }
  void limit_cpu() override { cpu_limited = true; }

  void start(FakeInit init) {
    runtime_->init = init;
    runtime_->held = held;
    asio::co_spawn(context_, FakeRuntime::run(runtime_), asio::detached);
  }
  /// Of its Runtime API.
  std::uint16_t port() const { return runtime_->port; }
  /// As when the waiting process of a spare dies.
  void end(sandbox::Exit exit) { runtime_->end(exit); }

  bool refuses = false;
  std::shared_ptr<const bool> held;
  /// How a restarted runtime starts.
  FakeInit restart_init = FakeInit::ready;
  bool restart_fails = false;
  std::vector<sandbox::Spec> assigned;
  base::Fd extensions_output;
  std::function<void(std::size_t, sandbox::Exit)> extension_ended;
  bool cpu_limited = false;
  bool frozen = false;
  int restarts = 0;
  bool ends_on_sigterm = false;
  const std::shared_ptr<FakeSignals> signals = std::make_shared<FakeSignals>();

 private:
  asio::io_context& context_;
  std::shared_ptr<FakeRuntime> runtime_;
  std::function<void(sandbox::Exit)> observer_;
  base::Fd runtime_api_, api_, out_, err_;
};

class FakeLauncher final : public sandbox::Launcher {
 public:
  explicit FakeLauncher(asio::io_context& context) : context_(context) {}

  base::Task<std::unique_ptr<sandbox::Sandbox>> launch(sandbox::Spec spec) override {
    if (broken || std::exchange(failures, std::max(failures - 1, 0)) > 0)
      throw std::runtime_error("no sandbox: clone3: Resource temporarily unavailable");
    specs.push_back(std::move(spec));
    if (launching) launching();
    auto sandbox = std::make_unique<FakeSandbox>(context_);
    sandbox->assigned.push_back(specs.back());
    sandbox->restart_init = restart_init;
    sandbox->restart_fails = restart_fails;
    sandbox->held = held_;
    sandbox->ends_on_sigterm = ends_on_sigterm;
    launched.push_back(sandbox.get());
    signals.push_back(sandbox->signals);
    sandbox->start(init.empty() ? FakeInit::ready : init[std::min(specs.size() - 1, init.size() - 1)]);
    co_return sandbox;
  }
  base::Task<std::unique_ptr<sandbox::Sandbox>> prepare(sandbox::SpareSpec spec) override {
    if (broken) throw std::runtime_error("no sandbox: clone3: Resource temporarily unavailable");
    spares.push_back(std::move(spec));
    auto sandbox = std::make_unique<FakeSandbox>(context_);
    prepared.push_back(sandbox.get());
    const bool starts = !spares.back().argv.empty() && !spares.back().zygote;
    while (starves && starts) {
      asio::steady_timer pause(context_, std::chrono::milliseconds(1));
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_return sandbox;
  }
  const sandbox::IsolationReport& isolation() const override { return report_; }
  /// On the lane: events that say "hold" are answered from now on.
  void release() { *held_ = false; }

  std::vector<sandbox::Spec> specs;
  std::vector<sandbox::SpareSpec> spares;
  /// Those of `spares`, alive or not.
  std::vector<FakeSandbox*> prepared;
  /// How the first, second, ... environment starts; the last goes on.
  std::vector<FakeInit> init;
  /// Those of `specs`, alive or not.
  std::vector<FakeSandbox*> launched;
  /// What each of them was sent.
  std::vector<std::shared_ptr<const FakeSignals>> signals;
  bool ends_on_sigterm = false;
  FakeInit restart_init = FakeInit::ready;
  bool restart_fails = false;
  bool broken = false;
  std::function<void()> launching;
  /// Spares in which a program starts get no CPU.
  bool starves = false;
  /// How many launches fail before one is done.
  int failures = 0;

 private:
  asio::io_context& context_;
  sandbox::IsolationReport report_;
  const std::shared_ptr<bool> held_ = std::make_shared<bool>(true);
};

}  // namespace lambent::invoke
