// The router: a network namespace between the functions' and the host's, which decides by address what a function may reach.
//
// One per launcher. Every environment hangs on it by a pair of links and an address of its own that nobody else sees: what
// leaves through `kUplink` bears the router's. Environments cannot reach each other, and of the router only its name relay.
// Everything of it is gone when its last descriptor closes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "sandbox/launcher/cidr.h"
#include "sandbox/launcher/links.h"
#include "sandbox/sandbox.h"

namespace lambent::sandbox::launcher {

/// The router as environments see it: their gateway, and their name server.
constexpr Address kRouterAddress = make_address(169, 254, 0, 1);
/// In mode `host`, the host's loopback as environments see it.
constexpr Address kHostAddress = make_address(169, 254, 0, 2);
constexpr std::uint16_t kDomainPort = 53;

struct NetworkOptions {
  FunctionNetwork mode = FunctionNetwork::none;
  /// Networks that functions may reach although refused_networks() holds them.
  std::vector<Cidr> allowed = {};
};

class Router {
 public:
  /// Throws std::system_error with what is missing.
  Router(const base::Fd& home, const NetworkOptions& options);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  const base::Fd& space() const { return space_; }
  bool has_ipv6() const { return ipv6_; }
  /// Gives the router its way out: the link `kUplink` must be in its namespace.
  void use_uplink(Address own, Address host);
  /// Links the calling thread's namespace, whose descriptor is `space`, as one more environment. Throws std::system_error.
  void connect(const base::Fd& space);

  /// Sockets on kRouterAddress for the name relay.
  const base::Fd& name_datagrams() const { return name_datagrams_; }
  const base::Fd& name_connections() const { return name_connections_; }

  static constexpr const char* kUplink = "up";

 private:
  /// What must be made inside of the namespace.
  struct Parts {
    base::Fd space;
    Netlink route, rules;
    base::Fd name_datagrams, name_connections;
    bool ipv6;
  };
  Router(Parts parts, const NetworkOptions& options);
  static Parts make(const base::Fd& home);
  void add_rules(const NetworkOptions& options);
  std::string add_pair(const base::Fd& space, Address& address);

  base::Fd space_;
  Netlink route_, rules_;
  base::Fd name_datagrams_, name_connections_;
  bool ipv6_;
  std::uint32_t next_ = 0;
};

}  // namespace lambent::sandbox::launcher
