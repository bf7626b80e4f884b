#include "sandbox/launcher/name_relay.h"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace lambent::sandbox::launcher {
namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr uid_t kNobody = 65'534;
constexpr rlim_t kMaxDescriptors = 1024;
#if __has_feature(address_sanitizer)
// Its shadow alone takes terabytes.
constexpr rlim_t kMaxMemory = RLIM_INFINITY;
#else
constexpr rlim_t kMaxMemory = 256U << 20;
#endif
constexpr long kRestartMs = 200;
/// Where the two sockets are in the relay's processes.
constexpr int kDatagrams = 3, kConnections = 4;

/// Only the sockets stay open: the launcher's own would keep its server from seeing it end.
void keep_sockets(int datagrams, int connections) {
  constexpr int kAside = 60;
  ::dup2(datagrams, kAside);
  ::dup2(connections, kAside + 1);
  ::dup2(kAside, kDatagrams);
  ::dup2(kAside + 1, kConnections);
  ::syscall(SYS_close_range, kConnections + 1, UINT_MAX, 0);
}

/// Ends with the parent, also when that has ended already.
void end_with(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
}

/// What the watcher waits for.
sigset_t watched_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGTERM, SIGCHLD}) ::sigaddset(&set, number);
  return set;
}

[[noreturn]] void become_relay(pid_t watcher) {
  const sigset_t watched = watched_signals();
  ::sigprocmask(SIG_UNBLOCK, &watched, nullptr);
  const rlimit files{kMaxDescriptors, kMaxDescriptors}, memory{kMaxMemory, kMaxMemory};
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::setrlimit(RLIMIT_AS, &memory);
  for (int capability = 0; ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) continue;
  // From root to another user takes every capability along.
  if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
      ::setresuid(kNobody, kNobody, kNobody) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    ::_exit(1);
  // After the change of user, which undoes it.
  end_with(watcher);
  relay_names(kDatagrams, kConnections, kResolvConf);
}

[[noreturn]] void watch(pid_t launcher, int datagrams, int connections) {
  end_with(launcher);
  keep_sockets(datagrams, connections);
  ::prctl(PR_SET_NAME, "lambent-names");
  const sigset_t watched = watched_signals();
  const pid_t watcher = ::getpid();
  for (;;) {
    const pid_t relay = ::fork();
    if (relay == 0) become_relay(watcher);
    int number = 0;
    // One that was stopped sends the same signal as one that has ended.
    while (relay > 0 && number != SIGTERM && ::waitpid(relay, nullptr, WNOHANG) == 0) ::sigwait(&watched, &number);
    if (relay > 0 && number == SIGTERM) {
      ::kill(relay, SIGKILL);
      // So that nothing of it is in the launcher's cgroup any more.
      ::waitpid(relay, nullptr, 0);
    }
    if (number == SIGTERM) ::_exit(0);
    const timespec pause{0, kRestartMs * 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace

NameRelay::NameRelay(const base::Fd& datagrams, const base::Fd& connections) {
  const pid_t launcher = ::getpid();
  const sigset_t watched = watched_signals();
  sigset_t before;
  // Already in the child when it begins: no signal may come too early.
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  watcher_ = ::fork();
  if (watcher_ == 0) watch(launcher, datagrams.get(), connections.get());
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  base::check(watcher_, "starting the name relay");
}

NameRelay::~NameRelay() {
  ::kill(watcher_, SIGTERM);
  while (::waitpid(watcher_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace lambent::sandbox::launcher
