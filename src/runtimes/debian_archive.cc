#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "runtimes/install.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> found;
  for (std::string word; stream >> word;) found.push_back(word);
  return found;
}

/// One stanza, or one line, said in the same way.
struct Entry {
  std::string uri, keyring;
  std::vector<std::string> suites;
};

/// "URIs: a b" of a stanza; comments between its lines are none of it.
std::vector<Entry> read_stanzas(const fs::path& path) {
  std::vector<Entry> entries(1);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    if (words(line).empty()) entries.emplace_back();
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string name = line.substr(0, colon);
    const std::vector<std::string> values = words(line.substr(colon + 1));
    if (values.empty()) continue;
    if (name == "URIs") entries.back().uri = values.front();
    if (name == "Suites") entries.back().suites = values;
    if (name == "Signed-By" && values.front().starts_with('/')) entries.back().keyring = values.front();
  }
  return entries;
}

/// "deb [signed-by=/x arch=y] URI SUITE main"
std::vector<Entry> read_lines(const fs::path& path) {
  std::vector<Entry> entries;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> parts = words(line);
    if (parts.empty() || parts.front() != "deb") continue;
    Entry entry;
    std::size_t at = 1;
    for (bool inside = at < parts.size() && parts[at].starts_with('['); inside && at < parts.size(); ++at) {
      const std::string option = parts[at].substr(parts[at].starts_with('[') ? 1 : 0);
      inside = !option.ends_with(']');
      if (option.starts_with("signed-by=/"))
        entry.keyring = option.substr(10, option.size() - 10 - (option.ends_with(']') ? 1 : 0));
    }
    if (at + 1 >= parts.size()) continue;
    entry.uri = parts[at];
    entry.suites = {parts[at + 1]};
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

DebianArchive find_debian_archive(const fs::path& etc_apt, const std::string& codename) {
  std::vector<fs::path> files{etc_apt / "sources.list"};
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(etc_apt / "sources.list.d", none)) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& path : files) {
    const auto entries = path.extension() == ".sources" ? read_stanzas(path) : read_lines(path);
    for (const Entry& entry : entries) {
      if (entry.uri.empty() || std::ranges::find(entry.suites, codename) == entry.suites.end()) continue;
      return {entry.uri, entry.keyring.empty() ? kKeyring : entry.keyring};
    }
  }
  return {"", kKeyring};
}

}  // namespace lambent::runtimes
