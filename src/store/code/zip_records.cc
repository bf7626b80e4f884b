#include "store/code/zip_records.h"

#include <fmt/format.h>

namespace lambent::store::zip {
namespace {

constexpr std::string_view kEnd{"PK\x05\x06", 4};
constexpr std::string_view kEnd64{"PK\x06\x06", 4};
constexpr std::string_view kEnd64Locator{"PK\x06\x07", 4};
constexpr std::string_view kCentral{"PK\x01\x02", 4};
constexpr std::string_view kLocal{"PK\x03\x04", 4};
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64LocatorSize = 20;
constexpr std::size_t kMaxComment = 65535;

constexpr std::uint16_t kExtra64 = 0x0001;
constexpr std::uint16_t kExtraUnix = 0x000d;

constexpr std::uint16_t kEncrypted = 1 << 0;
constexpr std::uint16_t kSizesFollow = 1 << 3;
constexpr std::uint16_t kStronglyEncrypted = 1 << 6;
constexpr std::uint16_t kHeadersMasked = 1 << 13;

std::size_t find_end(std::string_view zip) {
  if (zip.size() < kEndSize) throw BadArchive("this is not a zip archive");
  const std::size_t lowest = zip.size() > kEndSize + kMaxComment ? zip.size() - kEndSize - kMaxComment : 0;
  for (std::size_t at = zip.size() - kEndSize + 1; at-- > lowest;) {
    if (zip.substr(at, 4) != kEnd) continue;
    Fields comment(zip.substr(at + 20, 2));
    if (comment.u16() == zip.size() - at - kEndSize) return at;
  }
  throw BadArchive("this is not a zip archive");
}

/// The zip64 end record, whose locator stands right before the end record at `end`.
Directory find_directory_64(std::string_view zip, std::size_t end) {
  if (end < kEnd64LocatorSize) throw BadArchive("the zip64 locator is missing");
  Fields locator(zip.substr(end - kEnd64LocatorSize, kEnd64LocatorSize));
  if (locator.bytes(4) != kEnd64Locator) throw BadArchive("the zip64 locator is missing");
  const auto record_disk = locator.u32();
  const auto record_at = locator.u64();
  const auto disks = locator.u32();
  Fields record(slice(zip, record_at, zip.size() < record_at ? 0 : zip.size() - record_at));
  if (record.bytes(4) != kEnd64) throw BadArchive("the zip64 end record is missing");
  record.bytes(8 + 2 + 2);  // its size, versions
  const auto disk = record.u32();
  const auto directory_disk = record.u32();
  const auto entries_here = record.u64();
  Directory directory;
  directory.entries = record.u64();
  directory.size = record.u64();
  directory.offset = record.u64();
  if (record_disk != 0 || disks > 1 || disk != 0 || directory_disk != 0 || entries_here != directory.entries)
    throw BadArchive("the archive is one of several parts");
  if (directory.offset > record_at || directory.size > record_at - directory.offset)
    throw BadArchive("the table of contents is not where the archive says");
  return directory;
}

struct Extra {
  std::string_view sizes_64;
  bool special = false;
};

/// Trailing garbage shorter than a field's head is what some tools leave behind, and harmless.
Extra read_extra(std::string_view extra) {
  Extra found;
  Fields fields(extra);
  while (fields.left() >= 4) {
    const auto id = fields.u16();
    const auto size = fields.u16();
    if (size > fields.left()) break;
    const auto body = fields.bytes(size);
    if (id == kExtra64) found.sizes_64 = body;
    // Two times and two ids are 12 bytes; what follows is the target of a link or a device's numbers.
    if (id == kExtraUnix && size > 12) found.special = true;
  }
  return found;
}

}  // namespace

Directory find_directory(std::string_view zip) {
  const std::size_t end = find_end(zip);
  Fields record(zip.substr(end + 4));
  const auto disk = record.u16();
  const auto directory_disk = record.u16();
  const auto entries_here = record.u16();
  Directory directory;
  directory.entries = record.u16();
  directory.size = record.u32();
  directory.offset = record.u32();
  // 65,535 entries look the same with and without zip64.
  const bool located_64 = end >= kEnd64LocatorSize && zip.substr(end - kEnd64LocatorSize, 4) == kEnd64Locator;
  if (directory.size == kIn64 || directory.offset == kIn64 || (directory.entries == kIn64Short && located_64))
    return find_directory_64(zip, end);
  if (disk != 0 || directory_disk != 0 || entries_here != directory.entries)
    throw BadArchive("the archive is one of several parts");
  if (directory.offset > end || directory.size != end - directory.offset)
    throw BadArchive("the table of contents is not where the archive says");
  return directory;
}

CentralHeader read_central_header(Fields& fields) {
  if (fields.bytes(4) != kCentral) throw BadArchive("the table of contents is damaged");
  CentralHeader row;
  row.made_on = static_cast<std::uint8_t>(fields.u16() >> 8);
  fields.u16();  // version needed
  row.flags = fields.u16();
  row.method = fields.u16();
  fields.u32();  // time and date
  row.crc = fields.u32();
  row.stored_size = fields.u32();
  row.size = fields.u32();
  const auto name_size = fields.u16();
  const auto extra_size = fields.u16();
  const auto comment_size = fields.u16();
  const auto disk = fields.u16();
  fields.u16();  // internal attributes
  row.external = fields.u32();
  row.local_offset = fields.u32();
  row.name = fields.bytes(name_size);
  const auto extra = read_extra(fields.bytes(extra_size));
  fields.bytes(comment_size);
  Fields sizes(extra.sizes_64);
  if (row.size == kIn64) row.size = sizes.u64();
  if (row.stored_size == kIn64) row.stored_size = sizes.u64();
  if (row.local_offset == kIn64) row.local_offset = sizes.u64();
  if (disk != 0 && disk != kIn64Short) throw BadArchive("the archive is one of several parts");
  row.special = extra.special;
  if ((row.flags & (kEncrypted | kStronglyEncrypted | kHeadersMasked)) != 0)
    throw BadArchive(fmt::format("{} is encrypted", quoted(row.name)), BadArchive::Why::forbidden);
  return row;
}

std::uint64_t find_stored_bytes(std::string_view zip, const CentralHeader& row) {
  constexpr std::size_t kFixed = 30;
  const auto head = slice(zip, row.local_offset, kFixed);
  Fields fields(head);
  if (fields.bytes(4) != kLocal) throw BadArchive(fmt::format("{} is not where the archive says", quoted(row.name)));
  fields.u16();  // version needed
  const auto flags = fields.u16();
  const auto method = fields.u16();
  fields.u32();  // time and date
  const auto crc = fields.u32();
  const auto stored_size = fields.u32();
  const auto size = fields.u32();
  const auto name_size = fields.u16();
  const auto extra_size = fields.u16();
  const auto name_at = row.local_offset + kFixed;
  const bool sizes_follow = (flags & kSizesFollow) != 0;
  const bool agrees = method == row.method && slice(zip, name_at, name_size) == row.name &&
                      (sizes_follow || crc == row.crc) &&
                      (sizes_follow || stored_size == kIn64 || stored_size == row.stored_size) &&
                      (sizes_follow || size == kIn64 || size == row.size);
  if (!agrees) throw BadArchive(fmt::format("{} is described in two ways", quoted(row.name)));
  const auto begin = name_at + name_size + extra_size;
  slice(zip, begin, row.stored_size);
  return begin;
}

std::string quoted(std::string_view name) {
  constexpr std::size_t kShown = 100;
  std::string out = "\"";
  for (const char c : name.substr(0, kShown)) {
    if (c >= ' ' && c <= '~')
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out + (name.size() > kShown ? "...\"" : "\"");
}

}  // namespace lambent::store::zip
