#include "sandbox/launcher/cidr.h"

#include <arpa/inet.h>

#include <charconv>

namespace lambent::sandbox::launcher {
namespace {

Address mask_of(std::uint8_t length) { return length == 0 ? 0 : ~Address{0} << (32 - length); }

constexpr Cidr kRefused[] = {
    {make_address(0, 0, 0, 0), 8},
    {make_address(10, 0, 0, 0), 8},
    // Carriers' and VPNs' shared space (RFC 6598); Alibaba's metadata service is in it.
    {make_address(100, 64, 0, 0), 10},
    {make_address(127, 0, 0, 0), 8},
    // Clouds' metadata services, and what environments and router have of their own.
    {make_address(169, 254, 0, 0), 16},
    // Azure's platform service, which answers any virtual machine.
    {make_address(168, 63, 129, 16), 32},
    {make_address(172, 16, 0, 0), 12},
    // RFC 6890; Oracle's metadata service among others.
    {make_address(192, 0, 0, 0), 24},
    {make_address(192, 168, 0, 0), 16},
    // Multicast, reserved, broadcast.
    {make_address(224, 0, 0, 0), 4},
    {make_address(240, 0, 0, 0), 4},
};

}  // namespace

std::string format_address(Address address) {
  char text[INET_ADDRSTRLEN] = {};
  const in_addr in{htonl(address)};
  ::inet_ntop(AF_INET, &in, text, sizeof text);
  return text;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  in_addr in{};
  Cidr cidr;
  if (::inet_pton(AF_INET, address.c_str(), &in) != 1) return std::nullopt;
  cidr.network = ntohl(in.s_addr);
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), cidr.length);
    if (error != std::errc() || end != digits.data() + digits.size() || cidr.length > 32) return std::nullopt;
  }
  if ((cidr.network & ~mask_of(cidr.length)) != 0) return std::nullopt;
  return cidr;
}

bool contains(const Cidr& network, Address address) { return (address & mask_of(network.length)) == network.network; }

std::optional<Cidr> overlap(const Cidr& one, const Cidr& other) {
  const Cidr& wide = one.length <= other.length ? one : other;
  const Cidr& narrow = one.length <= other.length ? other : one;
  if (!contains(wide, narrow.network)) return std::nullopt;
  return narrow;
}

std::span<const Cidr> refused_networks() { return kRefused; }

}  // namespace lambent::sandbox::launcher
