#include <fmt/format.h>

#include <limits>

#include "base/log.h"
#include "services/logs/operations.h"
#include "services/logs/words.h"

namespace lambent::logs {
namespace {

constexpr std::int64_t kHour_ms = 3'600'000;
constexpr std::int64_t kDay_ms = 24 * kHour_ms;

void check_sizes(const std::vector<InputLogEvent>& events) {
  std::size_t total = 0;
  for (const InputLogEvent& event : events) {
    if (event.message.size() > kEventBytes)
      throw invalid_parameter(
          fmt::format("Log event too large: {} bytes exceeds limit of {}", event.message.size(), kEventBytes));
    total += event.message.size() + kEventOverhead;
  }
  if (total > kBatchBytes)
    throw invalid_parameter(fmt::format("Upload too large: {} bytes exceeds limit of {}", total, kBatchBytes));
}

/// Events that may be kept, all but those at the two ends; `rejected` says which were left out.
struct Accepted {
  std::vector<store::LogEvent> events;
  std::optional<RejectedLogEventsInfo> rejected;
};

Accepted accept(const std::vector<InputLogEvent>& events, std::int64_t now_ms, std::int32_t retention_days) {
  const std::int64_t oldest = now_ms - 14 * kDay_ms, newest = now_ms + 2 * kHour_ms;
  const std::int64_t expired =
      retention_days == 0 ? std::numeric_limits<std::int64_t>::min() : now_ms - retention_days * kDay_ms;
  Accepted accepted;
  RejectedLogEventsInfo rejected;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::int64_t time_ms = events[i].timestamp;
    const auto index = static_cast<std::int32_t>(i);
    if (i > 0 && time_ms < events[i - 1].timestamp)
      throw invalid_parameter("Log events in a single PutLogEvents request must be in chronological order.");
    // The end indices name the first event behind those that were left out, the start index the first one left out.
    if (time_ms < oldest)
      rejected.tooOldLogEventEndIndex = index + 1;
    else if (time_ms < expired)
      rejected.expiredLogEventEndIndex = index + 1;
    else if (time_ms > newest)
      rejected.tooNewLogEventStartIndex = rejected.tooNewLogEventStartIndex.value_or(index);
    else
      accepted.events.push_back({time_ms, events[i].message});
  }
  if (!accepted.events.empty() && accepted.events.back().time_ms - accepted.events.front().time_ms > kDay_ms)
    throw invalid_parameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  if (accepted.events.size() < events.size()) accepted.rejected = rejected;
  return accepted;
}

}  // namespace

base::Task<PutLogEventsOutput> put_log_events(Logs& logs, aws::Caller caller, PutLogEventsInput in) {
  check_sizes(in.logEvents);
  const auto group = logs.existing(caller, in.logGroupName);
  const auto log = co_await logs.open(group);
  if (!log->has_stream(in.logStreamName)) throw no_such_stream();
  const std::int64_t now_ms = logs.clock().now_ms();
  const Accepted accepted = accept(in.logEvents, now_ms, group->retention_days);
  auto work = [&] {
    try {
      return log->append(in.logStreamName, accepted.events, false);
    } catch (const std::system_error& error) {
      base::log::error("log events could not be written", {{"group", in.logGroupName}, {"reason", error.what()}});
      throw aws::Error("ServiceUnavailableException", "The service cannot complete the request.", 503);
    }
  };
  if (!co_await logs.cpu().run(std::move(work))) throw no_such_stream();
  co_await logs.store().synced(log);
  PutLogEventsOutput out;
  // Nobody checks it any more; older clients hand it back.
  out.nextSequenceToken = position_text({now_ms, in.logEvents.size()});
  out.rejectedLogEventsInfo = accepted.rejected;
  co_return out;
}

}  // namespace lambent::logs
