// The zip walk: what an uploaded archive claims, checked before any of it is believed.
//
// The table of contents is read here and nowhere else, and files are inflated by it: with a second reader of the format
// (libarchive, say) an archive could show one list of names to the checks and another to the disk. Nothing here touches
// the file system; unpack() speaks to a TreeSink. Stateless, any thread; memory is bounded by the number of entries.
//
// Read: PKWARE APPNOTE 6.3.10 with zip64, methods stored and deflated. The owner of every name, size and offset is the
// central directory; a local header that says otherwise is refused. Unix modes are honoured as far as "executable".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "store/code/code_store.h"

namespace lambent::store {

// Ours, not AWS's: they bound what an archive of 50 MB can cost in inodes, memory and path length.
constexpr std::size_t kMaxArchiveEntries = 100'000;  // directories that are only implied count too
constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxNameBytes = 255;  // NAME_MAX
constexpr std::size_t kMaxPathDepth = 64;
constexpr std::size_t kMaxSymlinkBytes = 1024;

enum class EntryKind { directory, file, symlink };

/// One entry; its views point into the archive.
struct ArchiveEntry {
  /// Relative, without "." or ".." or a slash at either end.
  std::string_view path;
  EntryKind kind = EntryKind::file;
  /// Nothing known (archives made on Windows): then a file's first bytes decide whether it is executable.
  bool mode_known = false;
  bool executable = false;
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t size = 0;
  /// The entry's bytes as they are in the archive.
  std::string_view stored;
};

/// Where unpack() puts a tree: every directory after its parent, then the files one by one, then the symlinks.
class TreeSink {
 public:
  virtual ~TreeSink() = default;
  virtual void directory(std::string_view path) = 0;
  virtual void begin_file(std::string_view path) = 0;
  virtual void write(std::string_view bytes) = 0;
  virtual void end_file(bool executable) = 0;
  virtual void symlink(std::string_view path, std::string_view target) = 0;
};

/// A checked table of contents.
struct Contents {
  std::vector<ArchiveEntry> files_and_links;
  /// Named and implied ones, parents first.
  std::vector<std::string_view> directories;
};

/// Throws BadArchive. `zip` must outlive the result.
Contents read_contents(std::string_view zip);

/// Reads, checks and unpacks: at most kMaxUnzippedBytes, and of no entry more than it declares. Throws BadArchive, or what
/// the sink throws; the sink may have been given a part of the tree by then.
void unpack(std::string_view zip, TreeSink& sink);

}  // namespace lambent::store
