// A network namespace with two sockets that listen on its loopback, which make a function's Runtime API its own, and a way out
// when functions have one. The sockets are the server's; the environment never holds them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "sandbox/launcher/name_relay.h"
#include "sandbox/launcher/router.h"
#include "sandbox/launcher/uplink.h"
#include "sandbox/sandbox.h"

namespace lambent::sandbox::launcher {

constexpr std::uint16_t kRuntimeApiPort = 9001;
constexpr std::uint16_t kApiPort = 4566;

struct Network {
  base::Fd space;  // for setns
  base::Fd runtime_api;
  base::Fd api;
  /// The environment's; 0 when it reaches nothing.
  Address address = 0;
};

/// Makes networks. What it made for one is gone when the namespace is: nothing is given back.
class Networks {
 public:
  /// Makes one to see that it may. Throws std::system_error. A way out that cannot be had is no error: see report(). Forks the
  /// name relay, and so before the launcher leaves the host's mounts.
  explicit Networks(const NetworkOptions& options = {});
  Network make();
  /// A TCP socket (non-blocking, not connected) in the network namespace of the process. Throws std::system_error.
  base::Fd make_socket(const base::Fd& pidfd);

  /// What the environment with this address reaches from now on. Throws std::system_error, also when there is no way out at all.
  void enter_zone(Address address, const Zone& zone);
  void leave_zone(Address address) noexcept {
    if (router_) router_->leave_zone(address);
  }

  const NetworkReport& report() const { return report_; }
  /// Looks again where the host sends packets to; make() does it now and then.
  void follow_routes();

 private:
  void open_way(const NetworkOptions& options);

  base::Fd home_;
  NetworkReport report_;
  std::optional<Router> router_;
  std::optional<Uplink> uplink_;
  std::optional<NameRelay> names_;
  std::int64_t routes_followed_ns_ = 0;
};

}  // namespace lambent::sandbox::launcher
