#include "base/http_server.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>
#include <ctime>
#include <list>

#include "base/bytes.h"
#include "base/chunked_body.h"
#include "base/descriptors.h"
#include "base/http_head.h"
#include "base/log.h"
#include "base/send_at_once.h"

namespace lambent::base::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;

constexpr auto kReturn = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadChunk = 64 * 1024;
// What is still taken from a peer whose body was refused, so that it reads the answer before the connection is reset.
constexpr std::size_t kLingerBytes = 128 * 1024 * 1024;
constexpr std::chrono::seconds kLingerTime{5};
/// How often it is said that connections cannot be accepted.
constexpr std::chrono::seconds kComplaint{10};
// Answers between two reads, which pipelined requests make many.
constexpr int kSentAtOnce = 16;
constexpr std::string_view kLastChunk = "0\r\n\r\n";

std::string_view reason_phrase(int status) {
  const auto known = beast::http::int_to_status(static_cast<unsigned>(status));
  const auto text = beast::http::obsolete_reason(known);
  return {text.data(), text.size()};
}

/// RFC 9110 section 5.6.7, remade once a second.
std::string_view http_date() {
  thread_local std::time_t last = -1;
  thread_local std::array<char, 40> text;
  const std::time_t now = std::time(nullptr);
  if (now != last) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    last = now;
  }
  return text.data();
}

bool safe_in_header(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos; }

bool is_bodyless(int status) { return status == 204 || status == 304 || status < 200; }

/// How the length of an answer is told; `none`: it has no body.
enum class Framing { length, chunked, until_close, none };

std::string serialize_head(const Response& response, bool close, Framing framing = Framing::length) {
  std::string head;
  head.reserve(512);
  head += "HTTP/1.1 ";
  head += std::to_string(response.status);
  head += ' ';
  head += reason_phrase(response.status);
  head += "\r\n";
  for (const auto& [name, value] : response.headers.all()) {
    // A value that could end its line is left out: nothing that came from outside may add a header.
    if (!safe_in_header(name) || !safe_in_header(value)) continue;
    head += name;
    head += ": ";
    head += value;
    head += "\r\n";
  }
  if (framing == Framing::chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (framing == Framing::length && !is_bodyless(response.status)) {
    head += "Content-Length: ";
    head += std::to_string(response.body.size());
    head += "\r\n";
  }
  head += "Date: ";
  head += http_date();
  head += close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n";
  return head;
}

Response plain_refusal(int status, std::string_view reason) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::string(reason) + "\n";
  return response;
}

class ServerState;

/// What the server's sweep sees of a connection, whatever it speaks over.
class Tracked {
 public:
  virtual ~Tracked() = default;
  virtual void close_socket() = 0;
  /// Whether a request is under way or some of one is here, read or not.
  virtual bool asked() = 0;
  /// Steady time at which the connection is closed; the maximum for "not by time".
  Steady::time_point deadline = Steady::time_point::max();
};

class ServerState : public std::enable_shared_from_this<ServerState> {
 public:
  ServerState(asio::any_io_executor executor, Fd listener, Limits limits, Server::Handler handler,
              std::function<std::shared_ptr<asio::ssl::context>()> tls, Refusal refusal)
      : executor(executor),
        limits(limits),
        handler(std::move(handler)),
        tls(std::move(tls)),
        refusal(refusal ? std::move(refusal) : Refusal(plain_refusal)),
        acceptor(executor),
        sweep_timer(executor) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    check(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listener.release());
    acceptor.non_blocking(true);
  }

  void stop() {
    stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    for (Tracked* connection : connections)
      if (!connection->asked()) connection->close_socket();
    if (connections.empty()) sweep_timer.cancel();
  }

  void disconnect() {
    for (Tracked* connection : connections) connection->close_socket();
  }

  void abort() {
    stop();
    for (Tracked* connection : connections) connection->close_socket();
    sweep_timer.cancel();
  }

  asio::any_io_executor executor;
  Limits limits;
  Server::Handler handler;
  std::function<std::shared_ptr<asio::ssl::context>()> tls;
  Refusal refusal;
  tcp::acceptor acceptor;
  asio::steady_timer sweep_timer;
  std::list<Tracked*> connections;
  /// Their number, for other threads.
  std::atomic<std::size_t> open{0};
  bool stopping = false;
  bool sweeping = false;
};

