// A zip writer for tests: honest by default, and able to lie in every field.
#pragma once

#include <sys/stat.h>
#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lambent::store::testing {

struct Member {
  std::string name;
  std::string content;
  /// The Unix mode with its type; 0 for none.
  std::uint32_t mode = S_IFREG | 0644;
  bool deflate = false;

  // What a liar changes.
  std::uint8_t made_on = 3;
  std::uint16_t flags = 0;
  std::optional<std::uint16_t> method;
  std::optional<std::uint32_t> crc;
  std::optional<std::uint32_t> size;
  std::optional<std::uint32_t> stored_size;
  std::optional<std::string> local_name;
  std::string central_extra;
  /// Local header of an earlier member (by index) instead of one of its own.
  std::optional<std::size_t> shares;
  /// Put behind the compressed bytes and counted among them.
  std::string trailing;
};

inline std::string le(std::uint64_t value, std::size_t width) {
  std::string out;
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

inline std::string deflated(std::string_view content) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct ZipOptions {
  /// Writes the zip64 records and sends readers of the end record to them.
  bool zip64 = false;
  std::optional<std::uint16_t> entries;
  std::string comment;
  std::string prefix;
};

inline std::string make_zip(const std::vector<Member>& members, const ZipOptions& options = {}) {
  std::string out = options.prefix;
  std::string central;
  std::vector<std::uint32_t> offsets;
  for (const auto& member : members) {
    const auto body = (member.deflate ? deflated(member.content) : member.content) + member.trailing;
    const auto crc = member.crc.value_or(static_cast<std::uint32_t>(
        crc32_z(crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(member.content.data()), member.content.size())));
    const auto size = member.size.value_or(static_cast<std::uint32_t>(member.content.size()));
    const auto stored_size = member.stored_size.value_or(static_cast<std::uint32_t>(body.size()));
    const auto method = member.method.value_or(member.deflate ? 8 : 0);
    const auto common =
        le(20, 2) + le(member.flags, 2) + le(method, 2) + le(0, 4) + le(crc, 4) + le(stored_size, 4) + le(size, 4);
    offsets.push_back(member.shares ? offsets[*member.shares] : static_cast<std::uint32_t>(out.size()));
    if (!member.shares) {
      const auto local_name = member.local_name.value_or(member.name);
      out += "PK\x03\x04" + common + le(local_name.size(), 2) + le(0, 2) + local_name + body;
    }
    central += "PK\x01\x02" + le(20 | member.made_on << 8, 2) + common + le(member.name.size(), 2) +
               le(member.central_extra.size(), 2) + le(0, 2) + le(0, 2) + le(0, 2) + le(member.mode << 16, 4) +
               le(offsets.back(), 4) + member.name + member.central_extra;
  }
  const auto directory_at = out.size();
  const auto count = options.entries.value_or(static_cast<std::uint16_t>(members.size()));
  out += central;
  if (options.zip64) {
    const auto record_at = out.size();
    out += "PK\x06\x06" + le(44, 8) + le(45, 2) + le(45, 2) + le(0, 4) + le(0, 4) + le(members.size(), 8) +
           le(members.size(), 8) + le(central.size(), 8) + le(directory_at, 8);
    out += "PK\x06\x07" + le(0, 4) + le(record_at, 8) + le(1, 4);
    out += "PK\x05\x06" + le(0, 4) + le(0xffff, 2) + le(0xffff, 2) + le(0xffffffff, 4) + le(0xffffffff, 4);
  } else {
    out += "PK\x05\x06" + le(0, 4) + le(count, 2) + le(count, 2) + le(central.size(), 4) + le(directory_at, 4);
  }
  return out + le(options.comment.size(), 2) + options.comment;
}

}  // namespace lambent::store::testing
