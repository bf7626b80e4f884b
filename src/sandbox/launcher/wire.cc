#include "sandbox/launcher/wire.h"

#include <algorithm>
#include <cstring>

namespace lambent::sandbox::wire {
namespace {

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A single path component that is neither hidden nor "..".
bool is_plain_name(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() < sizeof(Launch::runtime_dir) && text.front() != '.' &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

template <class T>
bool in_range(T value, T least, T most) {
  return least <= value && value <= most;
}

/// Splits off `count` strings that end with NUL; false when there are fewer.
bool take_strings(std::string_view& text, std::size_t count, std::vector<const char*>& strings) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto end = text.find('\0');
    if (end == std::string_view::npos) return false;
    strings.push_back(text.data());
    text.remove_prefix(end + 1);
  }
  strings.push_back(nullptr);
  return true;
}

const char* refuse_numbers(const Launch& launch) {
  if (!in_range(launch.memory_mib, 16, 10'240)) return "memory size is out of range";
  if (!in_range(launch.ephemeral_mib, 1, 10'240)) return "the size of /tmp is out of range";
  if (!in_range(launch.max_processes, 4, 4096)) return "the process limit is out of range";
  if (!in_range<std::size_t>(launch.argument_count, 1, kMaxArguments)) return "the number of arguments is out of range";
  if (launch.variable_count > kMaxVariables) return "too many environment variables";
  return nullptr;
}

}  // namespace

void put_text(std::span<char> field, std::string_view text) {
  const std::size_t length = std::min(text.size(), field.size() - 1);
  std::memcpy(field.data(), text.data(), length);
  std::memset(field.data() + length, 0, field.size() - length);
}

std::string_view get_text(std::span<const char> field) {
  const auto end = std::find(field.begin(), field.end(), '\0');
  return {field.data(), static_cast<std::size_t>(end - field.begin())};
}

std::variant<LaunchRequest, std::string> parse_launch(std::string_view message) {
  Launch launch;
  if (message.size() < sizeof launch || message.size() > kMaxMessage) return "the request has a wrong length";
  std::memcpy(&launch, message.data(), sizeof launch);
  std::string_view strings = message.substr(sizeof launch);
  if (launch.header.kind != Kind::launch || launch.strings_bytes != strings.size())
    return "the request contradicts its length";
  if (const char* wrong = refuse_numbers(launch)) return wrong;

  LaunchRequest request;
  request.id = launch.header.id;
  request.code_hash = std::string(launch.code_hash, sizeof launch.code_hash);
  request.root = get_text(launch.root);
  request.runtime_dir = get_text(launch.runtime_dir);
  request.memory_mib = launch.memory_mib;
  request.ephemeral_mib = launch.ephemeral_mib;
  request.max_processes = launch.max_processes;
  if (!is_hash(request.code_hash)) return "the code's hash is not 64 lower-case hex digits";
  if (!is_plain_name(request.runtime_dir)) return "the runtime's directory is not a plain name";
  if (!is_plain_name(request.root)) return "the root's name is not a plain name";
  if (!take_strings(strings, launch.argument_count, request.argv) ||
      !take_strings(strings, launch.variable_count, request.environment) || !strings.empty())
    return "arguments and variables are not what the request counts";
  if (request.argv[0][0] == '\0') return "there is no program to run";
  return request;
}

std::variant<std::string, std::runtime_error> format_launch(std::uint64_t id, const Spec& spec) {
  const auto refuse = [](const char* why) { return std::runtime_error(std::string("launch: ") + why); };
  Launch launch{};
  launch.header = {Kind::launch, 0, id};
  if (spec.code_hash.size() != sizeof launch.code_hash) return refuse("the code's hash is not 64 hex digits");
  if (spec.root.size() >= sizeof launch.root || spec.runtime_dir.size() >= sizeof launch.runtime_dir)
    return refuse("a name is too long");
  if (spec.argv.size() > kMaxArguments || spec.environment.size() > kMaxVariables)
    return refuse("too many arguments or variables");
  std::memcpy(launch.code_hash, spec.code_hash.data(), sizeof launch.code_hash);
  put_text(launch.root, spec.root);
  put_text(launch.runtime_dir, spec.runtime_dir);
  launch.memory_mib = spec.memory_mib;
  launch.ephemeral_mib = spec.ephemeral_mib;
  launch.max_processes = spec.max_processes;
  launch.argument_count = static_cast<std::uint32_t>(spec.argv.size());
  launch.variable_count = static_cast<std::uint32_t>(spec.environment.size());
  std::string strings;
  for (const auto* list : {&spec.argv, &spec.environment})
    for (const std::string& text : *list) {
      if (text.find('\0') != std::string::npos) return refuse("a NUL in an argument or variable");
      strings.append(text).push_back('\0');
      if (strings.size() > kMaxStrings) return refuse("arguments and environment are too long");
    }
  launch.strings_bytes = static_cast<std::uint32_t>(strings.size());
  std::string message(reinterpret_cast<const char*>(&launch), sizeof launch);
  return message += strings;
}

}  // namespace lambent::sandbox::wire
