// Roots that `lambent runtimes install` has made: one directory each beneath the directory of roots.
//
//     ROOTS/python3.13/runtime     what it is; written last, so that a directory that has it is complete
//     ROOTS/python3.13/root/       a whole root file system, or
//     ROOTS/nodejs22/lang/         a language alone, which becomes /var/lang in the host's root
//     ROOTS/.installing            locked by whoever installs or removes
//     ROOTS/.in-use                locked by every server that may start functions on these roots
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "runtimes/identifiers.h"

namespace lambent::runtimes {

struct InstalledRoot {
  /// "python3.13"
  std::string name;
  Family family = Family::python;
  int generation = 0;
  /// "3.13.5"
  std::string version;
  /// Inside the sandbox: "/usr/bin/python3.13".
  std::string interpreter;
  /// Where it came from: "Debian trixie".
  std::string source;
};

/// The complete ones, by name.
std::vector<InstalledRoot> installed_roots(const std::filesystem::path& roots);
/// Its description, synced to disk. Throws std::system_error.
void write_description(const std::filesystem::path& directory, const InstalledRoot& root);

constexpr const char* kInstalling = ".installing";
constexpr const char* kInUse = ".in-use";
/// One of the two locks, held until the descriptor is closed; an empty descriptor when somebody else holds it in a way that
/// excludes this. Makes the directory. Throws std::system_error.
base::Fd lock_roots(const std::filesystem::path& roots, const char* lock, bool exclusive);

}  // namespace lambent::runtimes
