// Zygotes: an interpreter that has loaded what every function needs, and forks into prepared environments.
//
// One per root, runtime and command, started when the first environment wants it, replaced after a number of forks, ended
// when nobody has wanted it for a while. Each lives in its root's read-only template without a network, with an empty
// environment, and never runs a function's code: the copy that goes into a sandbox has taken every step of the jail
// before it hears of one. Owned by the launcher's loop; they end with the launcher.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "sandbox/launcher/environments.h"

namespace lambent::sandbox::launcher {

/// A zygote's number, never used twice.
using ZygoteId = std::uint32_t;

struct Zygote {
  std::string root;
  std::string runtime_dir;
  std::vector<std::string> argv;
  std::vector<std::string> variables;
  base::Fd pidfd;
  base::Fd socket;
  /// Who waits for a fork, the first perhaps while it is being made.
  std::deque<Slot> waiting;
  bool forking = false;
  bool retired = false;
  std::uint32_t forks = 0;
  /// Process ids of forks that have not ended.
  std::map<int, Slot> children;
  std::chrono::steady_clock::time_point used_at;
  /// Why it could not start.
  std::optional<LaunchFailure> failure;
};

class Zygotes {
 public:
  static constexpr std::chrono::seconds kIdle{600};
  /// More interpreters and versions than anybody has.
  static constexpr std::size_t kMaxZygotes = 32;

  /// One that has made `max_forks` is replaced: what its forks share is shared by no more than so many.
  Zygotes(Environments& environments, std::uint32_t max_forks) : environments_(environments), max_forks_(max_forks) {}
  ~Zygotes();
  Zygotes(const Zygotes&) = delete;
  Zygotes& operator=(const Zygotes&) = delete;

  /// Has a zygote fork into a prepared environment, whose init then says when the fork waits. The id of a zygote that
  /// was started for it, to be watched. Throws LaunchFailure.
  std::optional<ZygoteId> want(const Environment& environment);

  /// What became of an environment's fork.
  struct Event {
    Slot slot;
    /// Set: it could not be made. Else it has ended with this status.
    std::optional<LaunchFailure> failure;
    int wait_status = 0;
    /// Nothing became of it: the zygote has been replaced, and another is to be asked.
    bool again = false;
  };
  /// To be asked when the zygote's socket can be read.
  std::vector<Event> hear(ZygoteId id);
  /// To be asked when its pidfd can be read. Forks that it leaves behind get a pidfd of their own in their environment.
  std::vector<Event> end(ZygoteId id);

  Zygote* find(ZygoteId id);
  bool empty() const { return zygotes_.empty(); }
  /// Ends those that nobody has wanted for kIdle.
  void retire_idle();

 private:
  std::pair<const ZygoteId, Zygote>& find_or_start(const Environment& environment, bool& started);
  void start(Zygote& zygote);
  void pump(Zygote& zygote);
  void retire(Zygote& zygote);

  Environments& environments_;
  std::uint32_t max_forks_;
  std::map<ZygoteId, Zygote> zygotes_;
  ZygoteId next_ = 1;
};

}  // namespace lambent::sandbox::launcher
