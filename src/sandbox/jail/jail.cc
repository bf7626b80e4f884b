// The ordered lists of steps, and the init that walks them.
#include "sandbox/jail/jail.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>
#include <climits>

#include "sandbox/jail/privileges.h"
#include "sandbox/jail/raw.h"
#include "sandbox/jail/root.h"

namespace lambent::sandbox::jail {
namespace {

long join_cgroups(const Plan& plan) {
  for (const int tasks : plan.cgroup_tasks) {
    if (tasks < 0) continue;
    if (const long result = raw(SYS_write, tasks, "0", 1L); result < 0) return result;
  }
  // Only now: the root of a cgroup namespace is where its creator is.
  return raw(SYS_unshare, CLONE_NEWCGROUP);
}

long enter_network(const Plan& plan) { return raw(SYS_setns, plan.network, CLONE_NEWNET); }

long name_the_host(const Plan& plan) {
  return raw(SYS_sethostname, plan.hostname, static_cast<long>(plan.hostname_length));
}

long take_streams(const Plan& plan) {
  const long null = raw(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0) return null;
  const struct {
    int from, to, flags;
  } moves[] = {{static_cast<int>(null), 0, 0},
               {plan.stdout_pipe, 1, 0},
               {plan.stderr_pipe, 2, 0},
               {plan.failure_pipe, kFailureFd, O_CLOEXEC},
               {plan.ending_pipe, kEndingFd, O_CLOEXEC}};
  for (const auto& move : moves)
    if (const long result = raw(SYS_dup3, move.from, move.to, move.flags); result < 0) return result;
  return 0;
}

long close_everything_else(const Plan&) { return raw(kCloseRange, kEndingFd + 1, UINT_MAX, 0); }

long start_session(const Plan&) {
  raw(SYS_umask, 022);
  const long result = raw(SYS_setsid);
  return result < 0 ? result : 0;
}

long reset_signals(const Plan&) {
  struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    unsigned long mask;
  } action = {};
  for (int signal = 1; signal <= 64; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP) raw(SYS_rt_sigaction, signal, &action, nullptr, 8);
  const unsigned long none = 0;
  return raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, 8);
}

long execute(const Plan& plan) {
  const Failure started{kStarted, 0};
  raw(SYS_write, kFailureFd, &started, static_cast<long>(sizeof started));
  return raw(SYS_execve, plan.argv[0], plan.argv, plan.environment);
}

long die_with_the_launcher(const Plan&) {
  // Changing the user id clears this, so it comes after.
  if (const long result = raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL); result < 0) return result;
  // The launcher may have died before: then nobody reads the ending any more.
  pollfd reader{kEndingFd, 0, 0};
  const timespec now = {};
  raw(SYS_ppoll, &reader, 1, &now, nullptr, 8);
  return (reader.revents & POLLERR) != 0 ? -EPIPE : 0;
}

struct Step {
  const char* name;
  long (*take)(const Plan&);
};

// The jail. Taken by the environment's first process; what it gives up here, the runtime it starts afterwards never has.
constexpr Step kJailSteps[] = {
    {"join the cgroups", join_cgroups},
    {"enter the network namespace", enter_network},
    {"name the host", name_the_host},
    {"keep mounts to itself", keep_mounts_private},
    {"attach the root", attach_root},
    {"attach code, runtime, users and /tmp", attach_trees},
    {"mount /dev/shm", mount_shm},
    {"mount /proc", mount_proc},
    {"mask /proc", mask_proc},
    {"make it the root", pivot_root},
    {"go to the code", enter_directory},
    {"take stdin, stdout and stderr", take_streams},
    {"close every other descriptor", close_everything_else},
    {"limit resources", limit_resources},
    {"lock the securebits", lock_securebits},
    {"become the user", become_user},
    {"drop every capability", drop_capabilities},
    {"forbid new privileges", forbid_new_privileges},
    {"die with the launcher", die_with_the_launcher},
    {"restrict paths (landlock)", restrict_paths},
    {"restrict system calls (seccomp)", restrict_calls},
};

// What the runtime's own process does on top, already inside.
constexpr Step kRuntimeSteps[] = {
    {"start a session", start_session},
    {"reset signals", reset_signals},
    {"exec", execute},
};

constexpr std::uint32_t kRuntimeBase = std::size(kJailSteps);
constexpr std::uint32_t kEnd = kRuntimeBase + std::size(kRuntimeSteps);
static_assert(kEnd <= kMaxSteps && kMaxSteps < kStarted);

void note_time(const Plan& plan, std::uint32_t step) {
  if (plan.times_ns == nullptr) return;
  timespec now;
  raw(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  plan.times_ns[step] = now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

[[noreturn]] void fail(const Plan& plan, std::uint32_t step, long error) {
  const Failure failure{step, static_cast<std::int32_t>(error)};
  // Once every other descriptor is closed, the pipe is where the streams were taken.
  for (const int pipe : {plan.failure_pipe, kFailureFd})
    if (raw(SYS_write, pipe, &failure, static_cast<long>(sizeof failure)) > 0) break;
  for (;;) raw(SYS_exit_group, 111);
}

template <std::size_t Count>
void walk(const Step (&steps)[Count], std::uint32_t base, const Plan& plan) {
  for (std::uint32_t i = 0; i < Count; ++i) {
    const long result = steps[i].take(plan);
    note_time(plan, base + i);
    if (result >= 0) continue;
    fail(plan, base + i, -result);
  }
}

int run_runtime(void* argument) {
  const Plan& plan = *static_cast<const Plan*>(argument);
  walk(kRuntimeSteps, kRuntimeBase, plan);
  return 111;
}

// The runtime's process shares init's memory until it execs, as with vfork; init stands still meanwhile.
alignas(64) char runtime_stack[32 * 1024];

int start_runtime(const Plan& plan) {
  return ::clone(run_runtime, runtime_stack + sizeof runtime_stack, CLONE_VM | CLONE_VFORK | SIGCHLD,
                 const_cast<Plan*>(&plan));
}

}  // namespace

void enter(const Plan& plan) {
  walk(kJailSteps, 0, plan);
  const int runtime = start_runtime(plan);
  if (runtime < 0) fail(plan, kRuntimeBase, errno);
  // With its last holder the failure pipe ends, which says that the runtime was exec'd.
  for (int fd = 0; fd <= kFailureFd; ++fd) raw(SYS_close, fd);
  for (;;) {
    int status = 0;
    const long pid = raw(SYS_wait4, -1, &status, __WALL, nullptr);
    if (pid == -EINTR) continue;
    if (pid >= 0 && pid != runtime) continue;
    const Ending ending{status};
    if (pid == runtime) raw(SYS_write, kEndingFd, &ending, static_cast<long>(sizeof ending));
    // The end of pid 1 is the end of everything else in its namespace.
    for (;;) raw(SYS_exit_group, 0);
  }
}

const char* step_name(std::uint32_t step) {
  if (step < kRuntimeBase) return kJailSteps[step].name;
  if (step < kEnd) return kRuntimeSteps[step - kRuntimeBase].name;
  return "before exec";
}

std::uint32_t step_count() { return kEnd; }

}  // namespace lambent::sandbox::jail
