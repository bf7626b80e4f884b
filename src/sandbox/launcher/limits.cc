#include "sandbox/launcher/limits.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "sandbox/jail/raw.h"

namespace lambent::sandbox::launcher {
namespace {

using jail::raw;

/// A zygote's fork enters namespaces and becomes the user: it is the only program that root executes for environments. To enter
/// those of a process by its pidfd takes what it takes to trace it.
constexpr std::uint32_t kZygoteCapabilities = 1U << CAP_SYS_ADMIN | 1U << CAP_SYS_CHROOT | 1U << CAP_SETUID |
                                              1U << CAP_SYS_PTRACE | 1U << CAP_SETGID | 1U << CAP_SETPCAP;

void check(long result, const char* what) {
  if (result < 0) throw std::system_error(static_cast<int>(-result), std::system_category(), what);
}

/// Exec takes from here what the bounding set no longer gives.
void keep_inheritable() {
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct own[2] = {};
  check(raw(SYS_capget, &header, own), "reading the capabilities");
  own[0].inheritable = kZygoteCapabilities;
  own[1].inheritable = 0;
  check(raw(SYS_capset, &header, own), "keeping the capabilities of zygotes");
}

}  // namespace

void empty_bounding_set() {
  keep_inheritable();
  for (long capability = 0; capability < 64; ++capability) {
    const long result = raw(SYS_prctl, PR_CAPBSET_DROP, capability, 0L, 0L, 0L);
    // Beyond the kernel's last capability.
    if (result == -EINVAL && capability > 0) return;
    check(result, "emptying the capability bounding set");
  }
}

int landlock_abi() {
  constexpr long kVersion = 1;
  const long abi = raw(jail::kLandlockCreateRuleset, nullptr, 0L, kVersion);
  return abi < 0 ? 0 : static_cast<int>(std::min(abi, 5L));
}

std::vector<jail::Limit> resource_limits(std::uint32_t max_processes) {
  std::vector<jail::Limit> limits = {
      {RLIMIT_NOFILE, {1024, 1024}},
      // AWS's quota. A user of its own per environment makes the count its own too.
      {RLIMIT_NPROC, {max_processes, max_processes}},
      {RLIMIT_MEMLOCK, {65536, 65536}},
      {RLIMIT_STACK, {8388608, RLIM_INFINITY}},
      // Not 0: a core_pattern that is a pipe ignores 0, and the host's collector would get the function's memory. 1 is
      // the kernel's word for "not even into a pipe".
      {RLIMIT_CORE, {1, 1}},
      {RLIMIT_NICE, {0, 0}},
      {RLIMIT_RTPRIO, {0, 0}},
      {RLIMIT_MSGQUEUE, {819200, 819200}},
      {RLIMIT_SIGPENDING, {4096, 4096}},
  };
  for (jail::Limit& limit : limits) {
    rlimit own{};
    if (::getrlimit(static_cast<__rlimit_resource_t>(limit.resource), &own) != 0) continue;
    limit.value.rlim_max = std::min(limit.value.rlim_max, own.rlim_max);
    limit.value.rlim_cur = std::min(limit.value.rlim_cur, limit.value.rlim_max);
  }
  return limits;
}

}  // namespace lambent::sandbox::launcher
