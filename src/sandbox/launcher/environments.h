// The environments that exist: making one, giving it its function, learning how its processes end, taking everything
// away.
//
// Lives in the launcher process, on its one thread, and knows nothing of the socket to the server. What can be made
// before anybody asks (a network namespace, cgroups, a formatted /tmp) is kept in stock.
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
#include "sandbox/jail/messages.h"
#include "sandbox/launcher/cgroups.h"
#include "sandbox/launcher/mounts.h"
#include "sandbox/launcher/network.h"
#include "sandbox/launcher/scratch_images.h"
#include "sandbox/launcher/user_range.h"
#include "sandbox/launcher/wire.h"

namespace lambent::sandbox::launcher {

/// Why something could not be done: the step in words, and an errno or 0.
struct LaunchFailure {
  std::string step;
  int error = 0;
};

/// A slot is an environment's small number while it lives: its user id and its names follow from it.
using Slot = std::uint32_t;

/// What an environment is doing.
enum class Phase {
  launching,   // made and assigned in one go; the server waits
  preparing,   // the server waits
  idle,        // prepared
  assigning,   // the server waits
  running,     // has its function
  restarting,  // the server waits
  doomed,      // on its way to its end
};

/// What an environment is made with, whatever it runs later.
struct Shape {
  std::string root;
  std::string runtime_dir;
  std::int32_t ephemeral_mib = 0;
  std::int32_t max_processes = 0;
  bool operator==(const Shape&) const = default;
};

struct Environment {
  std::uint64_t id = 0;
  Slot slot = 0;
  Phase phase = Phase::preparing;
  std::string cgroup;
  int pid = -1;
  base::Fd pidfd;
  /// To init.
  base::Fd orders;
  Shape shape;
  std::vector<std::string> argv;
  std::vector<std::string> variables;
  std::int32_t memory_mib = 0;
  /// In the router's network; 0: none.
  Address address = 0;
  /// Its runtime is a zygote's fork, or will be; not after a restart.
  bool zygote = false;
  /// A process waits, or will, for the function.
  bool waits = false;
  /// Of the fork of a zygote that has ended, to learn its end from: until it is reaped init cannot end.
  base::Fd fork_pidfd;
  /// How many processes it has; empty once it is confined.
  base::Fd process_counter;
  /// How often the kernel had killed something for want of memory before the present run.
  std::int64_t earlier_kills = 0;

  // For the server, until it has them.
  base::Fd runtime_api;
  base::Fd api;
  base::Fd stdout_pipe;
  base::Fd stderr_pipe;
  base::Fd peak_reader;
  base::Fd freezer;
  base::Fd extensions_output;

  /// For a zygote, until it has forked.
  struct ForkParts {
    base::Fd out;
    base::Fd err;
    base::Fd channel;
    /// Files to write to; that of v2, where there is one, last.
    std::vector<base::Fd> groups;
    /// The directory of v2's.
    base::Fd unified;
  } fork;
};

/// The only directories that the launcher takes anything from.
struct Directories {
  std::filesystem::path code;
  std::filesystem::path runtimes;
  std::filesystem::path scratch;
  /// Empty: no root but the host's.
  std::filesystem::path roots = {};
  std::vector<SharedDirectory> file_systems = {};
};

class Environments {
 public:
  /// Tries everything that an environment needs. Throws std::exception with what is missing.
  Environments(const Directories& directories, std::uint32_t first_uid, const NetworkOptions& network = {});
  ~Environments();
  Environments(const Environments&) = delete;
  Environments& operator=(const Environments&) = delete;

  /// "cgroup v1 memory,cpu,pids,cpuset; v2 freeze,kill; landlock 7; seccomp; /tmp on ext4 images"
  std::string description() const;
  const NetworkReport& network() const { return networks_.report(); }

