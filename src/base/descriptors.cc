#include "base/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>

namespace lambent::base {
namespace {

constexpr std::size_t kAtOnce = 64;

Fd open_nothing() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit files{};
  check(::getrlimit(RLIMIT_NOFILE, &files), "cannot read the limit of open files");
  const rlim_t before = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  // A kernel that refuses leaves it as it was.
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) files.rlim_cur = before;
  return static_cast<std::size_t>(std::min<rlim_t>(files.rlim_cur, 1 << 30));
}

ReserveDescriptor& ReserveDescriptor::of_process() {
  static ReserveDescriptor reserve;
  return reserve;
}

ReserveDescriptor::ReserveDescriptor() : kept_(open_nothing()) {}

std::size_t ReserveDescriptor::shed(int listener) {
  const std::lock_guard lock(mutex_);
  kept_.reset();
  std::size_t closed = 0;
  // Another thread may take the descriptor first: then this is zero.
  while (closed < kAtOnce && Fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC))) ++closed;
  kept_ = open_nothing();
  return closed;
}

}  // namespace lambent::base
