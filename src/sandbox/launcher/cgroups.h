// Control groups: one base group of the launcher's own, and beneath it one group per environment.
//
// Version 2 where its controllers are, version 1 where they are not; on many machines both (v1 controllers beside a v2
// without any, which still kills). Owned by the launcher process; everything is removed with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

enum class Controller : std::uint8_t { memory, cpu, pids };
constexpr int kControllers = 3;

class Cgroups {
 public:
  /// Makes the base group in every hierarchy that is needed. Throws std::runtime_error with what is missing.
  Cgroups();
  ~Cgroups();
  Cgroups(const Cgroups&) = delete;
  Cgroups& operator=(const Cgroups&) = delete;

  /// "cgroup v1 memory,cpu,pids; v2 kill"
  std::string description() const;

  /// The names are plain ("e12"). Throws std::system_error.
  void create(const std::string& name);
  struct Limits {
    std::int64_t memory_bytes;
    std::int32_t processes;
  };
  void limit(const std::string& name, const Limits& limits);
  /// From now on at most this part of every 20 ms, in units of a processor's thousandth.
  void limit_cpu(const std::string& name, std::int64_t millis_of_a_cpu);

  /// Where a process enters: the group's directory of v2 (for CLONE_INTO_CGROUP; empty where there is no v2) and the
  /// `tasks` files of v1.
  struct Entrance {
    base::Fd unified;
    std::vector<base::Fd> tasks;
  };
  Entrance entrance(const std::string& name) const;

  /// A file whose text is the most memory used so far, in bytes; where the kernel keeps no peak, the present use.
  base::Fd peak_reader(const std::string& name) const;
  std::int64_t peak_bytes(const std::string& name) const;
  /// How often the kernel killed something inside for want of memory.
  std::int64_t out_of_memory_kills(const std::string& name) const;
  /// False where there is no cgroup.kill.
  bool kill(const std::string& name) const;
  /// False while something is still inside: try again a little later.
  bool remove(const std::string& name);

 private:
  struct Hierarchy {
    base::Fd base;     // our group
    base::Fd parent;   // the directory that holds it
    std::string name;  // of our group
    bool unified = false;
    std::uint32_t controllers = 0;  // bits of Controller
  };

  const Hierarchy& of(Controller controller) const;
  const Hierarchy* unified() const;
  /// The directory of v2 beneath which our base can have the wanted controllers; empty when there is none.
  base::Fd unified_parent(base::Fd own, base::Fd top, std::uint32_t wanted);
  static bool delegate(const base::Fd& directory, std::uint32_t wanted);
  void remove_abandoned(const base::Fd& parent) const;
  void adopt(Hierarchy hierarchy);

  std::vector<Hierarchy> hierarchies_;
  std::string base_name_;
  /// Set when the launcher and its server had to step into a leaf of their own group.
  base::Fd own_group_;
  pid_t moved_parent_ = -1;
};

}  // namespace lambent::sandbox::launcher
