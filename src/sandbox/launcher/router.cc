#include "sandbox/launcher/router.h"

#include <fcntl.h>
#include <linux/icmp.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "sandbox/launcher/files.h"
#include "sandbox/launcher/rules.h"
#include "sandbox/launcher/spaces.h"

namespace lambent::sandbox::launcher {
namespace {

/// Addresses of environments, one after another, from 169.254.1.0 on: link-local ones, so that they hide nothing that a
/// function might want to reach, and far from the metadata services.
constexpr Address kFirstAddress = make_address(169, 254, 1, 0);
constexpr std::uint32_t kAddresses = 127 * 256;
/// One that is still in use after all others were is passed over; so many at most.
constexpr int kMaxPassedOver = 4096;

/// Both ends are known beforehand: nobody asks for them.
constexpr Mac kRouterMac = {2, 0, 0, 0, 0, 1};
constexpr Mac kEnvironmentMac = {2, 0, 0, 0, 0, 2};
constexpr const char* kEnvironmentLink = "eth0";

/// AWS: 1,024 file descriptors of an execution environment; a connection that ended counts for a while.
constexpr std::uint32_t kMaxConnections = 1024;
constexpr int kBacklog = 64;
constexpr int kSourceNat = 100;  // NF_IP_PRI_NAT_SRC
constexpr const char* kTable = "lambent";
constexpr const char* kZones = "zones";

/// True when the kernel has IPv6.
bool settle_space() {
  const base::Fd settings(
      base::check(::open("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC), "opening /proc/sys/net"));
  write_file(settings.get(), "ipv4/ip_forward", "1");
  // An environment sends from its own address or not at all.
  write_file(settings.get(), "ipv4/conf/all/rp_filter", "1");
  write_file(settings.get(), "ipv4/conf/default/rp_filter", "1");
  write_file(settings.get(), "ipv4/conf/all/send_redirects", "0");
  write_file(settings.get(), "ipv4/conf/default/send_redirects", "0");
  // Or a refusal would be told once a second only, and wait for a time-out otherwise.
  write_file(settings.get(), "ipv4/icmp_ratelimit", "0");
  if (!read_file(settings.get(), "ipv6/conf/all/disable_ipv6")) return false;
  write_file(settings.get(), "ipv6/conf/all/disable_ipv6", "1");
  write_file(settings.get(), "ipv6/conf/default/disable_ipv6", "1");
  return true;
}

base::Fd bind_names(int type) {
  base::Fd socket(base::check(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kDomainPort);
  address.sin_addr.s_addr = htonl(kRouterAddress);
  base::check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              "binding the name relay");
  if (type == SOCK_STREAM) base::check(::listen(socket.get(), kBacklog), "listening for names");
  return socket;
}

}  // namespace

Router::Parts Router::make(const base::Fd& home) {
  const Visit inside(home);
  const bool ipv6 = settle_space();
  Netlink route(NETLINK_ROUTE), rules(NETLINK_NETFILTER);
  LinkRequests requests;
  const int loopback = link_index("lo");
  requests.raise(loopback);
  requests.add_address(loopback, kRouterAddress, false);
  route.send(requests);
  return {open_space(), std::move(route), std::move(rules), bind_names(SOCK_DGRAM), bind_names(SOCK_STREAM), ipv6};
}

Router::Router(const base::Fd& home, const NetworkOptions& options) : Router(make(home), options) {}

Router::Router(Parts parts, const NetworkOptions& options)
    : space_(std::move(parts.space)),
      route_(std::move(parts.route)),
      rules_(std::move(parts.rules)),
      name_datagrams_(std::move(parts.name_datagrams)),
      name_connections_(std::move(parts.name_connections)),
      ipv6_(parts.ipv6),
      options_(options) {
  add_rules();
}

void Router::add_rules() {
  RuleBatch batch;
  batch.add_table(kTable, true);
  batch.add_counted_set(kTable, "connections");
  batch.add_map(kTable, kZones);
  batch.add_chain(kTable, "refuse");
  batch.add_rule(kTable, "refuse", Rule().protocol(IPPROTO_TCP).reset());
  batch.add_rule(kTable, "refuse", Rule().unreachable(ICMP_PKT_FILTERED));

  batch.add_chain(kTable, "input", {"filter", NF_INET_LOCAL_IN, 0, true});
  batch.add_rule(kTable, "input", Rule().known().accept());
  batch.add_rule(kTable, "input", Rule().from("lo").accept());
  batch.add_rule(kTable, "input", Rule().from(kUplink).drop());
  for (const std::uint8_t protocol : {IPPROTO_UDP, IPPROTO_TCP})
    batch.add_rule(kTable, "input",
                   Rule().destination({kRouterAddress}).protocol(protocol).destination_port(kDomainPort).accept());
  batch.add_rule(kTable, "input", Rule().go_on("refuse"));

  batch.add_chain(kTable, "forward", {"filter", NF_INET_FORWARD, 0, true});
  batch.add_rule(kTable, "forward", Rule().known().accept());
  batch.add_rule(kTable, "forward", Rule().stray().drop());
  batch.add_rule(kTable, "forward", Rule().from(kUplink).drop());
  batch.add_rule(kTable, "forward", Rule().not_to(kUplink).go_on("refuse"));
  batch.add_rule(kTable, "forward", Rule().count_source("connections", kMaxConnections).go_on("refuse"));
  batch.add_rule(kTable, "forward", Rule().ask_of_source(kZones));
  if (options_.mode != FunctionNetwork::host) {
    for (const Cidr& network : options_.allowed)
      batch.add_rule(kTable, "forward", Rule().destination(network).accept());
    for (const Cidr& network : refused_networks())
      batch.add_rule(kTable, "forward", Rule().destination(network).go_on("refuse"));
  }
  batch.add_rule(kTable, "forward", Rule().accept());

  batch.add_chain(kTable, "postrouting", {"nat", NF_INET_POST_ROUTING, kSourceNat});
  batch.add_rule(kTable, "postrouting", Rule().to(kUplink).masquerade());
  batch.commit(rules_);
}

void Router::write_zone(const Zone& zone, const std::string& chain) {
  std::vector<Cidr> lets_out;
  for (const std::string& id : zone.security_groups) {
    const auto group = options_.security_groups.find(id);
    if (group == options_.security_groups.end())
      throw std::system_error(ENOENT, std::system_category(), "finding the security group " + id);
    lets_out.insert(lets_out.end(), group->second.begin(), group->second.end());
  }
  RuleBatch batch;
  batch.add_chain(kTable, chain);
  bool internet = false;
  for (const std::string& id : zone.subnets) {
    const auto subnet = options_.subnets.find(id);
    if (subnet == options_.subnets.end())
      throw std::system_error(ENOENT, std::system_category(), "finding the subnet " + id);
    internet = internet || subnet->second.internet;
    for (const Cidr& network : subnet->second.networks)
      for (const Cidr& out : lets_out)
        if (const auto both = overlap(network, out)) batch.add_rule(kTable, chain, Rule().destination(*both).accept());
  }
  if (internet) {
    for (const Cidr& network : refused_networks())
      batch.add_rule(kTable, chain, Rule().destination(network).go_on("refuse"));
    for (const Cidr& out : lets_out) batch.add_rule(kTable, chain, Rule().destination(out).accept());
  }
  batch.add_rule(kTable, chain, Rule().go_on("refuse"));
  batch.commit(rules_);
}

/// The name of the chain that the zone has from now on.
std::string Router::new_zone(const Zone& zone) {
  if (zones_.size() >= kMaxZones && !unused_.empty()) drop_oldest_zone();
  if (zones_.size() >= kMaxZones)
    throw std::system_error(ENOSPC, std::system_category(), "keeping another combination of subnets");
  // No name is given twice: of one whose writing failed half-way nobody knows what is behind it.
  std::string chain = "zone" + std::to_string(next_chain_++);
  write_zone(zone, chain);
  return chain;
}

/// Nothing leads to it, as nobody is in it.
void Router::drop_oldest_zone() {
  const auto zone = zones_.find(unused_.front());
  RuleBatch batch;
  batch.remove_chain(kTable, zone->second.chain);
  try {
    batch.commit(rules_);
  } catch (const std::system_error& error) {
    // It was dropped before and the answer was lost.
    if (error.code().value() != ENOENT) throw;
  }
  zones_.erase(zone);
  unused_.pop_front();
}

void Router::enter_zone(Address address, Zone zone) {
  // Order and repetition change nothing, so they make no zone of their own.
  for (auto* ids : {&zone.subnets, &zone.security_groups}) {
    std::ranges::sort(*ids);
    ids->erase(std::ranges::unique(*ids).begin(), ids->end());
  }
  auto found = zones_.find(zone);
  if (found == zones_.end()) {
    const std::string chain = new_zone(zone);
    found = zones_.emplace(zone, Rules{chain}).first;
    unused_.push_back(zone);
  }
  RuleBatch batch;
  batch.add_address(kTable, kZones, address, found->second.chain);
  batch.commit(rules_);
  if (found->second.members++ == 0) std::erase(unused_, zone);
  members_.emplace(address, std::move(zone));
}

void Router::leave_zone(Address address) noexcept {
  const auto member = members_.find(address);
  if (member == members_.end()) return;
  try {
    RuleBatch batch;
    batch.remove_address(kTable, kZones, address);
    batch.commit(rules_);
    const Zone zone = std::move(member->second);
    members_.erase(member);
    if (--zones_.at(zone).members == 0) unused_.push_back(zone);
    while (unused_.size() > kKeptZones) drop_oldest_zone();
  } catch (const std::exception&) {
    // Tried again before the address is given to another; a zone that could not be dropped, when the next one is left.
  }
}

void Router::use_uplink(Address own, Address host) {
  const int index = link_index(name_datagrams_.get(), kUplink);
  LinkRequests requests;
  requests.add_address(index, own, false);
  requests.raise(index);
  requests.add_route(index, host);
  requests.add_default_route(index, host);
  route_.send(requests);
}

std::string Router::add_pair(const base::Fd& space, Address& address) {
  for (int passed_over = 0;; ++passed_over) {
    const std::uint32_t number = next_++ % kAddresses;
    address = kFirstAddress + number;
    const std::string name = "e" + std::to_string(number);
    LinkRequests requests;
    requests.add_pair({name, kRouterMac}, {kEnvironmentLink, kEnvironmentMac}, space.get());
    try {
      route_.send(requests);
      return name;
    } catch (const std::system_error& error) {
      if (error.code().value() != EEXIST || passed_over == kMaxPassedOver) throw;
    }
  }
}

Address Router::connect(const base::Fd& space) {
  Address address = 0;
  const std::string name = add_pair(space, address);
  leave_zone(address);
  if (members_.contains(address))
    throw std::system_error(EBUSY, std::system_category(), "taking an address out of its subnet");
  const int index = link_index(name_datagrams_.get(), name);
  LinkRequests outside;
  outside.raise(index);
  outside.add_route(index, address);
  outside.add_neighbour(index, address, kEnvironmentMac);
  route_.send(outside);

  Netlink route(NETLINK_ROUTE);
  const int own = link_index(kEnvironmentLink);
  LinkRequests inside;
  if (ipv6_) inside.without_ipv6_address(own);
  inside.add_address(own, address, false);
  inside.raise(own);
  inside.add_neighbour(own, kRouterAddress, kRouterMac);
  inside.add_default_route(own, kRouterAddress);
  inside.prohibit(make_address(224, 0, 0, 0), 4);
  route.send(inside);
  notice_carrier(name_datagrams_.get(), name);
  return address;
}

}  // namespace lambent::sandbox::launcher
