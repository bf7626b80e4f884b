#include "runtimes/interpreters.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "runtimes/command.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;

constexpr int kFirstPython = 8, kLastPython = 19;
constexpr int kFirstNode = 18, kLastNode = 30;

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
  std::string_view prefix;
  int generation_part;
  int first, last;
};

constexpr Language kPython{"Python ", 1, kFirstPython, kLastPython};
constexpr Language kNode{"v", 0, kFirstNode, kLastNode};

void add(std::vector<Interpreter>& found, const fs::path& root, const std::string& name, const Language& language) {
  const std::string inside = "/usr/bin/" + name;
  const fs::path outside = root / inside.substr(1);
  if (::access(outside.c_str(), X_OK) != 0) return;
  const auto said = run_command({outside.string(), "--version"});
  const auto version = said ? version_after(*said, language.prefix) : std::nullopt;
  if (!version) return;
  const int generation = part(*version, language.generation_part);
  if (generation < language.first || generation > language.last) return;
  const bool known = std::ranges::any_of(found, [&](const Interpreter& i) { return i.generation == generation; });
  if (!known) found.push_back({inside, *version, generation});
}

void sort(std::vector<Interpreter>& found) { std::ranges::sort(found, {}, &Interpreter::generation); }

}  // namespace

std::vector<Interpreter> find_pythons(const fs::path& root) {
  std::vector<Interpreter> found;
  for (int minor = kFirstPython; minor <= kLastPython; ++minor)
    add(found, root, "python3." + std::to_string(minor), kPython);
  // The plain name says nothing new where its version has a name of its own.
  if (found.empty()) add(found, root, "python3", kPython);
  sort(found);
  return found;
}

std::vector<Interpreter> find_nodes(const fs::path& root) {
  std::vector<Interpreter> found;
  for (int major = kFirstNode; major <= kLastNode; ++major) add(found, root, "node" + std::to_string(major), kNode);
  for (const char* name : {"node", "nodejs"}) {
    // Debian's two names are one program: asking it twice would cost the start another 30 ms.
    std::error_code ignored;
    const bool same =
        name == std::string_view("nodejs") && fs::equivalent(root / "usr/bin/node", root / "usr/bin/nodejs", ignored);
    if (!same) add(found, root, name, kNode);
  }
  sort(found);
  return found;
}

}  // namespace lambent::runtimes
