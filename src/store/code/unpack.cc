#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/bytes.h"
#include "store/code/archive.h"
#include "store/code/zip_records.h"

namespace lambent::store {
namespace {

using zip::quoted;

/// Inflates entries one after the other with one window: 32 KB for the whole archive.
class Inflater {
 public:
  Inflater() {
    // Negative: raw deflate without zlib's header.
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Hands the entry's bytes to `take` piece by piece. What an entry declares is believed only as an upper bound: the
  /// first byte beyond it ends the work, and its end must agree with size and checksum.
  template <class Take>
  void read(const ArchiveEntry& entry, Take take) {
    written_ = 0;
    crc_ = crc32(0, nullptr, 0);
    if (entry.deflated)
      inflate_entry(entry, take);
    else
      give(entry, entry.stored, take);
    if (written_ != entry.size || crc_ != entry.crc) throw BadArchive(fmt::format("{} is damaged", quoted(entry.path)));
  }

 private:
  template <class Take>
  void inflate_entry(const ArchiveEntry& entry, Take& take) {
    inflateReset(&stream_);
    // The archive is bounded by kMaxUnzippedBytes, so its parts fit zlib's 32 bits.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(entry.stored.data()));
    stream_.avail_in = static_cast<uInt>(entry.stored.size());
    int result = Z_OK;
    while (result != Z_STREAM_END) {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_->data());
      stream_.avail_out = static_cast<uInt>(buffer_->size());
      result = inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END) throw BadArchive(fmt::format("{} is damaged", quoted(entry.path)));
      give(entry, std::string_view(buffer_->data(), buffer_->size() - stream_.avail_out), take);
    }
    if (stream_.avail_in != 0)
      throw BadArchive(fmt::format("{} has bytes after its end", quoted(entry.path)), BadArchive::Why::forbidden);
  }

  template <class Take>
  void give(const ArchiveEntry& entry, std::string_view bytes, Take& take) {
    if (bytes.size() > entry.size - written_)
      throw BadArchive(fmt::format("{} holds more than it declares", quoted(entry.path)), BadArchive::Why::forbidden);
    written_ += bytes.size();
    crc_ = static_cast<std::uint32_t>(crc32_z(crc_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    if (!bytes.empty()) take(bytes);
  }

  z_stream stream_{};
  std::uint64_t written_ = 0;
  std::uint32_t crc_ = 0;
  std::unique_ptr<std::array<char, 128 * 1024>> buffer_ = std::make_unique<std::array<char, 128 * 1024>>();
};

/// An archive made where files have no mode: what the kernel would execute is executable.
bool looks_executable(std::string_view first_bytes) {
  return first_bytes.starts_with(
             "\x7f"
             "ELF") ||
         first_bytes.starts_with("#!");
}

void unpack_file(const ArchiveEntry& entry, Inflater& inflater, TreeSink& sink) {
  sink.begin_file(entry.path);
  bool executable = entry.executable;
  bool first = true;
  inflater.read(entry, [&](std::string_view bytes) {
    if (first && !entry.mode_known) executable = looks_executable(bytes);
    first = false;
    sink.write(bytes);
  });
  sink.end_file(executable);
}

/// A target may climb to the root of the tree and then only go down. ".." after a name is refused, since the name could be
/// another link: with that rule no chain of links leaves the tree.
void check_target(std::string_view path, std::string_view target) {
  const auto forbid = [&](std::string_view why) {
    throw BadArchive(fmt::format("{} is a symlink {}", quoted(path), why), BadArchive::Why::forbidden);
  };
  if (target.empty()) forbid("to nothing");
  if (target.find('\0') != std::string_view::npos || target.find('\\') != std::string_view::npos)
    forbid("with a NUL or a backslash");
  if (!base::is_utf8(target)) forbid("to a name that is not UTF-8");
  if (target.front() == '/') forbid("to an absolute path");
  auto may_climb = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
  bool descending = false;
  for (std::string_view rest = target; !rest.empty();) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    if (part == "..") {
      if (descending || may_climb == 0) forbid("that leaves the archive");
      --may_climb;
    } else if (!part.empty() && part != ".") {
      descending = true;
    }
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace

void unpack(std::string_view archive, TreeSink& sink) {
  const auto contents = read_contents(archive);
  Inflater inflater;
  for (const auto path : contents.directories) sink.directory(path);
  for (const auto& entry : contents.files_and_links)
    if (entry.kind == EntryKind::file) unpack_file(entry, inflater, sink);
  // Links come last: while files are written there is none in the tree that a write could follow.
  for (const auto& entry : contents.files_and_links) {
    if (entry.kind != EntryKind::symlink) continue;
    std::string target;
    inflater.read(entry, [&](std::string_view bytes) { target += bytes; });
    check_target(entry.path, target);
    sink.symlink(entry.path, target);
  }
}

}  // namespace lambent::store
