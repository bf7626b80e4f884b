// The launcher reads requests from a process that has given up root: nothing that arrives may do more than be refused.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "sandbox/launcher/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const auto parsed =
      lambent::sandbox::wire::parse_request(std::string_view(reinterpret_cast<const char*>(bytes), size));
  const auto* const request = std::get_if<lambent::sandbox::wire::Checked>(&parsed);
  if (request == nullptr) return 0;
  // What was accepted can be used as init and exec will use it: as many strings as counted, each with its end.
  const std::size_t strings =
      request->argument_count + request->variable_count + request->extension_count + request->extension_variable_count;
  if (static_cast<std::size_t>(std::count(request->strings.begin(), request->strings.end(), '\0')) != strings)
    std::abort();
  if (request->argv.size() != request->argument_count || request->strings.size() > size) std::abort();
  for (const std::string& name : {request->runtime_dir, request->root})
    if (name.empty() || name.find('/') != std::string::npos || name.front() == '.') std::abort();
  for (const std::string& layer : request->layers)
    if (layer.size() != 64 || layer.find_first_not_of("0123456789abcdef") != std::string::npos) std::abort();
  return 0;
}
