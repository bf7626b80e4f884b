#include "sandbox/launcher/cgroups.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "base/bytes.h"
#include "base/ids.h"
#include "sandbox/launcher/files.h"

namespace lambent::sandbox::launcher {
namespace {

constexpr const char* kNames[] = {"memory", "cpu", "pids", "freezer"};
constexpr std::uint32_t kFreezer = 1U << kControllers;
constexpr std::uint32_t kAll = (1U << kControllers) - 1;
// Short, so that a small function's pauses are short too: 128 MB run 1.4 ms of every 20.
constexpr std::int64_t kPeriodUs = 20'000;
constexpr std::int64_t kLeastQuotaUs = 1'000;

constexpr std::string_view kBasePrefix = "lambent-";
constexpr std::time_t kSettled_s = 2;
/// The leaf into which a launcher of cgroup v2 steps with its server.
constexpr std::string_view kLeafSuffix = ".own";
/// The group within an environment's group of v2.
constexpr const char* kInner = "/run";

std::uint32_t bit(int controller) { return 1U << controller; }

/// The controllers named in `text`, a list with the given separator.
std::uint32_t controllers_in(std::string_view text, char separator) {
  std::uint32_t found = 0;
  std::istringstream words{std::string(text)};
  for (std::string word; std::getline(words, word, separator);)
    for (int i = 0; i <= kControllers; ++i)
      if (base::trim(word) == kNames[i]) found |= bit(i);
  return found;
}

std::string names_of(std::uint32_t controllers, const char* before, const char* between) {
  std::string text;
  for (int i = 0; i <= kControllers; ++i)
    if ((controllers & bit(i)) != 0) text += (text.empty() ? "" : between) + std::string(before) + kNames[i];
  return text;
}

struct CgroupMount {
  std::string point;
  /// The group that is this mount's root; not "/" inside containers.
  std::string root;
  bool unified = false;
  std::uint32_t controllers = 0;
};

std::vector<CgroupMount> cgroup_mounts() {
  std::vector<CgroupMount> mounts;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream left(line.substr(0, dash)), right(line.substr(dash + 3));
    std::string skip, root, point, type, source, options;
    left >> skip >> skip >> skip >> root >> point;
    right >> type >> source >> options;
    if (type == "cgroup2") mounts.push_back({point, root, true, 0});
    if (type == "cgroup") mounts.push_back({point, root, false, controllers_in(options, ',')});
  }
  return mounts;
}

/// The group of this process in the hierarchy of `mount`, as /proc/self/cgroup has it.
std::string own_path(const CgroupMount& mount) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    const bool found = mount.unified ? names.empty() : (controllers_in(names, ',') & mount.controllers) != 0;
    if (!found) continue;
    std::string path = line.substr(second + 1);
    if (mount.root != "/" && path.starts_with(mount.root)) path.erase(0, mount.root.size());
    // A launcher before us has put our server into a leaf: our group is the one above, as it was for that launcher.
    const std::size_t slash = path.rfind('/');
    if (path.ends_with(kLeafSuffix) && path.compare(slash + 1, kBasePrefix.size(), kBasePrefix) == 0) path.erase(slash);
    return path;
  }
  return "/";
}

