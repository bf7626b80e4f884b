// One HTTP/1.1 exchange with a server somewhere else: connect, send, read the whole answer, close. Bounded in time and in what it
// reads. Beast's client side lives in http_client.cc alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/http.h"
#include "base/task.h"

namespace lambent::targets {

/// "http://127.0.0.1:5000" or "https://sqs.us-east-1.amazonaws.com"; a path is kept as a prefix.
struct Endpoint {
  bool tls = false;
  std::string host;
  std::string port;
  /// Without a slash at its end; empty for none.
  std::string path;

  /// Nothing for anything else, user information and queries included.
  static std::optional<Endpoint> parse(std::string_view url);
  /// As the Host header says it: without the scheme's own port.
  std::string authority() const;
};

struct ExchangeLimits {
  std::chrono::milliseconds time{10'000};
  std::size_t answer_bytes = 1 << 20;
  /// Asked when the answer's head is there, with its Content-Length if it has one (at most `answer_bytes`): false ends the exchange.
  std::function<bool(std::optional<std::uint64_t> length)> before_body;
};

/// The answer has more than `answer_bytes`.
struct AnswerTooLarge : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Throws std::runtime_error with what failed: the name, the connection, the certificate, the time, an answer that cannot be read;
/// AnswerTooLarge for one that is.
base::Task<base::http::Response> exchange(Endpoint endpoint, base::http::Request request, ExchangeLimits limits);

}  // namespace lambent::targets
