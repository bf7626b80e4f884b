#include "sandbox/launcher/uplink.h"

#include <linux/icmp.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <memory>
#include <stdexcept>

#include "sandbox/launcher/files.h"
#include "sandbox/launcher/rules.h"
#include "sandbox/launcher/spaces.h"

namespace lambent::sandbox::launcher {
namespace {

constexpr int kDestinationNat = -100;  // NF_IP_PRI_NAT_DST
constexpr int kSourceNat = 100;        // NF_IP_PRI_NAT_SRC
constexpr Mac kProbeMac = {2, 0, 0, 0, 0, 3}, kProbeHostMac = {2, 0, 0, 0, 0, 4};
constexpr const char* kProbe = "probe";
constexpr int kProbeMs = 100, kProbes = 3;
constexpr std::uint16_t kProbePort = 9;
/// A route at least so long is meant for these addresses; a shorter one is a way to the internet.
constexpr std::uint8_t kMeant = 8;
constexpr int kTries = 32;

/// Where the link's two addresses come from: the first range of which the host has no route.
constexpr Cidr kRanges[] = {{make_address(169, 254, 128, 0), 19},
                            {make_address(100, 64, 0, 0), 10},
                            {make_address(10, 0, 0, 0), 8},
                            {make_address(172, 16, 0, 0), 12},
                            {make_address(192, 168, 0, 0), 16}};
/// For benchmarks (RFC 2544): refused by no rule, and nobody's on the internet.
constexpr Cidr kProbeRanges[] = {{make_address(198, 18, 0, 0), 15}};
/// Whose way is the way to the internet: one in each half, which VPNs route apart, and nobody's.
constexpr Address kElsewhere[] = {make_address(11, 0, 0, 1), make_address(203, 0, 113, 1)};

std::uint32_t random_number() {
  std::uint32_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) throw std::runtime_error("no random numbers");
  return number;
}

std::string make_name() {
  char text[7] = {};
  std::snprintf(text, sizeof text, "%06x", random_number() & 0xffffff);
  return std::string(kOwnedPrefix) + text;
}

sockaddr_in address_of(Address address) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(kProbePort);
  in.sin_addr.s_addr = htonl(address);
  return in;
}

base::Fd datagrams() {
  return base::Fd(base::check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
}

/// Whether a datagram gets from one socket to the other, and its answer back.
bool answers(const base::Fd& near, const base::Fd& far) {
  for (int attempt = 0; attempt < kProbes; ++attempt) {
    char byte = 'p';
    ::send(near.get(), &byte, 1, 0);
    pollfd arrived{far.get(), POLLIN, 0};
    sockaddr_in from{};
    socklen_t length = sizeof from;
    if (::poll(&arrived, 1, kProbeMs) != 1 ||
        ::recvfrom(far.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &length) != 1)
      continue;
    ::sendto(far.get(), &byte, 1, 0, reinterpret_cast<const sockaddr*>(&from), length);
    pollfd back{near.get(), POLLIN, 0};
    if (::poll(&back, 1, kProbeMs) == 1 && ::recv(near.get(), &byte, 1, 0) == 1) return true;
  }
  return false;
}

}  // namespace

Uplink::Uplink(const base::Fd& home, Router& router, const NetworkOptions& options)
    : options_(options),
      name_(make_name()),
      route_(NETLINK_ROUTE),
      rules_(NETLINK_NETFILTER),
      forwarding_(name_),
      pair_(free_pair(kRanges)) {
  // First, so that whoever looks sees that this launcher lives.
  add_rules(options);
  add_link(router);
  follow_routes();
  try_out(home, router);
}

Uplink::Pair Uplink::free_pair(std::span<const Cidr> ranges) {
  for (const Cidr& range : ranges) {
    for (int attempt = 0; attempt < kTries; ++attempt) {
      // Neither the first nor the last pair of the range.
      const std::uint32_t pairs = (~std::uint32_t{0} >> range.length >> 1) - 1;
      const Address host = range.network + 2 * (1 + random_number() % pairs);
      const auto meant = [&](Address address) {
        const auto found = find_route(route_, address);
        return found && found->length >= kMeant;
      };
      if (!meant(host) && !meant(host + 1)) return {host, host + 1};
    }
  }
  throw std::runtime_error("no private addresses are left that the host has no route for");
}

