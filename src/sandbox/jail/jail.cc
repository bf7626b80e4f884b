// The ordered lists of steps, and nothing else that decides their order.
#include "sandbox/jail/jail.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include <cerrno>
#include <iterator>

#include "sandbox/jail/privileges.h"
#include "sandbox/jail/process.h"
#include "sandbox/jail/raw.h"
#include "sandbox/jail/root.h"

namespace lambent::sandbox::jail {
namespace {

long join_own_groups(const Plan& plan) {
  if (const long result = write_self(plan.own_groups); result < 0) return result;
  // Only now: the root of a cgroup namespace is where its creator is.
  return raw(SYS_unshare, CLONE_NEWCGROUP);
}

long enter_network(const Plan& plan) { return raw(SYS_setns, plan.network, CLONE_NEWNET); }

long name_the_host(const Plan& plan) {
  return raw(SYS_sethostname, plan.hostname, static_cast<long>(plan.hostname_length));
}

template <class Subject>
long die_with_the_launcher(const Subject&) {
  // Changing the user id clears this, so init asks for it once more afterwards.
  if (const long result = raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL); result < 0) return result;
  // The launcher may have died before.
  pollfd launcher{kOrdersFd, 0, 0};
  const timespec now = {};
  raw(SYS_ppoll, &launcher, 1, &now, nullptr, 8);
  return (launcher.revents & POLLHUP) != 0 ? -EPIPE : 0;
}

template <class Subject>
struct Step {
  const char* name;
  long (*take)(const Subject&);
};

// Init, at once: what makes the environment a world of its own. Init is still root in it.
constexpr Step<Plan> kNamespaceSteps[] = {
    {"join the cgroups", join_own_groups},
    {"enter the network namespace", enter_network},
    {"name the host", name_the_host},
    {"keep mounts to itself", keep_mounts_private},
    {"attach the root", attach_root},
    {"attach runtime, users and /tmp", attach_trees},
    {"mount /dev/shm", mount_shm},
    {"mount /proc", mount_proc},
    {"mask /proc", mask_proc},
    {"make it the root", pivot_root},
};

// Whoever runs code of a function, and init once it has started such a process.
constexpr Step<Rights> kRightsSteps[] = {
    {"limit resources", limit_resources},
    {"lock the securebits", lock_securebits},
    {"become the user", become_user},
    {"drop every capability", drop_capabilities},
    {"forbid new privileges", forbid_new_privileges},
    {"restrict paths (landlock)", restrict_paths},
    {"restrict system calls (seccomp)", restrict_calls},
};

// Init, with code mounted and programs started. Seccomp comes last here too.
constexpr Step<Rights> kInitRightsSteps[] = {
    {"init: limit resources", limit_resources},
    {"init: lock the securebits", lock_securebits},
    {"init: become the user", become_user},
    {"init: drop every capability", drop_capabilities},
    {"init: forbid new privileges", forbid_new_privileges},
    {"init: die with the launcher", die_with_the_launcher<Rights>},
    {"init: restrict paths (landlock)", restrict_paths},
    {"init: restrict system calls (seccomp)", restrict_calls},
};

// A program (the runtime, an extension, a spare), between clone and exec.
constexpr Step<Program> kProgramSteps[] = {
    {"enter the inner cgroup", enter_groups},
    {"take stdin, stdout and stderr", take_streams},
    {"close every other descriptor", close_everything_else},
    {"start a session", start_session},
    {"reset signals", reset_signals},
    {"give up rights", give_up},
    {"go to the code", enter_directory},
    {"exec", execute},
};

// A fork of a zygote, which is in the pid namespace of its environment and nowhere else yet.
constexpr Step<Program> kForkSteps[] = {
    {"fork: enter the cgroups", enter_groups},
    {"fork: enter the namespaces", enter_environment},
    {"fork: take stdin, stdout and stderr", take_streams},
    {"fork: close every other descriptor", close_everything_else},
    {"fork: start a session", start_session},
    // Handlers stay the interpreter's own.
    {"fork: unblock signals", unblock_signals},
    {"fork: give up rights", give_up},
    {"fork: go to the code", enter_directory},
};

// A zygote, before exec: the read-only root of its runtime and no network. It keeps what setns needs.
constexpr Step<Plan> kZygoteSteps[] = {
    {"zygote: keep mounts to itself", keep_mounts_private},
    {"zygote: attach the root", attach_root},
    {"zygote: attach the runtime", attach_trees},
    {"zygote: make it the root", pivot_root},
    {"zygote: die with the launcher", die_with_the_launcher<Plan>},
};

constexpr std::uint32_t kRightsBase = std::size(kNamespaceSteps);
constexpr std::uint32_t kInitRightsBase = kRightsBase + std::size(kRightsSteps);
constexpr std::uint32_t kProgramBase = kInitRightsBase + std::size(kInitRightsSteps);
constexpr std::uint32_t kForkBase = kProgramBase + std::size(kProgramSteps);
constexpr std::uint32_t kZygoteBase = kForkBase + std::size(kForkSteps);
constexpr std::uint32_t kEnd = kZygoteBase + std::size(kZygoteSteps);
static_assert(kEnd <= kMaxSteps && kMaxSteps < kAttachStep);

std::int64_t* step_times_ns = nullptr;

void note_time(std::uint32_t step) {
  if (step_times_ns == nullptr) return;
  timespec now;
  raw(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  step_times_ns[step] = now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

/// The innermost step that failed, when a step is a walk itself.
Failure inner_failure;

template <class Subject, std::size_t Count>
Failure walk(const Step<Subject> (&steps)[Count], std::uint32_t base, const Subject& subject) {
  inner_failure = {};
  for (std::uint32_t i = 0; i < Count; ++i) {
    const long result = steps[i].take(subject);
    note_time(base + i);
    if (result >= 0) continue;
    if (inner_failure.error == 0) inner_failure = {base + i, static_cast<std::int32_t>(-result)};
    return inner_failure;
  }
  return {};
}

template <class Subject, std::size_t Count>
const char* name_in(const Step<Subject> (&steps)[Count], std::uint32_t base, std::uint32_t step) {
  return base <= step && step < base + Count ? steps[step - base].name : nullptr;
}

}  // namespace

Failure enter_namespaces(const Plan& plan) { return walk(kNamespaceSteps, 0, plan); }
Failure give_up_rights(const Rights& rights) { return walk(kRightsSteps, kRightsBase, rights); }
Failure give_up_own_rights(const Rights& rights) { return walk(kInitRightsSteps, kInitRightsBase, rights); }
Failure become_program(const Program& program) { return walk(kProgramSteps, kProgramBase, program); }
bool failed_in_exec(const Failure& failure) { return failure.step + 1 == kForkBase; }
Failure join_environment(const Program& program) { return walk(kForkSteps, kForkBase, program); }
Failure enter_zygote_root(const Plan& plan) { return walk(kZygoteSteps, kZygoteBase, plan); }

const char* step_name(std::uint32_t step) {
  for (const char* name : {name_in(kNamespaceSteps, 0, step), name_in(kRightsSteps, kRightsBase, step),
                           name_in(kInitRightsSteps, kInitRightsBase, step), name_in(kProgramSteps, kProgramBase, step),
                           name_in(kForkSteps, kForkBase, step), name_in(kZygoteSteps, kZygoteBase, step)})
    if (name != nullptr) return name;
  switch (step) {
    case kAttachStep:
      return "attach code and layers";
    case kStartStep:
      return "start a program";
    case kMountStep:
      return "mount the shared file system";
    case kHandOverStep:
      return "hand over to what waits";
    default:
      return "take an order";
  }
}

std::uint32_t step_count() { return kEnd; }

void time_steps(std::int64_t* times_ns) { step_times_ns = times_ns; }

}  // namespace lambent::sandbox::jail
