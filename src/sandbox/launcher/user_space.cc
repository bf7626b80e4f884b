#include "sandbox/launcher/user_space.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "sandbox/jail/raw.h"
#include "sandbox/launcher/files.h"

namespace lambent::sandbox::launcher {
namespace {

/// A process that does nothing but be in a user namespace of its own.
class Holder {
 public:
  Holder() : pid_(static_cast<int>(jail::raw(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0L, 0L, 0L, 0L))) {
    if (pid_ == 0)
      for (;;) jail::raw(SYS_ppoll, nullptr, 0L, nullptr, nullptr, 0L);
    if (pid_ < 0) throw std::system_error(-pid_, std::system_category(), "making a user namespace");
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::string path() const { return "/proc/" + std::to_string(pid_); }

 private:
  int pid_;
};

std::string line_of(const SameOne& one) {
  return std::to_string(one.on_disk) + " " + std::to_string(one.in_mount) + " 1";
}

}  // namespace

base::Fd make_user_space(const SameOne& user, const SameOne& group) {
  const Holder holder;
  const std::string path = holder.path();
  const base::Fd directory(base::check(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), path.c_str()));
  write_file(directory.get(), "uid_map", line_of(user));
  write_file(directory.get(), "gid_map", line_of(group));
  return base::Fd(base::check(::openat(directory.get(), "ns/user", O_RDONLY | O_CLOEXEC), "opening a user namespace"));
}

}  // namespace lambent::sandbox::launcher
