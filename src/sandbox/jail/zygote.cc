// What a zygote calls: four functions of a freestanding shared object, so that no library's state stands between a
// fork and its sandbox. Nothing here may use libc, which the interpreter around it has in whatever version.
//
//   while (zygote_next() == 0) {
//     pid = zygote_fork(...); if (pid < 0) pid = fork();
//     if (pid == 0) { zygote_child(); break; }
//     zygote_forked(pid);
//   }
//
// The zygote has one thread, is root with what setns needs, and runs no code but Lambent's and the interpreter's own.
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include "sandbox/jail/jail.h"
#include "sandbox/jail/messages.h"
#include "sandbox/jail/raw.h"
#include "sandbox/jail/receive.h"

// What compilers call without being asked to.
extern "C" {
void* memset(void* to, int value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) static_cast<volatile char*>(to)[i] = static_cast<char>(value);
  return to;
}
void* memcpy(void* to, const void* from, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) static_cast<volatile char*>(to)[i] = static_cast<const char*>(from)[i];
  return to;
}
}

namespace lambent::sandbox::jail {
namespace {

constexpr unsigned long kChildEnds = 1UL << (SIGCHLD - 1);

struct Zygote {
  int socket = -1;
  int signals = -1;
  /// Of this process: the way back for its next children.
  int own_pidfd = -1;
  bool open = true;
  long children = 0;
  /// In a child: it began in its group of v2.
  bool in_group = false;
  Message message;
};

Zygote self;
ForkRequest request;
Program program;
Rights rights;

void notify(NoticeKind kind, long first, long second) {
  const Notice notice{kind, static_cast<std::int32_t>(first), static_cast<std::int32_t>(second), request.tag};
  send(self.socket, &notice, sizeof notice);
}

bool settle() {
  if (self.socket >= 0) return true;
  const long socket = raw(SYS_fcntl, kOrdersFd, F_DUPFD_CLOEXEC, kFirstFreeFd);
  raw(SYS_close, kOrdersFd);
  raw(SYS_rt_sigprocmask, SIG_BLOCK, &kChildEnds, nullptr, 8);
  const long signals = raw(SYS_signalfd4, -1, &kChildEnds, 8L, O_CLOEXEC | O_NONBLOCK);
  const long own = raw(SYS_pidfd_open, raw(SYS_getpid), 0);
  self.socket = static_cast<int>(socket);
  self.signals = static_cast<int>(signals);
  self.own_pidfd = static_cast<int>(own);
  return socket >= 0 && signals >= 0 && own >= 0;
}

void reap() {
  char ignored[128];
  raw(SYS_read, self.signals, ignored, static_cast<long>(sizeof ignored));
  for (;;) {
    int status = 0;
    const long pid = raw(SYS_wait4, -1, &status, WNOHANG | __WALL, nullptr);
    if (pid <= 0) return;
    --self.children;
    notify(NoticeKind::reaped, pid, status);
  }
}

void close_received() {
  for (int i = 0; i < self.message.fd_count; ++i) raw(SYS_close, self.message.fds[i]);
  self.message.fd_count = 0;
}

/// True when a fork is wanted and its pid namespace is the next child's.
bool take_request() {
  self.message = receive(self.socket, &request, sizeof request);
  if (self.message.length == 0) self.open = false;
  if (self.message.length <= 0) return false;
  const bool fits = self.message.length == sizeof request && request.limit_count <= kMaxLimits &&
                    request.filter_count <= kMaxFilter && request.group_count <= kMaxGroupFiles &&
                    request.unified <= 1 && request.unified <= request.group_count &&
                    self.message.fd_count == static_cast<int>(kForkFds + request.group_count + request.unified);
  const long entered = fits ? raw(SYS_setns, self.message.fds[0], CLONE_NEWPID) : -EINVAL;
  if (entered >= 0) return true;
  close_received();
  notify(NoticeKind::forked, -1, -entered);
  return false;
}

void fill_program() {
  rights.uid = request.uid;
  rights.limits = request.limits;
  rights.limit_count = request.limit_count;
  rights.landlock_abi = request.landlock_abi;
  rights.seccomp.len = static_cast<unsigned short>(request.filter_count);
  rights.seccomp.filter = request.filter;
  program.init_pidfd = self.message.fds[0];
  program.out = self.message.fds[1];
  program.err = self.message.fds[2];
  program.channel = self.message.fds[3];
  const std::uint32_t to_enter = request.group_count - (self.in_group ? 1 : 0);
  for (std::uint32_t i = 0; i < to_enter; ++i) program.groups[i] = self.message.fds[kForkFds + i];
  program.rights = &rights;
  program.directory = "/var/task";
}

/// What libc's fork does for the child by arguments of clone: the thread's id is kept up to date where libc has it. False where
/// that place is not to be known, or there are other threads, whose locks a child must not inherit.
bool fill_clone(clone_args& how) {
  constexpr long kTidAddress = 40;  // PR_GET_TID_ADDRESS
  std::int32_t* own_id = nullptr;
  if (raw(SYS_unshare, CLONE_THREAD) != 0 || raw(SYS_prctl, kTidAddress, &own_id) != 0 || own_id == nullptr ||
      *own_id != raw(SYS_gettid))
    return false;
  how.flags = CLONE_INTO_CGROUP | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  how.child_tid = reinterpret_cast<std::uint64_t>(own_id);
  how.exit_signal = SIGCHLD;
  how.cgroup = static_cast<std::uint64_t>(self.message.fds[kForkFds + request.group_count]);
  return true;
}

}  // namespace
}  // namespace lambent::sandbox::jail

