#include "sandbox/launcher/name_relay.h"

#include <grp.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
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
constexpr rlim_t kMaxMemory = 256U << 20;
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

[[noreturn]] void become_relay(pid_t watcher) {
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
  for (;;) {
    const pid_t watcher = ::getpid();
    const pid_t relay = ::fork();
    if (relay == 0) become_relay(watcher);
    while (relay > 0 && ::waitpid(relay, nullptr, 0) < 0 && errno == EINTR) continue;
    const timespec pause{0, kRestartMs * 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace

NameRelay::NameRelay(const base::Fd& datagrams, const base::Fd& connections) {
  const pid_t launcher = ::getpid();
  watcher_ = base::check(::fork(), "starting the name relay");
  if (watcher_ == 0) watch(launcher, datagrams.get(), connections.get());
}

NameRelay::~NameRelay() {
  ::kill(watcher_, SIGKILL);
  while (::waitpid(watcher_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace lambent::sandbox::launcher
