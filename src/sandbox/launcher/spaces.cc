#include "sandbox/launcher/spaces.h"

#include <fcntl.h>
#include <sched.h>

#include <cstdlib>

namespace lambent::sandbox::launcher {

base::Fd open_space() {
  return base::Fd(base::check(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "opening a network namespace"));
}

Visit::Visit(const base::Fd& home) : home_(home.get()) {
  base::check(::unshare(CLONE_NEWNET), "making a network namespace");
}

Visit::Visit(const base::Fd& home, const base::Fd& there) : home_(home.get()) {
  base::check(::setns(there.get(), CLONE_NEWNET), "entering a network namespace");
}

Visit::~Visit() {
  if (::setns(home_, CLONE_NEWNET) != 0) std::abort();
}

}  // namespace lambent::sandbox::launcher
