#include "sandbox/launcher/wire.h"

#include <algorithm>
#include <cstring>

namespace lambent::sandbox::wire {
namespace {

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

template <class T>
bool in_range(T value, T least, T most) {
  return least <= value && value <= most;
}

/// Splits off `count` strings that end with NUL; false when there are fewer.
bool take_strings(std::string_view& text, std::size_t count, std::vector<std::string_view>& strings) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto end = text.find('\0');
    if (end == std::string_view::npos) return false;
    strings.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return true;
}

const char* refuse_numbers(const Request& request) {
  if (!in_range(request.memory_mib, 16, 10'240)) return "memory size is out of range";
  if (!in_range(request.ephemeral_mib, 1, 10'240)) return "the size of /tmp is out of range";
  if (!in_range(request.max_processes, 4, 4096)) return "the process limit is out of range";
  return nullptr;
}

const char* refuse_counts(const Request& request) {
  const bool may_be_idle = request.header.kind == Kind::prepare && request.zygote == 0;
  if (!in_range<std::size_t>(request.argument_count, may_be_idle ? 0 : 1, kMaxArguments))
    return "the number of arguments is out of range";
  if (request.variable_count > kMaxVariables || request.extension_variable_count > kMaxVariables)
    return "too many environment variables";
  if (request.extension_count > kMaxExtensions) return "too many extensions";
  if (request.layer_count > kMaxLayers) return "too many layers";
  return nullptr;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// False when they do not fit.
bool put_words(std::span<char> field, const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (word.empty() || word.find_first_of(std::string_view(" \0", 2)) != std::string::npos) return false;
    text += (text.empty() ? "" : " ") + word;
  }
  put_text(field, text);
  return text.size() < field.size();
}

/// What the kind takes from the file system.
const char* take_names(const Request& request, Checked& checked) {
  checked.root = get_text(request.root);
  checked.runtime_dir = get_text(request.runtime_dir);
  if (!is_plain_name(checked.runtime_dir)) return "the runtime's directory is not a plain name";
  if (!is_plain_name(checked.root)) return "the root's name is not a plain name";
  if (request.header.kind == Kind::prepare) return nullptr;
  checked.code_hash = std::string(request.code_hash, sizeof request.code_hash);
  if (!is_hash(checked.code_hash)) return "the code's hash is not 64 lower-case hex digits";
  for (std::uint32_t i = 0; i < request.layer_count; ++i) {
    checked.layers.emplace_back(request.layers[i], sizeof request.layers[i]);
    if (!is_hash(checked.layers.back())) return "a layer's hash is not 64 lower-case hex digits";
  }
  checked.file_system = {std::string(get_text(request.file_system)), std::string(get_text(request.mount_path))};
  if (!checked.file_system.arn.empty() && !is_mount_path(checked.file_system.path))
    return "a file system's place is not beneath /mnt";
  checked.subnets = words_of(get_text(request.subnets));
  checked.security_groups = words_of(get_text(request.security_groups));
  if (checked.subnets.size() > kMaxSubnets || checked.security_groups.size() > kMaxSecurityGroups)
    return "too many subnets or security groups";
  return nullptr;
}

const char* take_words(const Request& request, std::string_view strings, Checked& checked) {
  std::vector<std::string_view> others, extensions;
  if (!take_strings(strings, request.argument_count, checked.argv) ||
      !take_strings(strings, request.variable_count, checked.variables) ||
      !take_strings(strings, request.extension_count, extensions) ||
      !take_strings(strings, request.extension_variable_count, others) || !strings.empty())
    return "arguments and variables are not what the request counts";
  if (!checked.argv.empty() && checked.argv.front().empty()) return "there is no program to run";
  constexpr std::string_view kExtensions = "/opt/extensions/";
  for (const std::string_view path : extensions)
    if (!path.starts_with(kExtensions) || path.size() == kExtensions.size() ||
        path.find('/', kExtensions.size()) != std::string_view::npos)
      return "an extension is not in /opt/extensions";
  return nullptr;
}

const char* check_spec(const Spec& spec) {
  if (spec.code_hash.size() != sizeof(Request::code_hash)) return "the code's hash is not 64 hex digits";
  if (spec.layers.size() > kMaxLayers) return "too many layers";
  for (const std::string& layer : spec.layers)
    if (layer.size() != sizeof(Request::code_hash)) return "a layer's hash is not 64 hex digits";
  if (spec.extensions.size() > kMaxExtensions) return "too many extensions";
  if (spec.file_system.arn.size() >= kMaxArn || spec.file_system.path.size() >= kMaxMountPath)
    return "too long a name of a file system";
  return nullptr;
}

std::variant<std::string, std::runtime_error> finish(Request& request,
                                                     const std::vector<std::string>* const (&lists)[4]) {
  const auto refuse = [](const char* why) { return std::runtime_error(std::string("sandbox: ") + why); };
  std::uint32_t* const counts[] = {&request.argument_count, &request.variable_count, &request.extension_count,
                                   &request.extension_variable_count};
  std::string strings;
  for (int i = 0; i < 4; ++i) {
    const std::vector<std::string>& list = *lists[i];
    if (list.size() > (i == 0 ? kMaxArguments : kMaxVariables)) return refuse("too many arguments or variables");
    *counts[i] = static_cast<std::uint32_t>(list.size());
    for (const std::string& text : list) {
      if (text.find('\0') != std::string::npos) return refuse("a NUL in an argument or variable");
      strings.append(text).push_back('\0');
      if (strings.size() > kMaxStrings) return refuse("arguments and environment are too long");
    }
  }
  request.strings_bytes = static_cast<std::uint32_t>(strings.size());
  std::string message(reinterpret_cast<const char*>(&request), sizeof request);
  return message += strings;
}

template <class Anything>
bool put_common(Request& request, Kind kind, std::uint64_t id, const Anything& spec) {
  request.header = {kind, 0, id};
  if (spec.root.size() >= sizeof request.root || spec.runtime_dir.size() >= sizeof request.runtime_dir) return false;
  put_text(request.root, spec.root);
  put_text(request.runtime_dir, spec.runtime_dir);
  request.memory_mib = spec.memory_mib;
  request.ephemeral_mib = spec.ephemeral_mib;
  request.max_processes = spec.max_processes;
  return true;
}

}  // namespace

bool is_plain_name(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() < sizeof(Request::runtime_dir) && text.front() != '.' &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool is_mount_path(std::string_view text) {
  constexpr std::string_view kBeneath = "/mnt/";
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (!text.starts_with(kBeneath) || text.size() >= kMaxMountPath) return false;
  text.remove_prefix(kBeneath.size());
  return !text.empty() && text != "." && text != ".." && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

void put_text(std::span<char> field, std::string_view text) {
  const std::size_t length = std::min(text.size(), field.size() - 1);
  std::memcpy(field.data(), text.data(), length);
  std::memset(field.data() + length, 0, field.size() - length);
}

std::string_view get_text(std::span<const char> field) {
  const auto end = std::find(field.begin(), field.end(), '\0');
  return {field.data(), static_cast<std::size_t>(end - field.begin())};
}

const char* refuse_zygote(const Checked& request) {
  const auto& argv = request.argv;
  const auto begins = [](std::string_view text, std::initializer_list<std::string_view> beginnings) {
    return std::ranges::any_of(beginnings, [text](std::string_view begin) { return text.starts_with(begin); });
  };
  const auto leads_up = [](std::string_view path) { return path.find("..") != std::string_view::npos; };
  if (argv.size() < 2 || leads_up(argv.front()) ||
      !begins(argv.front(), {"/usr/bin/python3", "/usr/local/bin/python3", "/var/lang/bin/python3"}))
    return "a zygote's interpreter is not one of the root file system";
  constexpr std::string_view kRuntime = "/var/runtime/";
  // The bootstrap's own word for what it is to be may follow the script.
  const std::size_t script = argv.back() == "--zygote" ? argv.size() - 2 : argv.size() - 1;
  if (!argv[script].starts_with(kRuntime) || !is_plain_name(argv[script].substr(kRuntime.size())))
    return "a zygote's script is not one of the launcher's";
  for (std::size_t i = 1; i < script; ++i)
    if (argv[i] != "-I" && argv[i] != "-S" && argv[i] != "-B" && argv[i] != "-E" && argv[i] != "-s" && argv[i] != "-u")
      return "an option that a zygote may not have";
  for (const std::string_view variable : request.variables)
    if (!begins(variable, {"LANG=", "LC_", "LD_LIBRARY_PATH=", "TZ=", "PATH="}))
      return "a variable that a zygote may not have";
  return nullptr;
}

std::variant<Checked, std::string> parse_request(std::string_view message) {
  Request request;
  if (message.size() < sizeof request || message.size() > kMaxMessage) return "the request has a wrong length";
  std::memcpy(&request, message.data(), sizeof request);
  Checked checked;
  checked.kind = request.header.kind;
  checked.id = request.header.id;
  checked.strings = message.substr(sizeof request);
  if (!in_range(checked.kind, Kind::launch, Kind::restart) || request.strings_bytes != checked.strings.size())
    return "the request contradicts its length";
  if (const char* wrong = refuse_numbers(request)) return wrong;
  if (const char* wrong = refuse_counts(request)) return wrong;
  if (const char* wrong = take_names(request, checked)) return wrong;
  if (const char* wrong = take_words(request, checked.strings, checked)) return wrong;
  checked.memory_mib = request.memory_mib;
  checked.ephemeral_mib = request.ephemeral_mib;
  checked.max_processes = request.max_processes;
  checked.zygote = request.zygote != 0;
  checked.argument_count = request.argument_count;
  checked.variable_count = request.variable_count;
  checked.extension_count = request.extension_count;
  checked.extension_variable_count = request.extension_variable_count;
  return checked;
}

std::variant<std::string, std::runtime_error> format_request(Kind kind, std::uint64_t id, const Spec& spec) {
  Request request{};
  if (!put_common(request, kind, id, spec)) return std::runtime_error("sandbox: a name is too long");
  if (const char* wrong = check_spec(spec)) return std::runtime_error(std::string("sandbox: ") + wrong);
  std::memcpy(request.code_hash, spec.code_hash.data(), sizeof request.code_hash);
  if (!put_words(request.subnets, spec.subnets) || !put_words(request.security_groups, spec.security_groups))
    return std::runtime_error("sandbox: too many subnets or security groups, or one with a wrong name");
  put_text(request.file_system, spec.file_system.arn);
  put_text(request.mount_path, spec.file_system.path);
  for (const std::string& layer : spec.layers)
    std::memcpy(request.layers[request.layer_count++], layer.data(), sizeof request.code_hash);
  return finish(request, {&spec.argv, &spec.environment, &spec.extensions, &spec.extension_environment});
}

std::variant<std::string, std::runtime_error> format_prepare(std::uint64_t id, const SpareSpec& spec) {
  Request request{};
  if (!put_common(request, Kind::prepare, id, spec)) return std::runtime_error("sandbox: a name is too long");
  request.zygote = spec.zygote ? 1 : 0;
  const std::vector<std::string> none;
  return finish(request, {&spec.argv, &spec.environment, &none, &none});
}

}  // namespace lambent::sandbox::wire
