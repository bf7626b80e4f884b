// When an accepted event is tried again, and when it is given up ("How Lambda handles errors and retries with asynchronous
// invocation", AWS Lambda Developer Guide). Pure arithmetic over times that are handed in: six hours are tested in microseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "store/async_events.h"
#include "store/event_invoke_configs.h"

namespace lambent::invoke {

// The conditions of an invocation record's requestContext.
inline constexpr std::string_view kSuccess = "Success";
inline constexpr std::string_view kRetriesExhausted = "RetriesExhausted";
inline constexpr std::string_view kEventAgeExceeded = "EventAgeExceeded";
inline constexpr std::string_view kZeroReservedConcurrency = "ZeroReservedConcurrency";

struct RetryPolicy {
  std::int32_t retries = 2;
  std::int64_t age_ms = 6 * 3600 * 1000;
  /// Waits and ages pass so many times faster: for tests.
  double time_scale = 1;

  static RetryPolicy of(const std::optional<store::EventInvokeConfig>& config, double time_scale);
};

struct Verdict {
  /// Empty: try again at due_ms.
  std::string_view condition;
  std::int64_t due_ms = 0;
};

/// The n-th wait of an event that could not be run or told, n from 1: 1 s doubling to 5 min, in milliseconds.
std::int64_t backoff_ms(std::int32_t setbacks, double time_scale);

bool too_old(const store::AsyncEvent& event, std::int64_t now_ms, const RetryPolicy& policy);

/// The function ran and failed; `event` counts the attempts before. One minute after the first, two after the second; a retry that
/// would come too late is not waited for.
Verdict after_function_error(const store::AsyncEvent& event, std::int64_t now_ms, const RetryPolicy& policy);

/// The function could not be run; `event` counts the setbacks before.
Verdict after_setback(const store::AsyncEvent& event, std::int64_t now_ms, const RetryPolicy& policy);

}  // namespace lambent::invoke
