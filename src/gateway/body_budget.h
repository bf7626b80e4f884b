// One bound on the memory that strangers can make us hold: bodies of all requests being read draw on one budget.
// Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace lambent::gateway {

class BodyBudget {
 public:
  explicit BodyBudget(std::size_t bytes) : left_(bytes) {}

  /// A share that returns itself.
  class Share {
   public:
    Share() = default;
    Share(BodyBudget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() {
      if (budget_ != nullptr) budget_->left_.fetch_add(bytes_, std::memory_order_relaxed);
    }
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    BodyBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  /// An empty share when there is not so much left.
  Share take(std::size_t bytes) {
    std::size_t left = left_.load(std::memory_order_relaxed);
    while (left >= bytes) {
      if (left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) return Share(this, bytes);
    }
    return Share();
  }

 private:
  std::atomic<std::size_t> left_;
};

}  // namespace lambent::gateway
