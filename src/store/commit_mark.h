// The number of the last commit, in a small synced file beside the database: what tells at start that the database has lost
// commits which it once had, as a torn or flipped write-ahead log loses them without a word.
//
// Written by a thread of its own after the commits, at most every 100 ms, and synced once a second, as the disk does one sync at a
// time and commits wait for theirs: it may lag behind, it is never ahead. Owned by the Database; its destructor writes the last number.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "base/fd.h"

namespace lambent::store {

class CommitMark {
 public:
  /// Opens or makes the file. Throws std::system_error.
  explicit CommitMark(const std::filesystem::path& file);
  ~CommitMark();
  CommitMark(const CommitMark&) = delete;

  /// What the file said when it was opened; nothing when it was new or unreadable.
  std::optional<std::int64_t> kept() const { return kept_; }
  /// To be called after the commit of that number is on disk. Any thread; returns at once.
  void note(std::int64_t number);

 private:
  void run();
  void write(std::int64_t number);
  void sync();
  void give_up();

  base::Fd file_;
  std::optional<std::int64_t> kept_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::int64_t noted_ = 0;
  std::int64_t written_ = 0;
  /// When what was written is to be synced; nothing when it is.
  std::optional<std::chrono::steady_clock::time_point> sync_at_;
  /// What the file says is no longer known.
  bool broken_ = false;
  bool stopping_ = false;
  // Last: it starts when all the rest is there.
  std::thread thread_;
};

}  // namespace lambent::store