using namespace lambent::sandbox::jail;

extern "C" {

/// Waits until a fork is wanted: 0. Anything else: the zygote is not needed any more, and has no children left.
__attribute__((visibility("default"))) int zygote_next() {
  if (!settle()) return 1;
  while (self.open || self.children > 0) {
    pollfd sources[2] = {{self.signals, POLLIN, 0}, {self.socket, POLLIN, 0}};
    if (raw(SYS_ppoll, sources, self.open ? 2 : 1, nullptr, nullptr, 8) < 0) continue;
    if (sources[0].revents != 0) reap();
    if (self.open && sources[1].revents != 0 && take_request()) return 0;
  }
  return 1;
}

/// A fork whose child is in its control group of v2 from its first moment: to move there later takes the kernel ten milliseconds
/// and more, one process after another. The three are what the interpreter wants to be called around a fork. Returns as fork
/// does; negative when this cannot be done here: then an ordinary fork will do.
__attribute__((visibility("default"))) int zygote_fork(void (*before)(), void (*after_in_parent)(),
                                                       void (*after_in_child)()) {
  clone_args how = {};
  if (request.unified == 0 || !fill_clone(how)) return -1;
  void* robust_list = nullptr;
  long robust_size = 0;
  const bool has_robust_list = raw(SYS_get_robust_list, 0, &robust_list, &robust_size) == 0;
  before();
  const long pid = raw(kClone3, &how, static_cast<long>(sizeof how));
  if (pid == 0) {
    if (has_robust_list) raw(SYS_set_robust_list, robust_list, robust_size);
    self.in_group = true;
    after_in_child();
    return 0;
  }
  after_in_parent();
  return pid < 0 ? -1 : static_cast<int>(pid);
}

/// In the parent, with what fork returned; negative when it failed.
__attribute__((visibility("default"))) void zygote_forked(int pid) {
  raw(SYS_setns, self.own_pidfd, CLONE_NEWPID);
  close_received();
  if (pid > 0) ++self.children;
  notify(NoticeKind::forked, pid, 0);
}

/// In the child: into its sandbox, by every step of the jail. 0; a child that did not get through them does not return.
__attribute__((visibility("default"))) int zygote_child() {
  fill_program();
  const Failure failure = join_environment(program);
  if (failure.error == 0) return 0;
  notify(NoticeKind::failed, failure.step, failure.error);
  for (;;) raw(SYS_exit_group, 111);
}
}
