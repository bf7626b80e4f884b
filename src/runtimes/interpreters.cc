#include "runtimes/interpreters.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "runtimes/command.h"
#include "runtimes/installed.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;

/// Digits and dots after `prefix` up to a space, a '+' or the end of the line: "3.11.2" of "Python 3.11.2+\n".
std::optional<std::string> version_after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  const auto end = text.find_first_not_of("0123456789.");
  const std::string_view version = text.substr(0, end);
  if (version.empty() || version.size() > 32) return std::nullopt;
  return std::string(version);
}

/// The n-th number of "3.11.2".
int part(std::string_view version, int n) {
  for (; n > 0; --n) {
    const auto dot = version.find('.');
    if (dot == std::string_view::npos) return -1;
    version.remove_prefix(dot + 1);
  }
  int number = -1;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

struct Language {
  Family family;
  /// What `--version` says before the number.
  std::string_view prefix;
  int first, last;
};

constexpr Language kLanguages[] = {
    {Family::python, "Python ", 8, 19}, {Family::nodejs, "v", 18, 30}, {Family::ruby, "ruby ", 27, 49},
    {Family::java, "", 8, 40},          {Family::dotnet, "", 3, 30},
};

const Language& language(Family family) { return *std::ranges::find(kLanguages, family, &Language::family); }

void add(std::vector<Interpreter>& found, const fs::path& root, const std::string& name, Family family) {
  const std::string inside = "/usr/bin/" + name;
  const fs::path outside = root / inside.substr(1);
  if (::access(outside.c_str(), X_OK) != 0) return;
  const auto said = run_command({outside.string(), "--version"});
  const auto version = said ? version_after(*said, language(family).prefix) : std::nullopt;
  if (!version) return;
  const int generation = generation_of(family, *version);
  const bool known = std::ranges::any_of(found, [&](const Interpreter& i) { return i.generation == generation; });
  if (generation >= 0 && !known) found.push_back({inside, *version, generation, "host", root});
}

void sort(std::vector<Interpreter>& found) { std::ranges::sort(found, {}, &Interpreter::generation); }

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

int generation_of(Family family, std::string_view version) {
  int generation = part(version, 0);
  if (family == Family::python) {
    if (generation != 3) return -1;
    generation = part(version, 1);
  } else if (family == Family::ruby) {
    generation = generation * 10 + part(version, 1);
  } else if (family == Family::java && generation == 1) {
    // 1.8.0_412
    generation = part(version, 1);
  }
  const Language& known = language(family);
  return generation < known.first || generation > known.last ? -1 : generation;
}

std::vector<Interpreter> find_pythons(const fs::path& root) {
  std::vector<Interpreter> found;
  const Language& python = language(Family::python);
  for (int minor = python.first; minor <= python.last; ++minor)
    add(found, root, "python3." + std::to_string(minor), Family::python);
  // The plain name says nothing new where its version has a name of its own.
  if (found.empty()) add(found, root, "python3", Family::python);
  sort(found);
  return found;
}

std::vector<Interpreter> find_nodes(const fs::path& root) {
  std::vector<Interpreter> found;
  const Language& node = language(Family::nodejs);
  for (int major = node.first; major <= node.last; ++major)
    add(found, root, "node" + std::to_string(major), Family::nodejs);
  for (const char* name : {"node", "nodejs"}) {
    // Debian's two names are one program: asking it twice would cost the start another 30 ms.
    std::error_code ignored;
    const bool same =
        name == std::string_view("nodejs") && fs::equivalent(root / "usr/bin/node", root / "usr/bin/nodejs", ignored);
    if (!same) add(found, root, name, Family::nodejs);
  }
  sort(found);
  return found;
}

std::vector<Interpreter> find_rubies(const fs::path& root) {
  std::vector<Interpreter> found;
  for (const char* name : {"ruby2.7", "ruby3.1", "ruby3.2", "ruby3.3", "ruby3.4", "ruby4.0"})
    add(found, root, name, Family::ruby);
  if (found.empty()) add(found, root, "ruby", Family::ruby);
  sort(found);
  return found;
}

std::vector<Interpreter> find_javas(const fs::path& root) {
  std::vector<Interpreter> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root / "usr/lib/jvm", none)) {
    // Debian's other names of a version are links to its directory.
    if (entry.is_symlink() || ::access((entry.path() / "bin/java").c_str(), X_OK) != 0) continue;
    const std::string version = java_version(read_file(entry.path() / "release"));
    const int generation = generation_of(Family::java, version);
    const bool known = std::ranges::any_of(found, [&](const Interpreter& i) { return i.generation == generation; });
    if (generation < 0 || known) continue;
    found.push_back(
        {"/usr/lib/jvm/" + entry.path().filename().string() + "/bin/java", version, generation, "host", root});
  }
  sort(found);
  return found;
}

std::vector<Interpreter> find_dotnets(const fs::path& root) {
  std::vector<Interpreter> found;
  for (const char* const place : {"usr/lib/dotnet", "usr/share/dotnet", "usr/lib64/dotnet", "usr/local/share/dotnet"}) {
    if (::access((root / place / "dotnet").c_str(), X_OK) != 0) continue;
    std::error_code none;
    std::vector<std::string> versions;
    for (const auto& entry : fs::directory_iterator(root / place / "shared/Microsoft.NETCore.App", none))
      versions.push_back(entry.path().filename().string());
    // Of those side by side `dotnet` takes the newest.
    std::ranges::sort(versions, std::ranges::greater(), [](const std::string& version) {
      return std::array{part(version, 0), part(version, 1), part(version, 2)};
    });
    for (const std::string& version : versions) {
      const int generation = generation_of(Family::dotnet, version);
      const bool known = std::ranges::any_of(found, [&](const Interpreter& i) { return i.generation == generation; });
      // A preview is none: its name goes on after the digits.
      const bool plain = version.find_first_not_of("0123456789.") == std::string::npos;
      if (generation >= 0 && plain && !known)
        found.push_back({"/" + std::string(place) + "/dotnet", version, generation, "host", root});
    }
  }
  sort(found);
  return found;
}

std::string java_version(std::string_view release) {
  constexpr std::string_view kKey = "JAVA_VERSION=\"";
  const auto at = release.find(kKey);
  if (at == std::string_view::npos) return "";
  return version_after(release.substr(at), kKey).value_or("");
}

std::vector<Interpreter> find_installed(const fs::path& roots, Family family) {
  std::vector<Interpreter> found;
  for (const InstalledRoot& root : installed_roots(roots)) {
    if (root.family != family) continue;
    const fs::path tree = roots / root.name / "root";
    found.push_back(
        {root.interpreter, root.version, root.generation, root.name, fs::exists(tree) ? tree : fs::path("/")});
  }
  sort(found);
  return found;
}

}  // namespace lambent::runtimes
