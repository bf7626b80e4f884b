// One coroutine waits, somebody on any thread says when: the hand-over between two lanes.
//
// A notification without a waiter is remembered, once, so that none is lost between looking and waiting; the waiter checks its
// condition in a loop. At most one waiter. Shared by both sides, which outlive their calls.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <utility>

#include "base/task.h"

namespace lambent::base {

class Wakeup {
 public:
  /// Goes on where it was called.
  Task<void> wait() {
    auto keep = [this](auto handler) {
      auto waiter = std::make_unique<Kept<decltype(handler)>>(std::move(handler));
      {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(notified_, false)) {
          waiter_ = std::move(waiter);
          return;
        }
      }
      waiter->resume();
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(keep, asio::use_awaitable);
  }

  void notify() {
    std::unique_ptr<Waiter> waiter;
    {
      const std::lock_guard lock(mutex_);
      waiter = std::move(waiter_);
      if (!waiter) notified_ = true;
    }
    if (waiter) waiter->resume();
  }

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void resume() = 0;
  };
  template <class Handler>
  struct Kept final : Waiter {
    explicit Kept(Handler h) : handler(std::move(h)) {}
    void resume() override {
      const auto executor = asio::get_associated_executor(handler);
      asio::post(executor, std::move(handler));
    }
    Handler handler;
  };

  std::mutex mutex_;
  std::unique_ptr<Waiter> waiter_;
  bool notified_ = false;
};

}  // namespace lambent::base
