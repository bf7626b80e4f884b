#include "store/segments/journal.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/log.h"

namespace lambent::store::segments {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPlainEnd = ".seg", kSealedEnd = ".segz", kUnfinishedEnd = ".new";

std::string file_name(std::uint64_t first_sequence, std::string_view end) {
  return fmt::format("{:016x}{}", first_sequence, end);
}

void add_to(Summary& summary, const Record& record) {
  ++summary.records;
  summary.next_sequence = record.sequence + 1;
  summary.raw += kRecordHead + record.bytes.size();
  summary.stored = FileHeader::kBytes + summary.raw;
  summary.min_ms = std::min(summary.min_ms, record.time_ms);
  summary.max_ms = std::max(summary.max_ms, record.time_ms);
}

}  // namespace

Journal::Journal(fs::path directory, Disk& disk, const base::Clock& clock, JournalOptions options, const Visit& visit)
    : directory_(std::move(directory)), disk_(disk), clock_(clock), options_(options) {
  disk_.make_directory(directory_);
  load(visit);
}

void Journal::load(const Visit& visit) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory_)) names.insert(entry.path().filename().string());
  for (const std::string& name : names) {
    const fs::path file = directory_ / name;
    if (name.ends_with(kUnfinishedEnd)) {
      remove_file(file);
    } else if (name.ends_with(kSealedEnd)) {
      // It is whole before it gets its name; a plain one beside it was about to be removed. Damaged, the plain one counts.
      const std::string plain = name.substr(0, name.size() - 1);
      if (load_sealed(file)) {
        if (names.contains(plain)) remove_file(directory_ / plain);
      } else if (names.contains(plain)) {
        load_plain(directory_ / plain, visit);
      }
    } else if (name.ends_with(kPlainEnd) && !names.contains(name + "z")) {
      load_plain(file, visit);
    }
  }
  if (segments_.empty() || !active_ || !is_active(*segments_.back())) active_.reset();
}

bool Journal::load_sealed(const fs::path& file) {
  const base::Fd fd = disk_.open(file, O_RDONLY);
  auto segment = std::make_shared<Segment>();
  segment->path = file;
  try {
    segment->summary = open_sealed(fd.get()).summary;
  } catch (const std::system_error&) {
    throw;
  } catch (const std::runtime_error& error) {
    put_aside(file, error.what());
    return false;
  }
  next_sequence_ = std::max(next_sequence_, segment->summary.next_sequence);
  segments_.push_back(std::move(segment));
  return true;
}

void Journal::put_aside(const fs::path& file, const char* reason) {
  base::log::error("a damaged segment is put aside", {{"file", file.string()}, {"reason", reason}});
  disk_.rename(file, file.string() + ".damaged");
  // Its numbers are not given again, as far as its name tells.
  next_sequence_ = std::max<std::uint64_t>(next_sequence_, std::strtoull(file.stem().c_str(), nullptr, 16) + 1);
}

void Journal::load_plain(const fs::path& file, const Visit& visit) {
  auto segment = std::make_shared<Segment>();
  auto opened = RecordFile::open(disk_, file, [&](const Record& record, std::uint64_t offset) {
    segment->index.add(record, offset);
    add_to(segment->summary, record);
    visit(record);
  });
  if (!opened) {
    // Its maker was killed between making it and writing the header; or, when there is more, the header is damaged.
    if (fs::file_size(file) <= FileHeader::kBytes) return remove_file(file);
    return put_aside(file, "its header is wrong");
  }
  segment->path = file;
  segment->header = opened->header();
  segment->summary.first_sequence = opened->header().first_sequence;
  segment->summary.created_ms = opened->header().created_ms;
  segment->summary.salt = opened->header().salt;
  segment->plain = opened->fd();
  next_sequence_ = std::max({next_sequence_, segment->summary.next_sequence, opened->header().first_sequence});
  segments_.push_back(std::move(segment));
  active_ = std::move(opened);
}

void Journal::remove_file(const fs::path& file) {
  disk_.remove(file);
  directory_changed_ = true;
}

void Journal::roll() {
  const std::uint64_t first = next_sequence_;
  auto segment = std::make_shared<Segment>();
  segment->path = directory_ / file_name(first, kPlainEnd);
  auto file = RecordFile::create(disk_, segment->path, first, clock_.now_ms());
  segment->header = file->header();
  segment->summary.first_sequence = segment->summary.next_sequence = first;
  segment->summary.created_ms = file->header().created_ms;
  segment->summary.salt = file->header().salt;
  segment->plain = file->fd();
  // One without records had the same name, and is this file now.
  if (!segments_.empty() && segments_.back()->path == segment->path) segments_.pop_back();
  segments_.push_back(std::move(segment));
  active_ = std::move(file);
  unsynced_.push_back(active_->fd());
  directory_changed_ = true;
  roll_next_ = false;
}

