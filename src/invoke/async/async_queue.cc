#include "invoke/async/async_queue.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "aws/error.h"
#include "base/lanes.h"
#include "base/log.h"
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

class LaneQueue final : public AsyncQueue {
 public:
  LaneQueue(AsyncOptions options, AsyncParts parts)
      : options_(options),
        parts_(std::move(parts)),
        attempts_(options_, parts_),
        backlogs_({options.window_events, options.window_bytes}),
        timer_(parts_.lane),
        accepted_(
            parts_.metrics.counter("lambent_async_accepted_total", "Events accepted for asynchronous invocation.")),
        damaged_(
            parts_.metrics.counter("lambent_async_damaged_total", "Events set aside because their row is damaged.")) {
    add_gauges();
  }

  Task<void> accept(NewEvent in) override;
  void start() override;
  Task<void> stop(milliseconds grace) override;
  Task<void> finish() override;

 private:
  void add_gauges();
  void look_within(milliseconds time);
  void look_around();
  std::optional<milliseconds> next_look(const Backlog& backlog, std::int64_t now_ms) const;
  Task<void> check_rows();
  void load(Backlog& backlog);
  Task<void> load_page(Backlog& backlog);
  void pump();
  Task<void> run(Backlog& backlog, store::AsyncEventPointer event);
  void returned(Backlog& backlog, const Attempt& attempt);
  Task<void> settle(Backlog& backlog, store::AsyncEventPointer event, Attempt attempt);
  Task<void> write(const std::function<Task<void>()>& work);
  Task<bool> pause(milliseconds time);
  template <class Work>
  void spawn(Work task);

  const AsyncOptions options_;
  const AsyncParts parts_;
  Attempts attempts_;
  Backlogs backlogs_;
  base::asio::steady_timer timer_;
  /// When the timer rings; nothing while it is off.
  std::optional<std::chrono::steady_clock::time_point> look_at_;
  base::Family<base::Counter>& accepted_;
  base::Family<base::Counter>& damaged_;
  Accepting accepting_;
  std::atomic<std::int32_t> accepts_{0};
  // Read by the gauges from any thread.
  std::atomic<std::int64_t> depth_{0};
  std::atomic<std::int64_t> oldest_ms_{0};
  std::atomic<std::int32_t> running_{0};
  std::int32_t unsettled_ = 0;
  std::int32_t tasks_ = 0;
  std::atomic<bool> stopping_{false};
  /// What comes back from now on may have been killed: it says nothing of the function.
  bool finishing_ = false;
};

void LaneQueue::add_gauges() {
  base::Metrics& metrics = parts_.metrics;
  metrics.gauge("lambent_async_events", "Accepted events whose end is still open.",
                [this] { return static_cast<double>(depth_.load()); });
  metrics.gauge("lambent_async_oldest_seconds", "Age of the oldest of them that is due, as far as known.", [this] {
    const std::int64_t oldest_ms = oldest_ms_.load();
    return oldest_ms == 0 ? 0.0 : static_cast<double>(parts_.clock.now_ms() - oldest_ms) / 1000;
  });
  metrics.gauge("lambent_async_running", "Events that run now.",
                [this] { return static_cast<double>(running_.load()); });
  metrics.gauge("lambent_async_concurrency_limit", "Events that may run at once.",
                [this] { return static_cast<double>(options_.concurrency); });
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
  if (count.before >= options_.accepting)
    throw aws::Error("TooManyRequestsException", "Rate Exceeded.", 429)
        .with("Reason", "CallerRateLimitExceeded")
        .with("retryAfterSeconds", "1");
  auto event = std::make_shared<store::AsyncEvent>();
  event->id = parts_.events.next_id();
  event->function = std::move(in.function);
  event->qualifier = std::move(in.qualifier);
  event->request_id = std::move(in.request_id);
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
    Backlog& backlog = backlogs_.of(event->function);
    backlogs_.arrived(backlog, event);
    backlogs_.enlist(backlog, parts_.clock.now_ms());
    load(backlog);
    pump();
    look_within(options_.tick);
  });
}

