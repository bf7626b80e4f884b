// The chunked decoder on arbitrary bytes: it must end, and read the same whether they come at once or one by one.
#include <cstdlib>

#include "base/chunked_body.h"

using namespace lambent::base::http;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  ChunkedBody whole(512), pieces(512);
  std::string raw = bytes, out;
  const auto said = whole.take(raw, out, size);
  auto told = ChunkedBody::State::more;
  std::string piece, parts;
  for (std::size_t i = 0; i < size && told == ChunkedBody::State::more; ++i) {
    piece += bytes[i];
    told = pieces.take(piece, parts, size);
  }
  if (said == ChunkedBody::State::done && (told != said || parts != out)) std::abort();
  if (told == ChunkedBody::State::done && said != told) std::abort();
  return 0;
}