std::uint64_t Journal::append(std::uint32_t key, std::span<const Entry> entries) {
  const std::lock_guard lock(mutex_);
  if (!active_ || roll_next_ || !active_->whole() || active_->size() >= options_.segment_bytes) roll();
  const std::uint64_t first = next_sequence_;
  std::size_t room = 0;
  for (const Entry& entry : entries) {
    const std::size_t size = entry.prefix.size() + entry.bytes.size();
    if (size > kLongestRecord) throw std::length_error("a record is too long for a segment");
    room += kRecordHead + size;
  }
  std::string bytes;
  bytes.reserve(room);
  std::uint64_t sequence = first;
  for (const Entry& entry : entries)
    append_record(bytes, active_->header().salt, {sequence++, entry.time_ms, key, entry.bytes}, entry.prefix);
  const std::uint64_t offset = active_->size();
  active_->append(bytes);
  Segment& segment = *segments_.back();
  std::size_t at = 0;
  sequence = first;
  for (const Entry& entry : entries) {
    const std::size_t size = entry.prefix.size() + entry.bytes.size();
    const Record record{sequence++, entry.time_ms, key, std::string_view(bytes).substr(at + kRecordHead, size)};
    segment.index.add(record, offset + at);
    add_to(segment.summary, record);
    at += kRecordHead + size;
  }
  next_sequence_ = sequence;
  if (unsynced_.empty() || unsynced_.back() != active_->fd()) unsynced_.push_back(active_->fd());
  return first;
}

bool Journal::dirty() const {
  const std::lock_guard lock(mutex_);
  return directory_changed_ || !unsynced_.empty();
}

void Journal::sync() {
  std::vector<std::shared_ptr<base::Fd>> files;
  bool directory = false;
  {
    const std::lock_guard lock(mutex_);
    files.swap(unsynced_);
    std::swap(directory, directory_changed_);
  }
  try {
    for (const auto& file : files) disk_.sync(file->get());
    if (directory) disk_.sync_directory(directory_);
  } catch (...) {
    // The kernel tells of a lost page once: what comes next goes into another file.
    const std::lock_guard lock(mutex_);
    roll_next_ = true;
    directory_changed_ = directory_changed_ || directory;
    throw;
  }
}

void Journal::roll_if_old() {
  const std::lock_guard lock(mutex_);
  if (!active_ || segments_.back()->summary.records == 0) return;
  if (clock_.now_ms() - active_->header().created_ms >= options_.segment_age.count()) roll_next_ = true;
  if (roll_next_) active_.reset();
}

bool Journal::seal_one(const std::function<bool(std::uint32_t key)>& keep,
                       const std::function<void(const std::vector<std::uint32_t>& keys)>& publish) {
  std::shared_ptr<Segment> plain;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& segment : segments_) {
      if (!segment->plain || is_active(*segment)) continue;
      plain = segment;
      break;
    }
  }
  if (!plain) return false;
  const auto& blocks = plain->index.blocks();
  const fs::path to = directory_ / file_name(plain->header.first_sequence, kSealedEnd);
  const fs::path unfinished = to.string() + std::string(kUnfinishedEnd);
  const std::uint64_t size = blocks.empty() ? 0 : blocks.back().offset + blocks.back().raw;
  const Sealed sealed =
      seal(disk_, plain->plain->get(), size, plain->header, blocks, plain->summary.next_sequence, keep, unfinished);
  std::vector<std::uint32_t> keys;
  for (const Block& block : blocks) keys.insert(keys.end(), block.keys.begin(), block.keys.end());
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  publish(keys);
  disk_.rename(unfinished, to);
  disk_.sync_directory(directory_);
  auto closed = std::make_shared<Segment>();
  closed->path = to;
  closed->summary = sealed.summary;
  {
    const std::lock_guard lock(mutex_);
    std::ranges::replace(segments_, plain, closed);
  }
  disk_.remove(plain->path);
  return true;
}

std::size_t Journal::expire(std::int64_t before_ms) {
  std::vector<std::shared_ptr<Segment>> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto old = [&](const std::shared_ptr<Segment>& segment) {
      if (segment->summary.max_ms >= before_ms) return false;
      // An empty one is as old as can be, but the active one stays for who writes next.
      return !is_active(*segment) || segment->summary.records > 0;
    };
    if (active_ && old(segments_.back())) active_.reset();
    std::ranges::copy_if(segments_, std::back_inserter(gone), old);
    std::erase_if(segments_, old);
  }
  for (const auto& segment : gone) disk_.remove(segment->path);
  if (!gone.empty()) disk_.sync_directory(directory_);
  return gone.size();
}

std::vector<SegmentView> Journal::views(std::int64_t from_ms, std::int64_t to_ms) const {
  const std::lock_guard lock(mutex_);
  std::vector<SegmentView> views;
  for (const auto& segment : segments_) {
    const Summary& summary = segment->summary;
    if (summary.records == 0 || summary.max_ms < from_ms || summary.min_ms > to_ms) continue;
    views.push_back(
        {segment->path, summary, segment->plain, segment->plain ? segment->index.blocks() : std::vector<Block>()});
  }
  return views;
}

std::uint64_t Journal::stored_bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& segment : segments_) bytes += segment->summary.stored;
  return bytes;
}

}  // namespace lambent::store::segments
