// What the launcher says to the processes that it started, and what they answer: fixed layouts over SOCK_SEQPACKET
// pairs.
//
// Init and zygotes believe the launcher; the launcher believes init, which runs nobody's code but ours.
#pragma once

#include <cstdint>

#include "sandbox/jail/jail.h"

namespace lambent::sandbox::jail {

constexpr std::size_t kMaxArguments = 64;
constexpr std::size_t kMaxVariables = 1024;
constexpr std::size_t kMaxExtensionPaths = 10;
constexpr std::size_t kMaxStringBytes = 48 * 1024;

enum class OrderKind : std::uint32_t {
  /// With the channel's end for init, which passes credentials on; and, when there are arguments, that for the process
  /// to start.
  wait = 1,
  /// With the trees for /var/task, /opt and the order's mount_path and the extensions' output, as far as `has` says.
  assign,
  /// Kills everything inside and starts extensions and runtime anew.
  restart,
  /// SIGTERM to the runtime's process group.
  terminate,
  /// SIGKILL to everything inside.
  kill,
};

constexpr std::uint32_t kHasCode = 1, kHasLayers = 2, kHasExtensionsOutput = 4, kHasFileSystem = 8;
constexpr std::size_t kMaxMountPath = 161;

/// To init. Followed by the strings, each ended by NUL: arguments, variables, extensions, extensions' variables.
struct Order {
  OrderKind kind;
  std::uint32_t has;
  std::uint32_t argument_count;
  std::uint32_t variable_count;
  std::uint32_t extension_count;
  std::uint32_t extension_variable_count;
  std::uint32_t strings_bytes;
  /// "/mnt/NAME" and NUL.
  char mount_path[kMaxMountPath];
};

enum class NoticeKind : std::uint32_t {
  /// The namespaces are made.
  ready = 1,
  /// What waits has said so.
  waiting,
  /// The order (assign, restart) has been carried out.
  started,
  /// `first` is the step, `second` the errno. Init ends.
  failed,
  /// `first` is the extension's index, or kRuntime; `second` the status of wait(2).
  ended,
  /// From a zygote: `first` is the process id of the fork as the launcher sees it.
  forked,
  /// From a zygote: its child `first` has ended with the status `second`.
  reaped,
};
constexpr std::int32_t kRuntime = -1;

struct Notice {
  NoticeKind kind;
  std::int32_t first;
  std::int32_t second;
  /// Of a zygote's fork that failed: the request's.
  std::uint32_t tag = 0;
};

constexpr std::size_t kMaxLimits = 16;
constexpr std::size_t kMaxFilter = 1024;

/// To a zygote, one at a time. With the descriptors: init's pidfd, stdout, stderr, channel, `group_count` files of control groups,
/// and, when `unified`, the directory of the group of v2 whose file is the last of those.
struct ForkRequest {
  std::uint32_t tag;
  std::uint32_t uid;
  std::int32_t landlock_abi;
  std::uint32_t limit_count;
  std::uint32_t filter_count;
  std::uint32_t group_count;
  std::uint32_t unified;
  Limit limits[kMaxLimits];
  sock_filter filter[kMaxFilter];
};
constexpr std::size_t kForkFds = 4;

/// Before what a waiting process reads: the bytes that follow `length`, then as many strings.
struct Assignment {
  std::uint32_t length;
  std::uint32_t argument_count;
  std::uint32_t variable_count;
};

}  // namespace lambent::sandbox::jail
