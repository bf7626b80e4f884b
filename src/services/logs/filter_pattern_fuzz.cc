// Any pattern against any message: a clean refusal or an answer. The first line is the pattern.
#include <cstdint>
#include <string_view>

#include "aws/error.h"
#include "services/logs/filter_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  try {
    const lambent::logs::FilterPattern pattern(text.substr(0, line).substr(0, 1024));
    pattern.matches(line == std::string_view::npos ? std::string_view() : text.substr(line + 1));
  } catch (const lambent::aws::Error&) {
  }
  return 0;
}
