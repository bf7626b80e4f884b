// The strict header reader on arbitrary bytes: it must end, and what it accepts must be framed in one way.
#include <cstdlib>

#include "base/http_head.h"

using namespace lambent::base::http;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  bool broken = false;
  const std::size_t length = head_length(bytes, 0, broken);
  std::optional<HeadError> error;
  const Head head = parse_head(bytes.substr(0, length), 100, error);
  if (error) return 0;
  const Headers& headers = head.request.headers;
  if (head.chunked == head.content_length.has_value()) std::abort();
  if (head.chunked && headers.count("Content-Length") != 0) std::abort();
  if (!head.request.path.starts_with('/')) std::abort();
  return 0;
}
