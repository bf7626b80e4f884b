// The decoder of a chunked body (RFC 9112 section 7.1), fed as bytes arrive. Strict: no chunk extensions, which serve nobody here
// and have been used to smuggle requests, no bare LF, sizes of at most 15 hex digits.
//
// Pure: used by http_server.cc and its fuzzer. One per body.
#pragma once

#include <cstdint>
#include <string>

#include "base/http.h"

namespace lambent::base::http {

class ChunkedBody {
 public:
  /// `trailer_bytes` bounds the trailer section.
  explicit ChunkedBody(std::size_t trailer_bytes) : trailer_limit_(trailer_bytes) {}

  enum class State { more, done, malformed };
  /// Takes from the front of `raw` what is complete and appends the body's bytes to `out`, at most `room` of them. What
  /// follows the body stays in `raw`. `more` with an empty `raw` wants more bytes; with a full one, more room.
  State take(std::string& raw, std::string& out, std::size_t room);

  /// Complete once take() has said `done`.
  const Headers& trailers() const { return trailers_; }

 private:
  enum class Part { size, data, data_end, trailers, done, malformed };

  bool read_size(const std::string& raw, std::size_t& at);
  bool read_trailer(const std::string& raw, std::size_t& at);

  std::size_t trailer_limit_;
  std::size_t trailer_size_ = 0;
  Part part_ = Part::size;
  std::uint64_t left_ = 0;
  Headers trailers_;
};

}  // namespace lambent::base::http
