// Installing and removing versions of languages: what `lambent runtimes` does.
//
// Runs in a process of its own, as root, on one thread; a server sees what is there when it starts. A version is made beside
// the others under a name of its own and renamed when it is whole and on disk, so that kill -9 at any moment leaves either
// nothing or all of it; what was left unfinished is removed by the next install.
#pragma once

#include <filesystem>
#include <string>

#include "runtimes/recipes.h"

namespace lambent::runtimes {

struct InstallOptions {
  std::filesystem::path roots;
  /// Debian's archive; empty: the machine's own, from apt's sources.
  std::string mirror;
  /// Where the machine's own .NET is looked for.
  std::filesystem::path host = "/";
};

enum class Installed { now, already };
/// Throws std::runtime_error in words for the user: no root, no mmdebstrap, npm or SDK, somebody else is installing, the source
/// failed (what it said is on stderr), the interpreter is not the version it should be.
Installed install(const InstallOptions& options, const Recipe& recipe);

/// False when it is not installed. Throws std::runtime_error when a server uses these roots.
bool remove_installed(const std::filesystem::path& roots, const std::string& name);

/// The machine's Debian archive and the keyring that checks it.
struct DebianArchive {
  std::string mirror;
  std::string keyring;
};
/// From the sources of apt beneath `etc_apt` (one-line and deb822 forms): the first that has `codename` as a suite. An empty
/// mirror when there is none.
DebianArchive find_debian_archive(const std::filesystem::path& etc_apt, const std::string& codename);

}  // namespace lambent::runtimes
