// The jail: what stands between clone and the function's first instruction.
//
// The launcher fills a Plan, clones, and the child calls `enter`, which never returns: it becomes the environment's init
// (pid 1 inside), starts the runtime as its child and reaps until that ends. Everything here runs in the child, with raw
// system calls, no exceptions and no allocation; the ordered lists of steps stand in jail.cc.
#pragma once

#include <linux/filter.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdint>

namespace lambent::sandbox::jail {

/// Descriptors below this one belong to the jail: 0-2 are the function's, the others are named below. The launcher keeps
/// its own above, so that none is in the way of another.
constexpr int kFirstFreeFd = 8;
constexpr int kFailureFd = 3;
constexpr int kEndingFd = 4;

/// A detached mount and the place beneath the new root where it goes.
struct Attachment {
  int tree;
  const char* at;
};

struct Limit {
  int resource;
  rlimit value;
};

struct Plan {
  // Descriptors, all of them at kFirstFreeFd or above.
  int failure_pipe = -1;
  int ending_pipe = -1;
  int stdout_pipe = -1;
  int stderr_pipe = -1;
  int network = -1;
  /// Files of cgroup v1 to which the child writes itself; v2 is entered by clone3.
  int cgroup_tasks[3] = {-1, -1, -1};

  /// The root file system, a detached copy of the template, and where it is put first: a path beneath the launcher's
  /// working directory, for a descriptor would name the launcher's own mount.
  int root_tree = -1;
  const char* stage = nullptr;
  Attachment attachments[8] = {};
  std::size_t attachment_count = 0;
  /// Mount options of /dev/shm ("size=...").
  const char* shm_options = nullptr;

  const char* hostname = nullptr;
  std::size_t hostname_length = 0;
  const char* directory = nullptr;
  const char* const* argv = nullptr;
  const char* const* environment = nullptr;

  std::uint32_t uid = 0;
  const Limit* limits = nullptr;
  std::size_t limit_count = 0;
  /// 0 where the kernel has no landlock.
  int landlock_abi = 0;
  sock_fprog seccomp = {};
  /// Where each step's time is written (CLOCK_MONOTONIC, ns), for the bench; kMaxSteps long, shared memory, or null.
  std::int64_t* times_ns = nullptr;
};

constexpr unsigned kMaxSteps = 48;

/// Written to the failure pipe. `step` of kStarted and no error says that exec comes next; end of file after it that
/// exec has been done.
struct Failure {
  std::uint32_t step;
  std::int32_t error;
};
constexpr std::uint32_t kStarted = 1000;

/// Written to the ending pipe when the runtime has ended: the status of wait(2).
struct Ending {
  std::int32_t wait_status;
};

/// Runs the list for the environment, starts the runtime and stays as its init.
[[noreturn]] void enter(const Plan& plan);

/// "mount /proc"; the steps are numbered across both lists.
const char* step_name(std::uint32_t step);
std::uint32_t step_count();

}  // namespace lambent::sandbox::jail
