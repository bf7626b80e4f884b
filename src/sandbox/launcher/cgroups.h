// Control groups: one base group of the launcher's own, and beneath it two per environment. The outer one has the
// limits and holds init; the inner one holds what init starts, and is what is frozen and killed.
//
// Version 2 where its controllers are, version 1 where they are not; on many machines both (v1 controllers beside a v2
// without any, which still kills). Owned by the launcher process; everything is removed with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "sandbox/launcher/cgroup_mounts.h"

namespace lambent::sandbox::launcher {

class Cgroups {
 public:
  /// Makes the base group in every hierarchy that is needed. Throws std::runtime_error with what is missing.
  Cgroups();
  ~Cgroups();
  Cgroups(const Cgroups&) = delete;
  Cgroups& operator=(const Cgroups&) = delete;

  /// "cgroup v1 memory,cpu,pids,cpuset; v2 freeze,kill"
  std::string description() const;

  /// The names are plain ("e12"). Throws std::system_error.
  void create(const std::string& name);
  struct Limits {
    std::int64_t memory_bytes;
    std::int32_t processes;
  };
  void limit(const std::string& name, const Limits& limits);
  /// From now on at most this part of every 20 ms, in units of a processor's thousandth. Where groups want more than there is, each
  /// gets in proportion to its part.
  void limit_cpu(const std::string& name, std::int64_t millis_of_a_cpu);
  void unlimit_cpu(const std::string& name);
  /// An idle group runs when nobody else wants the processor, and is no reason not to start another there. Without effect where
  /// the kernel knows no such groups (before 5.15).
  void set_idle(const std::string& name, bool idle);

  /// Where processes enter: init the outer group of v2 by its directory (CLONE_INTO_CGROUP) and v1 by its `tasks`
  /// files; what it starts the inner group of v2, by its directory or its file, or the freezer of v1. Empty where there
  /// is no such.
  struct Entrance {
    base::Fd outer;
    std::vector<base::Fd> tasks;
    base::Fd inner;
    base::Fd inner_file;
    base::Fd freezer_file;
  };
  Entrance entrance(const std::string& name) const;

  /// To write "1" or "0" to, or "FROZEN" or "THAWED" where `version_1()`. Whoever holds it may write.
  base::Fd freezer(const std::string& name) const;
  bool freezer_of_version_1() const { return unified() == nullptr; }
  void thaw(const std::string& name) const;

  /// A file whose text is the most memory used so far, in bytes; where the kernel keeps no peak, the present use.
  base::Fd peak_reader(const std::string& name) const;
  std::int64_t peak_bytes(const std::string& name) const;
  /// How often the kernel killed something inside for want of memory.
  std::int64_t out_of_memory_kills(const std::string& name) const;
  /// A file whose text is how many processes and threads are inside.
  base::Fd process_counter(const std::string& name) const;
  /// From now on at most on so many processors at once, the last of the machine: as a limit of time only says how long a crowd
  /// is at work, not on how many processors others find it in their way. Without effect where there are no more processors or no
  /// controller for it. In version 1, whose groups for it are made only then, `move_confined` has to follow.
  void confine(const std::string& name, int processors);
  /// Puts some more of what is being confined where it belongs; false when nothing is left to do.
  bool move_confined();
  /// Kills the inner group. False where there is no cgroup.kill.
  bool kill(const std::string& name) const;
  /// False while something is still inside: try again a little later.
  bool remove(const std::string& name);

 private:
  struct Hierarchy {
    base::Fd base;     // our group
    base::Fd parent;   // the directory that holds it
    std::string name;  // of our group
    bool unified = false;
    Controllers controllers = 0;
    bool freezes() const;
    /// It has groups only for what is confined.
    bool confines_alone() const;
  };

  const Hierarchy& of(Controller controller) const;
  const Hierarchy* unified() const;
  const Hierarchy& freezing() const;
  /// The directory of v2 beneath which our base can have the wanted controllers; empty when there is none.
  base::Fd unified_parent(base::Fd own, base::Fd top, Controllers wanted);
  static bool delegate(const base::Fd& directory, Controllers wanted);
  void remove_abandoned(const base::Fd& parent) const;
  void adopt(Hierarchy hierarchy);
  void find_cpuset(const std::vector<CgroupMount>& mounts);
  const Hierarchy* cpuset();
  const Hierarchy* enable_cpuset();
  const Hierarchy* make_cpuset(base::Fd parent);
  bool move_some(const std::string& name) const;
  void weigh(const std::string& name, std::int64_t millis_of_a_cpu);

  std::vector<Hierarchy> hierarchies_;
  std::string base_name_;
  /// A controller for it is there and has not been tried yet; of version 1 when it has a parent.
  bool confines_ = false;
  base::Fd cpuset_parent_;
  /// Confined, and not all inside yet.
  std::vector<std::string> moving_;
  /// Set when the launcher and its server had to step into a leaf of their own group.
  base::Fd own_group_;
  pid_t moved_parent_ = -1;
};

}  // namespace lambent::sandbox::launcher
