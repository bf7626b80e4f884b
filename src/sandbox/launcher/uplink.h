// The host's side of the router: one link, one table of packet rules, and forwarding where it is needed.
//
// All of it bears one name, `lambent-` and six digits. The table goes with its socket and the link with the router's namespace,
// so that nothing is left of a launcher that was killed; what forwarding needed is turned back as forwarding.h says. Nothing of
// anybody else's is ever changed.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "sandbox/launcher/forwarding.h"
#include "sandbox/launcher/router.h"

namespace lambent::sandbox::launcher {

class Uplink {
 public:
  /// To be called in the host's namespace, `home`. Sends a packet through the router, the host's firewall and back to see that
  /// it works. Throws std::exception with what is missing.
  Uplink(const base::Fd& home, Router& router, const NetworkOptions& options);
  Uplink(const Uplink&) = delete;
  Uplink& operator=(const Uplink&) = delete;

  /// The links of the host that functions' packets leave through.
  const std::set<std::string>& ways() const { return ways_; }
  /// Looks again where the host sends packets to: laptops change their networks.
  void follow_routes();

 private:
  struct Pair {
    Address host;
    Address other;
  };
  Pair free_pair(std::span<const Cidr> ranges);
  void add_link(Router& router);
  void add_rules(const NetworkOptions& options);
  void try_out(const base::Fd& home, const Router& router);

  const NetworkOptions options_;
  std::string name_;
  Netlink route_, rules_;
  Forwarding forwarding_;
  Pair pair_;
  std::set<std::string> ways_;
};

}  // namespace lambent::sandbox::launcher
