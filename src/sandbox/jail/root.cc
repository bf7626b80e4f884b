#include "sandbox/jail/root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/jail/raw.h"

namespace lambent::sandbox::jail {
namespace {

constexpr long kFromEmptyPath = 4;  // MOVE_MOUNT_F_EMPTY_PATH

// What a container runtime hides of /proc: the host's hardware, keys and timers. The mount is read-only besides, which
// is what keeps /proc/sys, /proc/sysrq-trigger, /proc/irq, /proc/bus and /proc/fs as they are.
constexpr const char* kMaskedFiles[] = {"proc/kcore",      "proc/keys",        "proc/key-users", "proc/latency_stats",
                                        "proc/timer_list", "proc/sched_debug", "proc/kallsyms",  "proc/sysrq-trigger"};
constexpr const char* kMaskedDirectories[] = {"proc/acpi", "proc/asound", "proc/scsi",
                                              "proc/fs",   "proc/bus",    "proc/irq"};

// An entry that this kernel does not have needs no mask.
long mask(const char* with, const char* path) {
  const long result = raw(SYS_mount, with, path, nullptr, MS_BIND, nullptr);
  return result == -ENOENT ? 0 : result;
}

}  // namespace

long keep_mounts_private(const Plan&) { return raw(SYS_mount, nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr); }

long attach_root(const Plan& plan) {
  if (const long result = raw(kMoveMount, plan.root_tree, "", AT_FDCWD, plan.stage, kFromEmptyPath); result < 0)
    return result;
  // From here on every path is relative to the root to be.
  return raw(SYS_chdir, plan.stage);
}

long attach(const Attachment& attachment) {
  return raw(kMoveMount, attachment.tree, "", AT_FDCWD, attachment.at, kFromEmptyPath);
}

long attach_trees(const Plan& plan) {
  for (std::size_t i = 0; i < plan.attachment_count; ++i)
    if (const long result = attach(plan.attachments[i]); result < 0) return result;
  return 0;
}

long mount_shm(const Plan& plan) {
  return raw(SYS_mount, "shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, plan.shm_options);
}

long mount_proc(const Plan&) {
  // hidepid=2: a process that may not be traced is not even listed, init among them.
  return raw(SYS_mount, "proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "hidepid=2");
}

long mask_proc(const Plan&) {
  for (const char* path : kMaskedFiles)
    if (const long result = mask("dev/null", path); result < 0) return result;
  for (const char* path : kMaskedDirectories)
    if (const long result = mask("var/empty", path); result < 0) return result;
  return 0;
}

long pivot_root(const Plan&) {
  if (const long result = raw(SYS_pivot_root, ".", "."); result < 0) return result;
  // The old root lies over the new one: this takes it away, and with it every mount of the host.
  if (const long result = raw(SYS_umount2, ".", MNT_DETACH); result < 0) return result;
  return raw(SYS_chdir, "/");
}

}  // namespace lambent::sandbox::jail
