#include "store/logs/stream_directory.h"

#include <fcntl.h>

#include <algorithm>
#include <stdexcept>

#include "store/segments/little_endian.h"

namespace lambent::store {

using segments::Record;
using segments::RecordFile;

namespace {

// The first byte of a record.
constexpr char kMade = 'm', kRemoved = 'r', kSeen = 's';

std::string seen_bytes(const LogStream& stream) {
  std::string bytes(1, kSeen);
  segments::put(bytes, *stream.first_event_ms);
  segments::put(bytes, *stream.last_event_ms);
  segments::put(bytes, *stream.last_ingestion_ms);
  return bytes;
}

}  // namespace

void LogStream::saw(std::int64_t event_ms, std::int64_t ingestion_ms) {
  first_event_ms = std::min(first_event_ms.value_or(event_ms), event_ms);
  last_event_ms = std::max(last_event_ms.value_or(event_ms), event_ms);
  last_ingestion_ms = std::max(last_ingestion_ms.value_or(ingestion_ms), ingestion_ms);
}

StreamDirectory::StreamDirectory(std::filesystem::path file, segments::Disk& disk, const base::Clock& clock)
    : path_(std::move(file)), disk_(disk), clock_(clock) {
  if (std::filesystem::exists(path_))
    file_ = RecordFile::open(disk_, path_, [this](const Record& record, std::uint64_t) { read(record); });
  if (!file_) file_ = RecordFile::create(disk_, path_, 0, clock_.now_ms());
  write_anew_if_worthwhile();
}

void StreamDirectory::write_anew_if_worthwhile() {
  constexpr std::size_t kFew = 1000;
  if (records_ > kFew && records_ > 4 * by_name_.size()) write_anew();
}

void StreamDirectory::read(const Record& record) {
  ++records_;
  next_sequence_ = record.sequence + 1;
  next_number_ = std::max(next_number_, record.key + 1);
  const char kind = record.bytes.empty() ? '\0' : record.bytes[0];
  LogStream* stream = find(record.key);
  if (kind == kMade && stream == nullptr) {
    auto made = std::make_unique<LogStream>();
    made->number = record.key;
    made->name = record.bytes.substr(1);
    made->created_ms = record.time_ms;
    by_number_[record.key] = made.get();
    by_name_[made->name] = std::move(made);
  } else if (kind == kRemoved && stream != nullptr) {
    by_number_.erase(record.key);
    by_name_.erase(std::string(stream->name));
  } else if (kind == kSeen && stream != nullptr && record.bytes.size() == 25) {
    const auto ingestion_ms = segments::get<std::int64_t>(record.bytes, 17);
    stream->saw(segments::get<std::int64_t>(record.bytes, 1), ingestion_ms);
    stream->saw(segments::get<std::int64_t>(record.bytes, 9), ingestion_ms);
  }
}

LogStream* StreamDirectory::find(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

LogStream* StreamDirectory::find(std::uint32_t number) {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second;
}

void StreamDirectory::append(std::string& out, RecordFile& file, std::uint32_t number, std::int64_t time_ms,
                             std::string_view bytes) {
  segments::append_record(out, file.header().salt, {next_sequence_++, time_ms, number, bytes});
  ++records_;
}

void StreamDirectory::write(std::uint32_t number, std::int64_t time_ms, const std::string& bytes) {
  if (!file_->whole()) write_anew();
  std::string out;
  append(out, *file_, number, time_ms, bytes);
  file_->append(out);
}

LogStream* StreamDirectory::create(std::string_view name) {
  if (find(name) != nullptr) return nullptr;
  if (by_name_.size() >= kStreams) throw std::length_error("a log group cannot have more streams");
  const std::int64_t now_ms = clock_.now_ms();
  write(next_number_, now_ms, kMade + std::string(name));
  auto made = std::make_unique<LogStream>();
  made->number = next_number_++;
  made->name = name;
  made->created_ms = now_ms;
  LogStream* const stream = made.get();
  by_number_[stream->number] = stream;
  by_name_[stream->name] = std::move(made);
  return stream;
}

bool StreamDirectory::remove(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return false;
  write(found->second->number, clock_.now_ms(), std::string(1, kRemoved));
  by_number_.erase(found->second->number);
  by_name_.erase(found);
  return true;
}

void StreamDirectory::save(const std::vector<std::uint32_t>& numbers) {
  if (!file_->whole()) return write_anew();
  std::string out;
  for (const std::uint32_t number : numbers) {
    const LogStream* stream = find(number);
    if (stream != nullptr && stream->last_event_ms) append(out, *file_, number, clock_.now_ms(), seen_bytes(*stream));
  }
  if (out.empty()) return;
  file_->append(out);
  disk_.sync(file_->fd()->get());
  write_anew_if_worthwhile();
}

void StreamDirectory::write_anew() {
  const std::filesystem::path beside = path_.string() + ".new";
  records_ = 0;
  next_sequence_ = 0;
  auto fresh = RecordFile::create(disk_, beside, 0, clock_.now_ms());
  std::string out;
  for (const auto& [name, stream] : by_name_) {
    append(out, *fresh, stream->number, stream->created_ms, kMade + name);
    if (stream->last_event_ms) append(out, *fresh, stream->number, stream->created_ms, seen_bytes(*stream));
  }
  // A number is never given twice: records of a removed stream may still lie in segments.
  if (find(next_number_ - 1) == nullptr)
    append(out, *fresh, next_number_ - 1, clock_.now_ms(), std::string(1, kRemoved));
  fresh->append(out);
  disk_.sync(fresh->fd()->get());
  disk_.rename(beside, path_);
  disk_.sync_directory(path_.parent_path());
  file_ = std::move(fresh);
}

}  // namespace lambent::store
