#include "store/logs/log_store.h"

#include <algorithm>
#include <set>

#include "base/log.h"

namespace lambent::store {

namespace fs = std::filesystem;

LogStore::LogStore(fs::path root, LogGroups& groups, const base::Clock& clock, LogStoreOptions options,
                   segments::Disk* disk)
    : root_(std::move(root)),
      groups_(groups),
      clock_(clock),
      options_(options),
      disk_(disk != nullptr ? *disk : real_disk_) {
  disk_.make_directory(root_);
  remove_gone();
  syncer_ = std::thread([this] { sync_when_due(); });
  keeper_ = std::thread([this] { keep_up(); });
}

LogStore::~LogStore() {
  {
    const std::lock_guard lock(upkeep_mutex_);
    upkeep_stopping_ = true;
  }
  upkeep_wake_.notify_one();
  keeper_.join();
  {
    const std::lock_guard lock(sync_mutex_);
    stopping_ = true;
  }
  sync_wake_.notify_one();
  syncer_.join();
}

/// A group's row goes first, then its directory: what a kill left in between goes now.
void LogStore::remove_gone() {
  std::set<std::string> known;
  for (const auto& group : groups_.all()) known.insert(group->directory);
  for (const auto& entry : fs::directory_iterator(root_)) {
    const std::string name = entry.path().filename();
    if (!known.contains(name)) fs::remove_all(entry.path());
  }
}

void LogStore::set_expiry(const LogGroup& group, GroupLog& log, std::int64_t now_ms) {
  constexpr std::int64_t kDay_ms = 86'400'000;
  log.expire_before(group.retention_days == 0 ? 0 : now_ms - group.retention_days * kDay_ms);
}

std::shared_ptr<GroupLog> LogStore::open(const LogGroup& group) {
  const std::lock_guard lock(mutex_);
  Opened& opened = open_[group.directory];
  opened.used = ++uses_;
  if (!opened.log) {
    try {
      const bool is_new = !fs::exists(root_ / group.directory);
      opened.log = std::make_shared<GroupLog>(root_ / group.directory, disk_, clock_, options_.journal);
      if (is_new) disk_.sync_directory(root_);
    } catch (...) {
      open_.erase(group.directory);
      throw;
    }
  }
  // Held, so that it is not the one that is closed.
  const auto log = opened.log;
  set_expiry(group, *log, clock_.now_ms());
  if (open_.size() > options_.open_groups) close_least_used();
  return log;
}

std::shared_ptr<GroupLog> LogStore::find_open(const LogGroup& group) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return nullptr;
  const auto found = open_.find(group.directory);
  if (found == open_.end() || !found->second.log) return nullptr;
  found->second.used = ++uses_;
  set_expiry(group, *found->second.log, clock_.now_ms());
  return found->second.log;
}

std::uint64_t LogStore::stored_bytes(const LogGroup& group) const {
  std::uint64_t bytes = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root_ / group.directory / "events", none)) {
    const auto size = entry.file_size(none);
    if (!none) bytes += size;
  }
  return bytes;
}

void LogStore::close_least_used() {
  auto oldest = open_.end();
  for (auto at = open_.begin(); at != open_.end(); ++at) {
    // Somebody reads, writes or syncs it.
    if (at->second.log.use_count() > 1) continue;
    if (oldest == open_.end() || at->second.used < oldest->second.used) oldest = at;
  }
  if (oldest == open_.end()) return;
  open_.erase(oldest);
}

void LogStore::wrote(const std::shared_ptr<GroupLog>& log) {
  const std::lock_guard lock(sync_mutex_);
  unsynced_.emplace(log.get(), log);
}

void LogStore::enqueue(std::shared_ptr<GroupLog> log, Done done) {
  {
    const std::lock_guard lock(sync_mutex_);
    waiting_.emplace_back(std::move(log), std::move(done));
  }
  sync_wake_.notify_one();
}

base::Task<void> LogStore::synced(std::shared_ptr<GroupLog> log) {
  namespace asio = base::asio;
  const auto executor = co_await asio::this_coro::executor;
  auto start = [this, executor](auto handler, std::shared_ptr<GroupLog> what) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    enqueue(std::move(what), [shared, executor](std::exception_ptr failure) {
      asio::post(executor, [shared, failure = std::move(failure)]() mutable { (*shared)(std::move(failure)); });
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(start, asio::use_awaitable,
                                                                                         std::move(log));
}

void LogStore::sync_when_due() {
  std::unique_lock lock(sync_mutex_);
  while (!stopping_ || !waiting_.empty() || !unsynced_.empty()) {
    sync_wake_.wait_for(lock, options_.sync_period, [&] { return stopping_ || !waiting_.empty(); });
    auto waiting = std::exchange(waiting_, {});
    auto logs = std::exchange(unsynced_, {});
    lock.unlock();
    for (const auto& [log, done] : waiting) logs.emplace(log.get(), log);
    std::map<GroupLog*, std::exception_ptr> failed;
    for (const auto& [key, log] : logs) {
      try {
        if (!log->gone() && log->dirty()) log->sync();
      } catch (const std::exception& error) {
        base::log::error("log events could not be synced", {{"reason", error.what()}});
        failed[key] = std::current_exception();
      }
    }
    for (const auto& [log, done] : waiting) {
      const auto failure = failed.find(log.get());
      done(failure == failed.end() ? nullptr : failure->second);
    }
    logs.clear();
    waiting.clear();
    failed.clear();
    lock.lock();
  }
}

void LogStore::forget(const LogGroup& group) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(group.directory);
    if (found != open_.end()) {
      found->second.log->set_gone();
      open_.erase(found);
    }
  }
  {
    const std::lock_guard lock(upkeep_mutex_);
    gone_.push_back(group.directory);
  }
  upkeep_wake_.notify_one();
}

void LogStore::keep_up() {
  int rounds = 0;
  std::unique_lock lock(upkeep_mutex_);
  while (!upkeep_stopping_) {
    upkeep_wake_.wait_for(lock, options_.upkeep_period, [&] { return upkeep_stopping_ || !gone_.empty(); });
    if (upkeep_stopping_) return;
    const auto gone = std::exchange(gone_, {});
    lock.unlock();
    for (const std::string& directory : gone) {
      std::error_code error;
      fs::remove_all(root_ / directory, error);
      if (error) base::log::warn("a log group's files could not be removed", {{"reason", error.message()}});
    }
    constexpr int kHour = 60;
    if (gone.empty()) upkeep_now(++rounds % kHour == 1);
    lock.lock();
  }
}

void LogStore::upkeep_now(bool everything) {
  for (const auto& group : groups_.all()) {
    std::shared_ptr<GroupLog> log;
    {
      const std::lock_guard lock(mutex_);
      const auto found = open_.find(group->directory);
      if (found != open_.end()) log = found->second.log;
    }
    try {
      // One that nobody uses is opened now and then, when it has something to expire.
      if (!log && (group->retention_days == 0 || !everything)) continue;
      if (!log) log = open(*group);
      set_expiry(*group, *log, clock_.now_ms());
      while (log->maintain()) {
      }
    } catch (const std::exception& error) {
      base::log::error("a log group could not be kept in order",
                       {{"group", group->key.name}, {"reason", error.what()}});
    }
  }
}

}  // namespace lambent::store
