#include "sandbox/launcher/links.h"

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace lambent::sandbox::launcher {
namespace {

constexpr std::uint16_t kDo = NLM_F_ACK;
constexpr std::uint16_t kAdd = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
constexpr std::uint8_t kWhole = 32;
/// A link that is not noticed by then loses its first packet, no more.
constexpr int kCarrierUs = 1'000'000, kCarrierStepUs = 50;
constexpr std::uint8_t kNoAddress = IN6_ADDR_GEN_MODE_NONE;

ifinfomsg link_header(int index, unsigned flags) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  header.ifi_flags = flags;
  header.ifi_change = flags;
  return header;
}

rtmsg route_header(std::uint8_t length, std::uint8_t scope, std::uint8_t type) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = scope;
  header.rtm_type = type;
  return header;
}

}  // namespace

int link_index(int socket, const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  base::check(::ioctl(socket, SIOCGIFINDEX, &request), "finding a link");
  return request.ifr_ifindex;
}

void notice_carrier(int socket, const std::string& name) {
  ifreq state{}, request{};
  name.copy(state.ifr_name, sizeof state.ifr_name - 1);
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  ethtool_value question{ETHTOOL_GLINK, 0};
  request.ifr_data = reinterpret_cast<char*>(&question);
  for (int waited_us = 0;; waited_us += kCarrierStepUs) {
    base::check(::ioctl(socket, SIOCGIFFLAGS, &state), "asking for a link's state");
    // Newer kernels notice when they are asked. Until 6.8 they do it when they come to it, soon, holding the lock that this takes.
    base::check(::ioctl(socket, SIOCETHTOOL, &request), "asking for a link's carrier");
    if ((state.ifr_flags & IFF_RUNNING) != 0 || waited_us >= kCarrierUs) return;
    if (waited_us > 0) ::usleep(kCarrierStepUs);
  }
}

int link_index(const std::string& name) {
  const base::Fd socket(base::check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  return link_index(socket.get(), name);
}

void LinkRequests::add_pair(const LinkEnd& own, const LinkEnd& peer, int peer_space) {
  begin("adding a pair of links", RTM_NEWLINK, kAdd, link_header(0, 0));
  put_text(IFLA_IFNAME, own.name);
  put(IFLA_ADDRESS, own.mac);
  nest(IFLA_LINKINFO, [&] {
    put_text(IFLA_INFO_KIND, "veth");
    nest(IFLA_INFO_DATA, [&] {
      nest(VETH_INFO_PEER, [&] {
        put_raw(link_header(0, 0));
        put_text(IFLA_IFNAME, peer.name);
        put(IFLA_ADDRESS, peer.mac);
        put(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_space));
      });
    });
  });
}

void LinkRequests::raise(int index) { begin("raising a link", RTM_NEWLINK, kDo, link_header(index, IFF_UP)); }

void LinkRequests::without_ipv6_address(int index) {
  begin("keeping IPv6 addresses from a link", RTM_NEWLINK, kDo, link_header(index, 0));
  nest(IFLA_AF_SPEC, [&] { nest(AF_INET6, [&] { put(IFLA_INET6_ADDR_GEN_MODE, kNoAddress); }); });
}

void LinkRequests::add_address(int index, Address address, bool host_only) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = kWhole;
  header.ifa_scope = host_only ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.ifa_index = static_cast<unsigned>(index);
  begin("adding the address " + format_address(address), RTM_NEWADDR, kAdd, header);
  put(IFA_LOCAL, htonl(address));
  put(IFA_ADDRESS, htonl(address));
}

void LinkRequests::add_route(int index, Address address) {
  begin("adding a route to " + format_address(address), RTM_NEWROUTE, kAdd,
        route_header(kWhole, RT_SCOPE_LINK, RTN_UNICAST));
  put(RTA_DST, htonl(address));
  put(RTA_OIF, index);
}

void LinkRequests::add_default_route(int index, Address gateway) {
  rtmsg header = route_header(0, RT_SCOPE_UNIVERSE, RTN_UNICAST);
  // There is no route to the gateway, and none is needed.
  header.rtm_flags = RTNH_F_ONLINK;
  begin("adding the default route", RTM_NEWROUTE, kAdd, header);
  put(RTA_GATEWAY, htonl(gateway));
  put(RTA_OIF, index);
}

void LinkRequests::remove_default_route(int index) {
  begin("removing the default route", RTM_DELROUTE, kDo, route_header(0, RT_SCOPE_NOWHERE, RTN_UNSPEC));
  put(RTA_OIF, index);
}

void LinkRequests::add_neighbour(int index, Address address, const Mac& mac) {
  ndmsg header{};
  header.ndm_family = AF_INET;
  header.ndm_ifindex = index;
  header.ndm_state = NUD_PERMANENT;
  begin("adding the neighbour " + format_address(address), RTM_NEWNEIGH, kDo | NLM_F_CREATE | NLM_F_REPLACE, header);
  put(NDA_DST, htonl(address));
  put(NDA_LLADDR, mac);
}

void LinkRequests::prohibit(Address network, std::uint8_t length) {
  begin("refusing a network", RTM_NEWROUTE, kAdd, route_header(length, RT_SCOPE_UNIVERSE, RTN_PROHIBIT));
  put(RTA_DST, htonl(network));
}

std::optional<RouteFound> find_route(Netlink& route, Address address) {
  LinkRequests requests;
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = kWhole;
  header.rtm_flags = RTM_F_FIB_MATCH;
  requests.begin("looking for a route", RTM_GETROUTE, 0, header);
  requests.put(RTA_DST, htonl(address));
  std::optional<RouteFound> found;
  try {
    route.ask(requests, [&](std::string_view answer) {
      rtmsg match{};
      if (answer.size() < sizeof match) return;
      std::memcpy(&match, answer.data(), sizeof match);
      found = RouteFound{0, match.rtm_dst_len};
      each_attribute(answer, sizeof match, [&](std::uint16_t type, std::string_view value) {
        if (type == RTA_OIF && value.size() == sizeof found->index)
          std::memcpy(&found->index, value.data(), sizeof found->index);
      });
    });
  } catch (const std::system_error& error) {
    if (error.code().value() != ENETUNREACH && error.code().value() != EHOSTUNREACH) throw;
  }
  return found;
}

}  // namespace lambent::sandbox::launcher
