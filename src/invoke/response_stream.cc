#include "invoke/response_stream.h"

#include <boost/asio/as_tuple.hpp>

namespace lambent::invoke {

namespace asio = base::asio;
using base::Task;

void ResponseStream::begin(std::string content_type) {
  {
    const std::lock_guard lock(mutex_);
    content_type_ = std::move(content_type);
  }
  readable_.notify();
}

Task<bool> ResponseStream::write(std::string bytes) {
  const std::size_t size = bytes.size();
  written_ += size;
  if (written_ > max_bytes_) co_return false;
  const auto pause = pace_.take(static_cast<std::int64_t>(size), clock_.steady());
  if (pause.count() > 0) {
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  {
    const std::lock_guard lock(mutex_);
    if (over_ || abandoned_) co_return true;
    waiting_.push_back(std::move(bytes));
    waiting_bytes_ += size;
  }
  readable_.notify();
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_bytes_ < kBufferBytes || over_ || abandoned_) co_return true;
    }
    co_await writable_.wait();
  }
}

void ResponseStream::finish(Outcome outcome) {
  {
    const std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    over_ = true;
  }
  readable_.notify();
  writable_.notify();
}

void ResponseStream::fail(std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
    over_ = true;
  }
  readable_.notify();
  writable_.notify();
}

Task<std::optional<std::string>> ResponseStream::begun() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (content_type_) co_return content_type_;
      if (error_) std::rethrow_exception(error_);
      if (over_) co_return std::nullopt;
    }
    co_await readable_.wait();
  }
}

Task<std::optional<std::string>> ResponseStream::read() {
  std::optional<std::string> next;
  while (!next) {
    {
      const std::lock_guard lock(mutex_);
      if (!waiting_.empty()) {
        next = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_bytes_ -= next->size();
      } else if (error_) {
        std::rethrow_exception(error_);
      } else if (over_) {
        co_return std::nullopt;
      }
    }
    if (!next) co_await readable_.wait();
  }
  writable_.notify();
  co_return next;
}

void ResponseStream::abandon() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    waiting_.clear();
    waiting_bytes_ = 0;
  }
  writable_.notify();
}

}  // namespace lambent::invoke
