// The launcher's mount namespace and what environments get from it: templates of root file systems, assembled once and
// cloned per environment, and read-only views of single directories.
//
// Everything lives in a namespace and a small tmpfs of the launcher's own, so that nothing is left on the host when it ends,
// however it ends. Kernel calls of 6.1 at most.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "sandbox/sandbox.h"

namespace lambent::sandbox::launcher {

class Mounts {
 public:
  /// Moves this process to a mount namespace of its own, puts its tmpfs over `stage`, builds the template from the host's
  /// /usr and a few files of /etc, and makes the tmpfs this process's root: from then on it reaches nothing else of the host
  /// than what it opened before. `roots` holds the installed root file systems; empty when there are none. Throws
  /// std::exception.
  Mounts(const std::filesystem::path& stage, const std::filesystem::path& code, const std::filesystem::path& runtimes,
         const std::filesystem::path& roots, const std::vector<SharedDirectory>& file_systems = {});

  /// A detached copy of a root's template with everything beneath it: "host", or an installed root, which is either a whole
  /// tree (ROOTS/<name>/root) or a language for the host's root (ROOTS/<name>/lang, which becomes /var/lang). The template of
  /// an installed one is made at its first use. Throws std::exception.
  base::Fd clone_root(const std::string& root = "host");
  /// Detached read-only mounts (nosuid, nodev) of a directory beneath the code or the runtimes directory; no symbolic link
  /// is followed on the way.
  base::Fd clone_code(const std::string& hash) const;
  base::Fd clone_runtime(const std::string& name) const;
  /// A detached read-only mount of layer trees merged: a later one lies over an earlier one.
  base::Fd clone_layers(const std::vector<std::string>& hashes) const;
  /// An empty directory, read-only.
  base::Fd clone_empty() const;
  /// An empty file system for /mnt; none when there are no shared file systems.
  base::Fd make_mount_points() const;
  /// A detached mount (nosuid, nodev) of a shared directory for the environment whose user `uid` is. What belongs to the directory's
  /// owner on the disk belongs to that user in the mount, and what he makes belongs to the owner; where the file system or the
  /// kernel cannot do that, he is one of the others.
  base::Fd clone_file_system(const std::string& arn, std::uint32_t uid) const;

  /// Keeps a file that zygotes may execute: "python/zygote.py". Unlike the runtimes directory this one is nobody's but
  /// root's.
  void add_zygote_file(const std::string& name, std::string_view content) const;
  /// What a zygote has as /var/runtime.
  base::Fd clone_zygote_runtime(const std::string& name) const;
  /// Throws when somebody else than root may write to the root file system, or owns it: nothing of it is executed by
  /// root.
  void require_trusted(const std::string& root) const;

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

 private:
  static base::Fd open_beneath(int directory, const std::string& name);
  static base::Fd clone_directory(int directory, const std::string& name);
  void make_template(const std::string& root, const std::string& target) const;

  base::Fd code_;
  base::Fd runtimes_;
  base::Fd roots_;
  base::Fd zygotes_;
  /// Directories beneath the stage, by ARN.
  std::map<std::string, std::string> file_systems_;
  /// The installed roots whose templates exist.
  std::set<std::string> templates_;
};

}  // namespace lambent::sandbox::launcher
