// One HTTP/1.1 exchange with a server somewhere else: connect, send, read the whole answer, close. Bounded in time and in what it
// reads. Beast's client side lives in http_client.cc alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
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
};

/// Throws std::runtime_error with what failed: the name, the connection, the certificate, the time, an answer that cannot be read.
base::Task<base::http::Response> exchange(Endpoint endpoint, base::http::Request request, ExchangeLimits limits);

}  // namespace lambent::targets
