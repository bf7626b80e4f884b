// Code archives, content-addressed: a zip is checked and unpacked once, and its tree is shared read-only by every
// environment of that hash.
//
// Layout beneath the directory: zips/<hex sha256>.zip as uploaded, trees/<hex sha256>/ unpacked. Both are made in
// incoming/ and appear by rename after one syncfs (an fsync per file would cost seconds for ten thousand files), and add()
// returns after the renames are on disk. So after kill -9 or a power cut what add() returned is whole, and whatever was
// under way is gone. The zip is the truth: at start incoming/ is emptied, a zip without its tree is unpacked again and a
// tree without its zip is removed. Blocking: call it on the CPU pool, from any thread.
//
// Whoever needs an archive holds a pin of it: stored functions and layers do through their snapshots, and so does every
// environment through the snapshot that it runs. Once archives are reclaimed, the end of an archive's last pin removes it.
//
// In a tree directories are 0755 and files 0644, or 0755 when the archive says executable (functions run as another user,
// so everything is readable by all); every time stamp is kTreeTime: a tree depends on its zip alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "store/code/code_pin.h"

namespace lambent::store {

/// Why an archive is refused, in words for its owner.
class BadArchive : public std::runtime_error {
 public:
  enum class Why {
    malformed,  // not a zip, or a damaged one
    forbidden,  // well made, but with something that no archive may have
    too_large,  // unpacked
  };
  explicit BadArchive(const std::string& message, Why why = Why::malformed) : runtime_error(message), why_(why) {}
  Why why() const { return why_; }

 private:
  Why why_;
};

/// AWS quotas ("Lambda quotas"). The first is of what comes with a request; code in S3 is bounded by the second alone.
constexpr std::int64_t kMaxZippedBytes = 52'428'800;
constexpr std::int64_t kMaxUnzippedBytes = 262'144'000;

/// Seconds since 1970 of every file in a tree: 1980-01-01, the first day a zip can name.
constexpr std::int64_t kTreeTime = 315'532'800;

struct StoredCode {
  std::string hash;    // hex SHA-256 of the zip
  std::string sha256;  // the same in base64
  std::int64_t size = 0;
  std::int64_t unzipped_size = 0;
  CodePin pin;  // of add()
};

class CodeStore {
 public:
  /// Makes the directories and repairs what a crash left. Throws std::system_error.
  explicit CodeStore(std::filesystem::path directory);
  /// Makes the directories alone and says where the trees will be: for the launcher, which holds that one from before the store
  /// is opened. Throws std::system_error.
  static std::filesystem::path make_directories(const std::filesystem::path& directory);

  /// Throws BadArchive (absolute path, "..", backslash, symlink that leaves the tree, hard link, device, duplicate
  /// name, NUL or invalid UTF-8 in a name, too many entries, over 250 MB unpacked counted while writing), or
  /// std::system_error when the disk refuses.
  StoredCode add(std::string_view zip);
  /// What add() would say or throw, with nothing stored.
  static StoredCode check(std::string_view zip);
  bool contains(std::string_view hash) const;
  /// The uploaded bytes; nothing when there is no such archive.
  std::optional<std::string> zip(std::string_view hash) const;
  /// The directory of trees, for the launcher.
  std::filesystem::path trees() const;
  /// Everything that is stored, for whoever knows what is still referred to.
  std::vector<std::string> hashes() const;

  /// For an archive that is there, or is about to be added.
  CodePin pin(std::string_view hash) const;
  /// From now on an archive is removed when its last pin ends: `run` is given the work, which blocks, from any thread. What had
  /// no pin before is left to remove_unpinned().
  void reclaim_through(std::function<void(std::function<void()>)> run);
  /// No archive is removed after this returned but by remove_unpinned().
  void stop_reclaiming();
  /// Removes every archive that nobody pins; how many. At start, for what a crash left.
  std::size_t remove_unpinned();

 private:
  struct Pins;

  void repair() const;

  std::filesystem::path directory_;
  /// Pins share it and may outlive the store.
  std::shared_ptr<Pins> pins_;
};

}  // namespace lambent::store
