// How fast a streamed response may leave: 6 MiB at once, then 2 MiB a second ("Lambda quotas", "Bandwidth limits for response
// streaming"; the token bucket of AWS's runtime interface emulator).
//
// Pure: the caller brings the time and does the waiting.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace lambent::invoke {

class StreamPace {
 public:
  static constexpr std::int64_t kBurstBytes = 6 << 20;
  static constexpr std::int64_t kBytesPerSecond = 2 << 20;

  /// Takes `bytes` out of the bucket; how long to wait before they may leave.
  std::chrono::nanoseconds take(std::int64_t bytes, base::SteadyTime now) {
    using Seconds = std::chrono::duration<double>;
    if (last_ != base::SteadyTime{})
      level_ += std::chrono::duration_cast<Seconds>(now - last_).count() * kBytesPerSecond;
    level_ = std::min<double>(level_, kBurstBytes);
    last_ = now;
    level_ -= static_cast<double>(bytes);
    if (level_ >= 0) return std::chrono::nanoseconds(0);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(-level_ / kBytesPerSecond));
  }

 private:
  double level_ = kBurstBytes;
  base::SteadyTime last_ = {};
};

}  // namespace lambent::invoke
