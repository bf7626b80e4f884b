// Addresses and networks of IPv4 as values, and which of them functions may not reach.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lambent::sandbox::launcher {

/// In host byte order.
using Address = std::uint32_t;

constexpr Address make_address(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}
std::string format_address(Address address);

struct Cidr {
  Address network = 0;
  /// 0 to 32.
  std::uint8_t length = 32;
  bool operator==(const Cidr&) const = default;
};

/// "10.0.0.0/8", or one address; bits beyond the length must be zero. Nothing for any other text.
std::optional<Cidr> parse_cidr(std::string_view text);
/// What both hold: of two networks one holds the other, or they have nothing in common.
std::optional<Cidr> overlap(const Cidr& one, const Cidr& other);
bool contains(const Cidr& network, Address address);

/// What is not the internet: private, shared, link-local and reserved networks, and platforms' metadata services.
std::span<const Cidr> refused_networks();

}  // namespace lambent::sandbox::launcher