void LaneQueue::start() {
  const std::int64_t now = parts_.clock.now_ms();
  for (const store::AsyncBacklog& found : parts_.events.backlogs()) {
    Backlog& backlog = backlogs_.of(found.function);
    backlogs_.count(backlog, found.events);
    backlog.first_accepted_ms = found.first_accepted_ms;
    if (found.first_due_ms <= now)
      backlog.more_on_disk = true;
    else
      backlog.wake_ms = found.first_due_ms;
  }
  if (backlogs_.events() > 0) base::log::info("events wait to be run", {{"events", backlogs_.events()}});
  depth_ = backlogs_.events();
  base::asio::post(parts_.lane, [this] {
    if (backlogs_.events() > 0) spawn(check_rows());
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
  if (look_at_ && *look_at_ <= at) return;
  look_at_ = at;
  timer_.expires_at(at);
  ++tasks_;
  timer_.async_wait([this](boost::system::error_code ended) {
    --tasks_;
    if (ended || stopping_) return;
    look_at_.reset();
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
  const std::int64_t now = parts_.clock.now_ms();
  std::int64_t oldest = 0;
  auto& all = backlogs_.all();
  for (auto at = all.begin(); at != all.end();) {
    Backlog& backlog = (at++)->second;
    if (backlog.wake_ms && *backlog.wake_ms <= now) {
      backlog.wake_ms.reset();
      backlog.more_on_disk = true;
    }
    if (!backlog.window.empty()) {
      const std::int32_t most = parts_.concurrency.limits(backlog.function).reserved.value_or(options_.concurrency);
      backlog.ramp.waiting(parts_.clock.steady(), backlog.running, std::max(1, most));
      backlog.first_accepted_ms = backlog.window.front()->accepted_ms;
    }
    backlogs_.enlist(backlog, now);
    load(backlog);
    const bool due = !backlog.window.empty() || backlog.more_on_disk || backlog.running > 0;
    if (due && (oldest == 0 || backlog.first_accepted_ms < oldest)) oldest = backlog.first_accepted_ms;
    if (const auto next = next_look(backlog, now)) look_within(*next);
    backlogs_.forget_if_done(backlog);
  }
  oldest_ms_ = oldest;
  depth_ = backlogs_.events();
  pump();
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

void LaneQueue::load(Backlog& backlog) {
  if (stopping_ || !backlogs_.wants_page(backlog)) return;
  backlog.loading = true;
  backlog.more_on_disk = false;
  spawn(load_page(backlog));
}

Task<void> LaneQueue::load_page(Backlog& backlog) {
  const std::int64_t now = parts_.clock.now_ms();
  store::AsyncEvents::Bounds bounds;
  bounds.events = std::max<std::size_t>(1, options_.window_events / 2);
  store::AsyncEvents::Page page;
  bool failed = false;
  try {
    auto work = parts_.events.load(backlog.function, now, backlog.held, bounds);
    page = co_await std::move(work);
  } catch (const std::exception& error) {
    base::log::error("accepted events could not be read", {{"reason", error.what()}});
    failed = true;
  }
  if (failed) co_await pause(kWriteAgain);
  backlog.loading = false;
  if (failed) backlog.more_on_disk = true;
  for (store::AsyncEventPointer& event : page.events)
    if (!accepting_.has(event->id)) backlogs_.loaded(backlog, std::move(event));
  damaged_.at({}).add(page.damaged);
  backlogs_.count(backlog, -static_cast<std::int64_t>(page.damaged));
  if (page.next_due_ms) {
    if (*page.next_due_ms <= now)
      backlog.more_on_disk = true;
    else
      backlog.wake_ms = std::min(backlog.wake_ms.value_or(*page.next_due_ms), *page.next_due_ms);
  }
  backlogs_.enlist(backlog, now);
  pump();
  look_within(options_.tick);
}

void LaneQueue::pump() {
  const std::int64_t now = parts_.clock.now_ms();
  while (!stopping_ && running_ < options_.concurrency && unsettled_ < kUnsettled) {
    auto turn = backlogs_.next(now);
    if (!turn) break;
    ++running_;
    spawn(run(*turn->backlog, std::move(turn->event)));
    load(*turn->backlog);
  }
  depth_ = backlogs_.events();
}

Task<void> LaneQueue::run(Backlog& backlog, store::AsyncEventPointer event) {
  auto work = attempts_.attempt(event);
  Attempt attempt = co_await std::move(work);
  --running_;
  returned(backlog, attempt);
  // A refusal for want of a place costs nothing: the event waits in memory. While finishing, what came back may have been killed
  // and the row stays as it is.
  if (finishing_) co_return;
  if (attempt.end == Attempt::End::throttled) {
    backlogs_.give_back(backlog, std::move(event));
    backlogs_.enlist(backlog, parts_.clock.now_ms());
    pump();
    look_within(options_.tick);
    co_return;
  }
  ++unsettled_;
  backlogs_.enlist(backlog, parts_.clock.now_ms());
  pump();
  auto settled = settle(backlog, std::move(event), std::move(attempt));
  co_await std::move(settled);
}

void LaneQueue::returned(Backlog& backlog, const Attempt& attempt) {
  --backlog.running;
  if (attempt.end != Attempt::End::throttled) {
    backlog.throttles = 0;
    backlog.ramp.completed();
    return;
  }
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

Task<void> LaneQueue::settle(Backlog& backlog, store::AsyncEventPointer event, Attempt attempt) {
  if (const store::AsyncEventPointer next = attempt.next) {
    const std::function<Task<void>()> update = [this, next] { return parts_.events.update(next); };
    co_await write(update);
    if (next->due_ms <= parts_.clock.now_ms()) {
      // It has ended, and its targets are told at once from memory; the row says so too by now.
      backlogs_.give_back(backlog, next);
    } else {
      backlog.held.erase(next->id);
      backlog.wake_ms = std::min(backlog.wake_ms.value_or(next->due_ms), next->due_ms);
    }
  } else {
    const std::int64_t id = event->id;
    const std::function<Task<void>()> remove = [this, id] { return parts_.events.remove(id); };
    co_await write(remove);
    backlog.held.erase(id);
    backlogs_.count(backlog, -1);
  }
  --unsettled_;
  backlogs_.enlist(backlog, parts_.clock.now_ms());
  load(backlog);
  pump();
  look_within(options_.tick);
}

Task<void> LaneQueue::stop(milliseconds grace) {
  auto work = [this, grace]() -> Task<void> {
    stopping_ = true;
    timer_.cancel();
    const auto deadline = std::chrono::steady_clock::now() + grace;
    while ((running_ > 0 || unsettled_ > 0) && std::chrono::steady_clock::now() < deadline)
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
