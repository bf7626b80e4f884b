// A closed segment: its records compressed block by block (zlib), its time index and a trailer behind them. Never changed.
//
//     header | block, compressed | ... | index, compressed | trailer
//
// Each block is read and inflated alone. Functions without state; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "store/segments/block.h"
#include "store/segments/disk.h"

namespace lambent::store::segments {

/// What a journal keeps in memory of a segment.
struct Summary {
  std::uint64_t first_sequence = 0;
  std::uint64_t next_sequence = 0;
  std::uint64_t records = 0;
  std::uint64_t salt = 0;
  std::int64_t created_ms = 0;
  std::int64_t min_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t max_ms = std::numeric_limits<std::int64_t>::min();
  /// Uncompressed, and on the disk.
  std::uint64_t raw = 0;
  std::uint64_t stored = 0;
};

struct Sealed {
  Summary summary;
  std::vector<Block> blocks;
};

/// Writes the records of a plain segment's file that `keep` wants into `to`, synced. Throws std::system_error.
Sealed seal(Disk& disk, int plain, std::uint64_t size, const FileHeader& header, const std::vector<Block>& blocks,
            std::uint64_t next_sequence, const std::function<bool(std::uint32_t key)>& keep,
            const std::filesystem::path& to);

/// Reads header, trailer and index. Throws std::runtime_error saying what is damaged.
Sealed open_sealed(int fd);

/// A block's records as bytes for a RecordReader. Throws std::runtime_error when they are damaged.
std::string read_sealed_block(int fd, const Block& block);

}  // namespace lambent::store::segments
