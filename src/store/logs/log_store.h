// Every log group's events: opened when they are needed, synced together, kept in order in the background.
//
// A group that nobody holds is closed again when more than LogStoreOptions::open_groups are open. One thread syncs:
// whoever must know that events are on the medium waits for its next round, everything else is synced within the sync period.
// A second one closes, compresses and expires segments. Neither holds events: append() hands them to the kernel, so the queue is
// the kernel's, and a disk that does not keep up slows its writers. Owned by the composition root, made before the lanes run and
// destroyed after they stopped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/task.h"
#include "store/logs/group_log.h"
#include "store/logs/log_groups.h"

namespace lambent::store {

struct LogStoreOptions {
  std::chrono::milliseconds sync_period{500};
  std::chrono::milliseconds upkeep_period{60'000};
  /// Groups that are open at a time, each with two files.
  std::size_t open_groups = 256;
  segments::JournalOptions journal;
};

class LogStore {
 public:
  /// Removes directories of groups that are gone. All must outlive this. Throws std::system_error.
  LogStore(std::filesystem::path root, LogGroups& groups, const base::Clock& clock, LogStoreOptions options = {},
           segments::Disk* disk = nullptr);
  ~LogStore();
  LogStore(const LogStore&) = delete;

  LogGroups& groups() { return groups_; }
  const LogGroups& groups() const { return groups_; }

  /// The group's log, opened if it is not. Throws std::system_error.
  std::shared_ptr<GroupLog> open(const LogGroup& group);
  /// The same without a look at the disk: nothing when it is not open, or when somebody opens one right now.
  std::shared_ptr<GroupLog> find_open(const LogGroup& group);
  /// Of the group's events on disk; opens nothing.
  std::uint64_t stored_bytes(const LogGroup& group) const;
  /// What was written is synced in the next round.
  void wrote(const std::shared_ptr<GroupLog>& log);
  /// Ends when all that was written to `log` before the call is on the medium. Throws what the sync failed with.
  base::Task<void> synced(std::shared_ptr<GroupLog> log);
  /// The group was removed from the records: its directory goes in the background.
  void forget(const LogGroup& group);
  /// Closes, compresses and expires now what is due; of groups that are not open when `everything` is wanted. For tests; in
  /// service the keeper does it.
  void upkeep_now(bool everything);

 private:
  using Done = std::function<void(std::exception_ptr)>;
  struct Opened {
    std::shared_ptr<GroupLog> log;
    std::uint64_t used = 0;
  };

  void sync_when_due();
  void keep_up();
  void remove_gone();
  void close_least_used();
  void enqueue(std::shared_ptr<GroupLog> log, Done done);
  static void set_expiry(const LogGroup& group, GroupLog& log, std::int64_t now_ms);

  const std::filesystem::path root_;
  LogGroups& groups_;
  const base::Clock& clock_;
  const LogStoreOptions options_;
  segments::Disk real_disk_;
  segments::Disk& disk_;

  std::mutex mutex_;
  std::map<std::string, Opened, std::less<>> open_;
  std::uint64_t uses_ = 0;

  std::mutex sync_mutex_;
  std::condition_variable sync_wake_;
  std::map<GroupLog*, std::shared_ptr<GroupLog>> unsynced_;
  std::vector<std::pair<std::shared_ptr<GroupLog>, Done>> waiting_;
  bool stopping_ = false;

  std::mutex upkeep_mutex_;
  std::condition_variable upkeep_wake_;
  std::vector<std::string> gone_;
  bool upkeep_stopping_ = false;
  // Last: they start when all the rest is there.
  std::thread syncer_;
  std::thread keeper_;
};

}  // namespace lambent::store
