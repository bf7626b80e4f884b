#include "app/options.h"

#include <boost/asio/ip/address.hpp>
#include <stdexcept>

#include "base/bytes.h"
#include "sandbox/launcher/cidr.h"
#include "sandbox/sandbox.h"

namespace lambent::app {

ListenAddress parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  const auto bad = [&] { return std::invalid_argument("--listen wants HOST:PORT, not '" + text + "'"); };
  if (colon == std::string::npos) throw bad();
  ListenAddress address;
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host == "localhost") address.host = "127.0.0.1";
  const auto port = base::parse_decimal(text.substr(colon + 1));
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(address.host, error);
  if (!port || *port > 65535 || error) throw bad();
  address.port = static_cast<std::uint16_t>(*port);
  address.loopback = ip.is_loopback();
  return address;
}

namespace {

void check_cidrs(const ServeOptions& options) {
  namespace launcher = sandbox::launcher;
  if (options.allow_cidrs.empty()) return;
  if (options.function_network != "egress")
    throw std::invalid_argument(
        "--allow-cidr goes with --function-network egress: none reaches nothing, host everything");
  if (options.allow_cidrs.size() > sandbox::kMaxAllowedCidrs)
    throw std::invalid_argument("--allow-cidr may be given 64 times at most");
  for (const std::string& text : options.allow_cidrs) {
    const auto cidr = launcher::parse_cidr(text);
    if (!cidr)
      throw std::invalid_argument("--allow-cidr wants an IPv4 network such as 10.1.0.0/16, not '" + text +
                                  "' (functions have no IPv6 way out)");
    if (cidr->network >> 24 == 127)
      throw std::invalid_argument(
          "127.0.0.0/8 is each function's own loopback: --function-network host reaches the host's");
  }
}

}  // namespace

void check_options(const ServeOptions& options, const std::vector<ListenAddress>& addresses) {
  check_cidrs(options);
  if (options.account.size() != 12 || !base::parse_decimal(options.account))
    throw std::invalid_argument("--account wants 12 digits");
  if (options.tls_cert.empty() != options.tls_key.empty())
    throw std::invalid_argument("--tls-cert and --tls-key go together");
  if (options.auth != "on" && options.auth != "off") throw std::invalid_argument("--auth is on or off");
  for (const ListenAddress& address : addresses) {
    if (address.loopback) continue;
    if (options.auth == "off")
      throw std::invalid_argument("--auth=off lets anybody do anything: it listens on loopback only");
    if (options.tls_cert.empty() && !options.insecure_http)
      throw std::invalid_argument(
          "plain HTTP is served on loopback only: give --tls-cert and --tls-key, or say "
          "--insecure-http if something in front speaks TLS");
  }
}

}  // namespace lambent::app
