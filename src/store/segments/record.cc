#include "store/segments/record.h"

#include <zlib.h>

#include <cstring>

#include "store/segments/little_endian.h"

namespace lambent::store::segments {
namespace {

std::uint32_t crc(std::uint32_t begun, const char* bytes, std::size_t size) {
  return static_cast<std::uint32_t>(::crc32(begun, reinterpret_cast<const Bytef*>(bytes), static_cast<uInt>(size)));
}

// What the checksum of a record is begun with: the salt, with the length that stands before the checksum, and the numbers
// that stand behind it.
constexpr std::size_t kSeed = 8;
constexpr std::size_t kNumbers = kRecordHead - 8;

std::uint32_t record_checksum(std::uint64_t salt, std::uint32_t length, const char* numbers, std::string_view prefix,
                              std::string_view bytes) {
  char seeded[kSeed + kNumbers];
  store(seeded, salt ^ (static_cast<std::uint64_t>(length) << 17));
  std::memcpy(seeded + kSeed, numbers, kNumbers);
  const std::uint32_t begun = crc(0, seeded, sizeof seeded);
  const std::uint32_t behind = prefix.empty() ? begun : crc(begun, prefix.data(), prefix.size());
  return bytes.empty() ? behind : crc(behind, bytes.data(), bytes.size());
}

std::uint32_t header_checksum(std::string_view bytes) { return crc(0, bytes.data(), bytes.size()); }

}  // namespace

void append_header(std::string& out, std::string_view magic, const FileHeader& header) {
  const std::size_t begin = out.size();
  out += magic;
  put(out, header.first_sequence);
  put(out, header.created_ms);
  put(out, header.salt);
  put(out, std::uint32_t{0});
  put(out, header_checksum(std::string_view(out).substr(begin)));
}

std::optional<FileHeader> read_header(std::string_view bytes, std::string_view magic) {
  if (bytes.size() < FileHeader::kBytes || !bytes.starts_with(magic)) return std::nullopt;
  if (get<std::uint32_t>(bytes, 36) != header_checksum(bytes.substr(0, 36))) return std::nullopt;
  return FileHeader{get<std::uint64_t>(bytes, 8), get<std::int64_t>(bytes, 16), get<std::uint64_t>(bytes, 24)};
}

void append_record(std::string& out, std::uint64_t salt, const Record& record, std::string_view prefix) {
  const auto length = static_cast<std::uint32_t>(prefix.size() + record.bytes.size());
  char head[kRecordHead];
  store(head, length);
  store(head + 8, record.sequence);
  store(head + 16, record.time_ms);
  store(head + 24, record.key);
  store(head + 4, record_checksum(salt, length, head + 8, prefix, record.bytes));
  out.append(head, sizeof head);
  out += prefix;
  out += record.bytes;
}

std::optional<Record> RecordReader::at(std::size_t offset) {
  const std::string_view rest = bytes_.substr(offset);
  if (rest.size() < kRecordHead) return std::nullopt;
  const auto length = get<std::uint32_t>(rest);
  if (length > kLongestRecord || length > rest.size() - kRecordHead) return std::nullopt;
  const Record record{get<std::uint64_t>(rest, 8), get<std::int64_t>(rest, 16), get<std::uint32_t>(rest, 24),
                      rest.substr(kRecordHead, length)};
  // Cheap, and asked first: behind a damaged place every byte is tried.
  if (record.sequence < next_sequence_ || record.sequence - next_sequence_ > bytes_.size()) return std::nullopt;
  if (get<std::uint32_t>(rest, 4) == record_checksum(salt_, length, rest.data() + 8, {}, record.bytes)) return record;
  searched_ += length;
  return std::nullopt;
}

std::optional<Record> RecordReader::next() {
  for (std::size_t offset = end_; offset + kRecordHead <= bytes_.size() && searched_ < kSearchBytes; ++offset) {
    const auto record = at(offset);
    if (!record) continue;
    damaged_ += offset - end_;
    begin_ = offset;
    end_ = offset + kRecordHead + record->bytes.size();
    next_sequence_ = record->sequence + 1;
    return record;
  }
  return std::nullopt;
}

}  // namespace lambent::store::segments
