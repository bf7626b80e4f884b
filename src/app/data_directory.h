// The data directory: one server's whole state, mode 0700, and the few files that are not in the database.
//
//     lambent.db        records            code/       archives and their trees
//     lambent.commits   the last commit
//     keys/             sealing keys       runtimes/   bootstraps, rewritten at each start
//     credentials       the root key as `export` lines, mode 0600
//     logs/             log streams and their events, a directory a group
//     scratch/          the launcher's images for /tmp; root's
//     roots/            installed languages, see runtimes/installed.h; root's
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "store/vault.h"

namespace lambent::app {

class DataDirectory {
 public:
  /// Makes what is missing. Throws std::system_error.
  explicit DataDirectory(std::filesystem::path root);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path database() const { return root_ / "lambent.db"; }
  /// The number of the last commit, kept apart from the records.
  std::filesystem::path commit_mark() const { return root_ / "lambent.commits"; }
  std::filesystem::path code() const { return root_ / "code"; }
  std::filesystem::path runtimes() const { return root_ / "runtimes"; }
  std::filesystem::path logs() const { return root_ / "logs"; }
  std::filesystem::path scratch() const { return root_ / "scratch"; }
  std::filesystem::path roots() const { return root_ / "roots"; }
  std::filesystem::path credentials() const { return root_ / "credentials"; }

  /// 32 secret bytes kept in keys/NAME, sealed; made on first use. Throws std::runtime_error when they do not open.
  std::string key(const std::string& name, const store::Vault& vault) const;
  /// Written beside and renamed over, mode 0600, synced.
  void write_secret(const std::filesystem::path& file, const std::string& text) const;

 private:
  std::filesystem::path root_;
};

/// The whole file, at most 1 MiB; nothing when there is none. Throws std::system_error when it cannot be read.
std::optional<std::string> read_small_file(const std::filesystem::path& file);

}  // namespace lambent::app
