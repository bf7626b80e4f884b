// How many events of one function may run at once while its backlog is worked off: starts small and grows for as long as running
// more at once gets more done, so that neither a restart nor a burst makes a herd.
//
// Every quarter of a second with events waiting: when nothing came back in it, or more than in the best one before, the number
// grows by half. A plain value, used on one lane.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace lambent::invoke {

class Ramp {
 public:
  static constexpr std::int32_t kStart = 8;
  static constexpr std::chrono::milliseconds kWindow{250};

  std::int32_t allowed() const { return allowed_; }

  /// One event came back.
  void completed();
  /// The other side could not be reached: one at a time, until it can.
  void unreachable();
  /// The platform has no place for more than what runs now.
  void throttled(std::int32_t running);
  /// What a window says in which nothing came back: that more at once may help, or that the other side hangs.
  enum class Silence { grow, hold };
  /// To be called whenever events wait although `running` of them run; moves at the ends of windows. Never allows more than `most`.
  void waiting(base::SteadyTime now, std::int32_t running, std::int32_t most, Silence silence = Silence::grow);

 private:
  std::int32_t allowed_ = kStart;
  std::int32_t completed_ = 0;
  std::int32_t best_ = 0;
  /// After unreachable(): only what comes back makes the number grow.
  bool wary_ = false;
  base::SteadyTime window_began_ = {};
};

}  // namespace lambent::invoke
