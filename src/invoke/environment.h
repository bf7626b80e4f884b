// One execution environment of one function: its sandbox, its Runtime API, its log and its way to the API.
//
// Lives on the lane of its function. It runs one invocation at a time; after a failure that ended its process it is not
// usable() again. Destroying it kills what is inside.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "invoke/engine.h"
#include "invoke/failures.h"
#include "invoke/log_capture.h"
#include "invoke/spares.h"
#include "runtime_api/runtime_api.h"
#include "sandbox/sandbox.h"

namespace lambent::invoke {

/// How a start of the runtime ended.
enum class Init { ready, failed, timed_out };

class Environment {
 public:
  /// Launches the sandbox; the runtime starts at once. Throws std::runtime_error when there is no sandbox to be had and
  /// aws::Error for a runtime or role that is gone.
  static base::Task<std::unique_ptr<Environment>> launch(const EngineParts& parts, Sandboxes& sandboxes,
                                                         base::asio::io_context& lane,
                                                         store::FunctionSnapshot function);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  /// Waits for the runtime to ask for its first event, at most `limit` since the launch. Once.
  base::Task<Init> initialize(std::chrono::milliseconds limit);
  /// One event, from START to REPORT. `budget` is what the function's Timeout leaves, in milliseconds.
  base::Task<Outcome> invoke(const Invocation& invocation, std::chrono::milliseconds budget);
  /// The outcome of an invocation whose environment did not get through its initialization.
  Outcome init_outcome(const Invocation& invocation, Init init, std::chrono::milliseconds took);

  /// Kills what is inside; whoever waits for an answer gets the outcome of a process that was killed. Idempotent.
  void end();
  bool usable() const { return !ended_; }
  /// Is still what a function like `wanted` needs.
  bool serves(const store::FunctionVersion& wanted) const;

  /// The most that it has used, in MiB.
  std::int32_t peak_memory_mib() const { return sandbox_->peak_memory_mib(); }
  base::SteadyTime launched_at() const { return launched_at_; }
  base::SteadyTime idle_since = {};

 private:
  struct Timer;

  Environment(const EngineParts& parts, base::asio::io_context& lane, store::FunctionSnapshot function);
  void attach(std::unique_ptr<sandbox::Sandbox> sandbox);
  void end_at(base::SteadyTime deadline);
  Failure failure_of(const Invocation& invocation);
  void begin_log(const Invocation& invocation);
  Outcome finish(const Invocation& invocation, Outcome outcome, std::chrono::microseconds took, std::string_view status,
                 std::string_view error_type);

  const EngineParts& parts_;
  base::asio::io_context& lane_;
  store::FunctionSnapshot function_;
  std::string log_stream_;
  std::string runtime_line_;
  base::SteadyTime launched_at_;
  std::optional<std::chrono::microseconds> init_took_;
  bool init_reported_ = false;

  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<runtime_api::RuntimeApi> runtime_api_;
  std::unique_ptr<base::http::Server> api_;
  std::unique_ptr<LogCapture> log_;
  std::optional<runtime_api::Answer> init_answer_;
  std::optional<sandbox::Exit> exit_;
  std::shared_ptr<Timer> timer_;
  bool ended_ = false;
  bool deadline_passed_ = false;
};

}  // namespace lambent::invoke
