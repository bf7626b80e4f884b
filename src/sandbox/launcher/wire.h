// What server and launcher say to each other: fixed layouts over a SOCK_SEQPACKET pair of one machine and one binary.
//
// The launcher believes nothing: parse_launch checks every number and name before anything is done with them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sandbox/sandbox.h"

namespace lambent::sandbox::wire {

constexpr std::size_t kMaxPath = 1024;
constexpr std::size_t kMaxStrings = 48 * 1024;
constexpr std::size_t kMaxArguments = 64;
constexpr std::size_t kMaxVariables = 512;
constexpr std::uint32_t kUids = 65'536;

enum class Kind : std::uint32_t { configure = 1, report, launch, launched, refused, ended, kill, limit_cpu };

struct Header {
  Kind kind;
  std::uint32_t reserved;
  /// Chosen by the server, never used twice.
  std::uint64_t id;
};

/// Server to launcher, once, first.
struct Configure {
  Header header;
  std::uint32_t first_uid;
  char code_dir[kMaxPath];
  char runtimes_dir[kMaxPath];
  char scratch_dir[kMaxPath];
  /// Empty when no roots are installed.
  char roots_dir[kMaxPath];
};

/// The launcher's answer to it.
struct Report {
  Header header;
  std::uint32_t full;
  char reason[1024];
};

/// Followed by `argument_count` and then `variable_count` strings, each ended by NUL, `strings_bytes` in all.
struct Launch {
  Header header;
  char code_hash[64];
  char root[32];
  char runtime_dir[32];
  std::int32_t memory_mib;
  std::int32_t ephemeral_mib;
  std::int32_t max_processes;
  std::uint32_t argument_count;
  std::uint32_t variable_count;
  std::uint32_t strings_bytes;
};
constexpr std::size_t kMaxMessage = sizeof(Launch) + kMaxStrings;

/// With these descriptors: Runtime API listener, API listener, stdout, stderr, memory peak reader.
constexpr int kLaunchedFds = 5;
struct Launched {
  Header header;
};

struct Refused {
  Header header;
  std::int32_t error;
  char step[120];
};

struct Ended {
  Header header;
  std::int32_t wait_status;
  std::uint32_t out_of_memory;
  std::int64_t peak_bytes;
};

/// A Launch that has passed every check. Views into the message.
struct LaunchRequest {
  std::uint64_t id = 0;
  std::string code_hash;
  std::string root;
  std::string runtime_dir;
  std::int32_t memory_mib = 0;
  std::int32_t ephemeral_mib = 0;
  std::int32_t max_processes = 0;
  std::vector<const char*> argv;         // ended by null
  std::vector<const char*> environment;  // ended by null
};

/// The request, or what is wrong with it. `message` must outlive the request.
std::variant<LaunchRequest, std::string> parse_launch(std::string_view message);

/// The message for a spec, or what is wrong with it.
std::variant<std::string, std::runtime_error> format_launch(std::uint64_t id, const Spec& spec);

/// Copies `text` into a fixed field, cut to fit and ended by NUL.
void put_text(std::span<char> field, std::string_view text);
/// The text of a field up to its NUL; the whole field when there is none.
std::string_view get_text(std::span<const char> field);

}  // namespace lambent::sandbox::wire
