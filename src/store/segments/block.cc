#include "store/segments/block.h"

#include <algorithm>
#include <stdexcept>

#include "store/segments/little_endian.h"

namespace lambent::store::segments {
namespace {

constexpr std::size_t kFixed = 8 + 4 + 4 + 4 + 8 + 8 + 8 + 4;

}  // namespace

void Block::add(const Record& record) {
  if (records++ == 0) first_sequence = record.sequence;
  raw += static_cast<std::uint32_t>(kRecordHead + record.bytes.size());
  min_ms = std::min(min_ms, record.time_ms);
  max_ms = std::max(max_ms, record.time_ms);
  const auto place = std::ranges::lower_bound(keys, record.key);
  if (place == keys.end() || *place != record.key) keys.insert(place, record.key);
}

void BlockIndex::add(const Record& record, std::uint64_t offset) {
  const bool fits =
      !blocks_.empty() && blocks_.back().offset + blocks_.back().raw == offset && blocks_.back().raw < Block::kBytes;
  if (!fits) {
    blocks_.emplace_back();
    blocks_.back().offset = offset;
  }
  blocks_.back().add(record);
  blocks_.back().stored = blocks_.back().raw;
}

std::string encode_blocks(const std::vector<Block>& blocks) {
  std::string out;
  put(out, static_cast<std::uint32_t>(blocks.size()));
  for (const Block& block : blocks) {
    put(out, block.offset);
    put(out, block.stored);
    put(out, block.raw);
    put(out, block.records);
    put(out, block.first_sequence);
    put(out, block.min_ms);
    put(out, block.max_ms);
    put(out, static_cast<std::uint32_t>(block.keys.size()));
    for (const std::uint32_t key : block.keys) put(out, key);
  }
  return out;
}

std::vector<Block> decode_blocks(std::string_view bytes) {
  const auto need = [&](std::size_t count) {
    if (bytes.size() < count) throw std::runtime_error("a segment's index is cut short");
  };
  need(4);
  const auto count = get<std::uint32_t>(bytes);
  bytes.remove_prefix(4);
  if (count > bytes.size() / kFixed) throw std::runtime_error("a segment's index is cut short");
  std::vector<Block> blocks(count);
  for (Block& block : blocks) {
    need(kFixed);
    block.offset = get<std::uint64_t>(bytes);
    block.stored = get<std::uint32_t>(bytes, 8);
    block.raw = get<std::uint32_t>(bytes, 12);
    block.records = get<std::uint32_t>(bytes, 16);
    block.first_sequence = get<std::uint64_t>(bytes, 20);
    block.min_ms = get<std::int64_t>(bytes, 28);
    block.max_ms = get<std::int64_t>(bytes, 36);
    const auto keys = get<std::uint32_t>(bytes, 44);
    bytes.remove_prefix(kFixed);
    if (keys > bytes.size() / 4) throw std::runtime_error("a segment's index is cut short");
    block.keys.resize(keys);
    for (std::uint32_t i = 0; i < keys; ++i) block.keys[i] = get<std::uint32_t>(bytes, std::size_t{4} * i);
    bytes.remove_prefix(std::size_t{4} * keys);
  }
  return blocks;
}

}  // namespace lambent::store::segments
