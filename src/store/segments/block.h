// The time index: what lies in each stretch of a segment, so that a reader opens those alone that it needs.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "store/segments/record.h"

namespace lambent::store::segments {

struct Block {
  /// A block of a plain file ends at the first record at or past so many bytes; a sealed one holds one such block, compressed.
  static constexpr std::size_t kBytes = 128 * 1024;

  std::uint64_t offset = 0;
  /// In the file, and as records.
  std::uint32_t stored = 0;
  std::uint32_t raw = 0;
  std::uint32_t records = 0;
  std::uint64_t first_sequence = 0;
  std::int64_t min_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t max_ms = std::numeric_limits<std::int64_t>::min();
  /// Sorted, each once.
  std::vector<std::uint32_t> keys;

  void add(const Record& record);
};

/// Cuts a row of records into blocks.
class BlockIndex {
 public:
  /// The record lies at `offset` and takes kRecordHead and its bytes. A gap before it begins a new block.
  void add(const Record& record, std::uint64_t offset);
  const std::vector<Block>& blocks() const { return blocks_; }

 private:
  std::vector<Block> blocks_;
};

/// Throws std::runtime_error for bytes that encode_blocks did not make.
std::string encode_blocks(const std::vector<Block>& blocks);
std::vector<Block> decode_blocks(std::string_view bytes);

}  // namespace lambent::store::segments
