#include "invoke/async/async_queue.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "aws/error.h"
#include "base/lanes.h"
#include "base/log.h"
#include "invoke/admission.h"
#include "invoke/async/attempt.h"
#include "invoke/async/backlog.h"

namespace lambent::invoke {

using base::Task;
using std::chrono::milliseconds;

namespace {

/// Rows being written after their event ran: what a kill may run again beyond what was running.
constexpr std::int32_t kUnsettled = 256;
constexpr milliseconds kWriteAgain{500};
/// The check of all rows at start goes through them in slices of so many bytes, with a pause between.
constexpr std::size_t kCheckSlice = 1 << 20;
constexpr milliseconds kCheckPause{5};
/// The Reason of TooManyRequestsException while too many events are being accepted.
constexpr const char* kTooManyAccepts = "CallerRateLimitExceeded";

/// Ids of events that are being written by accept(): a page may bring them before accept() does.
class Accepting {
 public:
  void begin(std::int64_t id) {
    const std::lock_guard lock(mutex_);
    ids_.insert(id);
  }
  void end(std::int64_t id) {
    const std::lock_guard lock(mutex_);
    ids_.erase(id);
  }
  bool has(std::int64_t id) const {
    const std::lock_guard lock(mutex_);
    return ids_.contains(id);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_set<std::int64_t> ids_;
};

/// Events to which the same is to be done, with places of their own: their functions are run, or their targets are told how they
/// ended. A target that hangs so keeps no function from running.
struct Stage {
  const store::AsyncKind kind;
  const std::int32_t places;
  Backlogs backlogs;
  // Read by the gauges from any thread.
  std::atomic<std::int64_t> depth{0};
  std::atomic<std::int64_t> oldest_ms{0};
  std::atomic<std::int32_t> running{0};
};

class LaneQueue final : public AsyncQueue {
 public:
  LaneQueue(AsyncOptions options, AsyncParts parts)
      : options_(options),
        parts_(std::move(parts)),
        attempts_(options_, parts_),
        runs_{store::AsyncKind::to_run, options.concurrency, Backlogs({options.window_events, options.window_bytes})},
        tells_{store::AsyncKind::to_tell, options.tellings,
               Backlogs({options.window_events, options.window_bytes / 4})},
        timer_(parts_.lane),
        accepted_(
            parts_.metrics.counter("lambent_async_accepted_total", "Events accepted for asynchronous invocation.")),
        damaged_(
            parts_.metrics.counter("lambent_async_damaged_total", "Events set aside because their row is damaged.")),
        throttled_(throttles(parts_.metrics).at({kTooManyAccepts})) {
    add_gauges();
  }

  Task<void> accept(NewEvent in) override;
  void start() override;
  Task<void> stop(milliseconds grace) override;
  Task<void> finish() override;

 private:
  void add_gauges();
  double age_s(std::int64_t since_ms) const;
  void find_rows(Stage& stage);
  void look_within(milliseconds time);
  void look_around();
  void look_at(Stage& stage);
  void grow(const Stage& stage, Backlog& backlog);
  std::optional<milliseconds> next_look(const Backlog& backlog, std::int64_t now_ms) const;
  Task<void> check_rows();
  void load(Stage& stage, Backlog& backlog);
  Task<void> load_page(Stage& stage, Backlog& backlog);
  void pump();
  Task<void> run(Stage& stage, Backlog& backlog, store::AsyncEventPointer event);
  void returned(Backlog& backlog, const Attempt& attempt);
  Task<void> settle(Stage& stage, Backlog& backlog, store::AsyncEventPointer event, Attempt attempt);
  Task<void> write(const std::function<Task<void>()>& work);
  Task<void> write_ended(Backlog& backlog, store::AsyncEventPointer event);
  Task<bool> pause(milliseconds time);
  template <class Work>
  void spawn(Work task);

