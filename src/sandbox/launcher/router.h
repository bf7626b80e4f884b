// The router: a network namespace between the functions' and the host's, which decides by address what a function may reach.
//
// One per launcher. Every environment hangs on it by a pair of links and an address of its own that nobody else sees: what
// leaves through `kUplink` bears the router's. Environments cannot reach each other, and of the router only its name relay.
// Everything of it is gone when its last descriptor closes.
#pragma once

#include <cstdint>
#include <list>
#include <map>
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
  struct Subnet {
    std::vector<Cidr> networks;
    bool internet = false;
  };
  std::map<std::string, Subnet> subnets = {};
  /// What each security group lets out.
  std::map<std::string, std::vector<Cidr>> security_groups = {};
};

/// Subnets and security groups by their ids: together they say what an environment reaches.
struct Zone {
  std::vector<std::string> subnets;
  std::vector<std::string> security_groups;
  auto operator<=>(const Zone&) const = default;
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
  /// Returns its address.
  Address connect(const base::Fd& space);
  /// From now on the environment with that address, which is in no zone, reaches what the zone does, and no more. Throws
  /// std::system_error, also when all the zones that there can be have environments.
  void enter_zone(Address address, Zone zone);
  /// The environment is no more. A zone without environments is kept while it is among the last of those, as functions come and go.
  void leave_zone(Address address) noexcept;

  /// Sockets on kRouterAddress for the name relay.
  const base::Fd& name_datagrams() const { return name_datagrams_; }
  const base::Fd& name_connections() const { return name_connections_; }

  static constexpr const char* kUplink = "up";
  /// Combinations of subnets and security groups that have environments, and those kept beyond them.
  static constexpr std::size_t kMaxZones = 1024, kKeptZones = 32;

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
  void add_rules();
  void write_zone(const Zone& zone, const std::string& chain);
  std::string new_zone(const Zone& zone);
  void drop_oldest_zone();
  std::string add_pair(const base::Fd& space, Address& address);

  base::Fd space_;
  Netlink route_, rules_;
  base::Fd name_datagrams_, name_connections_;
  bool ipv6_;
  const NetworkOptions options_;
  std::uint32_t next_ = 0;
  /// The zones' rules, by the names of their chains; who is in one; and those with nobody in them, the one that is so longest first.
  struct Rules {
    std::string chain;
    std::size_t members = 0;
  };
  std::map<Zone, Rules> zones_;
  std::map<Address, Zone> members_;
  std::list<Zone> unused_;
  std::uint64_t next_chain_ = 0;
};

}  // namespace lambent::sandbox::launcher
