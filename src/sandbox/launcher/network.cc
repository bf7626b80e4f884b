#include "sandbox/launcher/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>

namespace lambent::sandbox::launcher {
namespace {

constexpr int kBacklog = 128;

void raise_loopback() {
  const base::Fd socket(base::check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  base::check(::ioctl(socket.get(), SIOCSIFFLAGS, &request), "raising the loopback");
}

base::Fd listen_on(std::uint16_t port) {
  base::Fd socket(base::check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  base::check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "binding a listener");
  base::check(::listen(socket.get(), kBacklog), "listening");
  return socket;
}

base::Fd open_space() {
  return base::Fd(base::check(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "opening a network namespace"));
}

}  // namespace

Networks::Networks() : home_(open_space()) { make(); }

Network Networks::make() {
  base::check(::unshare(CLONE_NEWNET), "making a network namespace");
  struct Return {
    int home;
    // A launcher that cannot leave a function's network must not go on.
    ~Return() {
      if (::setns(home, CLONE_NEWNET) != 0) std::abort();
    }
  } const back{home_.get()};
  raise_loopback();
  return {open_space(), listen_on(kRuntimeApiPort), listen_on(kApiPort)};
}

}  // namespace lambent::sandbox::launcher
