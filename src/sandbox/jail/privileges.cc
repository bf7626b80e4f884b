#include "sandbox/jail/privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include <cerrno>

#include "sandbox/jail/raw.h"

namespace lambent::sandbox::jail {
namespace {

// Landlock's file system rights by the version of its interface, for headers older than the right.
constexpr std::uint64_t kExecute = 1 << 0, kWriteFile = 1 << 1, kReadFile = 1 << 2, kReadDir = 1 << 3;
constexpr std::uint64_t kAbi1 = (1 << 13) - 1;
constexpr std::uint64_t kRefer = 1 << 13, kTruncate = 1 << 14, kIoctlDev = 1 << 15;

struct PathRule {
  const char* path;
  std::uint64_t rights;
};

// The mounts are read-only already; this holds even where one of them should turn out writable. A rule holds beneath its
// path across mount points that were there before, hence none for /var/task.
constexpr PathRule kPathRules[] = {
    {"/", kExecute | kReadFile | kReadDir},
    {"/tmp", kAbi1 | kRefer | kTruncate | kIoctlDev},
    {"/dev", kWriteFile | kTruncate | kIoctlDev},
    {"/dev/shm", kAbi1 | kRefer | kTruncate},
    // Where a shared file system is mounted later: what is attached beneath is within the rule.
    {"/mnt", kAbi1 | kRefer | kTruncate},
};

struct __attribute__((packed)) PathBeneath {
  std::uint64_t rights;
  std::int32_t parent;
};

std::uint64_t handled_rights(int abi) {
  std::uint64_t rights = kAbi1;
  if (abi >= 2) rights |= kRefer;
  if (abi >= 3) rights |= kTruncate;
  if (abi >= 5) rights |= kIoctlDev;
  return rights;
}

long add_path_rule(long ruleset, const PathRule& rule, std::uint64_t handled) {
  const long parent = raw(SYS_openat, AT_FDCWD, rule.path, O_PATH | O_CLOEXEC);
  if (parent < 0) return parent;
  const PathBeneath beneath{rule.rights & handled, static_cast<std::int32_t>(parent)};
  constexpr long kRulePathBeneath = 1;
  const long result = raw(kLandlockAddRule, ruleset, kRulePathBeneath, &beneath, 0L);
  raw(SYS_close, parent);
  return result;
}

}  // namespace

long limit_resources(const Rights& rights) {
  for (std::size_t i = 0; i < rights.limit_count; ++i) {
    const Limit& limit = rights.limits[i];
    if (const long result = raw(SYS_prlimit64, 0L, limit.resource, &limit.value, nullptr); result < 0) return result;
  }
  return 0;
}

long lock_securebits(const Rights&) {
  constexpr long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                        SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  return raw(SYS_prctl, PR_SET_SECUREBITS, bits, 0L, 0L, 0L);
}

long become_user(const Rights& rights) {
  const long id = rights.uid;
  if (const long result = raw(SYS_setgroups, 0L, nullptr); result < 0) return result;
  if (const long result = raw(SYS_setresgid, id, id, id); result < 0) return result;
  if (const long result = raw(SYS_setresuid, id, id, id); result < 0) return result;
  // Exec makes the runtime readable for its own user again; init stays closed to everybody inside.
  return raw(SYS_prctl, PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
}

long drop_capabilities(const Rights&) {
  raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L);
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  return raw(SYS_capset, &header, none);
}

long forbid_new_privileges(const Rights&) { return raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L); }

long restrict_paths(const Rights& rights) {
  if (rights.landlock_abi == 0) return 0;
  const std::uint64_t handled = handled_rights(rights.landlock_abi);
  const long ruleset = raw(kLandlockCreateRuleset, &handled, static_cast<long>(sizeof handled), 0L);
  if (ruleset < 0) return ruleset;
  for (const PathRule& rule : kPathRules)
    if (const long result = add_path_rule(ruleset, rule, handled); result < 0) return result;
  const long result = raw(kLandlockRestrictSelf, ruleset, 0L);
  raw(SYS_close, ruleset);
  return result;
}

long restrict_calls(const Rights& rights) {
  // One thread, so no TSYNC.
  return raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0L, &rights.seccomp);
}

}  // namespace lambent::sandbox::jail
