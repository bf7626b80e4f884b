// Links, addresses and routes of one network namespace: the few kinds that functions' networks are made of.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "sandbox/launcher/cidr.h"
#include "sandbox/launcher/netlink.h"

namespace lambent::sandbox::launcher {

using Mac = std::array<std::uint8_t, 6>;

/// One end of a pair of links.
struct LinkEnd {
  std::string name;
  Mac mac;
};

/// The index of a link of the calling thread's namespace. Throws std::system_error.
int link_index(const std::string& name);
/// The same for the namespace of a socket.
int link_index(int socket, const std::string& name);
/// Of a pair of links, the end that was raised first sends nothing until the kernel gets to notice the other: this makes it, or waits
/// for it up to a second.
void notice_carrier(int socket, const std::string& name);

/// What is added is done by Netlink::send of a socket in the namespace concerned.
class LinkRequests : public Requests {
 public:
  /// `peer` goes to the namespace that the descriptor names.
  void add_pair(const LinkEnd& own, const LinkEnd& peer, int peer_space);
  void raise(int index);
  /// No address of IPv6 comes to be on the link by itself. Before it is raised.
  void without_ipv6_address(int index);
  /// `host_only`: never chosen as the source of what goes elsewhere.
  void add_address(int index, Address address, bool host_only);
  /// Directly on the link.
  void add_route(int index, Address address);
  void add_default_route(int index, Address gateway);
  void remove_default_route(int index);
  /// Nothing needs to be asked to find `address` on the link.
  void add_neighbour(int index, Address address, const Mac& mac);
  /// Whoever sends there is told at once that he may not.
  void prohibit(Address network, std::uint8_t length);
};

/// Where the namespace of `route` would send packets to an address.
struct RouteFound {
  int index = 0;
  /// Of the route: 0 for the default route.
  std::uint8_t length = 0;
};
/// Nothing when there is no way there.
std::optional<RouteFound> find_route(Netlink& route, Address address);

}  // namespace lambent::sandbox::launcher
