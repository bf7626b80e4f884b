// One execution environment of one function: its sandbox, its Runtime API, its log and its way to the API, from the start of its
// init to its shutdown.
//
// Lives on the lane of its function. It runs one invocation at a time. After a failure that ended its processes it is reset by
// the next invocation: everything inside starts anew and /tmp stays, as on AWS ("Lambda execution environment lifecycle").
// Destroying it kills what is inside; shut_down() lets extensions end first.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "invoke/engine.h"
#include "invoke/failures.h"
#include "invoke/lifecycle_log.h"
#include "invoke/log_capture.h"
#include "runtime_api/runtime_api.h"
#include "sandbox/sandbox.h"

namespace lambent::invoke {

class Sandboxes;

class Environment {
 public:
  /// An idle environment is frozen after so long: invocations that follow each other closely do not pay for it.
  static constexpr std::chrono::milliseconds kFreezeAfter{20};
  /// An answer waits so long for its runtime to ask for the next event: official clients do right after it, and whoever invokes
  /// again at once then finds this environment and not a new one.
  static constexpr std::chrono::milliseconds kNextGrace{2};
  /// What everything inside gets to end in: with external extensions, else with internal ones, which are parts of the runtime
  /// and have so much of the former, too. The runtime's own part of the former without internal ones ("Lambda Extensions API",
  /// "Shutdown phase").
  static constexpr std::chrono::milliseconds kShutdownExternal{2000}, kShutdownInternal{500}, kShutdownRuntime{300};
  /// Threads leave the freezer one by one, and the kernel gives a signal to the first of them; in some languages only the main
  /// thread acts on it. So long they have before SIGTERM (without, Python missed three of three hundred).
  static constexpr std::chrono::milliseconds kThawing{10};

  /// Takes a sandbox; init begins at once and may last `init_limit`. Whoever provisions calls initialize() next. Throws std::runtime_error when there is no sandbox to be
  /// had and aws::Error for a runtime or role that is gone.
  static base::Task<std::unique_ptr<Environment>> launch(const EngineParts& parts, Sandboxes& sandboxes,
                                                         base::asio::io_context& lane, store::FunctionSnapshot function,
                                                         std::chrono::milliseconds init_limit, Purpose purpose = {});
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  /// Init without an invocation, once. False when it failed: the environment is not intact then.
  base::Task<bool> initialize();
  /// One event, from START to REPORT, after what is left of init or after a reset. It ends with the runtime's answer, which
  /// leaves then; the environment is busy until idle(). Nothing when a reset failed: the invocation has not begun and the
  /// environment is of no use.
  base::Task<std::optional<Outcome>> invoke(const Invocation& invocation);
  /// The runtime and the extensions have asked for their next events and the invocation is reported.
  bool idle() const;
  /// Ends when idle() or not usable(), at the function's time limit at the latest.
  base::Task<void> settle();
  /// Nobody waits for it: it is frozen soon, until the next invocation.
  void rest();

  /// Lets the extensions know and waits for them within their budget, then end(). At once without extensions.
  base::Task<void> shut_down();
  /// shut_down() would wait.
  bool has_extensions() const { return usable() && !runtime_api_->extensions().none(); }
  /// Kills what is inside; whoever waits for an answer gets the outcome of a process that was killed. Idempotent.
  void end();
  bool usable() const { return state_ != State::ended; }
  /// Initialised, and nothing has ended since: its next invocation finds it as it is, without a reset.
  bool intact() const { return state_ == State::ready; }
  /// `observer` is called on the lane when what is inside has ended between invocations.
  void when_broken(std::function<void()> observer) { when_broken_ = std::move(observer); }
  bool provisioned() const { return purpose_.initialization == Initialization::provisioned; }
  const std::string& tenant_id() const { return purpose_.tenant_id; }
  const store::FunctionVersion& function() const { return *function_; }
  /// Is still what a function like `wanted` needs.
  bool serves(const store::FunctionVersion& wanted) const;

  std::int32_t peak_memory_mib() const { return sandbox_->peak_memory_mib(); }

  base::SteadyTime launched_at() const { return launched_at_; }
  /// How long its init took, and another one's might.
  std::chrono::milliseconds made_in() const { return made_in_; }
  base::SteadyTime idle_since = {};

 private:
  enum class State {
    starting,  // in the init phase
    ready,
    broken,  // to be reset before its next invocation
    ended,
  };
  struct Timer;
  /// An invocation whose REPORT waits for the extensions.
  struct Unreported {
    InvocationReport report;
    base::SteadyTime begin;
  };

  Environment(const EngineParts& parts, base::asio::io_context& lane, store::FunctionSnapshot function,
              Purpose purpose);
  void attach(std::unique_ptr<sandbox::Sandbox> sandbox);
  void watch_ends();
  void print(LogCapture::Source source, std::string_view text);
  void deadline_at(base::SteadyTime deadline);
  void deadline_came();
  void thaw();
  base::Task<void> wait_until(std::function<bool()> condition, base::SteadyTime deadline);

  base::Task<std::optional<runtime_api::Answer>> initialize(InitPhase phase, base::SteadyTime deadline);
  base::Task<bool> reset();
  Ending ending_of_init(const runtime_api::Answer& answer) const;
  Outcome failed_init(const Invocation& invocation, runtime_api::Answer answer, base::SteadyTime begin);
  Outcome outcome_of(const Invocation& invocation, runtime_api::Answer answer, Ending& ending);
  Failure failure_of(std::string_view request_id, const runtime_api::Answer& answer) const;
  void break_down();
  void broke_by_itself();
  void say_runtime_done();
  void report(InvocationReport what);
  void keep_log();
  /// The part of settle() that a caller who wants the whole log waits for.
  base::Task<void> await_report();
  base::Task<void> shut_extensions_down(std::string_view reason);

  const EngineParts& parts_;
  base::asio::io_context& lane_;
  store::FunctionSnapshot function_;
  const Purpose purpose_;
  std::function<void()> when_broken_;
  std::string log_stream_;
  std::string runtime_version_;
  /// What restart() needs.
  std::vector<std::string> argv_, environment_, extensions_;
  base::SteadyTime launched_at_, restarted_at_;
  base::SteadyTime init_deadline_;
  std::chrono::milliseconds made_in_{0};
  /// Until it is reported.
  std::optional<std::chrono::microseconds> init_took_;

  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<runtime_api::RuntimeApi> runtime_api_;
  std::unique_ptr<base::http::Server> api_;
  // Before what writes to it.
  std::unique_ptr<LogStream> kept_log_;
  std::unique_ptr<LogCapture> capture_;
  std::unique_ptr<LifecycleLog> log_;
  std::optional<sandbox::Exit> exit_;
  /// Of an answer whose runtime has not asked for its next event yet.
  std::optional<RuntimeDone> undone_;
  /// When the runtime asked for the event after the one that it was given last.
  std::optional<base::SteadyTime> asked_;
  std::optional<Unreported> unreported_;
  std::shared_ptr<Timer> timer_;
  State state_ = State::starting;
  bool deadline_passed_ = false;
  bool frozen_ = false;
};

}  // namespace lambent::invoke
