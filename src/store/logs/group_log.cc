#include "store/logs/group_log.h"

#include <algorithm>
#include <unordered_set>

#include "store/segments/little_endian.h"

namespace lambent::store {
namespace {

// A record's bytes: when the event was taken in, then its message.
constexpr std::size_t kIngestionBytes = sizeof(std::int64_t);

std::string_view message_of(std::string_view record) { return record.substr(std::min(record.size(), kIngestionBytes)); }

const std::filesystem::path& made(segments::Disk& disk, const std::filesystem::path& directory) {
  disk.make_directory(directory);
  return directory;
}

}  // namespace

GroupLog::GroupLog(std::filesystem::path directory, segments::Disk& disk, const base::Clock& clock,
                   segments::JournalOptions options)
    : disk_(disk),
      clock_(clock),
      directory_(made(disk, directory)),
      streams_(directory_ / "streams", disk, clock),
      journal_(directory_ / "events", disk, clock, options, [this](const segments::Record& record) { saw(record); }) {}

void GroupLog::saw(const segments::Record& record) {
  if (record.bytes.size() < kIngestionBytes) return;
  LogStream* stream = streams_.find(record.key);
  if (stream != nullptr) stream->saw(record.time_ms, segments::get<std::int64_t>(record.bytes));
}

bool GroupLog::create_stream(std::string_view name) {
  const std::lock_guard lock(mutex_);
  streams_changed_ = true;
  return streams_.create(name) != nullptr;
}

bool GroupLog::delete_stream(std::string_view name) {
  const std::lock_guard lock(mutex_);
  streams_changed_ = true;
  return streams_.remove(name);
}

bool GroupLog::has_stream(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return streams_.find(name) != nullptr;
}

std::int64_t GroupLog::last_event_order(const LogStream& stream) {
  return stream.last_event_ms.value_or(stream.created_ms);
}

std::vector<LogStream> GroupLog::streams(const StreamQuery& query) const {
  const std::lock_guard lock(mutex_);
  const auto key = [&](const LogStream& stream) {
    return std::pair<std::int64_t, std::string_view>(query.by_last_event ? last_event_order(stream) : 0, stream.name);
  };
  const auto before = [&](const auto& a, const auto& b) { return query.descending ? b < a : a < b; };
  std::vector<const LogStream*> found;
  for (auto at = streams_.by_name().lower_bound(query.prefix); at != streams_.by_name().end(); ++at) {
    if (!at->first.starts_with(query.prefix)) break;
    const LogStream& stream = *at->second;
    if (query.after) {
      const std::pair<std::int64_t, std::string_view> after(query.by_last_event ? query.after->first : 0,
                                                            query.after->second);
      if (!before(after, key(stream))) continue;
    }
    found.push_back(&stream);
  }
  const auto count = static_cast<std::ptrdiff_t>(std::min(query.limit, found.size()));
  std::partial_sort(found.begin(), found.begin() + count, found.end(),
                    [&](const LogStream* a, const LogStream* b) { return before(key(*a), key(*b)); });
  std::vector<LogStream> streams;
  for (std::ptrdiff_t i = 0; i < count; ++i) streams.push_back(*found[static_cast<std::size_t>(i)]);
  return streams;
}

bool GroupLog::append(std::string_view name, std::span<const LogEvent> events, bool make_stream) {
  const std::int64_t now_ms = clock_.now_ms();
  char ingestion[kIngestionBytes];
  segments::store(ingestion, now_ms);
  std::vector<segments::Journal::Entry> entries;
  entries.reserve(events.size());
  for (const LogEvent& event : events)
    entries.push_back({event.time_ms, event.message, std::string_view(ingestion, sizeof ingestion)});
  const std::lock_guard lock(mutex_);
  LogStream* stream = streams_.find(name);
  if (stream == nullptr) {
    if (!make_stream) return false;
    streams_changed_ = true;
    stream = streams_.create(name);
  }
  if (entries.empty()) return true;
  journal_.append(stream->number, entries);
  for (const LogEvent& event : events) stream->saw(event.time_ms, now_ms);
  return true;
}

std::function<bool(std::uint32_t)> GroupLog::wanted(const EventQuery& query) const {
  if (!query.streams && query.prefix.empty())
    return [this](std::uint32_t number) {
      const std::lock_guard lock(mutex_);
      return streams_.find(number) != nullptr;
    };
  std::unordered_set<std::uint32_t> numbers;
  const std::lock_guard lock(mutex_);
  if (query.streams) {
    for (const std::string& name : *query.streams)
      if (const LogStream* stream = streams_.find(name)) numbers.insert(stream->number);
  } else {
    for (auto at = streams_.by_name().lower_bound(query.prefix);
         at != streams_.by_name().end() && at->first.starts_with(query.prefix); ++at)
      numbers.insert(at->second->number);
  }
  return [numbers = std::move(numbers)](std::uint32_t number) { return numbers.contains(number); };
}

EventPage GroupLog::find(const EventQuery& query) const {
  segments::Query search;
  search.from_ms = std::max(query.from_ms, expired_before_ms_.load());
  search.to_ms = query.to_ms;
  search.backward = query.backward;
  search.after = query.after;
  search.limit = query.limit;
  search.wants = wanted(query);
  if (query.matches)
    search.matches = [&](const segments::Record& record) { return query.matches(message_of(record.bytes)); };
  segments::Page found = segments::search(journal_, disk_, search);
  EventPage page;
  page.next = found.next;
  page.events.reserve(found.found.size());
  const std::lock_guard lock(mutex_);
  for (segments::Found& record : found.found) {
    const LogStream* stream = streams_.find(record.key);
    if (stream == nullptr || record.bytes.size() < kIngestionBytes) continue;
    const auto ingestion_ms = segments::get<std::int64_t>(record.bytes);
    record.bytes.erase(0, kIngestionBytes);
    page.events.push_back({record.position, ingestion_ms, stream->name, std::move(record.bytes)});
  }
  return page;
}

bool GroupLog::dirty() const {
  if (journal_.dirty()) return true;
  const std::lock_guard lock(mutex_);
  return streams_changed_;
}

void GroupLog::sync() {
  std::shared_ptr<base::Fd> changed;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(streams_changed_, false)) changed = streams_.fd();
  }
  if (changed) {
    disk_.sync(changed->get());
    disk_.sync_directory(directory_);
  }
  journal_.sync();
}

bool GroupLog::maintain() {
  journal_.roll_if_old();
  if (const std::int64_t before_ms = expired_before_ms_; before_ms > 0) journal_.expire(before_ms);
  const auto keep = [this](std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    return streams_.find(number) != nullptr;
  };
  const auto save = [this](const std::vector<std::uint32_t>& numbers) {
    const std::lock_guard lock(mutex_);
    streams_.save(numbers);
  };
  return journal_.seal_one(keep, save);
}

}  // namespace lambent::store
