// What server and launcher say to each other: fixed layouts over a SOCK_SEQPACKET pair of one machine and one binary.
//
// The launcher believes nothing: parse_request checks every number and name before anything is done with them.
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
/// The model's, and a NUL.
constexpr std::size_t kMaxArn = 257;
constexpr std::size_t kMaxMountPath = 161;
constexpr std::size_t kMaxStrings = 48 * 1024;
constexpr std::size_t kMaxArguments = 64;
constexpr std::size_t kMaxVariables = 1024;
constexpr std::uint32_t kUids = 65'536;

enum class Kind : std::uint32_t {
  configure = 1,
  zygote_file,
  file_system,
  report,
  // Requests with a Request's layout.
  launch,
  prepare,
  assign,
  restart,
  // Requests that are a Header.
  terminate,
  kill,
  limit_cpu,
  make_socket,
  destroy,
  // Answers.
  launched,
  done,
  refused,
  ended,
  gone,
};

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
  /// So many messages of the kind follow.
  std::uint32_t zygote_files;
  std::uint32_t zygote_forks;
  /// So many messages of the kind follow, before those.
  std::uint32_t file_systems;
  FunctionNetwork network;
  /// Separated by blanks.
  char allowed_cidrs[2048];
  /// Lines of "subnet ID [internet] CIDR..." and "group ID CIDR...".
  char zones[32 * 1024];
};

/// Followed by the file's content.
struct ZygoteFile {
  Header header;
  /// "python/zygote.py"
  char name[96];
};
constexpr std::size_t kMaxZygoteFile = 128 * 1024;
constexpr std::uint32_t kMaxZygoteFiles = 64;

struct FileSystem {
  Header header;
  char arn[kMaxArn];
  char directory[kMaxPath];
};

/// The launcher's answer to it.
struct Report {
  Header header;
  std::uint32_t full;
  char reason[1024];
  FunctionNetwork network;
  char network_reason[512];
};

/// What is asked for; each kind uses the members that it needs. Followed by the strings, each ended by NUL, in this
/// order: arguments, variables, extensions, extensions' variables; `strings_bytes` in all.
struct Request {
  Header header;
  char code_hash[64];
  char layers[kMaxLayers][64];
  char root[32];
  char runtime_dir[32];
  /// Empty when no file system is wanted.
  char file_system[kMaxArn];
  char mount_path[kMaxMountPath];
  /// Separated by blanks.
  char subnets[kMaxSubnets * (kMaxZoneId + 1) + 1];
  char security_groups[kMaxSecurityGroups * (kMaxZoneId + 1) + 1];
  std::uint32_t layer_count;
  std::int32_t memory_mib;
  std::int32_t ephemeral_mib;
  std::int32_t max_processes;
  /// Of prepare: what waits is forked from a zygote.
  std::uint32_t zygote;
  std::uint32_t argument_count;
  std::uint32_t variable_count;
  std::uint32_t extension_count;
  std::uint32_t extension_variable_count;
  std::uint32_t strings_bytes;
};
constexpr std::size_t kMaxMessage = sizeof(Request) + kMaxStrings;

/// The answer to launch and prepare. With these descriptors: Runtime API listener, API listener, stdout, stderr, memory
/// peak reader, freezer; and the extensions' output when there are extensions.
constexpr std::size_t kLaunchedFds = 6;
struct Launched {
  Header header;
  std::uint32_t freezer_of_version_1;
};

/// The answer to assign (with the extensions' output when there are extensions), restart and make_socket (with the
/// socket).
struct Done {
  Header header;
};

struct Refused {
  Header header;
  std::int32_t error;
  char step[120];
};

constexpr std::int32_t kRuntime = -1;

/// A process has ended: the runtime, or the one that waits, or an extension.
struct Ended {
  Header header;
  std::int32_t which;
  std::int32_t wait_status;
  std::uint32_t out_of_memory;
  std::int64_t peak_bytes;
};

/// The environment is no more.
struct Gone {
  Header header;
  std::uint32_t out_of_memory;
  std::int64_t peak_bytes;
};

/// A Request that has passed every check. Views into the message.
struct Checked {
  Kind kind = Kind::launch;
  std::uint64_t id = 0;
  std::string code_hash;
  std::vector<std::string> layers;
  std::string root;
  std::string runtime_dir;
  FileSystemMount file_system;
  std::vector<std::string> subnets;
  std::vector<std::string> security_groups;
  std::int32_t memory_mib = 0;
  std::int32_t ephemeral_mib = 0;
  std::int32_t max_processes = 0;
  bool zygote = false;
  std::uint32_t argument_count = 0;
  std::uint32_t variable_count = 0;
  std::uint32_t extension_count = 0;
  std::uint32_t extension_variable_count = 0;
  /// All of the strings, which are as many as counted.
  std::string_view strings;
  /// The arguments and variables among them.
  std::vector<std::string_view> argv;
  std::vector<std::string_view> variables;
};

/// Root executes a zygote, so the server may not say what: an interpreter of the root file system, harmless options, one of the
/// files that the launcher was started with, and variables that choose a locale or libraries of that root. What is wrong, or
/// null.
const char* refuse_zygote(const Checked& request);

/// The request, or what is wrong with it. `message` must outlive it.
std::variant<Checked, std::string> parse_request(std::string_view message);

/// The message for launch or assign, for prepare, for restart; or what is wrong with it.
std::variant<std::string, std::runtime_error> format_request(Kind kind, std::uint64_t id, const Spec& spec);
std::variant<std::string, std::runtime_error> format_prepare(std::uint64_t id, const SpareSpec& spec);

/// Copies `text` into a fixed field, cut to fit and ended by NUL.
void put_text(std::span<char> field, std::string_view text);
/// The text of a field up to its NUL; the whole field when there is none.
std::string_view get_text(std::span<const char> field);

/// "/mnt/NAME", where NAME is one component and names no directory above.
bool is_mount_path(std::string_view text);

/// A single path component that is neither hidden nor "..".
bool is_plain_name(std::string_view text);

}  // namespace lambent::sandbox::wire