using State = std::shared_ptr<ServerState>;

/// One look a second at every connection's deadline: a timer per read costs 40 % of the throughput.
Task<void> sweep(State state) {
  while (!state->connections.empty()) {
    state->sweep_timer.expires_after(std::chrono::seconds(1));
    const auto [error] = co_await state->sweep_timer.async_wait(kReturn);
    const auto now = Steady::now();
    for (Tracked* connection : state->connections)
      if (connection->deadline <= now) connection->close_socket();
    if (error && state->stopping) break;
  }
  state->sweeping = false;
}

template <class Stream>
class Connection final : public Tracked, public Exchange {
 public:
  Connection(State state, Stream stream) : state_(std::move(state)), stream_(std::move(stream)) {
    error_code ignored;
    const auto peer = lowest().remote_endpoint(ignored);
    if (!ignored) peer_ = peer.address().to_string();
    lowest().set_option(tcp::no_delay(true), ignored);
    where_ = state_->connections.insert(state_->connections.end(), this);
    state_->open.fetch_add(1, std::memory_order_relaxed);
  }
  ~Connection() override {
    state_->connections.erase(where_);
    state_->open.fetch_sub(1, std::memory_order_relaxed);
  }

  Task<void> run() {
    if (!co_await handshake()) co_return;
    while (!state_->stopping || asked()) {
      if (!co_await read_head()) break;
      idle_ = false;
      deadline = Steady::time_point::max();
      co_await state_->handler(*this);
      if (!responded_ || closing_) break;
      idle_ = buffer_.empty();
    }
    co_await finish();
  }

  void close_socket() override {
    error_code ignored;
    lowest().close(ignored);
  }

  bool asked() override {
    error_code ignored;
    return !idle_ || lowest().available(ignored) > 0;
  }

  Request& request() override { return head_.request; }
  std::optional<std::uint64_t> declared_length() const override { return head_.content_length; }
  void close_after() override { closing_ = true; }

  Task<bool> begin_response(Response response) override {
    framing_ = head_.http_1_0 ? Framing::until_close : Framing::chunked;
    if (head_.request.method == "HEAD" || is_bodyless(response.status)) framing_ = Framing::none;
    closing_ = closing_ || !head_.keep_alive || framing_ == Framing::until_close || state_->stopping;
    const std::string head = std::exchange(held_, {}) + serialize_head(response, closing_, framing_);
    co_return co_await send(asio::buffer(head));
  }

  Task<bool> write_part(std::string_view bytes) override {
    // A chunk of no bytes would be the end.
    if (bytes.empty() || framing_ == Framing::none) co_return true;
    const auto size = framing_ == Framing::chunked ? fmt::format("{:x}\r\n", bytes.size()) : std::string();
    const std::string_view end = framing_ == Framing::chunked ? "\r\n" : "";
    const std::array<asio::const_buffer, 3> parts{asio::buffer(size), asio::buffer(bytes), asio::buffer(end)};
    co_return co_await send(parts);
  }

  Task<bool> end_response() override {
    responded_ = true;
    if (!body_read_ && has_body()) closing_ = true;
    if (framing_ != Framing::chunked) co_return true;
    co_return co_await send(asio::buffer(kLastChunk));
  }

  const Headers& trailers() const override { return trailers_; }

  Task<BodyStatus> read_body(std::size_t limit) override {
    if (body_read_) co_return BodyStatus::complete;
    if (head_.content_length && *head_.content_length > limit) {
      closing_ = true;
      co_return BodyStatus::too_large;
    }
    if (head_.expects_continue && !co_await go_on()) co_return BodyStatus::disconnected;
    BodyStatus status = BodyStatus::complete;
    if (head_.chunked)
      status = co_await read_chunked(limit);
    else
      status = co_await read_sized(static_cast<std::size_t>(*head_.content_length));
    note(status, true);
    co_return status;
  }

  Task<BodyStatus> read_part(std::string& to) override {
    if (body_read_) co_return BodyStatus::complete;
    if (head_.expects_continue && !co_await go_on()) co_return BodyStatus::disconnected;
    const std::size_t had = to.size();
    BodyStatus status = BodyStatus::complete;
    if (head_.chunked)
      status = co_await read_chunks(to, kReadChunk);
    else
      status = co_await read_sized_part(to);
    note(status, to.size() == had);
    co_return status;
  }

