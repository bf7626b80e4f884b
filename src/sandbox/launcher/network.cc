#include "sandbox/launcher/network.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <cstring>

#include "sandbox/launcher/forwarding.h"
#include "sandbox/launcher/spaces.h"

namespace lambent::sandbox::launcher {
namespace {

constexpr int kBacklog = 128;
/// How often the host's routes are looked at, at most.
constexpr std::int64_t kFollowRoutesNs = 5'000'000'000;

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

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

std::string words_of(const std::set<std::string>& ways) {
  if (ways.empty()) return "the host has no way to the internet now; one that comes later is used";
  std::string text = "through ";
  for (const std::string& way : ways) text.append(text.ends_with(' ') ? "" : ", ").append(way);
  return text;
}

}  // namespace

Networks::Networks(const NetworkOptions& options) : home_(open_space()) {
  Forwarding::turn_back_abandoned();
  if (options.mode != FunctionNetwork::none) open_way(options);
  make();
}

void Networks::open_way(const NetworkOptions& options) {
  try {
    router_.emplace(home_, options);
    NetworkOptions outside = options;
    for (const auto& [id, subnet] : options.subnets)
      outside.allowed.insert(outside.allowed.end(), subnet.networks.begin(), subnet.networks.end());
    uplink_.emplace(home_, *router_, outside);
    names_.emplace(router_->name_datagrams(), router_->name_connections());
    report_ = {options.mode, words_of(uplink_->ways())};
  } catch (const std::exception& error) {
    names_.reset();
    uplink_.reset();
    router_.reset();
    report_.reason = error.what();
  }
}

void Networks::follow_routes() {
  if (!uplink_) return;
  routes_followed_ns_ = now_ns();
  try {
    uplink_->follow_routes();
  } catch (const std::system_error&) {
    // The ways that there were stay; it is tried again.
  }
}

Network Networks::make() {
  if (now_ns() - routes_followed_ns_ > kFollowRoutesNs) follow_routes();
  const Visit inside(home_);
  raise_loopback();
  Network network{open_space(), listen_on(kRuntimeApiPort), listen_on(kApiPort)};
  if (router_) network.address = router_->connect(network.space);
  return network;
}

void Networks::enter_zone(Address address, const Zone& zone) {
  if (!router_) throw std::system_error(ENETDOWN, std::system_category(), "entering a subnet (" + report_.reason + ")");
  router_->enter_zone(address, zone);
}

base::Fd Networks::make_socket(const base::Fd& pidfd) {
  const Visit inside(home_, pidfd);
  return base::Fd(base::check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
}

}  // namespace lambent::sandbox::launcher
