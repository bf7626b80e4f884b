#include "store/code/archive.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "store/code/zip_records.h"

namespace lambent::store {
namespace {

using zip::quoted;

constexpr std::uint8_t kMadeOnUnix = 3;
constexpr std::uint8_t kMadeOnMac = 19;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;

[[noreturn]] void forbid(std::string_view name, std::string_view why) {
  throw BadArchive(fmt::format("{} {}", quoted(name), why), BadArchive::Why::forbidden);
}

/// The name as a path of the tree, or a refusal. Empty for the root itself ("./").
std::string_view checked_path(std::string_view name) {
  std::string_view path = name;
  if (path.empty()) forbid(name, "has no name");
  if (path.size() > kMaxPathBytes) forbid(name, fmt::format("has a name longer than {} bytes", kMaxPathBytes));
  if (path.find('\0') != std::string_view::npos) forbid(name, "has a NUL in its name");
  if (path.find('\\') != std::string_view::npos) forbid(name, "has a backslash in its name");
  if (!base::is_utf8(path)) forbid(name, "has a name that is not UTF-8");
  if (path.front() == '/') forbid(name, "has an absolute path");
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.starts_with("./")) path.remove_prefix(2);
  if (path.empty() || path == ".") return {};
  std::size_t depth = 0;
  for (std::string_view rest = path;;) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    if (part == "..") forbid(name, "leaves the archive");
    if (part.empty() || part == ".") forbid(name, "has a path that is not normal");
    if (part.size() > kMaxNameBytes) forbid(name, fmt::format("has a name longer than {} bytes", kMaxNameBytes));
    if (++depth > kMaxPathDepth) forbid(name, fmt::format("is more than {} directories deep", kMaxPathDepth));
    if (slash == std::string_view::npos) return path;
    rest.remove_prefix(slash + 1);
  }
}

/// Kind and mode. The upper half of the external attributes is a Unix mode only when a Unix wrote it.
void read_mode(const zip::CentralHeader& row, ArchiveEntry& entry) {
  const bool unix_made = row.made_on == kMadeOnUnix || row.made_on == kMadeOnMac;
  const std::uint32_t mode = unix_made ? row.external >> 16 : 0;
  const bool named_directory = row.name.ends_with('/');
  if (row.special) forbid(row.name, "is a hard link or a device");
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
      entry.kind = named_directory ? EntryKind::directory : EntryKind::file;
      break;
    case S_IFDIR:
      entry.kind = EntryKind::directory;
      break;
    case S_IFLNK:
      if (named_directory) forbid(row.name, "is a symlink with the name of a directory");
      entry.kind = EntryKind::symlink;
      break;
    default:
      forbid(row.name, "is neither a file nor a directory nor a symlink");
  }
  // On a directory these bits say who owns new files; a tree gets none and is made 0755 anyway.
  if (entry.kind == EntryKind::file && (mode & (S_ISUID | S_ISGID | S_ISVTX)) != 0)
    forbid(row.name, "has a setuid, setgid or sticky bit");
  entry.mode_known = mode != 0;
  entry.executable = (mode & 0111) != 0;
}

ArchiveEntry checked_entry(std::string_view archive, const zip::CentralHeader& row) {
  ArchiveEntry entry;
  entry.path = checked_path(row.name);
  read_mode(row, entry);
  if (row.method != kStored && row.method != kDeflated) forbid(row.name, "has a compression other than deflate");
  entry.deflated = row.method == kDeflated;
  if (!entry.deflated && row.stored_size != row.size)
    throw BadArchive(fmt::format("{} is described in two ways", quoted(row.name)));
  if (entry.kind == EntryKind::directory && row.size != 0) forbid(row.name, "is a directory with content");
  if (entry.kind == EntryKind::symlink && row.size > kMaxSymlinkBytes) forbid(row.name, "is too long a symlink");
  if (entry.path.empty() && entry.kind != EntryKind::directory) forbid(row.name, "has no name");
  entry.crc = row.crc;
  entry.size = row.size;
  const auto begin = zip::find_stored_bytes(archive, row);
  entry.stored = archive.substr(begin, static_cast<std::size_t>(row.stored_size));
  return entry;
}

