// What waits for each function, as far as it is in memory: a window of the events that are due, in front of the rows on disk.
// Chooses whose event is run next, in turn, so that no function's backlog delays another's.
//
// A plain value of the AsyncQueue, touched on its lane alone. Bounded: each window in events and bytes, all of them together in
// bytes; what does not fit stays on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "invoke/async/ramp.h"
#include "store/async_events.h"

namespace lambent::invoke {

/// One function's.
struct Backlog {
  store::FunctionKey function;
  /// Due, oldest first.
  std::deque<store::AsyncEventPointer> window;
  /// Ids in the window, running, or being written: not to be loaded.
  std::unordered_set<std::int64_t> held;
  /// Rows on disk, the held ones among them.
  std::int64_t events = 0;
  /// There are rows that are due and not held.
  bool more_on_disk = false;
  bool loading = false;
  /// When the first of the rows that are not due yet is.
  std::optional<std::int64_t> wake_ms;
  std::int32_t running = 0;
  /// Refusals in a row while nothing of it ran.
  std::int32_t throttles = 0;
  std::int64_t paused_until_ms = 0;
  std::int64_t first_accepted_ms = 0;
  Ramp ramp;

 private:
  friend class Backlogs;
  bool in_turn_ = false;
};

class Backlogs {
 public:
  struct Bounds {
    std::size_t window_events = 64;
    /// Of payloads in all windows together. A function with nothing in its window may always have one event more.
    std::size_t bytes = 64 << 20;
  };

  explicit Backlogs(Bounds bounds) : bounds_(bounds) {}

  /// The function's, made when there is none. Stays where it is until forget().
  Backlog& of(const store::FunctionKey& function);
  Backlog* find(const store::FunctionKey& function);
  std::map<store::FunctionKey, Backlog>& all() { return backlogs_; }

  /// A new event: into the window when it is next and there is room, else it waits on disk.
  void arrived(Backlog& backlog, store::AsyncEventPointer event);
  /// Rows of the disk.
  void loaded(Backlog& backlog, store::AsyncEventPointer event);
  /// An event that could not be run goes back to the front.
  void give_back(Backlog& backlog, store::AsyncEventPointer event);

  /// Its next page may be loaded now.
  bool wants_page(const Backlog& backlog) const;
  /// Lets a function that can run an event take its turn.
  void enlist(Backlog& backlog, std::int64_t now_ms);
  /// The backlog whose turn it is, with an event taken out of its window; nothing when none can run.
  struct Turn {
    Backlog* backlog = nullptr;
    store::AsyncEventPointer event;
  };
  std::optional<Turn> next(std::int64_t now_ms);
  /// Removes it when nothing of it is left; true when it did.
  bool forget_if_done(Backlog& backlog);

  /// All rows, of all functions.
  std::int64_t events() const { return events_; }
  void count(Backlog& backlog, std::int64_t change);
  std::size_t bytes() const { return bytes_; }

 private:
  static bool can_run(const Backlog& backlog, std::int64_t now_ms);
  bool has_room(const Backlog& backlog, std::size_t bytes) const;

  Bounds bounds_;
  std::map<store::FunctionKey, Backlog> backlogs_;
  std::list<Backlog*> turns_;
  std::size_t bytes_ = 0;
  std::int64_t events_ = 0;
};

}  // namespace lambent::invoke
