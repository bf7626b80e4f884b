#include "app/zones.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "sandbox/launcher/cidr.h"

namespace lambent::app {
namespace {

namespace launcher = sandbox::launcher;
using launcher::make_address;

/// Networks of more parts than that are better said with fewer.
constexpr std::size_t kMaxCidrs = 16;
/// RFC 1918 and RFC 6598: what no function reaches otherwise, and nothing of a host but its own addresses there.
constexpr std::array<launcher::Cidr, 4> kPrivate = {{{make_address(10, 0, 0, 0), 8},
                                                     {make_address(100, 64, 0, 0), 10},
                                                     {make_address(172, 16, 0, 0), 12},
                                                     {make_address(192, 168, 0, 0), 16}}};

struct Parsed {
  std::string id, vpc;
  std::vector<std::string> words;
};

/// "ID=vpc-ID[:WORD,WORD...]"
Parsed parse(std::string_view option, const RE2& form, const std::string& text) {
  Parsed parsed;
  std::string words;
  if (!RE2::FullMatch(text, form, &parsed.id, &parsed.vpc, &words))
    throw std::invalid_argument(
        fmt::format("{}: {} is not of the form {}", option, text,
                    option == "--subnet" ? "subnet-ID=vpc-ID:CIDR,CIDR,internet" : "sg-ID=vpc-ID:CIDR,CIDR"));
  for (std::size_t at = 0; at < words.size();) {
    const auto end = std::min(words.find(',', at), words.size());
    parsed.words.push_back(words.substr(at, end - at));
    at = end + 1;
  }
  if (parsed.id.size() > sandbox::kMaxZoneId || parsed.words.size() > kMaxCidrs)
    throw std::invalid_argument(fmt::format("{}: {} is too long", option, text));
  return parsed;
}

void check_private(const std::string& text) {
  const auto cidr = launcher::parse_cidr(text);
  const bool fits = cidr && std::ranges::any_of(kPrivate, [&](const launcher::Cidr& network) {
                      return cidr->length >= network.length && launcher::contains(network, cidr->network);
                    });
  if (!fits)
    throw std::invalid_argument(fmt::format(
        "--subnet: '{}' is not a private IPv4 network such as 10.1.0.0/16; the internet is called internet", text));
}

void add_subnet(const std::string& text, Zones& zones) {
  static const RE2 form("(subnet-[0-9a-z]+)=(vpc-[0-9a-z]+)(?::(.+))?");
  const Parsed parsed = parse("--subnet", form, text);
  sandbox::Subnet subnet{parsed.id, {}, false};
  for (const std::string& word : parsed.words) {
    if (word == "internet") {
      subnet.internet = true;
      continue;
    }
    check_private(word);
    subnet.cidrs.push_back(word);
  }
  if (!zones.vpc_of_subnet.emplace(parsed.id, parsed.vpc).second)
    throw std::invalid_argument("--subnet: " + parsed.id + " is there twice");
  zones.subnets.push_back(std::move(subnet));
}

void add_group(const std::string& text, Zones& zones) {
  static const RE2 form("(sg-[0-9a-zA-Z]+)=(vpc-[0-9a-z]+)(?::(.+))?");
  const Parsed parsed = parse("--security-group", form, text);
  for (const std::string& word : parsed.words)
    if (!launcher::parse_cidr(word))
      throw std::invalid_argument(
          fmt::format("--security-group: '{}' is not an IPv4 network such as 10.1.0.0/16", word));
  if (!zones.vpc_of_group.emplace(parsed.id, parsed.vpc).second)
    throw std::invalid_argument("--security-group: " + parsed.id + " is there twice");
  zones.security_groups.push_back({parsed.id, parsed.words});
}

}  // namespace

Zones parse_zones(const ServeOptions& options) {
  Zones zones;
  if (options.subnets.empty() && options.security_groups.empty()) return zones;
  if (options.function_network != "egress")
    throw std::invalid_argument(
        "--subnet and --security-group go with --function-network egress: none reaches nothing, host everything");
  if (options.subnets.size() > sandbox::kMaxZoneParts || options.security_groups.size() > sandbox::kMaxZoneParts)
    throw std::invalid_argument(
        fmt::format("--subnet and --security-group may be given {} times each", sandbox::kMaxZoneParts));
  for (const std::string& text : options.subnets) add_subnet(text, zones);
  for (const std::string& text : options.security_groups) add_group(text, zones);
  return zones;
}

}  // namespace lambent::app
