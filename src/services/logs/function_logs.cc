#include "services/logs/function_logs.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"

namespace lambent::logs {

namespace asio = base::asio;

struct FunctionLog::State : std::enable_shared_from_this<FunctionLog::State> {
  struct Line {
    std::int64_t time_ms;
    std::size_t begin;
    std::size_t length;
  };
  static constexpr std::chrono::seconds kAskAgain{5};

  State(Logs& of, base::Counter& kept_events, base::Family<base::Counter>& dropped_events, FunctionLogTarget where,
        asio::any_io_executor executor)
      : logs(of), kept(kept_events), dropped(dropped_events), target(std::move(where)), timer(executor) {}

  std::string stream_arn() const {
    return fmt::format("arn:aws:logs:{}:{}:log-group:{}:log-stream:{}", target.group.region, target.group.account,
                       target.group.name, target.stream);
  }
  std::string group_arn() const {
    return fmt::format("arn:aws:logs:{}:{}:log-group:{}:log-stream:", target.group.region, target.group.account,
                       target.group.name);
  }

  bool may_write() {
    const auto now = logs.clock().steady();
    if (asked && now - asked_at < kAskAgain) return allowed;
    asked = true;
    asked_at = now;
    const std::string arn = stream_arn();
    allowed = target.allows("logs:CreateLogStream", arn) && target.allows("logs:PutLogEvents", arn);
    return allowed;
  }

  /// Finds the group, makes it if need be. Leaves `log` null when the role does not allow it.
  static base::Task<void> find_group(std::shared_ptr<State> self) {
    Logs& logs = self->logs;
    auto group = logs.groups().find(self->target.group);
    if (!group && self->target.allows("logs:CreateLogGroup", self->group_arn())) {
      store::LogGroup fresh;
      fresh.key = self->target.group;
      fresh.directory = base::random_hex(16);
      fresh.created_ms = logs.clock().now_ms();
      // Another environment may have been first.
      co_await logs.groups().create(std::move(fresh));
      group = logs.groups().find(self->target.group);
    }
    if (!group) co_return;
    auto opened = co_await logs.open(group);
    self->log = std::move(opened);
  }

  /// The group was deleted under a living environment, or could not be made before.
  void find_group_again() {
    const auto now = logs.clock().steady();
    if (finding || (sought && now - sought_at < kAskAgain)) return;
    finding = sought = true;
    sought_at = now;
    auto find = [self = shared_from_this()]() -> base::Task<void> {
      try {
        co_await find_group(self);
      } catch (const std::exception& error) {
        base::log::error("a log group could not be opened",
                         {{"group", self->target.group.name}, {"reason", error.what()}});
      }
      self->finding = false;
      self->flush();
    };
    asio::co_spawn(timer.get_executor(), std::move(find), asio::detached);
  }

  void write(std::string_view text) {
    const std::int64_t now_ms = logs.clock().now_ms();
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
      lines.push_back({now_ms, held.size(), end});
      held += text.substr(0, end);
      text.remove_prefix(end);
    }
    if (held.size() >= kHeldBytes) return flush();
    hold();
  }

  void write_record(std::string_view record) {
    lines.push_back({logs.clock().now_ms(), held.size(), record.size() + 1});
    held += record;
    held += '\n';
    if (held.size() >= kHeldBytes) return flush();
    hold();
  }

  void hold() {
    if (held_back || lines.empty()) return;
    held_back = true;
    timer.expires_after(kHold);
    timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
      self->held_back = false;
      if (!error) self->flush();
    });
  }

  void drop(std::string_view reason) {
    dropped.at({std::string(reason)}).add(lines.size());
    forget_lines();
  }
  void forget_lines() {
    lines.clear();
    held.clear();
  }

  void flush() {
    if (lines.empty()) return;
    if (!may_write()) return drop("role");
    if (!log || log->gone()) {
      log.reset();
      find_group_again();
      // They wait for the group, as long as they are few.
      if (finding && held.size() < kHeldBytes) return;
      return drop("group");
    }
    events.clear();
    for (const Line& line : lines)
      events.push_back({line.time_ms, std::string_view(held).substr(line.begin, line.length)});
    try {
      log->append(target.stream, events, true);
      logs.store().wrote(log);
      kept.add(events.size());
      forget_lines();
    } catch (const std::exception& error) {
      base::log::error("a function's log could not be written",
                       {{"group", target.group.name}, {"reason", error.what()}});
      drop("disk");
    }
  }

  Logs& logs;
  base::Counter& kept;
  base::Family<base::Counter>& dropped;
  const FunctionLogTarget target;
  asio::steady_timer timer;
  std::shared_ptr<store::GroupLog> log;
  std::string held;
  std::vector<Line> lines;
  std::vector<store::LogEvent> events;
  bool held_back = false;
  bool finding = false;
  bool asked = false, allowed = false, sought = false;
  base::SteadyTime asked_at, sought_at;
};

FunctionLog::FunctionLog(std::shared_ptr<State> state) : state_(std::move(state)) {}

FunctionLog::~FunctionLog() {
  state_->flush();
  state_->timer.cancel();
}

void FunctionLog::write(std::string_view lines) { state_->write(lines); }
void FunctionLog::write_record(std::string_view record) { state_->write_record(record); }
void FunctionLog::flush() { state_->flush(); }

FunctionLogs::FunctionLogs(Logs& logs, base::Metrics& metrics)
    : logs_(logs),
      kept_(metrics.counter("lambent_log_events_total", "Events that functions and the platform wrote to log groups.")),
      dropped_(metrics.counter("lambent_log_events_dropped_total",
                               "Events of functions that were not kept: the role does not allow it, the group is "
                               "missing, or the disk takes no more.",
                               {"reason"})) {}

base::Task<std::unique_ptr<FunctionLog>> FunctionLogs::open(FunctionLogTarget target) {
  const auto executor = co_await asio::this_coro::executor;
  auto state = std::make_shared<FunctionLog::State>(logs_, kept_.at({}), dropped_, std::move(target), executor);
  std::unique_ptr<FunctionLog> made(new FunctionLog(state));
  if (!state->may_write()) co_return made;
  try {
    co_await FunctionLog::State::find_group(state);
  } catch (const std::exception& error) {
    // A function runs without its log rather than not at all.
    base::log::error("a log group could not be opened",
                     {{"group", state->target.group.name}, {"reason", error.what()}});
  }
  co_return made;
}

}  // namespace lambent::logs
