#include "sandbox/leftovers_for_tests.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <set>
#include <vector>

#include "sandbox/launcher/spaces.h"

namespace lambent::sandbox::testing {
namespace {

namespace fs = std::filesystem;

std::size_t count_entries(const fs::path& directory) {
  std::error_code gone;
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory, gone), fs::directory_iterator()));
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

dev_t device_of(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_dev : 0;
}

/// Everything beneath, but not what is mounted there.
std::size_t count_files(const fs::path& directory) {
  std::size_t found = 0;
  const dev_t device = device_of(directory / ".");
  std::error_code gone;
  using Walk = fs::recursive_directory_iterator;
  for (Walk at(directory, fs::directory_options::skip_permission_denied, gone), end; at != end; at.increment(gone)) {
    ++found;
    if (device_of(at->path()) != device) at.disable_recursion_pending();
  }
  return found;
}

struct Process {
  int pid = 0;
  int parent = 0;
  char state = '?';
};

/// Nothing when there is none with that id.
std::optional<Process> find_process(const std::string& pid) {
  const auto lines = lines_of("/proc/" + pid + "/stat");
  // A program's name may hold anything.
  const auto after_name = lines.empty() ? std::string::npos : lines[0].rfind(") ");
  if (after_name == std::string::npos) return std::nullopt;
  Process process{std::stoi(pid)};
  std::istringstream(lines[0].substr(after_name + 2)) >> process.state >> process.parent;
  return process;
}

std::vector<Process> all_processes() {
  std::vector<Process> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (const auto process = find_process(name)) found.push_back(*process);
  }
  return found;
}

/// Children, their children and so on.
std::vector<Process> descendants_of(int pid) {
  std::vector<Process> all = all_processes(), found;
  std::set<int> known{pid};
  for (std::size_t before = 0; before != known.size();) {
    before = known.size();
    for (const Process& process : all)
      if (known.contains(process.parent) && known.insert(process.pid).second) found.push_back(process);
  }
  return found;
}

struct Networks {
  std::size_t namespaces = 0;
  std::size_t links = 0;
};

/// Of the launcher, whatever it holds and its descendants. One that nothing but a socket keeps is found by its link's other end.
Networks count_networks(int launcher_pid, const std::vector<Process>& descendants) {
  const fs::path launcher = "/proc/" + std::to_string(launcher_pid);
  std::map<std::string, fs::path> found;
  std::error_code gone;
  const auto note = [&](const fs::path& path) {
    const std::string name = fs::read_symlink(path, gone);
    if (name.starts_with("net:")) found.emplace(name, path);
  };
  note(launcher / "ns/net");
  for (const auto& entry : fs::directory_iterator(launcher / "fd", gone)) note(entry.path());
  for (const Process& process : descendants) note("/proc/" + std::to_string(process.pid) + "/ns/net");
  Networks networks;
  const base::Fd home = launcher::open_space();
  for (const auto& [name, path] : found) {
    const base::Fd space(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!space) continue;
    const launcher::Visit there(home, space);
    ++networks.namespaces;
    networks.links += count_links();
  }
  return networks;
}

}  // namespace

std::size_t count_groups(int launcher_pid) {
  std::size_t found = 0;
  const std::string name = "lambent-" + std::to_string(launcher_pid);
  std::error_code gone;
  using Walk = fs::recursive_directory_iterator;
  for (Walk at("/sys/fs/cgroup", fs::directory_options::skip_permission_denied, gone), end; at != end;
       at.increment(gone))
    if (at->is_directory(gone) && at->path().string().find(name) != std::string::npos) ++found;
  return found;
}

std::size_t count_loops(const fs::path& directory) {
  std::size_t found = 0;
  for (const auto& entry : fs::directory_iterator("/sys/block")) {
    const auto lines = lines_of(entry.path() / "loop/backing_file");
    if (!lines.empty() && lines[0].starts_with(directory.string())) ++found;
  }
  return found;
}

std::size_t count_links() {
  const std::size_t lines = lines_of("/proc/thread-self/net/dev").size();
  return lines - std::min<std::size_t>(lines, 2);
}

Leftovers count_leftovers(const Lab& lab) {
  const fs::path launcher = "/proc/" + std::to_string(lab.launcher_pid());
  const std::vector<Process> descendants = descendants_of(lab.launcher_pid());
  const Networks networks = count_networks(lab.launcher_pid(), descendants);
  const auto on_host = lines_of("/proc/self/mountinfo");
  return {
      {"processes", descendants.size()},
      {"processes of environments' users", lab.processes()},
      {"zombies", std::ranges::count(descendants, 'Z', &Process::state)},
      {"groups", count_groups(lab.launcher_pid())},
      {"mounts", lines_of(launcher / "mountinfo").size()},
      {"mounts on the host",
       std::ranges::count_if(
           on_host, [&](const std::string& line) { return line.find(lab.directory().string()) != std::string::npos; })},
      {"loop devices", count_loops(lab.directory())},
      {"network namespaces", networks.namespaces},
      {"links", networks.links},
      {"files of the launcher", count_files(launcher / "root/")},
      {"files of the lab", count_files(lab.directory())},
      {"descriptors", count_entries("/proc/self/fd")},
      {"descriptors of the launcher", count_entries(launcher / "fd")},
  };
}

std::vector<int> processes_named(const Lab& lab, const std::string& name) {
  std::vector<int> found;
  for (const Process& process : descendants_of(lab.launcher_pid()))
    if (lines_of("/proc/" + std::to_string(process.pid) + "/comm") == std::vector{name}) found.push_back(process.pid);
  return found;
}

bool is_idle(int pid) {
  const auto process = find_process(std::to_string(pid));
  return process && process->state == 'S';
}

std::string what_is_left(const Leftovers& before, const Leftovers& after) {
  std::string words;
  for (const auto& [kind, count] : after)
    if (count > before.at(kind))
      words += (words.empty() ? "" : ", ") + std::to_string(count - before.at(kind)) + " " + kind;
  return words;
}

}  // namespace lambent::sandbox::testing
