// Trace headers come from whoever invokes: reading one never fails, and what is written from it reads the same again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "invoke/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using lambent::invoke::TraceHeader;
  const TraceHeader header = TraceHeader::parse({reinterpret_cast<const char*>(bytes), size});
  if (header.root.empty()) return 0;
  const std::string text = header.text();
  if (text.size() > lambent::invoke::kMaxTraceHeader) std::abort();
  if (TraceHeader::parse(text).text() != text) std::abort();
  return 0;
}
