// The records of a zip file as the APPNOTE lays them out: little-endian fields at fixed places. Private to store/code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/code/code_store.h"

namespace lambent::store::zip {

/// Where a field that does not fit says "see the zip64 extra field".
constexpr std::uint32_t kIn64 = 0xffffffff;
constexpr std::uint16_t kIn64Short = 0xffff;

/// Reads fields from the front of a view; running out of bytes is a malformed archive.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::string_view bytes(std::uint64_t count) {
    if (count > rest_.size()) throw BadArchive("the archive ends in the middle of a record");
    const auto taken = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(static_cast<std::size_t>(count));
    return taken;
  }
  std::size_t left() const { return rest_.size(); }

 private:
  std::uint64_t number(std::size_t width) {
    const auto raw = bytes(width);
    std::uint64_t value = 0;
    for (std::size_t i = width; i > 0; --i) value = value << 8 | static_cast<unsigned char>(raw[i - 1]);
    return value;
  }

  std::string_view rest_;
};

/// The part of a view that a record claims; past the end is a malformed archive.
inline std::string_view slice(std::string_view all, std::uint64_t from, std::uint64_t count) {
  if (from > all.size() || count > all.size() - from) throw BadArchive("a record points past the end of the archive");
  return all.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(count));
}

/// Where the table of contents is, from the records at the end of the file.
struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};
Directory find_directory(std::string_view zip);

/// One row of the table of contents, zip64 values put in.
struct CentralHeader {
  std::uint8_t made_on = 0;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t stored_size = 0;
  std::uint64_t size = 0;
  std::uint64_t local_offset = 0;
  std::uint32_t external = 0;
  std::string_view name;
  /// A hard link or a device, by the PKWARE Unix extra field.
  bool special = false;
};
CentralHeader read_central_header(Fields& fields);

/// What a row's local header says, checked against the row: where its bytes begin.
std::uint64_t find_stored_bytes(std::string_view zip, const CentralHeader& row);

/// A name for a message: quoted, cut, with everything but printable ASCII escaped.
std::string quoted(std::string_view name);

}  // namespace lambent::store::zip
