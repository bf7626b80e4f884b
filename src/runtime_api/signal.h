// One coroutine waits, the other says when: a condition without a timer or a lock.
//
// Both live on the same lane. At most one waiter; a notification without one is forgotten, so the waiter checks its
// condition in a loop. A waiter that is never notified is destroyed with the Signal.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "base/task.h"

namespace lambent::runtime_api {

class Signal {
 public:
  base::Task<void> wait() {
    auto keep = [this](auto handler) { waiter_ = std::make_unique<Kept<decltype(handler)>>(std::move(handler)); };
    co_await base::asio::async_initiate<const base::asio::use_awaitable_t<>&, void()>(keep, base::asio::use_awaitable);
  }
  /// The waiter goes on after the caller has returned to the lane's loop.
  void notify() {
    if (auto waiter = std::exchange(waiter_, nullptr)) waiter->resume();
  }
  bool awaited() const { return waiter_ != nullptr; }

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void resume() = 0;
  };
  template <class Handler>
  struct Kept final : Waiter {
    explicit Kept(Handler h) : handler(std::move(h)) {}
    void resume() override {
      const auto executor = base::asio::get_associated_executor(handler);
      base::asio::post(executor, std::move(handler));
    }
    Handler handler;
  };

  std::unique_ptr<Waiter> waiter_;
};

}  // namespace lambent::runtime_api
