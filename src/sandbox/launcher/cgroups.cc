#include "sandbox/launcher/cgroups.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <set>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "base/ids.h"
#include "sandbox/launcher/files.h"

namespace lambent::sandbox::launcher {
namespace {

/// Without any of these nothing runs.
constexpr Controllers kNeeded = bit(Controller::memory) | bit(Controller::cpu) | bit(Controller::pids);
constexpr Controllers kFreezer = bit(Controller::freezer);
constexpr Controllers kCpuset = bit(Controller::cpuset);

// Short, so that a small function's pauses are short too: 128 MB run 1.4 ms of every 20.
constexpr std::int64_t kPeriodUs = 20'000;
constexpr std::int64_t kLeastQuotaUs = 1'000;
// What a whole processor weighs: the kernel's own default in versions 1 and 2. The parts of 128 to 10,240 MB stay in its ranges.
constexpr std::int64_t kShares = 1024;
constexpr std::int64_t kWeight = 100;

constexpr std::time_t kSettled_s = 2;
/// Processes that are put into another group of version 1 in one go: about two milliseconds.
constexpr int kMovedAtOnce = 32;
/// The group within an environment's group of v2.
constexpr const char* kInner = "/run";

std::int64_t line_value(const std::string& text, std::string_view key) {
  std::istringstream lines(text);
  std::string name;
  for (std::int64_t value; lines >> name >> value;)
    if (name == key) return value;
  return 0;
}

std::set<std::string> lines_of(int directory, const std::string& path) {
  std::set<std::string> lines;
  std::istringstream text(read_file(directory, path).value_or(""));
  for (std::string line; std::getline(text, line);) lines.insert(line);
  return lines;
}

/// The last so many of the processors that we may use, as cpuset.cpus wants them; empty when there are no more than those.
std::string last_processors(int count) {
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0 || CPU_COUNT(&usable) <= count) return {};
  std::string text;
  for (int processor = CPU_SETSIZE - 1; processor >= 0 && count > 0; --processor) {
    if (!CPU_ISSET(processor, &usable)) continue;
    text += (text.empty() ? "" : ",") + std::to_string(processor);
    --count;
  }
  return text;
}

}  // namespace