  Task<bool> respond_with_next(Response response) override {
    bool broken = false;
    const bool next_is_here = body_read_ && head_length(buffer_, 0, broken) != 0 && !broken;
    if (!next_is_here || !head_.keep_alive || closing_ || state_->stopping || head_.request.method == "HEAD" ||
        held_.size() > kReadChunk)
      co_return co_await respond(std::move(response));
    responded_ = true;
    held_ += serialize_head(response, false);
    if (!is_bodyless(response.status)) held_ += response.body;
    co_return true;
  }

  Task<bool> respond(Response response) override {
    responded_ = true;
    if (!body_read_ && has_body()) closing_ = true;
    closing_ = closing_ || !head_.keep_alive || state_->stopping;
    const std::string head = std::exchange(held_, {}) + serialize_head(response, closing_);
    // A head that announces none must have none: what came after it would be the next answer.
    const bool without_body = head_.request.method == "HEAD" || is_bodyless(response.status);
    SendParts parts{asio::buffer(head), without_body ? asio::const_buffer() : asio::buffer(response.body)};
    if (send_at_once(parts)) co_return true;
    deadline = Steady::now() + state_->limits.body_pause;
    if (response.body.size() > kReadChunk) deadline += std::chrono::seconds(response.body.size() >> 18);
    const auto [error, written] = co_await asio::async_write(stream_, parts, kReturn);
    deadline = Steady::time_point::max();
    if (error) closing_ = true;
    co_return !error;
  }

 private:
  tcp::socket& lowest() {
    if constexpr (std::is_same_v<Stream, tcp::socket>)
      return stream_;
    else
      return stream_.next_layer();
  }

  /// Whoever sends many requests at once does not keep others waiting: after a few the lane's loop has its turn.
  bool send_at_once(SendParts& parts) {
    return std::is_same_v<Stream, tcp::socket> && ++sent_at_once_ <= kSentAtOnce &&
           base::send_at_once(lowest().native_handle(), parts);
  }

  /// All of the buffers, or false.
  template <class Buffers>
  Task<bool> send(const Buffers& buffers) {
    deadline = Steady::now() + state_->limits.body_pause;
    const auto [error, written] = co_await asio::async_write(stream_, buffers, kReturn);
    deadline = Steady::time_point::max();
    if (error) closing_ = true;
    co_return !error;
  }

  /// Tells a client that waits for it to send its body, once.
  Task<bool> go_on() {
    head_.expects_continue = false;
    if (!buffer_.empty()) co_return true;
    const std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    co_return co_await send(asio::buffer(text));
  }

  /// After some or, with `end`, all of a body was read.
  void note(BodyStatus status, bool end) {
    deadline = Steady::time_point::max();
    if (status != BodyStatus::complete)
      closing_ = true;
    else if (end)
      body_read_ = true;
  }

  bool has_body() const { return head_.chunked || head_.content_length.value_or(0) > 0; }

