#include "sandbox/launcher/rules.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>

#include <cstring>

namespace lambent::sandbox::launcher {
namespace {

constexpr std::uint16_t kDo = NLM_F_ACK;
constexpr std::uint16_t kMake = NLM_F_ACK | NLM_F_CREATE;
constexpr std::uint32_t kRegister = NFT_REG_1;
/// NFT_TABLE_F_OWNER, which headers have since 5.12.
constexpr std::uint32_t kOwner = 2;

std::uint16_t type_of(std::uint16_t message) { return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message); }

nfgenmsg header(std::uint8_t family = NFPROTO_IPV4, std::uint16_t resource = 0) {
  return {family, NFNETLINK_V0, htons(resource)};
}

/// What `nft` calls ipv4_addr; for its eyes only.
constexpr std::uint32_t kAddressType = 7;

/// The bytes of a number in the order in which the kernel keeps it.
template <class T>
std::string bytes_of_number(T number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

void put_number(Requests& requests, std::uint16_t attribute, std::uint32_t number) {
  requests.put(attribute, htonl(number));
}

void put_value(Requests& requests, std::uint16_t attribute, const std::string& bytes) {
  requests.nest(attribute, [&] { requests.put_bytes(NFTA_DATA_VALUE, bytes.data(), bytes.size()); });
}

void put_verdict(Requests& requests, std::uint16_t attribute, std::int32_t code, const std::string& chain) {
  requests.nest(attribute, [&] {
    requests.nest(NFTA_DATA_VERDICT, [&] {
      put_number(requests, NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
      if (!chain.empty()) requests.put_text(NFTA_VERDICT_CHAIN, chain);
    });
  });
}

std::uint32_t mask_of(const Cidr& network) {
  return network.length == 0 ? 0 : htonl(~std::uint32_t{0} << (32 - network.length));
}

constexpr std::uint32_t state_bit(std::uint32_t state) { return 1U << (state + 1); }
constexpr std::uint32_t kKnown = state_bit(IP_CT_ESTABLISHED) | state_bit(IP_CT_RELATED);
constexpr std::uint32_t kStray = 1;

}  // namespace

Rule& Rule::add(std::string name, std::function<void(Requests&)> put) {
  steps_.push_back({std::move(name), std::move(put)});
  return *this;
}

Rule& Rule::load_meta(std::uint32_t key) {
  return add("meta", [key](Requests& requests) {
    put_number(requests, NFTA_META_DREG, kRegister);
    put_number(requests, NFTA_META_KEY, key);
  });
}

Rule& Rule::load_packet(std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
  return add("payload", [=](Requests& requests) {
    put_number(requests, NFTA_PAYLOAD_DREG, kRegister);
    put_number(requests, NFTA_PAYLOAD_BASE, base);
    put_number(requests, NFTA_PAYLOAD_OFFSET, offset);
    put_number(requests, NFTA_PAYLOAD_LEN, length);
  });
}

Rule& Rule::load_connection(std::uint32_t key) {
  return add("ct", [key](Requests& requests) {
    put_number(requests, NFTA_CT_DREG, kRegister);
    put_number(requests, NFTA_CT_KEY, key);
    if (key == NFT_CT_DST_IP) requests.put(NFTA_CT_DIRECTION, std::uint8_t{IP_CT_DIR_ORIGINAL});
  });
}

Rule& Rule::mask(std::uint32_t bits) {
  return add("bitwise", [bits](Requests& requests) {
    put_number(requests, NFTA_BITWISE_SREG, kRegister);
    put_number(requests, NFTA_BITWISE_DREG, kRegister);
    put_number(requests, NFTA_BITWISE_LEN, sizeof bits);
    put_value(requests, NFTA_BITWISE_MASK, bytes_of_number(bits));
    put_value(requests, NFTA_BITWISE_XOR, bytes_of_number(std::uint32_t{0}));
  });
}

Rule& Rule::compare(bool equal, std::string bytes) {
  return add("cmp", [equal, bytes = std::move(bytes)](Requests& requests) {
    put_number(requests, NFTA_CMP_SREG, kRegister);
    put_number(requests, NFTA_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
    put_value(requests, NFTA_CMP_DATA, bytes);
  });
}

Rule& Rule::link(std::uint32_t key, bool equal, const std::string& name) {
  std::string padded = name;
  padded.resize(IFNAMSIZ, '\0');
  return load_meta(key).compare(equal, padded);
}

Rule& Rule::within(const Cidr& network) {
  const std::uint32_t bits = mask_of(network);
  return mask(bits).compare(true, bytes_of_number(htonl(network.network) & bits));
}

Rule& Rule::from(const std::string& name) { return link(NFT_META_IIFNAME, true, name); }
Rule& Rule::not_from(const std::string& name) { return link(NFT_META_IIFNAME, false, name); }
Rule& Rule::to(const std::string& name) { return link(NFT_META_OIFNAME, true, name); }
Rule& Rule::not_to(const std::string& name) { return link(NFT_META_OIFNAME, false, name); }

Rule& Rule::source(const Cidr& network) {
  return load_packet(NFT_PAYLOAD_NETWORK_HEADER, 12, sizeof(Address)).within(network);
}

Rule& Rule::destination(const Cidr& network) {
  return load_packet(NFT_PAYLOAD_NETWORK_HEADER, 16, sizeof(Address)).within(network);
}

Rule& Rule::first_destination(const Cidr& network) { return load_connection(NFT_CT_DST_IP).within(network); }

Rule& Rule::protocol(std::uint8_t number) { return load_meta(NFT_META_L4PROTO).compare(true, bytes_of_number(number)); }

Rule& Rule::destination_port(std::uint16_t port) {
  return load_packet(NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof port).compare(true, bytes_of_number(htons(port)));
}

Rule& Rule::known() {
  return load_connection(NFT_CT_STATE).mask(kKnown).compare(false, bytes_of_number(std::uint32_t{0}));
}

Rule& Rule::stray() {
  return load_connection(NFT_CT_STATE).mask(kStray).compare(false, bytes_of_number(std::uint32_t{0}));
}

Rule& Rule::redirected() {
  return load_connection(NFT_CT_STATUS).mask(IPS_DST_NAT).compare(false, bytes_of_number(std::uint32_t{0}));
}

Rule& Rule::count_source(const std::string& set, std::uint32_t most) {
  load_packet(NFT_PAYLOAD_NETWORK_HEADER, 12, sizeof(Address));
  return add("dynset", [=](Requests& requests) {
    requests.put_text(NFTA_DYNSET_SET_NAME, set);
    put_number(requests, NFTA_DYNSET_OP, NFT_DYNSET_OP_ADD);
    put_number(requests, NFTA_DYNSET_SREG_KEY, kRegister);
    requests.nest(NFTA_DYNSET_EXPR, [&] {
      requests.put_text(NFTA_EXPR_NAME, "connlimit");
      requests.nest(NFTA_EXPR_DATA, [&] {
        put_number(requests, NFTA_CONNLIMIT_COUNT, most);
        put_number(requests, NFTA_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
      });
    });
  });
}

Rule& Rule::ask_of_source(const std::string& map) {
  load_packet(NFT_PAYLOAD_NETWORK_HEADER, 12, sizeof(Address));
  return add("lookup", [map](Requests& requests) {
    requests.put_text(NFTA_LOOKUP_SET, map);
    put_number(requests, NFTA_LOOKUP_SREG, kRegister);
    put_number(requests, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
  });
}

Rule& Rule::verdict(std::int32_t code, const std::string& chain) {
  return add("immediate", [=](Requests& requests) {
    put_number(requests, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    put_verdict(requests, NFTA_IMMEDIATE_DATA, code, chain);
  });
}

Rule& Rule::accept() { return verdict(NF_ACCEPT); }
Rule& Rule::drop() { return verdict(NF_DROP); }
Rule& Rule::go_on(const std::string& chain) { return verdict(NFT_GOTO, chain); }

Rule& Rule::reset() {
  return add("reject", [](Requests& requests) { put_number(requests, NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST); });
}

Rule& Rule::unreachable(std::uint8_t code) {
  return add("reject", [code](Requests& requests) {
    put_number(requests, NFTA_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH);
    requests.put(NFTA_REJECT_ICMP_CODE, code);
  });
}

Rule& Rule::masquerade() {
  return add("masq", [](Requests&) {});
}

Rule& Rule::translate_to(Address address) {
  add("immediate", [address](Requests& requests) {
    put_number(requests, NFTA_IMMEDIATE_DREG, kRegister);
    put_value(requests, NFTA_IMMEDIATE_DATA, bytes_of_number(htonl(address)));
  });
  return add("nat", [](Requests& requests) {
    put_number(requests, NFTA_NAT_TYPE, NFT_NAT_DNAT);
    put_number(requests, NFTA_NAT_FAMILY, NFPROTO_IPV4);
    put_number(requests, NFTA_NAT_REG_ADDR_MIN, kRegister);
  });
}

RuleBatch::RuleBatch() {
  requests_.begin("beginning a batch of rules", NFNL_MSG_BATCH_BEGIN, 0, header(AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

void RuleBatch::add_table(const std::string& table, bool owned) {
  const std::uint16_t flags = owned ? kMake | NLM_F_EXCL : kMake;
  requests_.begin("adding the table " + table, type_of(NFT_MSG_NEWTABLE), flags, header());
  requests_.put_text(NFTA_TABLE_NAME, table);
  if (owned) put_number(requests_, NFTA_TABLE_FLAGS, kOwner);
}

void RuleBatch::remove_table(const std::string& table) {
  requests_.begin("removing the table " + table, type_of(NFT_MSG_DELTABLE), kDo, header());
  requests_.put_text(NFTA_TABLE_NAME, table);
}

// Neither set says how large it may become. The kernel would make room for that many at once, and clearing a megabyte takes longer
// than all the rest of the rules.
void RuleBatch::add_counted_set(const std::string& table, const std::string& set) {
  requests_.begin("adding the set " + set, type_of(NFT_MSG_NEWSET), kMake, header());
  requests_.put_text(NFTA_SET_TABLE, table);
  requests_.put_text(NFTA_SET_NAME, set);
  put_number(requests_, NFTA_SET_FLAGS, NFT_SET_EVAL);
  put_number(requests_, NFTA_SET_KEY_LEN, sizeof(Address));
  put_number(requests_, NFTA_SET_KEY_TYPE, kAddressType);
  put_number(requests_, NFTA_SET_ID, 1);
}

void RuleBatch::add_map(const std::string& table, const std::string& map) {
  requests_.begin("adding the map " + map, type_of(NFT_MSG_NEWSET), kMake, header());
  requests_.put_text(NFTA_SET_TABLE, table);
  requests_.put_text(NFTA_SET_NAME, map);
  put_number(requests_, NFTA_SET_FLAGS, NFT_SET_MAP);
  put_number(requests_, NFTA_SET_KEY_LEN, sizeof(Address));
  put_number(requests_, NFTA_SET_KEY_TYPE, kAddressType);
  put_number(requests_, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
  // Sets of one batch are told apart by it.
  put_number(requests_, NFTA_SET_ID, 2);
}

void RuleBatch::add_address(const std::string& table, const std::string& map, Address address,
                            const std::string& chain) {
  requests_.begin("adding to the map " + map, type_of(NFT_MSG_NEWSETELEM), kMake, header());
  requests_.put_text(NFTA_SET_ELEM_LIST_TABLE, table);
  requests_.put_text(NFTA_SET_ELEM_LIST_SET, map);
  requests_.nest(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
    requests_.nest(NFTA_LIST_ELEM, [&] {
      put_value(requests_, NFTA_SET_ELEM_KEY, bytes_of_number(htonl(address)));
      put_verdict(requests_, NFTA_SET_ELEM_DATA, NFT_GOTO, chain);
    });
  });
}

void RuleBatch::remove_address(const std::string& table, const std::string& map, Address address) {
  requests_.begin("removing from the map " + map, type_of(NFT_MSG_DELSETELEM), kDo, header());
  requests_.put_text(NFTA_SET_ELEM_LIST_TABLE, table);
  requests_.put_text(NFTA_SET_ELEM_LIST_SET, map);
  requests_.nest(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
    requests_.nest(NFTA_LIST_ELEM, [&] { put_value(requests_, NFTA_SET_ELEM_KEY, bytes_of_number(htonl(address))); });
  });
}

void RuleBatch::remove_chain(const std::string& table, const std::string& chain) {
  requests_.begin("removing the chain " + chain, type_of(NFT_MSG_DELCHAIN), kDo, header());
  requests_.put_text(NFTA_CHAIN_TABLE, table);
  requests_.put_text(NFTA_CHAIN_NAME, chain);
}

void RuleBatch::add_chain(const std::string& table, const std::string& chain) {
  requests_.begin("adding the chain " + chain, type_of(NFT_MSG_NEWCHAIN), kMake, header());
  requests_.put_text(NFTA_CHAIN_TABLE, table);
  requests_.put_text(NFTA_CHAIN_NAME, chain);
}

void RuleBatch::add_chain(const std::string& table, const std::string& chain, const Hook& hook) {
  add_chain(table, chain);
  requests_.nest(NFTA_CHAIN_HOOK, [&] {
    put_number(requests_, NFTA_HOOK_HOOKNUM, hook.number);
    put_number(requests_, NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(hook.priority));
  });
  requests_.put_text(NFTA_CHAIN_TYPE, hook.type);
  put_number(requests_, NFTA_CHAIN_POLICY, hook.drop ? NF_DROP : NF_ACCEPT);
}

void RuleBatch::add_rule(const std::string& table, const std::string& chain, const Rule& rule) {
  requests_.begin("adding a rule to the chain " + chain, type_of(NFT_MSG_NEWRULE), kMake | NLM_F_APPEND, header());
  requests_.put_text(NFTA_RULE_TABLE, table);
  requests_.put_text(NFTA_RULE_CHAIN, chain);
  requests_.nest(NFTA_RULE_EXPRESSIONS, [&] {
    for (const Rule::Step& step : rule.steps_)
      requests_.nest(NFTA_LIST_ELEM, [&] {
        requests_.put_text(NFTA_EXPR_NAME, step.name);
        requests_.nest(NFTA_EXPR_DATA, [&] { step.put(requests_); });
      });
  });
}

void RuleBatch::commit(Netlink& netfilter) {
  requests_.begin("ending a batch of rules", NFNL_MSG_BATCH_END, 0, header(AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
  netfilter.send(requests_);
}

namespace {

/// The texts that have this attribute in each answer to a dump.
std::vector<std::string> list(Netlink& netfilter, std::uint16_t message, std::uint16_t name, std::uint16_t table_name,
                              const std::string& table) {
  Requests requests;
  requests.begin("listing packet rules", type_of(message), NLM_F_DUMP, header());
  std::vector<std::string> names;
  netfilter.ask(requests, [&](std::string_view answer) {
    std::string found;
    bool ours = true;
    each_attribute(answer, sizeof(nfgenmsg), [&](std::uint16_t type, std::string_view value) {
      const std::string text(value.substr(0, value.find('\0')));
      if (type == name) found = text;
      if (!table.empty() && type == table_name) ours = text == table;
    });
    if (ours) names.push_back(found);
  });
  return names;
}

}  // namespace

std::vector<std::string> list_tables(Netlink& netfilter) {
  return list(netfilter, NFT_MSG_GETTABLE, NFTA_TABLE_NAME, 0, {});
}

std::vector<std::string> list_chains(Netlink& netfilter, const std::string& table) {
  return list(netfilter, NFT_MSG_GETCHAIN, NFTA_CHAIN_NAME, NFTA_CHAIN_TABLE, table);
}

}  // namespace lambent::sandbox::launcher
