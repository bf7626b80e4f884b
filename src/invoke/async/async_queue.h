// Asynchronous invocations: an event is durable before it is accepted, runs at least once, and ends in success, in its
// destination or dead-letter queue, or in the log with its reason.
//
// The rows (store/async_events.h) are the truth; what is here in memory is a bounded window in front of them, so that a kill at
// any line loses nothing: at the next start the rows are found as they were. An event is run again with the same request id when
// the function failed (about one and two minutes later), when it was throttled or when the platform could not run it (back-off
// from 1 s to 5 min) until it is too old. What its targets are to be told is written to the row before they are told, and the row
// is removed after. Functions take turns; each has as many events running as gets more done (ramp.h). Telling has places of its own:
// a target that hangs keeps no function from running, and of the telling takes no more than its function's part.
//
// Owned by the composition root. Everything but accept() happens on one lane, whose work ends with finish().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "aws/targets.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/task.h"
#include "invoke/engine.h"
#include "store/async_events.h"
#include "store/concurrency.h"
#include "store/event_invoke_configs.h"

namespace lambent::invoke {

struct AsyncOptions {
  /// Waits and ages pass so many times faster: for tests of what takes hours.
  double time_scale = 1;
  /// Events that run at once, of all functions; what is left of the account's concurrency is for those who wait for answers.
  std::int32_t concurrency = 900;
  /// Events that have ended and whose targets are told at once, of all functions. They take no place of those that run.
  std::int32_t tellings = 128;
  /// Events and bytes of payload in memory at once; of those that have ended a quarter of the bytes more.
  std::size_t window_events = 64;
  std::size_t window_bytes = 64 << 20;
  /// Accepts under way at once; more are throttled.
  std::int32_t accepting = 4096;
  /// How soon after a change, and how often while events wait for a place, all functions are looked at. Nothing is while nothing waits.
  std::chrono::milliseconds tick{50};
  /// No later than this is it looked again while an event waits for its time: the wall clock may be set meanwhile.
  std::chrono::milliseconds longest_sleep{60'000};
};

/// What the queue stands on; all of it outlives the queue.
struct AsyncParts {
  base::asio::io_context& lane;
  /// One that admits (admission.h).
  Engine& engine;
  store::AsyncEvents& events;
  const store::EventInvokeConfigs& configs;
  const store::Concurrency& concurrency;
  aws::Targets& targets;
  const base::Clock& clock;
  base::Metrics& metrics;
  /// The version that a function's qualifier (empty for none) means now; null when it is gone. Any thread.
  std::function<store::FunctionSnapshot(const store::FunctionKey&, const std::string& qualifier)> resolve;
};

/// An event as it comes in, checked and authorized.
struct NewEvent {
  store::FunctionKey function;
  std::string qualifier;
  std::string request_id;
  std::string tenant_id;
  std::string trace_header;
  std::string payload;
};

class AsyncQueue {
 public:
  virtual ~AsyncQueue() = default;
  /// Durable when the task ends. Throws aws::Error: TooManyRequestsException (429) when too many are being written,
  /// ServiceException (500) when the event could not be written. Any lane.
  virtual base::Task<void> accept(NewEvent event) = 0;
  /// Begins to run what a former process accepted. Before the first accept.
  virtual void start() = 0;
  /// Begins no more invocations and waits for those that run, at most `grace`. What is queued stays.
  virtual base::Task<void> stop(std::chrono::milliseconds grace) = 0;
  /// After the engine was stopped: waits for what still runs here, at most five seconds.
  virtual base::Task<void> finish() = 0;
};

std::unique_ptr<AsyncQueue> make_async_queue(AsyncOptions options, AsyncParts parts);

}  // namespace lambent::invoke
