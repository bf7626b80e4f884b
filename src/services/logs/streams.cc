#include <charconv>
#include <stdexcept>

#include "services/logs/operations.h"
#include "services/logs/resources.h"
#include "services/logs/words.h"

namespace lambent::logs {
namespace {

/// TIME NAME, by which the next page begins.
std::string token_text(const store::LogStream& stream) {
  return std::to_string(store::GroupLog::last_event_order(stream)) + " " + stream.name;
}

std::pair<std::int64_t, std::string> read_token_text(const std::string& text) {
  std::int64_t time_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time_ms);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') throw invalid_token();
  return {time_ms, std::string(end + 1, text.data() + text.size())};
}

LogStream describe(const store::LogStream& stream, const std::string& group_arn) {
  LogStream out;
  out.logStreamName = stream.name;
  out.creationTime = stream.created_ms;
  out.firstEventTimestamp = stream.first_event_ms;
  out.lastEventTimestamp = stream.last_event_ms;
  out.lastIngestionTime = stream.last_ingestion_ms;
  if (stream.last_ingestion_ms)
    out.uploadSequenceToken =
        position_text({*stream.last_ingestion_ms, static_cast<std::uint64_t>(*stream.last_event_ms)});
  out.arn = group_arn + ":log-stream:" + stream.name;
  return out;
}

/// Runs `change` on the group's log and answers when what it wrote is on the medium.
template <class Change>
base::Task<bool> change_log(Logs& logs, const aws::Caller& caller, const std::string& group_name, Change change) {
  const auto group = logs.existing(caller, group_name);
  const auto log = co_await logs.open(group);
  auto work = [&log, &change] { return change(*log); };
  const bool changed = co_await logs.cpu().run(std::move(work));
  if (changed) co_await logs.store().synced(log);
  co_return changed;
}

}  // namespace

base::Task<Nothing> create_log_stream(Logs& logs, aws::Caller caller, LogStreamInput in) {
  const auto create = [&in](store::GroupLog& log) {
    try {
      return log.create_stream(in.logStreamName);
    } catch (const std::length_error&) {
      throw aws::Error("LimitExceededException", "Resource limit exceeded.");
    }
  };
  if (!co_await change_log(logs, caller, in.logGroupName, create)) throw stream_exists();
  co_return Nothing();
}

base::Task<Nothing> delete_log_stream(Logs& logs, aws::Caller caller, LogStreamInput in) {
  const auto remove = [&in](store::GroupLog& log) { return log.delete_stream(in.logStreamName); };
  if (!co_await change_log(logs, caller, in.logGroupName, remove)) throw no_such_stream();
  co_return Nothing();
}

base::Task<DescribeLogStreamsOutput> describe_log_streams(Logs& logs, aws::Caller caller, DescribeLogStreamsInput in) {
  constexpr std::int32_t kPage = 50;
  store::StreamQuery query;
  query.by_last_event = in.orderBy.value_or("LogStreamName") == "LastEventTime";
  if (query.by_last_event && in.logStreamNamePrefix)
    throw invalid_parameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
  query.prefix = in.logStreamNamePrefix.value_or("");
  query.descending = in.descending.value_or(false);
  if (in.nextToken) query.after = read_token_text(read_token("DescribeLogStreams", *in.nextToken));
  const auto limit = static_cast<std::size_t>(in.limit.value_or(kPage));
  query.limit = limit + 1;
  const auto group = logs.existing(caller, group_name(caller, in.logGroupName, in.logGroupIdentifier));
  const auto log = co_await logs.open(group);
  auto work = [&log, &query] { return log->streams(query); };
  auto streams = co_await logs.cpu().run(std::move(work));
  DescribeLogStreamsOutput out;
  if (streams.size() > limit) {
    streams.pop_back();
    out.nextToken = make_token("DescribeLogStreams", token_text(streams.back()));
  }
  for (const store::LogStream& stream : streams) out.logStreams.push_back(describe(stream, group->arn()));
  co_return out;
}

}  // namespace lambent::logs
