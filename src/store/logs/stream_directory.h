// The log streams of one group: their names, the numbers that records carry for them, and when they were written to.
//
// Kept as records of one small file, so that a new stream costs one append and no commit: each new execution environment
// makes one. When most of the file is out of date it is written anew as it is opened. Owned by its GroupLog, under its mutex.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "store/segments/record_file.h"

namespace lambent::store {

struct LogStream {
  std::uint32_t number = 0;
  std::string name;
  std::int64_t created_ms = 0;
  /// Nothing as long as there was no event.
  std::optional<std::int64_t> first_event_ms;
  std::optional<std::int64_t> last_event_ms;
  std::optional<std::int64_t> last_ingestion_ms;

  void saw(std::int64_t event_ms, std::int64_t ingestion_ms);
};

class StreamDirectory {
 public:
  /// AWS has no such limit; it bounds the memory of one group to some 200 MB.
  static constexpr std::size_t kStreams = 1'000'000;

  /// Throws std::system_error.
  StreamDirectory(std::filesystem::path file, segments::Disk& disk, const base::Clock& clock);

  LogStream* find(std::string_view name);
  LogStream* find(std::uint32_t number);
  const std::map<std::string, std::unique_ptr<LogStream>, std::less<>>& by_name() const { return by_name_; }

  /// Null when it exists already. Throws std::system_error, and std::length_error past kStreams.
  LogStream* create(std::string_view name);
  bool remove(std::string_view name);
  /// Writes down when these streams were written to, before the records that tell it are sealed.
  void save(const std::vector<std::uint32_t>& numbers);

  /// For whoever syncs it.
  const std::shared_ptr<base::Fd>& fd() const { return file_->fd(); }

 private:
  void read(const segments::Record& record);
  void write(std::uint32_t number, std::int64_t time_ms, const std::string& bytes);
  void append(std::string& out, segments::RecordFile& file, std::uint32_t number, std::int64_t time_ms,
              std::string_view bytes);
  void write_anew();
  void write_anew_if_worthwhile();

  const std::filesystem::path path_;
  segments::Disk& disk_;
  const base::Clock& clock_;
  std::unique_ptr<segments::RecordFile> file_;
  std::map<std::string, std::unique_ptr<LogStream>, std::less<>> by_name_;
  std::unordered_map<std::uint32_t, LogStream*> by_number_;
  std::uint32_t next_number_ = 1;
  std::uint64_t next_sequence_ = 0;
  std::size_t records_ = 0;
};

}  // namespace lambent::store
