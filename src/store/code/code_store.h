// Code archives, content-addressed: a zip is checked and unpacked once, and its tree is shared read-only by every
// environment of that hash.
//
// Layout beneath the directory: zips/<hex sha256>.zip as uploaded, trees/<hex sha256>/ unpacked. Both appear by rename,
// after fsync, so that a crash leaves nothing half made; what is left in incoming/ is removed at start. Blocking: call it
// on the CPU pool, from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lambent::store {

/// Why an archive is refused, in words for its owner.
class BadArchive : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// AWS quotas ("Lambda quotas").
constexpr std::int64_t kMaxZippedBytes = 52'428'800;
constexpr std::int64_t kMaxUnzippedBytes = 262'144'000;

struct StoredCode {
  std::string hash;    // hex SHA-256 of the zip
  std::string sha256;  // the same in base64
  std::int64_t size = 0;
};

class CodeStore {
 public:
  explicit CodeStore(std::filesystem::path directory);

  /// Throws BadArchive (absolute path, "..", backslash, symlink that leaves the tree, hard link, device, duplicate
  /// name, NUL or invalid UTF-8 in a name, too many entries, over 250 MB unpacked counted while writing), or
  /// std::system_error when the disk refuses.
  StoredCode add(std::string_view zip);
  bool contains(std::string_view hash) const;
  /// The uploaded bytes; nothing when there is no such archive.
  std::optional<std::string> zip(std::string_view hash) const;
  /// The directory of trees, for the launcher.
  std::filesystem::path trees() const;

 private:
  std::filesystem::path directory_;
};

}  // namespace lambent::store
