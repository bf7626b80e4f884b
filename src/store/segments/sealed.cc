#include "store/segments/sealed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <stdexcept>

#include "store/segments/little_endian.h"
#include "store/segments/record_file.h"

namespace lambent::store::segments {
namespace {

constexpr std::string_view kTrailer = "LMBSGEND";
constexpr std::size_t kTrailerBytes = 8 + 4 + 4 + 8 + 8 + 4 + 8;
// A block is at most one record longer than its nominal size.
constexpr std::size_t kLargestBlock = Block::kBytes + kRecordHead + kLongestRecord;
constexpr std::size_t kLargestIndex = 64 << 20;

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::string deflate(std::string_view bytes) {
  uLongf size = ::compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  const int code = ::compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()), 6);
  if (code != Z_OK) throw std::bad_alloc();
  out.resize(size);
  return out;
}

std::string inflate(std::string_view bytes, std::size_t raw) {
  std::string out(raw, '\0');
  uLongf size = static_cast<uLongf>(raw);
  const int code = ::uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                                reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()));
  if (code != Z_OK || size != raw) throw std::runtime_error("a block of a sealed segment is damaged");
  return out;
}

Summary summarize(const FileHeader& header, const std::vector<Block>& blocks, std::uint64_t next_sequence) {
  Summary summary;
  summary.first_sequence = header.first_sequence;
  summary.next_sequence = next_sequence;
  summary.salt = header.salt;
  summary.created_ms = header.created_ms;
  for (const Block& block : blocks) {
    summary.records += block.records;
    summary.raw += block.raw;
    summary.min_ms = std::min(summary.min_ms, block.min_ms);
    summary.max_ms = std::max(summary.max_ms, block.max_ms);
  }
  return summary;
}

/// Writes blocks as they fill, so that a segment is never in memory twice.
class Sealer {
 public:
  Sealer(Disk& disk, int fd, const FileHeader& header) : disk_(disk), fd_(fd), salt_(header.salt) {
    std::string head;
    append_header(head, FileHeader::kSealed, header);
    write(head);
  }

  void add(const Record& record) {
    append_record(raw_, salt_, record);
    block_.add(record);
    if (raw_.size() >= Block::kBytes) flush();
  }

  std::vector<Block> finish(std::uint64_t next_sequence) {
    if (!raw_.empty()) flush();
    const std::string index = encode_blocks(blocks_);
    const std::string packed = deflate(index);
    std::string tail = packed;
    put(tail, offset_);
    put(tail, static_cast<std::uint32_t>(packed.size()));
    put(tail, static_cast<std::uint32_t>(index.size()));
    put(tail, next_sequence);
    put(tail, std::uint64_t{0});
    put(tail, checksum(tail));
    tail += kTrailer;
    write(tail);
    disk_.sync(fd_);
    return std::move(blocks_);
  }

  std::uint64_t size() const { return offset_; }

 private:
  void flush() {
    const std::string packed = deflate(raw_);
    block_.offset = offset_;
    block_.stored = static_cast<std::uint32_t>(packed.size());
    write(packed);
    blocks_.push_back(std::move(block_));
    block_ = {};
    raw_.clear();
  }
  void write(const std::string& bytes) {
    disk_.write(fd_, bytes, offset_);
    offset_ += bytes.size();
  }

  Disk& disk_;
  int fd_;
  std::uint64_t salt_;
  std::uint64_t offset_ = 0;
  std::string raw_;
  Block block_;
  std::vector<Block> blocks_;
};

}  // namespace

Sealed seal(Disk& disk, int plain, std::uint64_t size, const FileHeader& header, const std::vector<Block>& blocks,
            std::uint64_t next_sequence, const std::function<bool(std::uint32_t key)>& keep,
            const std::filesystem::path& to) {
  const base::Fd fd = disk.open(to, O_RDWR | O_CREAT | O_TRUNC);
  Sealer sealer(disk, fd.get(), header);
  for (const Block& block : blocks) {
    if (block.offset + block.raw > size) throw std::logic_error("a segment's index reaches beyond its file");
    const std::string bytes = read_at(plain, block.offset, block.raw);
    RecordReader reader(bytes, header.salt, block.first_sequence);
    while (const auto record = reader.next())
      if (keep(record->key)) sealer.add(*record);
  }
  Sealed sealed;
  sealed.blocks = sealer.finish(next_sequence);
  sealed.summary = summarize(header, sealed.blocks, next_sequence);
  sealed.summary.stored = sealer.size();
  return sealed;
}

Sealed open_sealed(int fd) {
  struct stat status;
  base::check(::fstat(fd, &status), "fstat of a segment");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < FileHeader::kBytes + kTrailerBytes) throw std::runtime_error("a sealed segment is cut short");
  const auto header = read_header(read_at(fd, 0, FileHeader::kBytes), FileHeader::kSealed);
  if (!header) throw std::runtime_error("a sealed segment's header is damaged");
  const std::string trailer = read_at(fd, size - kTrailerBytes, kTrailerBytes);
  const auto offset = get<std::uint64_t>(trailer);
  const auto stored = get<std::uint32_t>(trailer, 8), raw = get<std::uint32_t>(trailer, 12);
  if (!trailer.ends_with(kTrailer) || stored > size || raw > kLargestIndex || offset != size - kTrailerBytes - stored)
    throw std::runtime_error("a sealed segment's trailer is damaged");
  const std::string packed = read_at(fd, offset, stored);
  if (get<std::uint32_t>(trailer, 32) != checksum(packed + trailer.substr(0, 32)))
    throw std::runtime_error("a sealed segment's index is damaged");
  Sealed sealed;
  sealed.blocks = decode_blocks(inflate(packed, raw));
  for (const Block& block : sealed.blocks)
    if (block.offset > offset || block.stored > offset - block.offset || block.raw > kLargestBlock)
      throw std::runtime_error("a sealed segment's index is damaged");
  sealed.summary = summarize(*header, sealed.blocks, get<std::uint64_t>(trailer, 16));
  sealed.summary.stored = size;
  return sealed;
}

std::string read_sealed_block(int fd, const Block& block) {
  return inflate(read_at(fd, block.offset, block.stored), block.raw);
}

}  // namespace lambent::store::segments
