// One log group's streams and events on disk.
//
// Its directory holds the file of its streams (stream_directory.h) and a journal of all their events together: a hundred
// thousand streams are two open files, and retention removes whole segments (docs/decisions/0007-log-segments.md). Owned by
// the LogStore; any thread. Writes return when the kernel has them; sync() brings them to the medium.
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/logs/stream_directory.h"
#include "store/segments/search.h"

namespace lambent::store {

struct LogEvent {
  std::int64_t time_ms = 0;
  std::string_view message;
};

struct FoundEvent {
  segments::Position position;
  std::int64_t ingestion_ms = 0;
  std::string stream;
  std::string message;
};

struct EventQuery {
  /// Both included.
  std::int64_t from_ms = 0;
  std::int64_t to_ms = std::numeric_limits<std::int64_t>::max();
  bool backward = false;
  std::optional<segments::Position> after;
  std::size_t limit = 10'000;
  /// Of these streams; nothing for all. Names that do not exist match nothing.
  std::optional<std::vector<std::string>> streams;
  /// Of streams whose names begin so.
  std::string prefix;
  /// Null for all.
  std::function<bool(std::string_view message)> matches;
};

struct EventPage {
  /// In the direction of the query.
  std::vector<FoundEvent> events;
  std::optional<segments::Position> next;
};

struct StreamQuery {
  std::string prefix;
  bool by_last_event = false;
  bool descending = false;
  /// The last one of the page before: its time (of its last event, or its creation when it has none) and its name.
  std::optional<std::pair<std::int64_t, std::string>> after;
  std::size_t limit = 50;
};

class GroupLog {
 public:
  /// Opens or makes the directory. Throws std::system_error.
  GroupLog(std::filesystem::path directory, segments::Disk& disk, const base::Clock& clock,
           segments::JournalOptions options = {});
  GroupLog(const GroupLog&) = delete;

  /// False when there is one already. Throws std::length_error past StreamDirectory::kStreams, std::system_error.
  bool create_stream(std::string_view name);
  bool delete_stream(std::string_view name);
  bool has_stream(std::string_view name) const;
  std::vector<LogStream> streams(const StreamQuery& query) const;
  /// By what streams are ordered when they are ordered by their last event.
  static std::int64_t last_event_order(const LogStream& stream);

  /// All in one append. False when there is no such stream, unless `make_stream` makes it. Throws std::system_error, and
  /// nothing is kept.
  bool append(std::string_view stream, std::span<const LogEvent> events, bool make_stream);

  /// Events before this time are no longer found; whole segments of them go at the next maintain().
  void expire_before(std::int64_t time_ms) { expired_before_ms_ = time_ms; }
  EventPage find(const EventQuery& query) const;

  /// The group was deleted: what is written now is nobody's.
  void set_gone() { gone_ = true; }
  bool gone() const { return gone_; }

  bool dirty() const;
  /// One thread at a time, as maintain().
  void sync();
  /// Closes, compresses and removes segments. True when there is more to do.
  bool maintain();
  std::uint64_t stored_bytes() const { return journal_.stored_bytes(); }

 private:
  void saw(const segments::Record& record);
  std::function<bool(std::uint32_t)> wanted(const EventQuery& query) const;

  segments::Disk& disk_;
  const base::Clock& clock_;
  const std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable StreamDirectory streams_;
  bool streams_changed_ = true;
  std::atomic<std::int64_t> expired_before_ms_{0};
  std::atomic<bool> gone_{false};
  // Last: as it is opened it tells of the records that are in no stream's saved times yet.
  segments::Journal journal_;
};

}  // namespace lambent::store
