// Where the control groups of this machine are: the hierarchies that are mounted, and this process's own group in each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

enum class Controller : std::uint8_t { memory, cpu, pids, freezer, cpuset };
/// A set of them.
using Controllers = std::uint32_t;
constexpr Controllers bit(Controller controller) { return 1U << static_cast<unsigned>(controller); }

/// Those named in `text`, a list with the given separator.
Controllers controllers_in(std::string_view text, char separator);
/// ("+memory +cpu" for before "+" and between " ")
std::string names_of(Controllers controllers, const char* before, const char* between);

/// A base group is called so, and the leaf into which a launcher of cgroup v2 steps with its server ends so.
constexpr std::string_view kBasePrefix = "lambent-";
constexpr std::string_view kLeafSuffix = ".own";

struct CgroupMount {
  std::string point;
  /// The group that is this mount's root; not "/" inside containers.
  std::string root;
  bool unified = false;
  Controllers controllers = 0;
};

std::vector<CgroupMount> cgroup_mounts();
/// The group of this process in the hierarchy of `mount`, as /proc/self/cgroup has it.
std::string own_path(const CgroupMount& mount);
/// Its directory; empty when there is none.
base::Fd open_group(const CgroupMount& mount, const std::string& path);

}  // namespace lambent::sandbox::launcher