base::Fd open_group(const CgroupMount& mount, const std::string& path) {
  return base::Fd(::open((mount.point + "/" + path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::int64_t line_value(const std::string& text, std::string_view key) {
  std::istringstream lines(text);
  std::string name;
  for (std::int64_t value; lines >> name >> value;)
    if (name == key) return value;
  return 0;
}

}  // namespace

// The process id alone may be another launcher's in another pid namespace that shares these groups.
Cgroups::Cgroups() : base_name_(std::string(kBasePrefix) + std::to_string(::getpid()) + "-" + base::random_hex(4)) {
  std::uint32_t missing = kAll;
  const std::vector<CgroupMount> mounts = cgroup_mounts();
  for (const CgroupMount& mount : mounts) {
    const std::uint32_t useful = mount.controllers & missing;
    if (mount.unified || useful == 0) continue;
    base::Fd parent = open_group(mount, own_path(mount));
    if (!parent) continue;
    adopt({{}, std::move(parent), base_name_, false, useful});
    missing &= ~useful;
  }
  for (const CgroupMount& mount : mounts) {
    if (!mount.unified || unified() != nullptr) continue;
    base::Fd parent = unified_parent(open_group(mount, own_path(mount)), open_group(mount, "/"), missing);
    if (!parent) continue;
    adopt({{}, std::move(parent), base_name_, true, missing});
    if (missing != 0) write_file(hierarchies_.back().base.get(), "cgroup.subtree_control", names_of(missing, "+", " "));
    missing = 0;
  }
  for (const CgroupMount& mount : mounts) {
    if (unified() != nullptr || (mount.controllers & kFreezer) == 0) continue;
    if (base::Fd parent = open_group(mount, own_path(mount)))
      adopt({{}, std::move(parent), base_name_, false, kFreezer});
    break;
  }
  if (missing != 0)
    throw std::runtime_error("no cgroup controller for " + names_of(missing, "", ", ") + " that this process may use");
  if (unified() == nullptr && !hierarchies_.back().freezes())
    throw std::runtime_error(
        "neither cgroup v2 nor the freezer of v1, which "
        "stop an environment between invocations");
}

bool Cgroups::Hierarchy::freezes() const { return unified || (controllers & kFreezer) != 0; }

Cgroups::~Cgroups() {
  for (const Hierarchy& hierarchy : hierarchies_)
    ::unlinkat(hierarchy.parent.get(), hierarchy.name.c_str(), AT_REMOVEDIR);
  if (!own_group_) return;
  // Back to where we came from, so that nothing of ours stays behind.
  try_write(own_group_.get(), "cgroup.subtree_control", names_of(kAll, "-", " "));
  for (const pid_t pid : {::getpid(), moved_parent_})
    if (pid > 1) try_write(own_group_.get(), "cgroup.procs", std::to_string(pid));
  ::unlinkat(own_group_.get(), (base_name_ + std::string(kLeafSuffix)).c_str(), AT_REMOVEDIR);
}

void Cgroups::adopt(Hierarchy hierarchy) {
  remove_abandoned(hierarchy.parent);
  const int parent = hierarchy.parent.get();
  base::check(::mkdirat(parent, hierarchy.name.c_str(), 0755), "making the launcher's cgroup");
  hierarchy.base = base::Fd(base::check(::openat(parent, hierarchy.name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                        "opening the launcher's cgroup"));
  // Held for life: whoever finds the group unlocked knows that its launcher is gone.
  base::check(::flock(hierarchy.base.get(), LOCK_EX | LOCK_NB), "locking the launcher's cgroup");
  hierarchies_.push_back(std::move(hierarchy));
}

bool Cgroups::delegate(const base::Fd& directory, std::uint32_t wanted) {
  if (!directory) return false;
  const auto enabled = read_file(directory.get(), "cgroup.subtree_control");
  if (enabled && (controllers_in(*enabled, ' ') & wanted) == wanted) return true;
  return try_write(directory.get(), "cgroup.subtree_control", names_of(wanted, "+", " "));
}

base::Fd Cgroups::unified_parent(base::Fd own, base::Fd top, std::uint32_t wanted) {
  if (delegate(own, wanted)) return own;
  // A group with processes of its own may not hand controllers down: step into a leaf, with the server that started us.
  const std::string leaf = base_name_ + std::string(kLeafSuffix);
  if (own && ::mkdirat(own.get(), leaf.c_str(), 0755) == 0) {
    const pid_t server = ::getppid();
    for (const pid_t pid : {::getpid(), server})
      if (pid > 1) try_write(own.get(), leaf + "/cgroup.procs", std::to_string(pid));
    if (delegate(own, wanted)) {
      moved_parent_ = server;
      own_group_ = base::Fd(base::check(::fcntl(own.get(), F_DUPFD_CLOEXEC, 0), "fcntl"));
      return own;
    }
    // Strangers are in it as well.
    for (const pid_t pid : {::getpid(), server})
      if (pid > 1) try_write(own.get(), "cgroup.procs", std::to_string(pid));
    ::unlinkat(own.get(), leaf.c_str(), AT_REMOVEDIR);
  }
  if (delegate(top, wanted)) return top;
  return {};
}

/// Groups of a launcher that was killed before it could clean up: empty by then, for its environments died with it. Known by
/// their lock, which ends with the process in whatever namespace that lived; a group just made may not be locked yet, so it
/// must also be older than kSettled.
void Cgroups::remove_abandoned(const base::Fd& parent) const {
  for (const std::string& name : list_directory(parent.get())) {
    if (!name.starts_with(kBasePrefix)) continue;
    const base::Fd group(::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat status{};
    if (!group || ::fstat(group.get(), &status) != 0 || ::time(nullptr) - status.st_ctime < kSettled_s) continue;
    if (::flock(group.get(), LOCK_EX | LOCK_NB) != 0) continue;
    for (const std::string& environment : list_directory(group.get()))
      if (environment.starts_with("e")) {
        ::unlinkat(group.get(), (environment + kInner).c_str(), AT_REMOVEDIR);
        ::unlinkat(group.get(), environment.c_str(), AT_REMOVEDIR);
      }
    ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
  }
}

std::string Cgroups::description() const {
  std::string legacy, text;
  for (const Hierarchy& hierarchy : hierarchies_)
    if (!hierarchy.unified) legacy += (legacy.empty() ? "" : ",") + names_of(hierarchy.controllers, "", ",");
  if (!legacy.empty()) text = "cgroup v1 " + legacy;
  if (const Hierarchy* v2 = unified()) {
    text += (text.empty() ? "cgroup v2 " : "; v2 ") + names_of(v2->controllers, "", ",");
    text += v2->controllers == 0 ? "freeze,kill" : ",freeze,kill";
  }
  return text;
}

const Cgroups::Hierarchy& Cgroups::of(Controller controller) const {
  for (const Hierarchy& hierarchy : hierarchies_)
    if ((hierarchy.controllers & bit(static_cast<int>(controller))) != 0) return hierarchy;
  // The constructor has seen to it that each controller is somewhere.
  std::abort();
}

const Cgroups::Hierarchy* Cgroups::unified() const {
  for (const Hierarchy& hierarchy : hierarchies_)
    if (hierarchy.unified) return &hierarchy;
  return nullptr;
}

const Cgroups::Hierarchy& Cgroups::freezing() const {
  for (const Hierarchy& hierarchy : hierarchies_)
    if (hierarchy.freezes()) return hierarchy;
  // As above.
  std::abort();
}

void Cgroups::create(const std::string& name) {
  for (const Hierarchy& hierarchy : hierarchies_) {
    base::check(::mkdirat(hierarchy.base.get(), name.c_str(), 0755), "making a cgroup");
    if (hierarchy.unified)
      base::check(::mkdirat(hierarchy.base.get(), (name + kInner).c_str(), 0755), "making a cgroup");
  }
}

void Cgroups::limit(const std::string& name, const Limits& limits) {
  const Hierarchy& memory = of(Controller::memory);
  const std::string bytes = std::to_string(limits.memory_bytes);
  if (memory.unified) {
    write_file(memory.base.get(), name + "/memory.max", bytes);
    // Without swap there is no such file.
    try_write(memory.base.get(), name + "/memory.swap.max", "0");
  } else {
    // The limit with swap may never be below the one without: raised before it, lowered after it.
    try_write(memory.base.get(), name + "/memory.memsw.limit_in_bytes", bytes);
    write_file(memory.base.get(), name + "/memory.limit_in_bytes", bytes);
    try_write(memory.base.get(), name + "/memory.memsw.limit_in_bytes", bytes);
  }
  write_file(of(Controller::pids).base.get(), name + "/pids.max", std::to_string(limits.processes));
}

void Cgroups::limit_cpu(const std::string& name, std::int64_t millis_of_a_cpu) {
  const Hierarchy& cpu = of(Controller::cpu);
  const std::int64_t quota_us = std::max(kLeastQuotaUs, kPeriodUs * millis_of_a_cpu / 1000);
  if (cpu.unified) {
    write_file(cpu.base.get(), name + "/cpu.max", std::to_string(quota_us) + " " + std::to_string(kPeriodUs));
    return;
  }
  write_file(cpu.base.get(), name + "/cpu.cfs_period_us", std::to_string(kPeriodUs));
  write_file(cpu.base.get(), name + "/cpu.cfs_quota_us", std::to_string(quota_us));
}

void Cgroups::unlimit_cpu(const std::string& name) {
  const Hierarchy& cpu = of(Controller::cpu);
  if (cpu.unified)
    write_file(cpu.base.get(), name + "/cpu.max", "max " + std::to_string(kPeriodUs));
  else
    write_file(cpu.base.get(), name + "/cpu.cfs_quota_us", "-1");
}

void Cgroups::set_idle(const std::string& name, bool idle) {
  try_write(of(Controller::cpu).base.get(), name + "/cpu.idle", idle ? "1" : "0");
}

Cgroups::Entrance Cgroups::entrance(const std::string& name) const {
  Entrance entrance;
  const auto open = [&](const Hierarchy& hierarchy, const std::string& path, int flags) {
    return base::Fd(
        base::check(::openat(hierarchy.base.get(), (name + path).c_str(), flags | O_CLOEXEC), "opening a cgroup"));
  };
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (hierarchy.unified) {
      entrance.outer = open(hierarchy, "", O_RDONLY | O_DIRECTORY);
      entrance.inner = open(hierarchy, kInner, O_RDONLY | O_DIRECTORY);
      entrance.inner_file = open(hierarchy, std::string(kInner) + "/cgroup.procs", O_WRONLY);
    } else if (hierarchy.freezes()) {
      entrance.freezer_file = open(hierarchy, "/tasks", O_WRONLY);
    } else {
      entrance.tasks.push_back(open(hierarchy, "/tasks", O_WRONLY));
    }
  }
  return entrance;
}

base::Fd Cgroups::freezer(const std::string& name) const {
  const Hierarchy& hierarchy = freezing();
  const std::string path = name + (hierarchy.unified ? std::string(kInner) + "/cgroup.freeze" : "/freezer.state");
  return base::Fd(base::check(::openat(hierarchy.base.get(), path.c_str(), O_WRONLY | O_CLOEXEC), "opening a freezer"));
}

void Cgroups::thaw(const std::string& name) const {
  const base::Fd file = freezer(name);
  const std::string_view word = freezer_of_version_1() ? "THAWED" : "0";
  base::check(::write(file.get(), word.data(), word.size()), "thawing");
}

base::Fd Cgroups::peak_reader(const std::string& name) const {
  const Hierarchy& memory = of(Controller::memory);
  const char* file = memory.unified ? "/memory.peak" : "/memory.max_usage_in_bytes";
  base::Fd fd(::openat(memory.base.get(), (name + file).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && memory.unified)
    fd = base::Fd(::openat(memory.base.get(), (name + "/memory.current").c_str(), O_RDONLY | O_CLOEXEC));
  base::check(fd.get(), "opening the memory peak");
  return fd;
}

std::int64_t Cgroups::peak_bytes(const std::string& name) const {
  char text[32] = {};
  const base::Fd reader = peak_reader(name);
  if (::pread(reader.get(), text, sizeof text - 1, 0) <= 0) return 0;
  return std::strtoll(text, nullptr, 10);
}

std::int64_t Cgroups::out_of_memory_kills(const std::string& name) const {
  const Hierarchy& memory = of(Controller::memory);
  const auto text = read_file(memory.base.get(), name + (memory.unified ? "/memory.events" : "/memory.oom_control"));
  return text ? line_value(*text, "oom_kill") : 0;
}

bool Cgroups::kill(const std::string& name) const {
  const Hierarchy* v2 = unified();
  return v2 != nullptr && try_write(v2->base.get(), name + kInner + std::string("/cgroup.kill"), "1");
}

bool Cgroups::remove(const std::string& name) {
  bool gone = true;
  for (const Hierarchy& hierarchy : hierarchies_) {
    const int base = hierarchy.base.get();
    if (hierarchy.unified && ::unlinkat(base, (name + kInner).c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      gone = false;
    if (::unlinkat(base, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) gone = false;
  }
  return gone;
}

}  // namespace lambent::sandbox::launcher