  const AsyncOptions options_;
  const AsyncParts parts_;
  Attempts attempts_;
  Stage runs_, tells_;
  base::asio::steady_timer timer_;
  /// When the timer rings; nothing while it is off.
  std::optional<std::chrono::steady_clock::time_point> rings_at_;
  base::Family<base::Counter>& accepted_;
  base::Family<base::Counter>& damaged_;
  base::Counter& throttled_;
  Accepting accepting_;
  std::atomic<std::int32_t> accepts_{0};
  std::int32_t unsettled_ = 0;
  std::int32_t tasks_ = 0;
  std::atomic<bool> stopping_{false};
  /// What comes back from now on may have been killed: it says nothing of the function.
  bool finishing_ = false;
};

void LaneQueue::add_gauges() {
  base::Metrics& metrics = parts_.metrics;
  metrics.gauge("lambent_async_events", "Accepted events whose end is still open.",
                [this] { return static_cast<double>(runs_.depth.load() + tells_.depth.load()); });
  metrics.gauge("lambent_async_oldest_seconds", "Age of the oldest of them that is due, as far as known.",
                [this] { return std::max(age_s(runs_.oldest_ms), age_s(tells_.oldest_ms)); });
  metrics.gauge("lambent_async_running", "Events that run now.",
                [this] { return static_cast<double>(runs_.running.load()); });
  metrics.gauge("lambent_async_concurrency_limit", "Events that may run at once.",
                [this] { return static_cast<double>(options_.concurrency); });
  metrics.gauge("lambent_async_outcomes", "Events that have ended and whose targets are still to be told.",
                [this] { return static_cast<double>(tells_.depth.load()); });
  metrics.gauge("lambent_async_outcomes_oldest_seconds", "Age of the oldest of them that is due, as far as known.",
                [this] { return age_s(tells_.oldest_ms); });
  metrics.gauge("lambent_async_outcomes_running", "Outcomes that are being told now.",
                [this] { return static_cast<double>(tells_.running.load()); });
  metrics.gauge("lambent_async_outcomes_limit", "Outcomes that may be told at once.",
                [this] { return static_cast<double>(options_.tellings); });
}

double LaneQueue::age_s(std::int64_t since_ms) const {
  return since_ms == 0 ? 0.0 : static_cast<double>(parts_.clock.now_ms() - since_ms) / 1000;
}

/// Counted, so that finish() knows when all have ended; an exception is a broken invariant that the lane reports.
template <class Work>
void LaneQueue::spawn(Work task) {
  ++tasks_;
  base::asio::co_spawn(parts_.lane, std::move(task), [this](std::exception_ptr failure) {
    --tasks_;
    if (failure) std::rethrow_exception(failure);
  });
}

Task<void> LaneQueue::accept(NewEvent in) {
  if (stopping_) throw aws::Error("ServiceException", "The server is stopping.", 500);
  struct Count {
    std::atomic<std::int32_t>& count;
    std::int32_t before = count.fetch_add(1);
    ~Count() { count.fetch_sub(1); }
  };
  const Count count{accepts_};
  if (count.before >= options_.accepting) {
    throttled_.add();
    throw aws::Error("TooManyRequestsException", "Rate Exceeded.", 429)
        .with("Reason", kTooManyAccepts)
        .with("retryAfterSeconds", "1");
  }
  auto event = std::make_shared<store::AsyncEvent>();
  event->id = parts_.events.next_id();
  event->function = std::move(in.function);
  event->qualifier = std::move(in.qualifier);
  event->request_id = std::move(in.request_id);
  event->tenant_id = std::move(in.tenant_id);
  event->trace_header = std::move(in.trace_header);
  event->payload = std::move(in.payload);
  event->accepted_ms = event->due_ms = parts_.clock.now_ms();
  accepting_.begin(event->id);
  std::string failure;
  try {
    auto written = parts_.events.add(event);
    co_await std::move(written);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (!failure.empty()) {
    // It may turn out to be on disk: then a later start runs it, which an answer of 500 allows.
    accepting_.end(event->id);
    base::log::error("an event could not be accepted", {{"request_id", event->request_id}, {"reason", failure}});
    throw aws::Error("ServiceException", "The event could not be stored. Please retry.", 500);
  }
  accepted_.at({}).add();
  base::asio::post(parts_.lane, [this, event = std::move(event)] {
    accepting_.end(event->id);
    Backlog& backlog = runs_.backlogs.of(event->function);
    runs_.backlogs.arrived(backlog, event);
    runs_.backlogs.enlist(backlog, parts_.clock.now_ms());
    load(runs_, backlog);
    pump();
    look_within(options_.tick);
  });
}

void LaneQueue::find_rows(Stage& stage) {
  const std::int64_t now = parts_.clock.now_ms();
  for (const store::AsyncBacklog& found : parts_.events.backlogs(stage.kind)) {
    Backlog& backlog = stage.backlogs.of(found.function);
    stage.backlogs.count(backlog, found.events);
    backlog.first_accepted_ms = found.first_accepted_ms;
    if (found.first_due_ms <= now)
      backlog.more_on_disk = true;
    else
      backlog.wake_ms = found.first_due_ms;
  }
  stage.depth = stage.backlogs.events();
}

void LaneQueue::start() {
  find_rows(runs_);
  find_rows(tells_);
  const std::int64_t found = runs_.depth + tells_.depth;
  if (found > 0)
    base::log::info("events wait to be run, or their outcomes to be told",
                    {{"events", found}, {"outcomes", tells_.depth.load()}});
  base::asio::post(parts_.lane, [this, found] {
    if (found > 0) spawn(check_rows());
    look_around();
  });
}

/// False when the queue stops.
Task<bool> LaneQueue::pause(milliseconds time) {
  base::asio::steady_timer timer(parts_.lane);
  timer.expires_after(time);
  co_await timer.async_wait(base::asio::use_awaitable);
  co_return !stopping_;
}

/// One timer for all functions: what is asked for later than it rings anyway is found then.
void LaneQueue::look_within(milliseconds time) {
  if (stopping_) return;
  const auto at = std::chrono::steady_clock::now() + time;
  if (rings_at_ && *rings_at_ <= at) return;
  rings_at_ = at;
  timer_.expires_at(at);
  ++tasks_;
  timer_.async_wait([this](boost::system::error_code ended) {
    --tasks_;
    if (ended || stopping_) return;
    rings_at_.reset();
    look_around();
  });
}

/// When the function is to be looked at again though nothing happens to it; nothing when that need not be.
std::optional<milliseconds> LaneQueue::next_look(const Backlog& backlog, std::int64_t now_ms) const {
  std::optional<milliseconds> next;
  const auto by = [&](std::int64_t ms) {
    const auto time = std::clamp(milliseconds(ms), milliseconds(1), options_.longest_sleep);
    next = std::min(next.value_or(time), time);
  };
  if (backlog.wake_ms) by(*backlog.wake_ms - now_ms);
  if (!backlog.window.empty() && backlog.paused_until_ms > now_ms)
    by(backlog.paused_until_ms - now_ms);
  else if (!backlog.window.empty() || backlog.more_on_disk)
    by(options_.tick.count());
  return next;
}

/// What has become due, may run again after a pause, or may run more of at once.
void LaneQueue::look_around() {
  look_at(runs_);
  look_at(tells_);
  pump();
}

/// May more of them run, or be told, at once?
void LaneQueue::grow(const Stage& stage, Backlog& backlog) {
  const base::SteadyTime now = parts_.clock.steady();
  // A target that says nothing is not asked by more.
  if (stage.kind == store::AsyncKind::to_tell)
    return backlog.ramp.waiting(now, backlog.running, stage.places, Ramp::Silence::hold);
  const std::int32_t most = parts_.concurrency.limits(backlog.function).reserved.value_or(stage.places);
  backlog.ramp.waiting(now, backlog.running, std::max(1, most));
}

void LaneQueue::look_at(Stage& stage) {
  const std::int64_t now = parts_.clock.now_ms();
  std::int64_t oldest = 0;
  auto& all = stage.backlogs.all();
  for (auto at = all.begin(); at != all.end();) {
    Backlog& backlog = (at++)->second;
    if (backlog.wake_ms && *backlog.wake_ms <= now) {
      backlog.wake_ms.reset();
      backlog.more_on_disk = true;
    }
    if (!backlog.window.empty()) backlog.first_accepted_ms = backlog.window.front()->accepted_ms;
    if (!backlog.window.empty()) grow(stage, backlog);
    stage.backlogs.enlist(backlog, now);
    load(stage, backlog);
    const bool due = !backlog.window.empty() || backlog.more_on_disk || backlog.running > 0;
    if (due && (oldest == 0 || backlog.first_accepted_ms < oldest)) oldest = backlog.first_accepted_ms;
    if (const auto next = next_look(backlog, now)) look_within(*next);
    stage.backlogs.forget_if_done(backlog);
  }
  stage.oldest_ms = oldest;
}

/// Goes through every row once, so that damage is told at start and not when its turn comes.
Task<void> LaneQueue::check_rows() {
  std::int64_t after = 0;
  while (!stopping_) {
    store::AsyncEvents::Checked checked;
    try {
      auto work = parts_.events.check(after, kCheckSlice);
      checked = co_await std::move(work);
    } catch (const std::exception& error) {
      base::log::error("accepted events could not be checked", {{"reason", error.what()}});
      co_return;
    }
    damaged_.at({}).add(checked.damaged);
    if (checked.at_end) co_return;
    after = checked.last_id;
    co_await pause(kCheckPause);
  }
}

void LaneQueue::load(Stage& stage, Backlog& backlog) {
  if (stopping_ || !stage.backlogs.wants_page(backlog)) return;
  backlog.loading = true;
  backlog.more_on_disk = false;
  spawn(load_page(stage, backlog));
}

Task<void> LaneQueue::load_page(Stage& stage, Backlog& backlog) {
  const std::int64_t now = parts_.clock.now_ms();
  store::AsyncEvents::Bounds bounds;
  bounds.events = std::max<std::size_t>(1, options_.window_events / 2);
  store::AsyncEvents::Page page;
  bool failed = false;
  try {
    auto work = parts_.events.load(backlog.function, stage.kind, now, backlog.held, bounds);
    page = co_await std::move(work);
  } catch (const std::exception& error) {
    base::log::error("accepted events could not be read", {{"reason", error.what()}});
    failed = true;
  }
  if (failed) co_await pause(kWriteAgain);
  backlog.loading = false;
  if (failed) backlog.more_on_disk = true;
  for (store::AsyncEventPointer& event : page.events)
    if (!accepting_.has(event->id)) stage.backlogs.loaded(backlog, std::move(event));
  damaged_.at({}).add(page.damaged);
  stage.backlogs.count(backlog, -static_cast<std::int64_t>(page.damaged));
  if (page.next_due_ms) {
    if (*page.next_due_ms <= now)
      backlog.more_on_disk = true;
    else
      backlog.wake_ms = std::min(backlog.wake_ms.value_or(*page.next_due_ms), *page.next_due_ms);
  }
  stage.backlogs.enlist(backlog, now);
  pump();
  look_within(options_.tick);
}

void LaneQueue::pump() {
  const std::int64_t now = parts_.clock.now_ms();
  for (Stage* const stage : {&runs_, &tells_}) {
    while (!stopping_ && stage->running < stage->places && unsettled_ < kUnsettled) {
      auto turn = stage->backlogs.next(now);
      if (!turn) break;
      ++stage->running;
      spawn(run(*stage, *turn->backlog, std::move(turn->event)));
      load(*stage, *turn->backlog);
    }
    stage->depth = stage->backlogs.events();
  }
}

Task<void> LaneQueue::run(Stage& stage, Backlog& backlog, store::AsyncEventPointer event) {
  auto work = attempts_.attempt(event);
  Attempt attempt = co_await std::move(work);
  --stage.running;
  returned(backlog, attempt);
  // A refusal for want of a place costs nothing: the event waits in memory. While finishing, what came back may have been killed
  // and the row stays as it is.
  if (finishing_) co_return;
  if (attempt.end == Attempt::End::throttled) {
    stage.backlogs.give_back(backlog, std::move(event));
    stage.backlogs.enlist(backlog, parts_.clock.now_ms());
    pump();
    look_within(options_.tick);
    co_return;
  }
  ++unsettled_;
  stage.backlogs.enlist(backlog, parts_.clock.now_ms());
  pump();
  auto settled = settle(stage, backlog, std::move(event), std::move(attempt));
  co_await std::move(settled);
}

void LaneQueue::returned(Backlog& backlog, const Attempt& attempt) {
  --backlog.running;
  if (attempt.end == Attempt::End::settled) {
    backlog.throttles = 0;
    backlog.ramp.completed();
    return;
  }
  if (attempt.end == Attempt::End::unreachable) return backlog.ramp.unreachable();
  backlog.ramp.throttled(backlog.running);
  // With some of its own still running, the next of them that ends makes a place; else others have them all.
  if (backlog.running > 0) return;
  ++backlog.throttles;
  backlog.paused_until_ms = parts_.clock.now_ms() + backoff_ms(backlog.throttles, options_.time_scale);
}

/// Until it succeeds: the event has run, and only the disk keeps this from being known after a restart.
Task<void> LaneQueue::write(const std::function<Task<void>()>& work) {
  while (true) {
    bool written = false;
    try {
      auto task = work();
      co_await std::move(task);
      written = true;
    } catch (const std::exception& error) {
      base::log::error("what became of an event could not be written", {{"reason", error.what()}});
    }
    if (written) co_return;
    const bool again = co_await pause(kWriteAgain);
    if (!again) co_return;
  }
}

/// Its function is done with it: the row says how it ended before anybody is told.
Task<void> LaneQueue::write_ended(Backlog& backlog, store::AsyncEventPointer event) {
  // A page that is read meanwhile must not bring it.
  Backlog& outcomes = tells_.backlogs.of(event->function);
  outcomes.held.insert(event->id);
  const std::function<Task<void>()> update = [this, event] { return parts_.events.update(event); };
  co_await write(update);
  backlog.held.erase(event->id);
  runs_.backlogs.count(backlog, -1);
  // Told at once, from memory as far as there is room.
  outcomes.held.erase(event->id);
  tells_.backlogs.arrived(outcomes, event);
  tells_.backlogs.enlist(outcomes, parts_.clock.now_ms());
  load(tells_, outcomes);
}

Task<void> LaneQueue::settle(Stage& stage, Backlog& backlog, store::AsyncEventPointer event, Attempt attempt) {
  if (const store::AsyncEventPointer next = attempt.next) {
    if (&stage == &runs_ && !next->notice.empty()) {
      auto ended = write_ended(backlog, next);
      co_await std::move(ended);
    } else {
      const std::function<Task<void>()> update = [this, next] { return parts_.events.update(next); };
      co_await write(update);
      backlog.held.erase(next->id);
      backlog.wake_ms = std::min(backlog.wake_ms.value_or(next->due_ms), next->due_ms);
    }
  } else {
    const std::int64_t id = event->id;
    const std::function<Task<void>()> remove = [this, id] { return parts_.events.remove(id); };
    co_await write(remove);
    backlog.held.erase(id);
    stage.backlogs.count(backlog, -1);
  }
  --unsettled_;
  stage.backlogs.enlist(backlog, parts_.clock.now_ms());
  load(stage, backlog);
  pump();
  look_within(options_.tick);
}

Task<void> LaneQueue::stop(milliseconds grace) {
  auto work = [this, grace]() -> Task<void> {
    stopping_ = true;
    timer_.cancel();
    const auto deadline = std::chrono::steady_clock::now() + grace;
    while ((runs_.running > 0 || tells_.running > 0 || unsettled_ > 0) && std::chrono::steady_clock::now() < deadline)
      co_await pause(milliseconds(5));
    finishing_ = true;
  };
  co_await base::on(parts_.lane, work);
}

Task<void> LaneQueue::finish() {
  auto work = [this]() -> Task<void> {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (tasks_ > 0 && std::chrono::steady_clock::now() < deadline) co_await pause(milliseconds(5));
  };
  co_await base::on(parts_.lane, work);
}

}  // namespace

std::unique_ptr<AsyncQueue> make_async_queue(AsyncOptions options, AsyncParts parts) {
  return std::make_unique<LaneQueue>(options, std::move(parts));
}

}  // namespace lambent::invoke
