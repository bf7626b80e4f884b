// Time, injected: nothing that decides by time asks the system itself, so that a test can move it.
#pragma once

#include <chrono>
#include <cstdint>

namespace lambent::base {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  /// UTC, millisecond resolution.
  virtual WallTime now() const = 0;
  /// Never goes back; for durations.
  virtual SteadyTime steady() const = 0;

  std::int64_t now_ms() const { return now().time_since_epoch().count(); }
  std::int64_t now_s() const { return now_ms() / 1000; }
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

/// A clock for tests: stands still until moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) : wall_(start) {}
  WallTime now() const override { return wall_; }
  SteadyTime steady() const override { return steady_; }
  void advance(std::chrono::milliseconds by) {
    wall_ += by;
    steady_ += by;
  }

 private:
  WallTime wall_;
  SteadyTime steady_{};
};

}  // namespace lambent::base
