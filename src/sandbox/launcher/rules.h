// Packet rules (nf_tables, IPv4) of one network namespace, written to the kernel without any tool.
//
// An owned table goes when its socket closes, so that nothing of it is left however its process ends, and no
// other program can change it meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sandbox/launcher/cidr.h"
#include "sandbox/launcher/netlink.h"

namespace lambent::sandbox::launcher {

/// What packets a rule is about, and what becomes of them: a chain of conditions that ends with one action.
class Rule {
 public:
  Rule& from(const std::string& link);
  Rule& not_from(const std::string& link);
  Rule& to(const std::string& link);
  Rule& not_to(const std::string& link);
  Rule& source(const Cidr& network);
  Rule& destination(const Cidr& network);
  /// The destination before any address translation.
  Rule& first_destination(const Cidr& network);
  /// IPPROTO_*.
  Rule& protocol(std::uint8_t number);
  Rule& destination_port(std::uint16_t port);
  /// Of a connection that is known, or about one (an ICMP error).
  Rule& known();
  /// Of no connection that could be known.
  Rule& stray();
  /// What a map of the table says of its source; goes on when that says nothing.
  Rule& ask_of_source(const std::string& map);
  /// Whose destination was translated.
  Rule& redirected();
  /// Counts the connection for its source in a set of the table; goes on when that has more of them than this.
  Rule& count_source(const std::string& set, std::uint32_t most);

  Rule& accept();
  Rule& drop();
  /// On in another chain, for good.
  Rule& go_on(const std::string& chain);
  Rule& reset();
  Rule& unreachable(std::uint8_t code);
  Rule& masquerade();
  Rule& translate_to(Address address);

 private:
  friend class RuleBatch;
  struct Step {
    std::string name;
    std::function<void(Requests&)> put;
  };
  Rule& add(std::string name, std::function<void(Requests&)> put);
  Rule& verdict(std::int32_t code, const std::string& chain = {});
  Rule& load_meta(std::uint32_t key);
  Rule& load_packet(std::uint32_t base, std::uint32_t offset, std::uint32_t length);
  Rule& load_connection(std::uint32_t key);
  Rule& mask(std::uint32_t bits);
  Rule& compare(bool equal, std::string bytes);
  Rule& link(std::uint32_t key, bool equal, const std::string& name);
  Rule& within(const Cidr& network);

  std::vector<Step> steps_;
};

/// Where a chain stands in the path of packets.
struct Hook {
  const char* type;  // "filter", "nat"
  std::uint32_t number;
  std::int32_t priority;
  bool drop = false;  // what matches no rule
};

/// Changes that happen together or not at all.
class RuleBatch {
 public:
  RuleBatch();
  /// `owned`: goes with the socket, and must not exist yet.
  void add_table(const std::string& table, bool owned);
  void remove_table(const std::string& table);
  /// A set of addresses with a count of connections at each. The kernel's own bound on what packets add is 65,535, as many as
  /// there can be environments.
  void add_counted_set(const std::string& table, const std::string& set);
  /// From addresses to the chains in which their packets go on for good.
  void add_map(const std::string& table, const std::string& map);
  void add_address(const std::string& table, const std::string& map, Address address, const std::string& chain);
  void remove_address(const std::string& table, const std::string& map, Address address);
  /// With its rules; nothing may lead to it any more.
  void remove_chain(const std::string& table, const std::string& chain);
  void add_chain(const std::string& table, const std::string& chain);
  void add_chain(const std::string& table, const std::string& chain, const Hook& hook);
  void add_rule(const std::string& table, const std::string& chain, const Rule& rule);
  /// Throws std::system_error with what was refused first.
  void commit(Netlink& netfilter);

 private:
  Requests requests_;
};

/// Names of the tables of IPv4.
std::vector<std::string> list_tables(Netlink& netfilter);
std::vector<std::string> list_chains(Netlink& netfilter, const std::string& table);

}  // namespace lambent::sandbox::launcher
