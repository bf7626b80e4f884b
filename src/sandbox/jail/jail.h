// The jail: what stands between clone and the function's first instruction, as ordered lists of steps (jail.cc).
//
// Three kinds of process take them. Init (pid 1 of an environment, init.cc) walks the list of the namespaces, waits for
// the launcher's orders, starts programs and gives its own rights up. A program walks its list between clone and exec.
// A fork of a zygote (zygote.cc) walks a list that brings it into an environment that has an init already. Everything
// here uses raw system calls, no exceptions and no allocation; what a zygote's fork needs of it is built as a
// freestanding shared object too.
#pragma once

#include <linux/filter.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdint>

namespace lambent::sandbox::jail {

/// Descriptors below this one have fixed meanings in init; the launcher keeps its own above, so that none is in the way
/// of another.
constexpr int kFirstFreeFd = 24;

// Init's descriptors.
constexpr int kOrdersFd = 3;
constexpr int kStdoutFd = 4;
constexpr int kStderrFd = 5;
constexpr int kExtensionsFd = 6;
constexpr int kChannelFd = 7;
constexpr int kSignalsFd = 8;
/// The inner group's directory in cgroup v2.
constexpr int kInnerGroupFd = 9;
constexpr int kGroupFilesFd = 10;

/// Where a process that waits for its function has its channel.
constexpr int kAssignmentFd = 3;

/// Files of control groups to which a process writes itself: memory, cpu, pids and freezer of version 1, the inner
/// group of version 2.
constexpr int kMaxGroupFiles = 5;

struct Limit {
  int resource;
  rlimit value;
};

/// What a process that runs code of a function has given up.
struct Rights {
  std::uint32_t uid = 0;
  const Limit* limits = nullptr;
  std::size_t limit_count = 0;
  /// 0 where the kernel has no landlock.
  int landlock_abi = 0;
  sock_fprog seccomp = {};
};

/// A detached mount and the place where it goes.
struct Attachment {
  int tree;
  const char* at;
};

/// An environment to be. Descriptors are at kFirstFreeFd or above, or -1.
struct Plan {
  int orders = -1;
  int stdout_pipe = -1;
  int stderr_pipe = -1;
  int network = -1;
  /// Files of cgroup v1 to which init writes itself; the outer group of v2 is entered by clone3.
  int own_groups[kMaxGroupFiles] = {-1, -1, -1, -1, -1};
  /// What programs enter besides: the inner group of v2, as a directory and by its file, and the freezer of v1.
  int inner_group = -1;
  int inner_group_file = -1;
  int freezer_file = -1;

  /// The root file system, a detached copy of the template, and where it is put first: a path beneath the launcher's
  /// working directory, for a descriptor would name the launcher's own mount.
  int root_tree = -1;
  const char* stage = nullptr;
  Attachment attachments[8] = {};
  std::size_t attachment_count = 0;
  /// Mount options of /dev/shm ("size=...").
  const char* shm_options = nullptr;

  /// Says so when the namespaces are made.
  bool announce = false;
  const char* hostname = nullptr;
  std::size_t hostname_length = 0;
  Rights rights;
};

/// One process of the environment, on its way to exec.
struct Program {
  int out = -1;
  int err = -1;
  /// Becomes kAssignmentFd; -1: there is none.
  int channel = -1;
  int groups[kMaxGroupFiles] = {-1, -1, -1, -1, -1};
  /// What it gives up; null when whoever started it has done so.
  const Rights* rights = nullptr;
  const char* directory = nullptr;
  const char* const* argv = nullptr;
  const char* const* environment = nullptr;
  /// Of a zygote's fork: the environment's init.
  int init_pidfd = -1;
};

/// The step at which a walk ended, and a positive errno; no error: it went to its end.
struct Failure {
  std::uint32_t step = 0;
  std::int32_t error = 0;
};

Failure enter_namespaces(const Plan& plan);
Failure give_up_rights(const Rights& rights);
/// For init, which dies with the launcher.
Failure give_up_own_rights(const Rights& rights);
/// Returns only when it failed.
Failure become_program(const Program& program);
/// It became everything but the program: there is none, or it is not executable.
bool failed_in_exec(const Failure& failure);
Failure join_environment(const Program& program);
/// For a zygote's own process, before exec.
Failure enter_zygote_root(const Plan& plan);

/// "mount /proc"; the steps are numbered across the lists.
const char* step_name(std::uint32_t step);
std::uint32_t step_count();
/// For failures outside of the lists.
constexpr std::uint32_t kAttachStep = 1000, kStartStep = 1001, kHandOverStep = 1002, kOrderStep = 1003,
                        kMountStep = 1004;

constexpr unsigned kMaxSteps = 96;
/// Where each step's time is written (CLOCK_MONOTONIC, ns), for the bench: kMaxSteps long and shared memory, or null.
void time_steps(std::int64_t* times_ns);

}  // namespace lambent::sandbox::jail