  Task<bool> handshake() {
    if constexpr (!std::is_same_v<Stream, tcp::socket>) {
      deadline = Steady::now() + state_->limits.header_time;
      const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kReturn);
      co_return !error;
    }
    co_return true;
  }

  /// Reads some bytes behind those in the buffer. False at the end of the stream or of the deadline.
  Task<bool> read_more() {
    sent_at_once_ = 0;
    const std::size_t had = buffer_.size();
    buffer_.resize(had + (head_done_ ? kReadChunk : 4096));
    const auto [error, got] =
        co_await stream_.async_read_some(asio::buffer(buffer_.data() + had, buffer_.size() - had), kReturn);
    buffer_.resize(had + got);
    co_return !error;
  }

  Task<bool> read_head() {
    head_ = Head{};
    head_done_ = responded_ = body_read_ = false;
    part_left_.reset();
    const Limits& limits = state_->limits;
    std::size_t seen = 0, length = 0;
    bool broken = false;
    deadline = Steady::now() + (buffer_.empty() && served_ ? limits.idle_time : limits.header_time);
    while (length == 0) {
      // Leniency of RFC 9112 section 2.2: an empty line before the request line is skipped.
      while (seen == 0 && buffer_.starts_with("\r\n")) buffer_.erase(0, 2);
      length = head_length(buffer_, seen, broken);
      if (broken) co_return co_await refuse(400, "malformed header");
      if (length > limits.header_bytes || (length == 0 && buffer_.size() > limits.header_bytes))
        co_return co_await refuse(431, "header too large");
      if (length != 0) break;
      seen = buffer_.size() > 1 ? buffer_.size() : 0;
      const bool first_bytes = buffer_.empty();
      if (!co_await read_more()) co_return false;
      if (first_bytes) {
        idle_ = false;
        if (served_) deadline = Steady::now() + limits.header_time;
      }
    }
    served_ = true;
    std::optional<HeadError> error;
    head_ = parse_head(std::string_view(buffer_).substr(0, length), limits.header_fields, error);
    if (error) co_return co_await refuse(error->status, error->reason);
    head_.request.peer = peer_;
    head_.request.tls = !std::is_same_v<Stream, tcp::socket>;
    if (head_.chunked) chunks_.emplace(limits.header_bytes);
    buffer_.erase(0, length);
    head_done_ = true;
    body_read_ = !has_body();
    co_return true;
  }

  Task<bool> refuse(int status, std::string_view reason) {
    closing_ = true;
    head_.keep_alive = false;
    body_read_ = false;
    Response response = state_->refusal(status, reason);
    co_await respond(std::move(response));
    refused_ = true;
    co_return false;
  }

  Task<BodyStatus> read_sized(std::size_t length) {
    std::string& body = head_.request.body;
    const std::size_t here = std::min(length, buffer_.size());
    body.assign(buffer_, 0, here);
    buffer_.erase(0, here);
    while (body.size() < length) {
      const std::size_t had = body.size();
      // Grows with what arrives, not with what was announced.
      body.resize(std::min(length, std::max(had * 2, had + kReadChunk)));
      deadline = Steady::now() + state_->limits.body_pause;
      const auto [error, got] =
          co_await stream_.async_read_some(asio::buffer(body.data() + had, body.size() - had), kReturn);
      body.resize(had + got);
      if (error) co_return Steady::now() >= deadline ? BodyStatus::timed_out : BodyStatus::disconnected;
    }
    co_return BodyStatus::complete;
  }

  Task<BodyStatus> read_sized_part(std::string& to) {
    if (!part_left_) part_left_ = head_.content_length;
    if (*part_left_ == 0) co_return BodyStatus::complete;
    deadline = Steady::now() + state_->limits.body_pause;
    if (buffer_.empty() && !co_await read_more())
      co_return Steady::now() >= deadline ? BodyStatus::timed_out : BodyStatus::disconnected;
    const std::size_t here = std::min(buffer_.size(), static_cast<std::size_t>(*part_left_));
    to.append(buffer_, 0, here);
    buffer_.erase(0, here);
    *part_left_ -= here;
    co_return BodyStatus::complete;
  }

  /// Some bytes of a chunked body, at most `room`; none at its end.
  Task<BodyStatus> read_chunks(std::string& to, std::size_t room) {
    const std::size_t had = to.size();
    while (true) {
      const auto state = chunks_->take(buffer_, to, room);
      if (state == ChunkedBody::State::malformed) co_return BodyStatus::malformed;
      if (state == ChunkedBody::State::done) trailers_ = chunks_->trailers();
      if (state == ChunkedBody::State::done || to.size() > had) co_return BodyStatus::complete;
      deadline = Steady::now() + state_->limits.body_pause;
      if (!co_await read_more()) co_return Steady::now() >= deadline ? BodyStatus::timed_out : BodyStatus::disconnected;
    }
  }

  Task<BodyStatus> read_chunked(std::size_t limit) {
    std::string& body = head_.request.body;
    while (true) {
      const std::size_t had = body.size();
      const auto status = co_await read_chunks(body, limit + 1 - had);
      if (status != BodyStatus::complete || body.size() == had) co_return status;
      if (body.size() > limit) {
        body.clear();
        co_return BodyStatus::too_large;
      }
    }
  }

  /// Lets a peer that is still sending read the last answer before the connection goes away.
  Task<void> finish() {
    if (!responded_ || (body_read_ && !refused_)) co_return;
    error_code ignored;
    if constexpr (std::is_same_v<Stream, tcp::socket>) stream_.shutdown(tcp::socket::shutdown_send, ignored);
    deadline = Steady::now() + kLingerTime;
    buffer_.resize(kReadChunk);
    for (std::size_t taken = 0; taken < kLingerBytes;) {
      const auto [error, got] = co_await stream_.async_read_some(asio::buffer(buffer_), kReturn);
      if (error) break;
      taken += got;
    }
  }

  State state_;
  Stream stream_;
  std::list<Tracked*>::iterator where_;
  std::string peer_;
  std::string buffer_;
  /// Of the request that is being read: its chunks, or what is left of its declared length.
  std::optional<ChunkedBody> chunks_;
  std::optional<std::uint64_t> part_left_;
  Headers trailers_;
  Framing framing_ = Framing::length;
  /// Answers that wait for the next one.
  std::string held_;
  int sent_at_once_ = 0;
  Head head_;
  bool idle_ = true;
  bool served_ = false;
  bool head_done_ = false;
  bool responded_ = false;
  bool body_read_ = false;
  bool closing_ = false;
  bool refused_ = false;
};

