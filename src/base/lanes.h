// Lanes: threads that own state. A lane is one thread running one io_context; what is pinned to a lane is touched
// there alone, and `on` is the only way to another lane.
//
// Owned by the composition root: made before anything that runs on them, joined after everything on them has stopped.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/task.h"

namespace lambent::base {

class Lanes {
 public:
  /// `count` of 1 or more. Nothing runs before start().
  explicit Lanes(std::size_t count);
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  std::size_t count() const { return contexts_.size(); }
  asio::io_context& lane(std::size_t index) { return contexts_[index]; }
  /// The lane that owns whatever has this key, the same for the life of the process.
  std::size_t index_of(std::string_view key) const { return std::hash<std::string_view>{}(key) % count(); }

  void start();
  /// Ends the threads as soon as what they run now returns; work still queued is dropped.
  void stop();

 private:
  using Guard = asio::executor_work_guard<asio::io_context::executor_type>;
  std::deque<asio::io_context> contexts_;
  std::vector<Guard> guards_;
  std::vector<std::thread> threads_;
};

/// Runs `work()` (a Task) on `lane` and ends on the caller's own. Without a hop when the caller is there already. `work` may
/// itself be a coroutine with captures: it is kept until its task has ended.
template <class Work>
std::invoke_result_t<Work> on(asio::io_context& lane, Work work) {
  if (lane.get_executor().running_in_this_thread()) co_return co_await work();
  co_return co_await asio::co_spawn(lane, std::move(work), asio::use_awaitable);
}

}  // namespace lambent::base
