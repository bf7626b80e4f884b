// From the bytes of a request's header to a Request, strictly: whatever two readers could understand in two ways is an
// error (RFC 9112, sections 2.2, 3, 5 and 6). Pure; used by http_server.cc and its fuzzer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/http.h"

namespace lambent::base::http {

struct Head {
  Request request;
  /// HTTP/1.0 requests are answered too; they close unless told otherwise.
  bool http_1_0 = false;
  bool keep_alive = true;
  bool chunked = false;
  bool expects_continue = false;
  /// Nothing when the body is chunked.
  std::optional<std::uint64_t> content_length = 0;
};

struct HeadError {
  int status = 400;
  std::string_view reason;
};

/// `bytes` ends with the empty line. On failure the error is set and the Head is unusable.
Head parse_head(std::string_view bytes, std::size_t max_fields, std::optional<HeadError>& error);

/// How many bytes from the front of `bytes` belong to the header, its empty line included; 0 while it is unfinished.
/// `broken` is set as soon as a line ends in a bare LF or a NUL is seen.
std::size_t head_length(std::string_view bytes, std::size_t already_seen, bool& broken);

}  // namespace lambent::base::http
