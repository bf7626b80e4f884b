#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "services/logs/filter_pattern.h"
#include "services/logs/operations.h"
#include "services/logs/resources.h"
#include "services/logs/words.h"

namespace lambent::logs {
namespace {

using store::segments::Position;

constexpr std::int32_t kEvents = 10'000;

/// f/ and b/ with 56 digits: what lies behind that place, and what lies before it.
struct StreamToken {
  bool backward = false;
  Position position;
};

StreamToken read_stream_token(const std::string& token) {
  const bool forward = token.starts_with("f/");
  const auto position = token.size() > 2 ? read_position(std::string_view(token).substr(2)) : std::nullopt;
  if (!position || (!forward && !token.starts_with("b/"))) throw invalid_token();
  return {!forward, *position};
}

std::string forward_token(const Position& position) { return "f/" + position_text(position); }
std::string backward_token(const Position& position) { return "b/" + position_text(position); }

Position just_before(const Position& position) {
  if (position.sequence > 0) return {position.time_ms, position.sequence - 1};
  if (position.time_ms > 0) return {position.time_ms - 1, std::numeric_limits<std::uint64_t>::max()};
  return position;
}

/// "If you have reached the end of the stream, it returns the same token you passed in."
void set_tokens(GetLogEventsOutput& out, const store::EventQuery& query, const store::EventPage& page) {
  if (!page.events.empty()) {
    const auto [first, last] = std::minmax(page.events.front().position, page.events.back().position);
    out.nextForwardToken = forward_token(!query.backward && page.next ? *page.next : last);
    out.nextBackwardToken = backward_token(query.backward && page.next ? *page.next : first);
    return;
  }
  const Position here = page.next.value_or(query.after.value_or(Position{std::max<std::int64_t>(query.from_ms, 0), 0}));
  if (query.backward) {
    out.nextBackwardToken = backward_token(here);
    out.nextForwardToken = forward_token(just_before(here));
  } else {
    out.nextForwardToken = forward_token(here);
    out.nextBackwardToken = backward_token({here.time_ms, here.sequence + 1});
  }
}

store::EventQuery filter_query(const FilterLogEventsInput& in) {
  if (in.logStreamNames && in.logStreamNamePrefix)
    throw invalid_parameter("Only one of logStreamNames and logStreamNamePrefix can be specified.");
  // "Supported only when startTime is on or after Jan 1, 2024."
  constexpr std::int64_t k2024_ms = 1'704'067'200'000;
  store::EventQuery query;
  query.backward = !in.startFromHead.value_or(true);
  if (query.backward && !in.nextToken && in.startTime.value_or(0) < k2024_ms)
    throw invalid_parameter("startFromHead can be false only when startTime is on or after 2024-01-01T00:00:00Z.");
  query.from_ms = in.startTime.value_or(0);
  if (in.endTime) query.to_ms = *in.endTime;
  query.limit = static_cast<std::size_t>(in.limit.value_or(kEvents));
  query.streams = in.logStreamNames;
  query.prefix = in.logStreamNamePrefix.value_or("");
  if (in.nextToken) {
    const StreamToken token = read_stream_token(read_token("FilterLogEvents", *in.nextToken));
    query.backward = token.backward;
    query.after = token.position;
  }
  const auto pattern = std::make_shared<const FilterPattern>(in.filterPattern.value_or(""));
  if (!pattern->matches_all())
    query.matches = [pattern](std::string_view message) { return pattern->matches(message); };
  return query;
}

}  // namespace

base::Task<GetLogEventsOutput> get_log_events(Logs& logs, aws::Caller caller, GetLogEventsInput in) {
  store::EventQuery query;
  query.streams = {in.logStreamName};
  query.from_ms = in.startTime.value_or(0);
  // "Events with a timestamp equal to or later than this time are not included."
  if (in.endTime) query.to_ms = *in.endTime - 1;
  query.limit = static_cast<std::size_t>(in.limit.value_or(kEvents));
  query.backward = !in.startFromHead.value_or(false);
  if (in.nextToken) {
    const StreamToken token = read_stream_token(*in.nextToken);
    query.backward = token.backward;
    query.after = token.position;
  }
  const auto group = logs.existing(caller, group_name(caller, in.logGroupName, in.logGroupIdentifier));
  const auto log = co_await logs.open(group);
  if (!log->has_stream(in.logStreamName)) throw no_such_stream();
  auto work = [&log, &query] { return log->find(query); };
  store::EventPage page = co_await logs.cpu().run(std::move(work));
  GetLogEventsOutput out;
  set_tokens(out, query, page);
  if (query.backward) std::ranges::reverse(page.events);
  out.events.reserve(page.events.size());
  for (store::FoundEvent& event : page.events)
    out.events.push_back({event.position.time_ms, std::move(event.message), event.ingestion_ms});
  co_return out;
}

base::Task<FilterLogEventsOutput> filter_log_events(Logs& logs, aws::Caller caller, FilterLogEventsInput in) {
  const store::EventQuery query = filter_query(in);
  const auto group = logs.existing(caller, group_name(caller, in.logGroupName, in.logGroupIdentifier));
  const auto log = co_await logs.open(group);
  if (in.logStreamNames)
    for (const std::string& name : *in.logStreamNames)
      if (!log->has_stream(name)) throw no_such_stream();
  auto work = [&log, &query] { return log->find(query); };
  store::EventPage page = co_await logs.cpu().run(std::move(work));
  FilterLogEventsOutput out;
  if (page.next)
    out.nextToken =
        make_token("FilterLogEvents", query.backward ? backward_token(*page.next) : forward_token(*page.next));
  out.events.reserve(page.events.size());
  for (store::FoundEvent& event : page.events)
    out.events.push_back({std::move(event.stream), event.position.time_ms, std::move(event.message), event.ingestion_ms,
                          position_text(event.position)});
  co_return out;
}

}  // namespace lambent::logs
