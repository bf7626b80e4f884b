// The launcher's mount namespace and what environments get from it: a template of the root file system, assembled once and
// cloned per environment, and read-only views of single directories.
//
// Everything lives in a namespace and a small tmpfs of the launcher's own, so that nothing is left on the host when it ends,
// however it ends. Kernel calls of 6.1 at most.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

class Mounts {
 public:
  /// Moves this process to a mount namespace of its own, puts its tmpfs over `stage` and builds the template from the
  /// host's /usr and a few files of /etc. Throws std::exception.
  explicit Mounts(const std::filesystem::path& stage);

  /// A detached copy of the template with everything beneath it.
  base::Fd clone_root() const;
  /// A detached read-only mount (nosuid, nodev) of `name`, a directory directly beneath `directory`; no symbolic link is
  /// followed on the way.
  static base::Fd clone_directory(int directory, const std::string& name);

  /// Detached mounts of an environment's own /etc/passwd and /etc/group.
  struct Users {
    base::Fd passwd;
    base::Fd group;
  };
  Users make_users(std::uint32_t slot, std::uint32_t uid) const;
  void remove_users(std::uint32_t slot) const;

  /// Where a child attaches its root, relative to the launcher's working directory.
  static constexpr const char* kStage = "mnt";
  static constexpr const char* kHostname = "169-254-100-5";
};

}  // namespace lambent::sandbox::launcher
