// Threads for work that blocks or burns: unzip, hash large bodies, read files. Coroutines hand it over and come back.
//
// Owned by the composition root; stopped before the lanes, after what it was given.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/task.h"

namespace lambent::base {

class CpuPool {
 public:
  explicit CpuPool(std::size_t threads) : pool_(threads) {}
  ~CpuPool() { pool_.join(); }

  /// Runs `work()` on a pool thread; its value or exception arrives on the caller's executor.
  template <class Work>
  Task<std::invoke_result_t<Work>> run(Work work) {
    // The pool's executor runs the inner coroutine from its first line; the awaiting side resumes on its own.
    auto body = [](Work inner) -> Task<std::invoke_result_t<Work>> { co_return inner(); };
    return asio::co_spawn(pool_, body(std::move(work)), asio::use_awaitable);
  }

  /// Runs `work()` on a pool thread; nobody waits for it and it must not throw. Any thread.
  template <class Work>
  void post(Work work) {
    asio::post(pool_, std::move(work));
  }

 private:
  asio::thread_pool pool_;
};

}  // namespace lambent::base
