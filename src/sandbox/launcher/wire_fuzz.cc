// The launcher reads requests from a process that has given up root: nothing that arrives may do more than be refused.
#include <cstdlib>
#include <string_view>

#include "sandbox/launcher/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const auto parsed =
      lambent::sandbox::wire::parse_launch(std::string_view(reinterpret_cast<const char*>(bytes), size));
  const auto* const request = std::get_if<lambent::sandbox::wire::LaunchRequest>(&parsed);
  if (request == nullptr) return 0;
  // What was accepted can be used as exec will use it.
  std::size_t length = 0;
  for (const auto* list : {&request->argv, &request->environment}) {
    if (list->empty() || list->back() != nullptr) std::abort();
    for (const char* text : *list)
      if (text != nullptr) length += std::string_view(text).size() + 1;
  }
  if (length > size || request->runtime_dir.find('/') != std::string::npos) std::abort();
  return 0;
}
