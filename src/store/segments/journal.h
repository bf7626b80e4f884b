// An append-made row of records on disk, cut into segments: what CloudWatch Logs' groups are kept in.
//
//     0000000000000000.segz   sealed: compressed, with its time index (sealed.h)
//     0000000000004e20.seg    closed by its size or age, still plain, until seal_one()
//     0000000000009c40.seg    the active one: append() writes here
//
// A file is named after its first sequence number. append() returns when the kernel has it: kill -9 of the process loses
// nothing of it; sync() makes it survive the machine. There is no queue and no buffer: who appends waits for the kernel, so memory is
// bounded by the index (some 60 bytes and four a stream for each 128 KiB that are not sealed yet). Any thread; append() and
// readers never wait for sync() or seal_one().
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/segments/record_file.h"
#include "store/segments/sealed.h"

namespace lambent::store::segments {

struct JournalOptions {
  std::uint64_t segment_bytes = 8 << 20;
  /// A segment takes records for so long at most, so that whole segments can expire.
  std::chrono::milliseconds segment_age = std::chrono::hours(24);
};

/// A segment as a reader sees it at one moment. Its file may be gone when it is opened: the segment has expired then.
struct SegmentView {
  std::filesystem::path path;
  Summary summary;
  /// Of a plain one; a sealed one is opened by its path.
  std::shared_ptr<base::Fd> plain;
  std::vector<Block> blocks;
};

class Journal {
 public:
  using Visit = std::function<void(const Record&)>;
  /// Opens or makes the directory; cuts what a kill tore. `visit` sees each record that is not sealed, in order. Throws
  /// std::system_error.
  Journal(std::filesystem::path directory, Disk& disk, const base::Clock& clock, JournalOptions options,
          const Visit& visit);
  Journal(const Journal&) = delete;

  struct Entry {
    std::int64_t time_ms = 0;
    /// The record's bytes, in two parts of together at most kLongestRecord.
    std::string_view bytes;
    std::string_view prefix = {};
  };
  /// All entries with one write; the first one's sequence number. Throws std::system_error: nothing is kept then.
  std::uint64_t append(std::uint32_t key, std::span<const Entry> entries);

  /// What was appended before the call is on the medium after it. Throws std::system_error; what was appended since the last
  /// good sync() may then be lost with the machine. One thread at a time.
  void sync();
  /// Whether there is something that sync() would write.
  bool dirty() const;

  /// Closes an active segment that is too old. One thread at a time calls this and those below.
  void roll_if_old();
  /// Compresses the oldest closed segment that is still plain, without the records of keys that `keep` no longer wants; false
  /// when there is none. `publish` runs before the plain form goes away, with the keys it held. Throws std::system_error.
  bool seal_one(const std::function<bool(std::uint32_t key)>& keep,
                const std::function<void(const std::vector<std::uint32_t>& keys)>& publish);
  /// Removes the segments whose records are all older; how many.
  std::size_t expire(std::int64_t before_ms);

  /// Segments that hold records from these times, oldest first.
  std::vector<SegmentView> views(std::int64_t from_ms, std::int64_t to_ms) const;
  /// On the disk.
  std::uint64_t stored_bytes() const;

 private:
  struct Segment {
    std::filesystem::path path;
    Summary summary;
    std::shared_ptr<base::Fd> plain;
    FileHeader header;
    BlockIndex index;
  };

  void load(const Visit& visit);
  void load_plain(const std::filesystem::path& file, const Visit& visit);
  bool load_sealed(const std::filesystem::path& file);
  void remove_file(const std::filesystem::path& file);
  void put_aside(const std::filesystem::path& file, const char* reason);
  void roll();
  bool is_active(const Segment& segment) const { return active_ && segment.plain == active_->fd(); }

  const std::filesystem::path directory_;
  Disk& disk_;
  const base::Clock& clock_;
  const JournalOptions options_;

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::unique_ptr<RecordFile> active_;
  std::uint64_t next_sequence_ = 0;
  bool roll_next_ = false;
  std::vector<std::shared_ptr<base::Fd>> unsynced_;
  bool directory_changed_ = false;
};

}  // namespace lambent::store::segments
