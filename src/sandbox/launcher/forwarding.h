// What all launchers of a host share: that some of its links forward packets, which they did not before.
//
// The links are noted in a table of packet rules, `lambent-forwarding`, one chain each, before anything is changed; the chains
// also keep such a link from forwarding anything that it did not forward before. The last launcher to end, or the first to start
// after a kill, turns it back. Tables that a launcher owns go with its socket: those that are there belong to living ones.
#pragma once

#include <set>
#include <string>

#include "base/fd.h"
#include "sandbox/launcher/netlink.h"

namespace lambent::sandbox::launcher {

/// Names of what launchers own in the host's namespace begin so.
constexpr const char* kOwnedPrefix = "lambent-";

class Forwarding {
 public:
  /// For the namespace of the calling thread. `owned` is the name of this launcher's own table.
  explicit Forwarding(std::string owned);
  /// Turns back what was changed, unless another launcher lives.
  ~Forwarding();
  Forwarding(const Forwarding&) = delete;
  Forwarding& operator=(const Forwarding&) = delete;

  /// Of a link that is this launcher's own.
  void open_own(const std::string& link) const;
  /// Throws std::system_error.
  void open(const std::string& link);
  /// Settings beneath /proc/sys/net/ipv4.
  int settings() const { return settings_.get(); }

  /// What a launcher left behind that was killed together with its server. Does nothing while another launcher lives, and
  /// fails silently: without the privilege there is nothing to turn back either.
  static void turn_back_abandoned();

 private:
  bool forwards(const std::string& link) const;
  /// With the lock held.
  void turn_back(Netlink& rules) const;
  static bool others_live(Netlink& rules, const std::string& owned);

  std::string owned_;
  base::Fd settings_, lock_;
  std::set<std::string> opened_;
};

}  // namespace lambent::sandbox::launcher