/// The tree that the entries make: refuses names that occur twice and files that are also directories.
class Tree {
 public:
  void add(const ArchiveEntry& entry) {
    const bool directory = entry.kind == EntryKind::directory;
    if (directory && entry.path.empty()) return;
    // Parents first, from the nearest known one downwards, so that an entry costs one look-up when its parent is known.
    std::size_t known = entry.path.rfind('/');
    while (known != std::string_view::npos) {
      const auto parent = nodes_.find(entry.path.substr(0, known));
      if (parent != nodes_.end()) {
        if (parent->second == Node::leaf) forbid(entry.path, "lies beneath something that is not a directory");
        break;
      }
      known = known == 0 ? std::string_view::npos : entry.path.rfind('/', known - 1);
    }
    for (auto slash = entry.path.find('/', known == std::string_view::npos ? 0 : known + 1);
         slash != std::string_view::npos; slash = entry.path.find('/', slash + 1))
      insert(entry.path.substr(0, slash), Node::implied);
    const auto [node, inserted] = insert(entry.path, directory ? Node::named : Node::leaf);
    if (inserted) return;
    if (!directory || node->second != Node::implied) forbid(entry.path, "occurs twice");
    node->second = Node::named;
  }

  std::vector<std::string_view> directories() const {
    std::vector<std::string_view> paths;
    for (const auto& [path, node] : nodes_)
      if (node != Node::leaf) paths.push_back(path);
    return paths;
  }

 private:
  enum class Node : std::uint8_t { implied, named, leaf };
  // Ordered, not hashed: names come from strangers. A prefix sorts before what it is a prefix of.
  using Nodes = std::map<std::string_view, Node>;

  std::pair<Nodes::iterator, bool> insert(std::string_view path, Node node) {
    const auto result = nodes_.emplace(path, node);
    if (nodes_.size() > kMaxArchiveEntries)
      throw BadArchive(fmt::format("the archive has more than {} files and directories", kMaxArchiveEntries),
                       BadArchive::Why::too_large);
    return result;
  }

  Nodes nodes_;
};

/// Bytes of the archive that one entry occupies.
struct Extent {
  std::uint64_t begin;
  std::uint64_t end;
};

/// Entries that share bytes turn kilobytes into gigabytes without any nesting.
void refuse_overlaps(std::vector<Extent> extents, std::uint64_t directory_at) {
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  std::uint64_t free_from = 0;
  for (const auto& extent : extents) {
    if (extent.begin < free_from || extent.end > directory_at)
      throw BadArchive("two parts of the archive overlap", BadArchive::Why::forbidden);
    free_from = extent.end;
  }
}

}  // namespace

Contents read_contents(std::string_view archive) {
  const auto directory = zip::find_directory(archive);
  if (directory.entries > kMaxArchiveEntries)
    throw BadArchive(fmt::format("the archive has more than {} files and directories", kMaxArchiveEntries),
                     BadArchive::Why::too_large);
  zip::Fields fields(zip::slice(archive, directory.offset, directory.size));
  Contents contents;
  Tree tree;
  std::vector<Extent> extents;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const auto row = zip::read_central_header(fields);
    const auto entry = checked_entry(archive, row);
    // Each size is checked before it is added, so the sum cannot wrap around.
    if (entry.size >= kMaxUnzippedBytes || (total += entry.size) >= kMaxUnzippedBytes)
      throw BadArchive(fmt::format("Unzipped size must be smaller than {} bytes", kMaxUnzippedBytes),
                       BadArchive::Why::too_large);
    tree.add(entry);
    const auto end = static_cast<std::uint64_t>(entry.stored.data() + entry.stored.size() - archive.data());
    extents.push_back({row.local_offset, end});
    if (entry.kind != EntryKind::directory) contents.files_and_links.push_back(entry);
  }
  if (fields.left() != 0) throw BadArchive("the table of contents has more entries than it says");
  refuse_overlaps(std::move(extents), directory.offset);
  contents.directories = tree.directories();
  return contents;
}

}  // namespace lambent::store
