#include "runtimes/installed.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include "runtimes/interpreters.h"
#include "runtimes/recipes.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = "runtime";

/// "NAME VALUE" lines.
std::map<std::string, std::string> read_lines(const fs::path& path) {
  std::map<std::string, std::string> values;
  std::ifstream file(path);
  std::string line;
  while (values.size() < 16 && std::getline(file, line)) {
    const auto space = line.find(' ');
    if (space != std::string::npos) values[line.substr(0, space)] = line.substr(space + 1);
  }
  return values;
}

std::optional<InstalledRoot> read_description(const fs::path& directory) {
  auto values = read_lines(directory / kDescription);
  InstalledRoot root{directory.filename().string(), Family::python,  0, values["version"],
                     values["interpreter"],         values["source"]};
  for (const Family family : {Family::python, Family::nodejs, Family::ruby, Family::java, Family::dotnet})
    for (const Recipe& recipe : recipes())
      if (recipe.family == family && root_name(family, recipe.generation) == root.name) {
        root.family = family;
        root.generation = recipe.generation;
      }
  const bool absolute = root.interpreter.starts_with('/');
  if (!absolute || generation_of(root.family, root.version) != root.generation) return std::nullopt;
  return root;
}

}  // namespace

std::vector<InstalledRoot> installed_roots(const fs::path& roots) {
  std::vector<InstalledRoot> found;
  std::error_code none;
  if (roots.empty()) return found;
  for (const auto& entry : fs::directory_iterator(roots, none))
    if (auto root = read_description(entry.path())) found.push_back(std::move(*root));
  std::ranges::sort(found, {}, &InstalledRoot::name);
  return found;
}

void write_description(const fs::path& directory, const InstalledRoot& root) {
  const fs::path path = directory / kDescription;
  const std::string text =
      "version " + root.version + "\ninterpreter " + root.interpreter + "\nsource " + root.source + "\n";
  const base::Fd file(base::check(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), path.c_str()));
  if (base::check(::write(file.get(), text.data(), text.size()), path.c_str()) != static_cast<ssize_t>(text.size()))
    throw std::system_error(ENOSPC, std::system_category(), path.string());
  // The tree as well as its description: a description says that everything else is there.
  base::check(::syncfs(file.get()), path.c_str());
}

base::Fd lock_roots(const fs::path& roots, const char* name, bool exclusive) {
  if (::mkdir(roots.c_str(), 0755) != 0 && errno != EEXIST)
    throw std::system_error(errno, std::system_category(), roots.string());
  const fs::path path = roots / name;
  base::Fd lock(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644));
  base::check(lock.get(), path.c_str());
  if (::flock(lock.get(), (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) throw std::system_error(errno, std::system_category(), path.string());
  return {};
}

}  // namespace lambent::runtimes
