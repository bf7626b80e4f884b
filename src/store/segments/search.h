// One page of a journal's records in the order of their times, however they were appended.
//
// Blocks are taken in the order of their times; the best `limit` records seen so far are kept, and the search ends when no
// block left can hold a better one. So its memory is one page and one block, whatever the journal holds.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/segments/journal.h"

namespace lambent::store::segments {

/// Where a record stands: by its time, and of one millisecond by its sequence number.
struct Position {
  std::int64_t time_ms = 0;
  std::uint64_t sequence = 0;
  auto operator<=>(const Position&) const = default;
};

struct Query {
  /// Both included.
  std::int64_t from_ms = std::numeric_limits<std::int64_t>::min();
  std::int64_t to_ms = std::numeric_limits<std::int64_t>::max();
  bool backward = false;
  /// The page begins behind this record, in the direction of the search.
  std::optional<Position> after;
  std::size_t limit = 10'000;
  /// Of the records' bytes; one record is found even when it alone is longer.
  std::size_t limit_bytes = 1 << 20;
  /// The page ends when so many bytes were looked through, as soon as that brings it forward.
  std::uint64_t limit_scanned = 64 << 20;
  std::function<bool(std::uint32_t key)> wants;
  /// Null for all.
  std::function<bool(const Record&)> matches;
};

struct Found {
  Position position;
  std::uint32_t key = 0;
  std::string bytes;
};

struct Page {
  /// In the direction of the search.
  std::vector<Found> found;
  /// Where the next page begins; nothing when there is none.
  std::optional<Position> next;
  /// Blocks that could not be read; they were logged.
  std::size_t damaged = 0;
};

Page search(const Journal& journal, Disk& disk, const Query& query);

}  // namespace lambent::store::segments
