#include "invoke/async/ramp.h"

#include <algorithm>

namespace lambent::invoke {

void Ramp::completed() {
  ++completed_;
  if (!wary_) return;
  allowed_ = std::min(kStart, 2 * allowed_);
  wary_ = allowed_ < kStart;
}

void Ramp::unreachable() {
  allowed_ = 1;
  wary_ = true;
}

void Ramp::throttled(std::int32_t running) { allowed_ = std::max(1, std::min(allowed_, running)); }

void Ramp::waiting(base::SteadyTime now, std::int32_t running, std::int32_t most, Silence silence) {
  if (wary_) return;
  const bool first = window_began_ == base::SteadyTime{};
  // Nobody waited for several windows: what was counted meanwhile says nothing.
  const bool stale = !first && now - window_began_ > 4 * kWindow;
  if (first || stale) {
    window_began_ = now;
    completed_ = 0;
    return;
  }
  if (now - window_began_ < kWindow) return;
  // What is not used to the full does not get larger.
  const bool used = running >= allowed_;
  const bool better = completed_ == 0 ? silence == Silence::grow : completed_ * 10 > best_ * 11;
  if (used && better) allowed_ = std::min(most, allowed_ + std::max(1, allowed_ / 2));
  // The best is forgotten slowly: a function may have become slower, and then more at once may help again.
  best_ = std::max(completed_, best_ - best_ / 16);
  completed_ = 0;
  window_began_ = now;
}

}  // namespace lambent::invoke