  /// For launch and prepare. Throws LaunchFailure. Init's first notice says whether it works.
  Environment& make(const wire::Checked& request);
  /// Gives it its function; the notice is `started` or `failed`. Throws LaunchFailure.
  void assign(Environment& environment, const wire::Checked& request);
  void restart(Environment& environment, const wire::Checked& request);
  void terminate(const Environment& environment) const;
  /// Everything inside but init, at once.
  void kill(Environment& environment) const;
  /// Everything.
  void destroy(Environment& environment) const;
  void limit_cpu(const Environment& environment);
  /// To be called every so often. What has more than half of the processes that it may have keeps from then on to as many
  /// processors as its share fills: a crowd on all of them is in the way of whoever wakes, however little time it takes in all
  /// (docs/decisions/0013-crowds-are-confined.md).
  void confine_crowds();
  bool empty() const { return environments_.empty(); }
  /// Throws std::system_error.
  base::Fd make_socket(const Environment& environment);

  /// What a process's end comes to. Only for `which` and `wait_status` the caller's word is taken.
  wire::Ended ended(const Environment& environment, std::int32_t which, std::int32_t wait_status) const;
  /// To be asked when the pidfd can be read: reaps, removes, forgets.
  wire::Gone end(Slot slot);

  /// What a zygote needs to fork into the environment: the request and its descriptors, which belong to the
  /// environment.
  jail::ForkRequest fork_request(const Environment& environment, std::vector<int>& descriptors) const;

  Environment* find(Slot slot);
  Environment* find_id(std::uint64_t id);
  const std::map<Slot, Environment>& all() const { return environments_; }
  bool freezer_of_version_1() const { return cgroups_.freezer_of_version_1(); }
  Mounts& mounts() { return mounts_; }

  /// True while an environment is on its way to where its server waits for it.
  bool making() const;
  /// Does one piece of work that need not wait for a request; false when there is none.
  bool restock();
  /// Goes on with what takes several goes: removing groups that were still busy, confining. False when none is left.
  bool sweep();

 private:
  /// What an environment is made from.
  struct Stock {
    Network network;
    std::string cgroup;
    base::Fd scratch;
    std::int32_t scratch_mib = 0;
  };

  Stock take_stock(std::int32_t scratch_mib);
  Stock make_stock(std::int32_t scratch_mib);
  Slot take_slot();
  bool make_unclaimed();
  std::optional<Environment> take_unclaimed(const Shape& shape);
  void build(Environment& environment);
  void limit(const Environment& environment);
  void clone_init(Environment& environment, const Stock& stock);
  void start_init(Environment& environment, const jail::Plan& plan, int outer_group);
  void order_wait(Environment& environment, const wire::Checked& request);
  void order(const Environment& environment, jail::OrderKind kind, const wire::Checked* request, std::uint32_t has,
             std::span<const int> descriptors) const;
  void discard(Environment& environment);
  void remove_group(const std::string& name);
  std::uint32_t uid_of(const Environment& environment) const { return users_.first() + environment.slot; }

  // In this order: once the mounts are made, the host's directories cannot be reached any more.
  Cgroups cgroups_;
  // Before all that takes its time: meanwhile the first is formatted.
  ScratchImages images_;
  Networks networks_;
  Mounts mounts_;
  UserRange users_;
  std::vector<sock_filter> filter_;
  int landlock_abi_ = 0;

  std::map<Slot, Environment> environments_;
  std::map<std::uint64_t, Slot> slots_;
  /// Longest unused first, so that a user id rests before it is somebody else's.
  std::deque<Slot> free_slots_;
  Slot next_slot_ = 0;
  std::uint64_t next_group_ = 0;
  std::deque<Stock> stock_;
  /// Of the last request.
  std::optional<Shape> usual_;
  /// With an init that has done its part or is at it, for whoever wants one of that shape next; one of a shape.
  std::deque<Environment> unclaimed_;
  std::vector<std::string> busy_groups_;
};

}  // namespace lambent::sandbox::launcher
