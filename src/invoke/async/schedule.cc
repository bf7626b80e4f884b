#include "invoke/async/schedule.h"

#include <algorithm>

namespace lambent::invoke {
namespace {

constexpr std::int64_t kRetryStep_ms = 60'000;
constexpr std::int64_t kFirstBackoff_ms = 1'000;
constexpr std::int64_t kLongestBackoff_ms = 300'000;
/// 2^9 s is beyond the longest.
constexpr std::int32_t kDoublings = 9;

std::int64_t scaled(std::int64_t ms, double time_scale) {
  return static_cast<std::int64_t>(static_cast<double>(ms) / time_scale);
}

}  // namespace

RetryPolicy RetryPolicy::of(const std::optional<store::EventInvokeConfig>& config, double time_scale) {
  RetryPolicy policy;
  policy.time_scale = time_scale;
  if (config && config->maximum_retry_attempts) policy.retries = *config->maximum_retry_attempts;
  if (config && config->maximum_event_age_s) policy.age_ms = std::int64_t{*config->maximum_event_age_s} * 1000;
  return policy;
}

std::int64_t backoff_ms(std::int32_t setbacks, double time_scale) {
  const std::int32_t doublings = std::clamp(setbacks - 1, 0, kDoublings);
  return scaled(std::min(kLongestBackoff_ms, kFirstBackoff_ms << doublings), time_scale);
}

bool too_old(const store::AsyncEvent& event, std::int64_t now_ms, const RetryPolicy& policy) {
  return now_ms - event.accepted_ms > scaled(policy.age_ms, policy.time_scale);
}

Verdict after_function_error(const store::AsyncEvent& event, std::int64_t now_ms, const RetryPolicy& policy) {
  const std::int32_t attempts = event.attempts + 1;
  if (attempts > policy.retries) return {kRetriesExhausted, 0};
  const std::int64_t due_ms = now_ms + scaled(kRetryStep_ms * attempts, policy.time_scale);
  if (too_old(event, due_ms, policy)) return {kEventAgeExceeded, 0};
  return {"", due_ms};
}

Verdict after_setback(const store::AsyncEvent& event, std::int64_t now_ms, const RetryPolicy& policy) {
  if (too_old(event, now_ms, policy)) return {kEventAgeExceeded, 0};
  return {"", now_ms + backoff_ms(event.setbacks + 1, policy.time_scale)};
}

}  // namespace lambent::invoke
