// The environments that exist: making one, learning how it began and how it ended, taking everything of it away.
//
// Lives in the launcher process, on its one thread, and knows nothing of the socket to the server. What can be made before
// anybody asks (a network namespace, cgroups, a formatted /tmp) is kept ready by `prepare`.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/fd.h"
#include "sandbox/jail/jail.h"
#include "sandbox/launcher/cgroups.h"
#include "sandbox/launcher/mounts.h"
#include "sandbox/launcher/network.h"
#include "sandbox/launcher/scratch_images.h"
#include "sandbox/launcher/wire.h"

namespace lambent::sandbox::launcher {

/// Why an environment could not be made: the step in words, and an errno or 0.
struct LaunchFailure {
  std::string step;
  int error = 0;
};

/// A slot is an environment's small number while it lives: its user id and its names follow from it.
using Slot = std::uint32_t;

struct Environment {
  std::uint64_t id = 0;
  Slot slot = 0;
  std::string cgroup;
  int pid = -1;
  base::Fd pidfd;
  /// The step that failed, or end of file when the runtime has been exec'd; closed by then.
  base::Fd failure_pipe;
  bool exec_next = false;
  bool announced = false;
  base::Fd ending_pipe;
  std::int32_t memory_mib = 0;
  // For the server, until it has them.
  base::Fd runtime_api;
  base::Fd api;
  base::Fd stdout_pipe;
  base::Fd stderr_pipe;
  base::Fd peak_reader;
};

/// The only directories that the launcher takes anything from.
struct Directories {
  std::filesystem::path code;
  std::filesystem::path runtimes;
  std::filesystem::path scratch;
  /// Empty: no root but the host's.
  std::filesystem::path roots = {};
};

class Environments {
 public:
  /// Tries everything that an environment needs. Throws std::exception with what is missing.
  Environments(const Directories& directories, std::uint32_t first_uid);
  ~Environments();
  Environments(const Environments&) = delete;
  Environments& operator=(const Environments&) = delete;

  /// "cgroup v1 memory,cpu,pids; landlock 7; seccomp; /tmp on ext4 images"
  std::string description() const;

  /// Throws LaunchFailure. The environment is not yet known to work: see `started`.
  Environment& launch(const wire::LaunchRequest& request);

  enum class Start { pending, running };
  /// To be asked when the failure pipe can be read. Throws LaunchFailure; the environment then still has to end.
  static Start started(Environment& environment);

  /// Everything inside, at once.
  void kill(const Environment& environment) const;
  void limit_cpu(const Environment& environment);

  /// To be asked when the pidfd can be read: reaps, removes, forgets.
  wire::Ended end(Slot slot);

  Environment* find(Slot slot);
  Environment* find_id(std::uint64_t id);
  std::size_t size() const { return environments_.size(); }
  const std::map<Slot, Environment>& all() const { return environments_; }

  /// Where the next environments write when each of their steps was done (jail::Plan::times_ns).
  void time_steps(std::int64_t* shared) { times_ns_ = shared; }

  /// Does one piece of work that need not wait for a request; false when there is none.
  bool prepare();
  /// Tries again to remove groups that were still busy; false when none is left.
  bool sweep();

 private:
  struct Ready {
    Network network;
    std::string cgroup;
    base::Fd scratch;
    std::int32_t scratch_mib = 0;
  };

  Ready take_ready(std::int32_t scratch_mib);
  Ready make_ready(std::int32_t scratch_mib);
  Slot take_slot();
  void clone_into(Environment& environment, const wire::LaunchRequest& request, const Ready& ready);
  void start_child(Environment& environment, const jail::Plan& plan, int unified);
  void remove_group(const std::string& name);

  // In this order: once the mounts are made, the host's directories cannot be reached any more.
  Networks networks_;
  Cgroups cgroups_;
  ScratchImages images_;
  Mounts mounts_;
  std::uint32_t first_uid_;
  std::vector<sock_filter> filter_;
  int landlock_abi_ = 0;

  std::map<Slot, Environment> environments_;
  /// Longest unused first, so that a user id rests before it is somebody else's.
  std::deque<Slot> free_slots_;
  Slot next_slot_ = 0;
  std::uint64_t next_group_ = 0;
  std::deque<Ready> ready_;
  std::int32_t usual_scratch_mib_ = 512;
  std::vector<std::string> busy_groups_;
  std::int64_t* times_ns_ = nullptr;
};

}  // namespace lambent::sandbox::launcher
