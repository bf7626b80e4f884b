// The HTTP/1.1 server under the gateway and the Runtime API: sockets to Exchanges.
//
// Strict where requests could be read in two ways (RFC 9112): two lengths, a length beside chunked, any other transfer
// coding, bare LF, obs-fold, NUL, chunk extensions beyond bounds and an absolute target that disagrees with Host are answered
// 400 and the connection is closed. Bodies are read only when the handler asks, with the handler's bound. Beast lives in
// http_server.cc alone.
//
// A server belongs to one executor (a lane) and runs every connection there. stop() drains: no new connection, and on
// the old ones only the request that runs or has begun to arrive; connections() then falls to 0.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/http.h"
#include "base/task.h"

namespace boost::asio::ssl {
class context;
}

namespace lambent::base::http {

struct Limits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t header_fields = 100;
  /// From the first byte of a request to the end of its header, and the longest pause while idle between requests.
  std::chrono::seconds header_time{10};
  std::chrono::seconds idle_time{75};
  /// The longest wait for the next part of a body, and for the peer to take the next part of an answer.
  std::chrono::seconds body_pause{20};
  std::size_t connections = 10'000;

  /// For times that somebody else bounds. With all three of them the server has no sweep.
  static constexpr std::chrono::seconds kNever = std::chrono::hours(24 * 365);
};

/// What reading a body came to. Anything but `complete` means: answer if there is something to say; the connection ends after.
enum class BodyStatus { complete, too_large, malformed, timed_out, disconnected };

/// One request and the duty to answer it. Lives on the connection's coroutine.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Head first; its body is filled by read_body().
  virtual Request& request() = 0;
  /// The length that the head declares; nothing for a chunked body, 0 for none.
  virtual std::optional<std::uint64_t> declared_length() const = 0;
  /// Sends "100 Continue" first when the client waits for it. Reads at most `limit` bytes into request().body; a declared
  /// length above it is too_large before anything is read.
  virtual Task<BodyStatus> read_body(std::size_t limit) = 0;
  /// Instead of read_body(), for a body that is used while it arrives: appends what has come, at most 64 KiB. `complete` with
  /// nothing appended is the body's end.
  virtual Task<BodyStatus> read_part(std::string& to) = 0;
  /// Of a chunked body that was read to its end; at most Limits::header_bytes of them.
  virtual const Headers& trailers() const = 0;
  /// Exactly once. Content-Length, Date and Connection are added here. False when the peer is gone.
  virtual Task<bool> respond(Response response) = 0;
  /// The same, but the bytes may leave together with the answer to a request that the client has sent already: for clients that
  /// pipeline and only look at the last answer, so that they are woken once.
  virtual Task<bool> respond_with_next(Response response) = 0;
  /// Instead of respond(), for an answer whose length is not known yet: its head (`response.body` is not looked at), then parts,
  /// each sent before write_part() ends, then end_response(). One that is not ended closes the connection, so that the client
  /// sees that it is not whole. False when the peer is gone.
  virtual Task<bool> begin_response(Response response) = 0;
  virtual Task<bool> write_part(std::string_view bytes) = 0;
  virtual Task<bool> end_response() = 0;
  /// The connection is closed after the answer.
  virtual void close_after() = 0;
};

class Server {
 public:
  using Handler = std::function<Task<void>(Exchange&)>;
  virtual ~Server() = default;
  /// Stops accepting, closes idle connections, lets running exchanges end: connections() falls to 0.
  virtual void stop() = 0;
  /// Closes every connection now and goes on accepting.
  virtual void disconnect() = 0;
  /// Closes everything now.
  virtual void abort() = 0;
  /// Any thread.
  virtual std::size_t connections() const = 0;
};

/// Makes the answer to a request that no handler gets to see (400, 408, 417, 431, 505), so that it can carry the handler's usual
/// headers.
using Refusal = std::function<Response(int status, std::string_view reason)>;

/// `listener` is a listening TCP socket. `handler` must outlive the server, as must `tls` when it is not null; `tls` is asked
/// anew for each connection so that certificates can be replaced.
std::unique_ptr<Server> serve(asio::any_io_executor executor, Fd listener, Limits limits, Server::Handler handler,
                              std::function<std::shared_ptr<asio::ssl::context>()> tls = nullptr,
                              Refusal refusal = nullptr);

/// Binds and listens; throws std::system_error. Port 0 takes a free one; `bound_port` tells which.
Fd listen_tcp(const std::string& address, std::uint16_t port, std::uint16_t* bound_port = nullptr);

}  // namespace lambent::base::http