template <class Stream>
Task<void> run_connection(State state, std::shared_ptr<asio::ssl::context> keep, Stream stream) {
  // Held by the coroutine: the certificates that a connection began with stay as long as it does.
  const auto context = std::move(keep);
  try {
    Connection<Stream> connection(std::move(state), std::move(stream));
    co_await connection.run();
  } catch (const std::exception& error) {
    log::error("connection failed", {{"reason", error.what()}});
  }
}

/// False for peers whose time somebody else bounds: a function's own runtime is one, which is not to be turned away either.
bool bounds_peers(const Limits& limits) {
  return std::min({limits.header_time, limits.idle_time, limits.body_pause}) < Limits::kNever;
}

void start_connection(const State& state, tcp::socket socket) {
  if (state->connections.size() >= state->limits.connections) return;  // closed by its destructor
  if (state->tls) {
    auto context = state->tls();
    asio::ssl::stream<tcp::socket> stream(std::move(socket), *context);
    asio::co_spawn(state->executor, run_connection(state, std::move(context), std::move(stream)), asio::detached);
  } else {
    asio::co_spawn(state->executor, run_connection(state, nullptr, std::move(socket)), asio::detached);
  }
  if (bounds_peers(state->limits) && !state->sweeping) {
    state->sweeping = true;
    asio::co_spawn(state->executor, sweep(state), asio::detached);
  }
}

Task<void> accept_all(State state) {
  asio::steady_timer pause(state->executor);
  Steady::time_point complained;
  ReserveDescriptor& reserve = ReserveDescriptor::of_process();
  while (!state->stopping) {
    auto [error, socket] = co_await state->acceptor.async_accept(kReturn);
    if (state->stopping) break;
    if (!error) {
      start_connection(state, std::move(socket));
      continue;
    }
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
    if (const auto now = Steady::now(); now >= complained + kComplaint) {
      complained = now;
      log::warn("cannot accept connections", {{"reason", error.message()}});
    }
    // Out of descriptors, clients are to hear of it. Each round closes one at least, so this does not spin.
    const bool exhausted =
        error == asio::error::no_descriptors || error == boost::system::errc::too_many_files_open_in_system;
    if (exhausted && bounds_peers(state->limits) && reserve.shed(state->acceptor.native_handle()) > 0) continue;
    // Connections that end make room.
    pause.expires_after(std::chrono::milliseconds(100));
    co_await pause.async_wait(kReturn);
  }
}

class ServerHandle final : public Server {
 public:
  explicit ServerHandle(State state) : state_(std::move(state)) {}
  ~ServerHandle() override { state_->abort(); }
  void stop() override { state_->stop(); }
  void disconnect() override { state_->disconnect(); }
  void abort() override { state_->abort(); }
  std::size_t connections() const override { return state_->open.load(std::memory_order_relaxed); }

 private:
  State state_;
};

}  // namespace

std::unique_ptr<Server> serve(asio::any_io_executor executor, Fd listener, Limits limits, Server::Handler handler,
                              std::function<std::shared_ptr<asio::ssl::context>()> tls, Refusal refusal) {
  auto state = std::make_shared<ServerState>(executor, std::move(listener), limits, std::move(handler), std::move(tls),
                                             std::move(refusal));
  asio::co_spawn(executor, accept_all(state), asio::detached);
  return std::make_unique<ServerHandle>(std::move(state));
}

}  // namespace lambent::base::http