// The process id alone may be another launcher's in another pid namespace that shares these groups.
Cgroups::Cgroups() : base_name_(std::string(kBasePrefix) + std::to_string(::getpid()) + "-" + base::random_hex(4)) {
  Controllers missing = kNeeded;
  const std::vector<CgroupMount> mounts = cgroup_mounts();
  for (const CgroupMount& mount : mounts) {
    const Controllers useful = mount.controllers & missing;
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
  find_cpuset(mounts);
}

/// Where crowds could be confined. Nothing is made there before there is one: a set of processors more costs the kernel
/// milliseconds.
void Cgroups::find_cpuset(const std::vector<CgroupMount>& mounts) {
  if (const Hierarchy* const v2 = unified()) {
    const auto there = read_file(v2->parent.get(), "cgroup.controllers");
    confines_ = there && (controllers_in(*there, ' ') & kCpuset) != 0;
  }
  for (const CgroupMount& mount : mounts) {
    // Mounted with another controller it is a hierarchy of ours already, whose groups all would need processors.
    if (confines_ || mount.unified || mount.controllers != kCpuset) continue;
    cpuset_parent_ = open_group(mount, own_path(mount));
    confines_ = static_cast<bool>(cpuset_parent_);
  }
}

/// Null where it cannot be had, which is tried once.
const Cgroups::Hierarchy* Cgroups::cpuset() {
  const auto found =
      std::ranges::find_if(hierarchies_, [](const Hierarchy& each) { return (each.controllers & kCpuset) != 0; });
  if (found != hierarchies_.end()) return &*found;
  if (!std::exchange(confines_, false)) return nullptr;
  return cpuset_parent_ ? make_cpuset(std::move(cpuset_parent_)) : enable_cpuset();
}

const Cgroups::Hierarchy* Cgroups::enable_cpuset() {
  for (Hierarchy& hierarchy : hierarchies_) {
    if (!hierarchy.unified || !delegate(hierarchy.parent, kCpuset) || !delegate(hierarchy.base, kCpuset)) continue;
    hierarchy.controllers |= kCpuset;
    return &hierarchy;
  }
  return nullptr;
}

const Cgroups::Hierarchy* Cgroups::make_cpuset(base::Fd parent) {
  const auto processors = read_file(parent.get(), "cpuset.cpus"), memory = read_file(parent.get(), "cpuset.mems");
  if (!processors || !memory) return nullptr;
  try {
    adopt({{}, std::move(parent), base_name_, false, kCpuset});
  } catch (const std::system_error&) {
    return nullptr;
  }
  const Hierarchy& made = hierarchies_.back();
  if (try_write(made.base.get(), "cpuset.mems", *memory) && try_write(made.base.get(), "cpuset.cpus", *processors))
    return &made;
  ::unlinkat(made.parent.get(), base_name_.c_str(), AT_REMOVEDIR);
  hierarchies_.pop_back();
  return nullptr;
}

bool Cgroups::Hierarchy::freezes() const { return unified || (controllers & kFreezer) != 0; }

bool Cgroups::Hierarchy::confines_alone() const { return !unified && controllers == kCpuset; }

Cgroups::~Cgroups() {
  for (const Hierarchy& hierarchy : hierarchies_)
    ::unlinkat(hierarchy.parent.get(), hierarchy.name.c_str(), AT_REMOVEDIR);
  if (!own_group_) return;
  // Back to where we came from, so that nothing of ours stays behind.
  try_write(own_group_.get(), "cgroup.subtree_control", names_of(kCpuset, "-", " "));
  try_write(own_group_.get(), "cgroup.subtree_control", names_of(kNeeded, "-", " "));
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

bool Cgroups::delegate(const base::Fd& directory, Controllers wanted) {
  if (!directory) return false;
  const auto enabled = read_file(directory.get(), "cgroup.subtree_control");
  if (enabled && (controllers_in(*enabled, ' ') & wanted) == wanted) return true;
  return try_write(directory.get(), "cgroup.subtree_control", names_of(wanted, "+", " "));
}

base::Fd Cgroups::unified_parent(base::Fd own, base::Fd top, Controllers wanted) {
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
  Controllers legacy = cpuset_parent_ ? kCpuset : 0;
  for (const Hierarchy& hierarchy : hierarchies_)
    if (!hierarchy.unified) legacy |= hierarchy.controllers;
  std::string text = legacy == 0 ? "" : "cgroup v1 " + names_of(legacy, "", ",");
  if (const Hierarchy* v2 = unified()) {
    const Controllers has = v2->controllers | (confines_ && !cpuset_parent_ ? kCpuset : 0);
    text += (text.empty() ? "cgroup v2 " : "; v2 ") + names_of(has, "", ",");
    text += has == 0 ? "freeze,kill" : ",freeze,kill";
  }
  return text;
}

const Cgroups::Hierarchy& Cgroups::of(Controller controller) const {
  for (const Hierarchy& hierarchy : hierarchies_)
    if ((hierarchy.controllers & bit(controller)) != 0) return hierarchy;
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
    if (hierarchy.confines_alone()) continue;
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
  } else {
    write_file(cpu.base.get(), name + "/cpu.cfs_period_us", std::to_string(kPeriodUs));
    write_file(cpu.base.get(), name + "/cpu.cfs_quota_us", std::to_string(quota_us));
  }
  weigh(name, millis_of_a_cpu);
}

void Cgroups::unlimit_cpu(const std::string& name) {
  const Hierarchy& cpu = of(Controller::cpu);
  if (cpu.unified)
    write_file(cpu.base.get(), name + "/cpu.max", "max " + std::to_string(kPeriodUs));
  else
    write_file(cpu.base.get(), name + "/cpu.cfs_quota_us", "-1");
  weigh(name, 1000);
}

/// Without effect on an idle group, which has no weight.
void Cgroups::weigh(const std::string& name, std::int64_t millis_of_a_cpu) {
  const Hierarchy& cpu = of(Controller::cpu);
  if (cpu.unified)
    try_write(cpu.base.get(), name + "/cpu.weight", std::to_string(kWeight * millis_of_a_cpu / 1000));
  else
    try_write(cpu.base.get(), name + "/cpu.shares", std::to_string(kShares * millis_of_a_cpu / 1000));
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
    } else if (hierarchy.confines_alone()) {
      continue;
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

std::int64_t Cgroups::peak_bytes(const std::string& name) const { return number_in(peak_reader(name)); }

std::int64_t Cgroups::out_of_memory_kills(const std::string& name) const {
  const Hierarchy& memory = of(Controller::memory);
  const auto text = read_file(memory.base.get(), name + (memory.unified ? "/memory.events" : "/memory.oom_control"));
  return text ? line_value(*text, "oom_kill") : 0;
}

base::Fd Cgroups::process_counter(const std::string& name) const {
  const std::string path = name + "/pids.current";
  return base::Fd(base::check(::openat(of(Controller::pids).base.get(), path.c_str(), O_RDONLY | O_CLOEXEC),
                              "opening the count of processes"));
}

void Cgroups::confine(const std::string& name, int processors) {
  const std::string wanted = last_processors(processors);
  const Hierarchy* const found = wanted.empty() ? nullptr : cpuset();
  if (found == nullptr) return;
  const int base = found->base.get();
  if (!found->unified) {
    const auto memory = read_file(base, "cpuset.mems");
    if (!memory || ::mkdirat(base, name.c_str(), 0755) != 0 || !try_write(base, name + "/cpuset.mems", *memory)) return;
  }
  if (try_write(base, name + "/cpuset.cpus", wanted) && !found->unified) moving_.push_back(name);
}

bool Cgroups::move_confined() {
  std::erase_if(moving_, [this](const std::string& name) { return !move_some(name); });
  return !moving_.empty();
}

/// False when none is left outside. What is inside has its children there.
bool Cgroups::move_some(const std::string& name) const {
  const int base = of(Controller::cpuset).base.get();
  const std::string path = name + "/cgroup.procs";
  const std::set<std::string> inside = lines_of(base, path);
  int moved = 0;
  for (const std::string& pid : lines_of(of(Controller::pids).base.get(), path)) {
    if (inside.contains(pid)) continue;
    if (moved++ == kMovedAtOnce) return true;
    // One that has ended meanwhile cannot be put anywhere.
    try_write(base, path, pid);
  }
  return moved > 0;
}

bool Cgroups::kill(const std::string& name) const {
  const Hierarchy* v2 = unified();
  return v2 != nullptr && try_write(v2->base.get(), name + kInner + std::string("/cgroup.kill"), "1");
}

bool Cgroups::remove(const std::string& name) {
  bool gone = true;
  std::erase(moving_, name);
  for (const Hierarchy& hierarchy : hierarchies_) {
    const int base = hierarchy.base.get();
    if (hierarchy.unified && ::unlinkat(base, (name + kInner).c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      gone = false;
    if (::unlinkat(base, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) gone = false;
  }
  return gone;
}

}  // namespace lambent::sandbox::launcher
