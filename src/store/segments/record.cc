#include "store/segments/record.h"

#include <zlib.h>

#include "store/segments/little_endian.h"

namespace lambent::store::segments {
namespace {

std::uint32_t checksum(std::uint64_t salt, std::string_view bytes) {
  std::string seed;
  put(seed, salt);
  const auto begun = ::crc32(0, reinterpret_cast<const Bytef*>(seed.data()), static_cast<uInt>(seed.size()));
  return static_cast<std::uint32_t>(
      ::crc32(begun, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

/// Over the length, which stands before the checksum, and all that stands behind it.
std::uint32_t record_checksum(std::uint64_t salt, std::uint32_t length, std::string_view rest) {
  return checksum(salt ^ (static_cast<std::uint64_t>(length) << 17), rest);
}

}  // namespace

void append_header(std::string& out, std::string_view magic, const FileHeader& header) {
  const std::size_t begin = out.size();
  out += magic;
  put(out, header.first_sequence);
  put(out, header.created_ms);
  put(out, header.salt);
  put(out, std::uint32_t{0});
  put(out, checksum(0, std::string_view(out).substr(begin)));
}

std::optional<FileHeader> read_header(std::string_view bytes, std::string_view magic) {
  if (bytes.size() < FileHeader::kBytes || !bytes.starts_with(magic)) return std::nullopt;
  if (get<std::uint32_t>(bytes, 36) != checksum(0, bytes.substr(0, 36))) return std::nullopt;
  return FileHeader{get<std::uint64_t>(bytes, 8), get<std::int64_t>(bytes, 16), get<std::uint64_t>(bytes, 24)};
}

void append_record(std::string& out, std::uint64_t salt, const Record& record) {
  const auto length = static_cast<std::uint32_t>(record.bytes.size());
  put(out, length);
  const std::size_t sum = out.size();
  put(out, std::uint32_t{0});
  put(out, record.sequence);
  put(out, record.time_ms);
  put(out, record.key);
  out += record.bytes;
  std::string value;
  put(value, record_checksum(salt, length, std::string_view(out).substr(sum + 4)));
  out.replace(sum, 4, value);
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
  if (get<std::uint32_t>(rest, 4) == record_checksum(salt_, length, rest.substr(8, length + kRecordHead - 8)))
    return record;
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