void Uplink::add_link(Router& router) {
  const std::uint32_t number = random_number();
  Mac own = {2, 1, 0, 0, 0, 0}, theirs = own;
  for (int i = 0; i < 4; ++i) own[2 + i] = theirs[2 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  theirs[1] = 2;
  LinkRequests link;
  link.add_pair({name_, own}, {Router::kUplink, theirs}, router.space().get());
  route_.send(link);
  const int index = link_index(name_);
  LinkRequests requests;
  if (router.has_ipv6()) requests.without_ipv6_address(index);
  requests.add_address(index, pair_.host, true);
  requests.raise(index);
  requests.add_route(index, pair_.other);
  route_.send(requests);
  router.use_uplink(pair_.other, pair_.host);
  notice_carrier(datagrams().get(), name_);
  forwarding_.open_own(name_);
  if (options_.mode == FunctionNetwork::host)
    write_file(forwarding_.settings(), "conf/" + name_ + "/route_localnet", "1");
}

void Uplink::add_rules(const NetworkOptions& options) {
  const bool open = options.mode == FunctionNetwork::host;
  RuleBatch batch;
  batch.add_table(name_, true);
  batch.add_chain(name_, "refuse");
  batch.add_rule(name_, "refuse", Rule().protocol(IPPROTO_TCP).reset());
  batch.add_rule(name_, "refuse", Rule().unreachable(ICMP_PKT_FILTERED));

  // What the host itself listens on, whatever its addresses are today.
  batch.add_chain(name_, "input", {"filter", NF_INET_LOCAL_IN, 0});
  if (!open) {
    for (const Cidr& network : options.allowed)
      batch.add_rule(name_, "input", Rule().from(name_).first_destination(network).accept());
    batch.add_rule(name_, "input", Rule().from(name_).go_on("refuse"));
  }

  batch.add_chain(name_, "forward", {"filter", NF_INET_FORWARD, 0});
  batch.add_rule(name_, "forward", Rule().to(name_).known().accept());
  batch.add_rule(name_, "forward", Rule().to(name_).drop());
  batch.add_rule(name_, "forward", Rule().from(name_).stray().drop());
  if (!open) {
    for (const Cidr& network : options.allowed)
      batch.add_rule(name_, "forward", Rule().from(name_).first_destination(network).accept());
    // A port of the host's that leads into one of its containers is the host's all the same.
    batch.add_rule(name_, "forward", Rule().from(name_).redirected().go_on("refuse"));
    for (const Cidr& network : refused_networks())
      batch.add_rule(name_, "forward", Rule().from(name_).destination(network).go_on("refuse"));
  }

  batch.add_chain(name_, "postrouting", {"nat", NF_INET_POST_ROUTING, kSourceNat});
  batch.add_rule(name_, "postrouting", Rule().source({pair_.other}).not_to(name_).masquerade());
  if (open) {
    batch.add_chain(name_, "prerouting", {"nat", NF_INET_PRE_ROUTING, kDestinationNat});
    batch.add_rule(name_, "prerouting",
                   Rule().from(name_).destination({kHostAddress}).translate_to(make_address(127, 0, 0, 1)));
  }
  batch.commit(rules_);
}

void Uplink::follow_routes() {
  std::set<std::string> ways;
  const auto add_way = [&](Address address) {
    const auto found = find_route(route_, address);
    char name[IF_NAMESIZE] = {};
    if (found && ::if_indextoname(static_cast<unsigned>(found->index), name) != nullptr) ways.insert(name);
  };
  for (const Address address : kElsewhere) add_way(address);
  for (const Cidr& network : options_.allowed) add_way(network.network + (network.length < 31 ? 1 : 0));
  if (options_.mode == FunctionNetwork::host) {
    const std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> links(::if_nameindex(),
                                                                                    ::if_freenameindex);
    for (const struct if_nameindex* link = links.get(); link != nullptr && link->if_name != nullptr; ++link)
      ways.insert(link->if_name);
  }
  ways.erase("lo");
  std::erase_if(ways, [](const std::string& name) { return name.starts_with(kOwnedPrefix); });
  for (const std::string& way : ways) forwarding_.open(way);
  ways_ = std::move(ways);
}

void Uplink::try_out(const base::Fd& home, const Router& router) {
  const Pair pair = free_pair(kProbeRanges);
  const std::string name = name_ + "t";
  base::Fd space, near, far;
  {
    const Visit inside(home);
    space = open_space();
    far = datagrams();
  }
  LinkRequests link;
  link.add_pair({name, kProbeHostMac}, {kProbe, kProbeMac}, space.get());
  route_.send(link);
  const int index = link_index(name);
  LinkRequests outside;
  if (router.has_ipv6()) outside.without_ipv6_address(index);
  outside.add_address(index, pair.host, false);
  outside.raise(index);
  outside.add_route(index, pair.other);
  outside.add_neighbour(index, pair.other, kProbeMac);
  route_.send(outside);
  forwarding_.open_own(name);
  {
    const Visit inside(home, space);
    Netlink route(NETLINK_ROUTE);
    const int own = link_index(kProbe);
    LinkRequests requests;
    requests.add_address(own, pair.other, false);
    requests.raise(own);
    requests.add_neighbour(own, pair.host, kProbeHostMac);
    requests.add_default_route(own, pair.host);
    route.send(requests);
    const sockaddr_in address = address_of(pair.other);
    base::check(::bind(far.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  }
  notice_carrier(datagrams().get(), name);
  {
    const Visit inside(home, router.space());
    near = datagrams();
    const sockaddr_in address = address_of(pair.other);
    base::check(::connect(near.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
  }
  if (!answers(near, far))
    throw std::runtime_error(
        "the host's firewall does not forward packets of links named lambent-* (with Docker: iptables "
        "-I DOCKER-USER -i lambent+ -j ACCEPT, and the same with -o)");
}

}  // namespace lambent::sandbox::launcher
