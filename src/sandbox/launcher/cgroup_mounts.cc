#include "sandbox/launcher/cgroup_mounts.h"

#include <fcntl.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "base/bytes.h"

namespace lambent::sandbox::launcher {
namespace {

/// In the order of Controller.
constexpr const char* kNames[] = {"memory", "cpu", "pids", "freezer", "cpuset"};

}  // namespace

Controllers controllers_in(std::string_view text, char separator) {
  Controllers found = 0;
  std::istringstream words{std::string(text)};
  for (std::string word; std::getline(words, word, separator);)
    for (unsigned i = 0; i < std::size(kNames); ++i)
      if (base::trim(word) == kNames[i]) found |= 1U << i;
  return found;
}

std::string names_of(Controllers controllers, const char* before, const char* between) {
  std::string text;
  for (unsigned i = 0; i < std::size(kNames); ++i)
    if ((controllers & 1U << i) != 0) text += (text.empty() ? "" : between) + std::string(before) + kNames[i];
  return text;
}

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

}  // namespace lambent::sandbox::launcher
