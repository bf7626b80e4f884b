#include "invoke/environment.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>

#include "aws/error.h"
#include "base/ids.h"
#include "base/log.h"
#include "invoke/environment_variables.h"
#include "invoke/extension_files.h"
#include "invoke/spares.h"
#include "runtimes/exec_wrapper.h"

namespace lambent::invoke {

namespace asio = base::asio;
using base::Task;
using runtime_api::Answer;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

/// 2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef; in a group of the owner's choice, which functions may share, with
/// the function's name: 2026/11/22/NAME[$LATEST]...
std::string make_log_stream(const base::Clock& clock, const store::FunctionVersion& function) {
  const auto day = fmt::gmtime(std::chrono::system_clock::to_time_t(clock.now()));
  const bool own = function.log_group == "/aws/lambda/" + function.key.name;
  return fmt::format("{:%Y/%m/%d}/{}[{}]{}", day, own ? "" : function.key.name, function.version, base::random_hex(16));
}

runtimes::Runtime find_runtime(const runtimes::Catalog& catalog, const store::FunctionVersion& function) {
  auto found = catalog.find(function.runtime);
  if (!found.runtime) throw aws::Error("InvalidRuntimeException", found.why_not, 502);
  return std::move(*found.runtime);
}

std::vector<std::string> layer_hashes(const store::FunctionVersion& function) {
  std::vector<std::string> hashes;
  for (const store::LayerUse& layer : function.layers) hashes.push_back(layer.hash);
  return hashes;
}

std::chrono::microseconds microseconds_between(base::SteadyTime from, base::SteadyTime to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from);
}

/// Without its ending. What a runtime says by /error is no response, as in AWS's emulator.
RuntimeDone done_with(const Invocation& invocation, const runtime_api::Answer& answer, base::SteadyTime begin) {
  RuntimeDone done;
  done.request_id = invocation.request_id;
  done.trace_id = invocation.trace_id;
  done.produced_bytes = answer.response_size;
  done.begin = begin;
  done.answer_ended = answer.ended;
  if (answer.kind == Answer::Kind::error && !answer.streamed) return done;
  done.response_began = answer.began;
  done.response_ended = answer.ended;
  return done;
}

/// Whether both have the same network and file systems.
bool same_surroundings(const store::FunctionVersion& one, const store::FunctionVersion& other) {
  const store::VpcUse my_vpc = one.vpc.value_or(store::VpcUse()), their_vpc = other.vpc.value_or(store::VpcUse());
  const auto same_mount = [](const store::FileSystemUse& a, const store::FileSystemUse& b) {
    return a.arn == b.arn && a.mount_path == b.mount_path;
  };
  return my_vpc.subnet_ids == their_vpc.subnet_ids && my_vpc.security_group_ids == their_vpc.security_group_ids &&
         std::ranges::equal(one.file_systems, other.file_systems, same_mount);
}

}  // namespace

/// Outlives the environment by as long as its last wait is queued.
struct Environment::Timer {
  /// The end of what runs now, or the freezing of what does not.
  asio::steady_timer deadline;
  /// For wait_until(): cancelled whenever something has ended.
  asio::steady_timer change;
  Environment* owner;
  bool freezes = false;
  /// wait_until() waits.
  bool waited_for = false;
};

Environment::Environment(const EngineParts& parts, asio::io_context& lane, store::FunctionSnapshot function,
                         Purpose purpose)
    : parts_(parts),
      lane_(lane),
      function_(std::move(function)),
      purpose_(std::move(purpose)),
      log_stream_(make_log_stream(parts.clock, *function_)),
      launched_at_(parts.clock.steady()),
      timer_(new Timer{asio::steady_timer(lane), asio::steady_timer(lane), this}) {}

Environment::~Environment() {
  timer_->owner = nullptr;
  timer_->deadline.cancel();
  timer_->change.cancel();
  end();
  if (api_) api_->abort();
}

Task<std::unique_ptr<Environment>> Environment::launch(const EngineParts& parts, Sandboxes& sandboxes,
                                                       asio::io_context& lane, store::FunctionSnapshot function,
                                                       milliseconds init_limit, Purpose purpose) {
  auto looked = parts.catalog.await_look();
  co_await std::move(looked);
  const runtimes::Runtime runtime = find_runtime(parts.catalog, *function);
  const RoleCredentials credentials = parts.credentials(*function);
  std::unique_ptr<Environment> made(new Environment(parts, lane, function, std::move(purpose)));

  sandbox::Spec spec;
  spec.code_hash = function->code_hash;
  spec.root = runtime.root;
  spec.runtime_dir = runtime.bootstrap_dir;
  spec.environment =
      environment_variables(*function, runtime, credentials, made->log_stream_, name_of(made->purpose_.initialization));
  spec.argv =
      runtimes::with_exec_wrapper(runtimes::command_line(runtime, function->memory_mib), spec.environment, runtime);
  spec.memory_mib = function->memory_mib;
  spec.ephemeral_mib = function->ephemeral_mib;
  spec.layers = layer_hashes(*function);
  // AWS has one at most.
  for (const store::FileSystemUse& use : function->file_systems) spec.file_system = {use.arn, use.mount_path};
  if (function->vpc) {
    spec.subnets = function->vpc->subnet_ids;
    spec.security_groups = function->vpc->security_group_ids;
  }
  made->extensions_ = extension_names(parts.code_trees, *function);
  for (const std::string& name : made->extensions_) spec.extensions.push_back("/opt/extensions/" + name);
  if (!spec.extensions.empty()) spec.extension_environment = extension_environment(spec.environment);
  made->argv_ = spec.argv;
  made->environment_ = spec.environment;
  made->runtime_version_ = runtime.runtime_version;
  made->init_deadline_ = made->launched_at_ + init_limit;
  std::unique_ptr<sandbox::Sandbox> sandbox = co_await sandboxes.take(std::move(spec), runtime);
  if (parts.open_log) made->kept_log_ = co_await parts.open_log(*function, made->log_stream_);
  made->attach(std::move(sandbox));
  made->log_->init_start(InitPhase::init, runtime.runtime_version);
  const auto today = runtimes::date_text(parts.clock.now());
  for (const std::string& line : runtimes::remarks(runtime, function->architecture, today)) made->log_->remark(line);
  co_return made;
}

void Environment::attach(std::unique_ptr<sandbox::Sandbox> sandbox) {
  sandbox_ = std::move(sandbox);
  const auto executor = lane_.get_executor();
  runtime_api::ApiParts parts;
  parts.facts = {function_->key.name, function_->version, function_->handler, function_->key.account};
  parts.clock = &parts_.clock;
  // The sandbox goes before the subscribers' coroutines do, when this object is destroyed.
  parts.make_socket = [timer = timer_]() -> Task<base::Fd> {
    if (timer->owner == nullptr) throw std::runtime_error("the sandbox is gone");
    co_return co_await timer->owner->sandbox_->make_socket();
  };
  runtime_api_ = runtime_api::serve_runtime_api(executor, sandbox_->take_runtime_api_listener(), std::move(parts));
  if (!extensions_.empty()) runtime_api_->start(extensions_);
  auto sink = [this](std::string_view text) {
    if (kept_log_) kept_log_->write(text);
  };
  auto printed = [this](LogCapture::Source source, std::string_view text) { print(source, text); };
  LogCapture::Pipes pipes{sandbox_->take_stdout(), sandbox_->take_stderr(), sandbox_->take_extensions_output()};
  capture_ = std::make_unique<LogCapture>(executor, parts_.clock, std::move(pipes), sink, printed);
  capture_->on_record([this](std::string_view record) {
    if (kept_log_) kept_log_->write_record(record);
    runtime_api::Telemetry& telemetry = runtime_api_->telemetry();
    if (telemetry.wants_function()) telemetry.function(record, function_->log_format == "JSON");
  });
  log_ = std::make_unique<LifecycleLog>(*capture_, runtime_api_->telemetry(), parts_.clock, *function_, log_stream_,
                                        purpose_);
  runtime_api_->telemetry().on_subscribed(
      [this](auto api, const std::string& name, const auto& types) { log_->subscribed(api, name, types); });
  api_ = parts_.serve_api(executor, sandbox_->take_api_listener());
  watch_ends();
}

/// The sandbox is a member: it forgets its observers before this object is gone.
void Environment::watch_ends() {
  runtime_api_->on_next([this] {
    asked_ = parts_.clock.steady();
    say_runtime_done();
    if (std::exchange(timer_->waited_for, false)) timer_->change.cancel();
  });
  sandbox_->on_exit([this](sandbox::Exit exit) {
    exit_ = exit;
    broke_by_itself();
    runtime_api_->runtime_ended();
    timer_->change.cancel();
  });
  sandbox_->on_extension_exit([this](std::size_t index, sandbox::Exit exit) {
    runtime_api_->extensions().ended(index, exit.status.value_or(-1), exit_reason(exit));
    if (runtime_api_->extensions().failure()) broke_by_itself();
    timer_->change.cancel();
  });
}

/// Whoever owns it hears of it when no invocation would find out.
void Environment::broke_by_itself() {
  if (state_ != State::ready) return;
  state_ = State::broken;
  if (when_broken_) when_broken_();
}

/// What was printed, line by line, to those who asked for it.
void Environment::print(LogCapture::Source source, std::string_view text) {
  runtime_api::Telemetry& telemetry = runtime_api_->telemetry();
  const bool function = source == LogCapture::Source::function;
  if (!(function ? telemetry.wants_function() : telemetry.wants_extension())) return;
  const bool structured = function_->log_format == "JSON";
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (function)
      telemetry.function(line, structured);
    else
      telemetry.extension(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

bool Environment::serves(const store::FunctionVersion& wanted) const {
  const store::FunctionVersion& mine = *function_;
  return mine.version == wanted.version && mine.code_hash == wanted.code_hash && mine.handler == wanted.handler &&
         mine.runtime == wanted.runtime && mine.role == wanted.role && mine.memory_mib == wanted.memory_mib &&
         mine.ephemeral_mib == wanted.ephemeral_mib && mine.environment == wanted.environment &&
         mine.log_group == wanted.log_group && mine.log_format == wanted.log_format &&
         mine.application_log_level == wanted.application_log_level &&
         mine.system_log_level == wanted.system_log_level && layer_hashes(mine) == layer_hashes(wanted) &&
         mine.timeout_s == wanted.timeout_s && same_surroundings(mine, wanted);
}

void Environment::end() {
  state_ = State::ended;
  if (sandbox_) sandbox_->kill();
  if (runtime_api_) runtime_api_->close();
}

/// Ends what runs at `deadline`, unless it is called again before.
void Environment::deadline_at(base::SteadyTime deadline) {
  timer_->freezes = false;
  timer_->deadline.expires_at(deadline);
  timer_->deadline.async_wait([timer = timer_](boost::system::error_code error) {
    if (error || timer->owner == nullptr) return;
    // A wait that was overtaken by a new deadline just as it fired still says success.
    if (timer->deadline.expiry() > std::chrono::steady_clock::now()) return;
    timer->owner->deadline_came();
  });
}

void Environment::deadline_came() {
  if (timer_->freezes) {
    if (state_ != State::ready || !idle()) return;
    runtime_api_->telemetry().pause(true);
    sandbox_->freeze();
    frozen_ = true;
    return;
  }
  deadline_passed_ = true;
  break_down();
}

/// What runs is over. Extensions get to end by themselves, see settle(); without any it is over at once.
void Environment::break_down() {
  if (state_ == State::ended) return;
  state_ = State::broken;
  if (runtime_api_->extensions().none()) {
    sandbox_->kill();
    runtime_api_->close();
  } else {
    runtime_api_->runtime_ended();
  }
}

void Environment::rest() {
  if (state_ != State::ready) return;
  timer_->freezes = false;
  deadline_at(parts_.clock.steady() + kFreezeAfter);
  timer_->freezes = true;
}

void Environment::thaw() {
  timer_->deadline.cancel();
  timer_->freezes = false;
  if (!std::exchange(frozen_, false)) return;
  sandbox_->thaw();
  runtime_api_->telemetry().pause(false);
}

/// Nothing when it is ready. Otherwise why not, and it is broken.
Task<std::optional<Answer>> Environment::initialize(InitPhase phase, base::SteadyTime deadline) {
  const auto begin = phase == InitPhase::init ? launched_at_ : restarted_at_;
  deadline_passed_ = false;
  deadline_at(deadline);
  std::optional<Answer> answer = co_await runtime_api_->initialized();
  timer_->deadline.cancel();
  const auto took = std::chrono::duration_cast<microseconds>(parts_.clock.steady() - begin);
  if (answer) capture_->drain();
  for (const auto& report : runtime_api_->extensions().reports()) log_->extension(report);
  if (!answer) {
    sandbox_->limit_cpu();
    if (state_ != State::ended) state_ = State::ready;
    made_in_ = std::chrono::duration_cast<milliseconds>(took);
    if (phase == InitPhase::init) init_took_ = took;
    if (provisioned() || runtime_api_->telemetry().any()) log_->init_done(phase, {}, took);
    co_return std::nullopt;
  }
  const Ending ending = ending_of_init(*answer);
  log_->init_done(phase, ending, took);
  if (state_ != State::ended) state_ = State::broken;
  co_return answer;
}

Task<bool> Environment::initialize() {
  capture_->begin_tail();
  co_await initialize(InitPhase::init, init_deadline_);
  keep_log();
  co_return intact();
}

Ending Environment::ending_of_init(const Answer& answer) const {
  if (deadline_passed_) return {"timeout", "Sandbox.Timedout"};
  if (answer.kind == Answer::Kind::init_error) return {"error", answer.error_type};
  return {"error", failure_of("", answer).type};
}

/// Everything inside starts anew; /tmp stays. False when that failed: the environment is of no use then.
Task<bool> Environment::reset() {
  if (has_extensions()) co_await shut_extensions_down(deadline_passed_ ? "timeout" : "failure");
  if (state_ == State::ended) co_return false;
  runtime_api_->close();
  runtime_api_->start(extensions_);
  exit_.reset();
  state_ = State::starting;
  restarted_at_ = parts_.clock.steady();
  bool started = true;
  try {
    co_await sandbox_->restart(argv_, environment_);
  } catch (const std::runtime_error& error) {
    base::log::warn("an environment could not be reset", {{"function", function_->key.name}, {"reason", error.what()}});
    started = false;
  }
  if (!started) end();
  if (state_ == State::ended) co_return false;
  log_->init_start(InitPhase::invoke, runtime_version_);
  co_return true;
}

Task<std::optional<Outcome>> Environment::invoke(const Invocation& invocation) {
  const milliseconds timeout = std::chrono::seconds(function_->timeout_s);
  thaw();
  capture_->begin_tail();
  if (state_ == State::starting) {
    // An init that fails in its own phase is tried once more below, as a part of the invocation.
    co_await initialize(InitPhase::init, init_deadline_);
  }
  const auto begin = parts_.clock.steady();
  if (state_ == State::broken) {
    if (!co_await reset()) co_return std::nullopt;
    std::optional<Answer> answer = co_await initialize(InitPhase::invoke, begin + timeout);
    if (answer) co_return failed_init(invocation, std::move(*answer), begin);
  }
  if (state_ == State::ended) co_return std::nullopt;

  log_->start(invocation.request_id, invocation.trace_id);
  deadline_passed_ = false;
  deadline_at(begin + timeout);
  const auto spent = std::chrono::duration_cast<milliseconds>(parts_.clock.steady() - begin);
  runtime_api::Event event;
  event.request_id = invocation.request_id;
  event.deadline_ms = parts_.clock.now_ms() + (timeout - spent).count();
  event.invoked_function_arn = invocation.invoked_function_arn;
  event.trace_id = invocation.trace_id;
  event.client_context = invocation.client_context;
  event.tenant_id = purpose_.tenant_id;
  event.payload = invocation.payload;
  asked_.reset();
  Answer answer = co_await runtime_api_->invoke(std::move(event), invocation.sink);

  RuntimeDone done = done_with(invocation, answer, begin);
  Ending ending;
  Outcome outcome = outcome_of(invocation, std::move(answer), ending);
  InvocationReport said;
  said.request_id = invocation.request_id;
  said.took = std::chrono::duration_cast<microseconds>(parts_.clock.steady() - begin);
  said.init_took = std::exchange(init_took_, std::nullopt);
  said.ending = std::move(ending);
  capture_->drain();
  done.ending = said.ending;
  done.took = said.took;
  undone_ = std::move(done);
  if (asked_ || state_ != State::ready) say_runtime_done();
  const bool alone = runtime_api_->extensions().none();
  if (alone && state_ == State::ready && !runtime_api_->idle())
    co_await wait_until([this] { return runtime_api_->idle() || state_ != State::ready; },
                        std::chrono::steady_clock::now() + kNextGrace);
  // Its record waits for the runtime when somebody hears it.
  const bool unheard = undone_ && state_ == State::ready && log_->hears_runtime_done(said.ending);
  if (runtime_api_->idle() || (alone && !unheard)) {
    if (state_ == State::broken || runtime_api_->idle()) timer_->deadline.cancel();
    say_runtime_done();
    if (asked_) said.took = std::max(said.took, microseconds_between(begin, *asked_));
    report(std::move(said));
  } else {
    unreported_ = Unreported{std::move(said), begin};
    if (invocation.wants_log) co_await await_report();
  }
  keep_log();
  outcome.log_tail = capture_->tail();
  co_return outcome;
}

Outcome Environment::outcome_of(const Invocation& invocation, Answer answer, Ending& ending) {
  Outcome outcome;
  outcome.executed_version = function_->version;
  outcome.streamed = answer.streamed;
  outcome.content_type = std::move(answer.content_type);
  if (answer.kind == Answer::Kind::response) {
    outcome.payload = std::move(answer.payload);
    return outcome;
  }
  outcome.function_error = "Unhandled";
  if (answer.kind == Answer::Kind::error) {
    outcome.payload = std::move(answer.payload);
    ending = {"failure", std::move(answer.error_type)};
    return outcome;
  }
  const bool too_large = answer.kind == Answer::Kind::response_too_large;
  const Failure failure = too_large ? response_too_large() : failure_of(invocation.request_id, answer);
  capture_->drain();
  log_->fault(failure.log_line);
  outcome.payload = failure.document();
  ending = {too_large ? "failure" : deadline_passed_ ? "timeout" : "error", failure.type};
  if (!too_large) break_down();
  return outcome;
}

/// The end of an invocation whose environment did not get through its second init.
Outcome Environment::failed_init(const Invocation& invocation, Answer answer, base::SteadyTime begin) {
  log_->start(invocation.request_id, invocation.trace_id);
  Outcome outcome;
  outcome.executed_version = function_->version;
  outcome.function_error = "Unhandled";
  InvocationReport said;
  said.ending = ending_of_init(answer);
  if (answer.kind == Answer::Kind::init_error && !deadline_passed_) {
    outcome.payload = std::move(answer.payload);
  } else {
    const Failure failure = failure_of(invocation.request_id, answer);
    log_->fault(failure.log_line);
    outcome.payload = failure.document();
  }
  said.request_id = invocation.request_id;
  said.took = std::chrono::duration_cast<microseconds>(parts_.clock.steady() - begin);
  RuntimeDone done;
  done.request_id = invocation.request_id;
  done.trace_id = invocation.trace_id;
  done.ending = said.ending;
  done.took = said.took;
  log_->runtime_done(done);
  report(std::move(said));
  keep_log();
  break_down();
  outcome.log_tail = capture_->tail();
  return outcome;
}

Failure Environment::failure_of(std::string_view request_id, const Answer& answer) const {
  if (deadline_passed_) return timed_out(request_id, function_->timeout_s, runtime_api::telemetry_time(parts_.clock));
  if (answer.kind == Answer::Kind::extension_failed)
    return extension_failed(request_id, answer.error_type, answer.payload);
  const sandbox::Exit exit = exit_.value_or(sandbox::Exit{});
  if (exit.status == runtimes::kMissingEntrypoint) return missing_entrypoint(request_id);
  if (exit.status == runtimes::kForeignEntrypoint) return foreign_entrypoint(request_id);
  return exited(request_id, exit);
}

/// One append for all that an invocation printed, before anybody hears of its end.
void Environment::keep_log() {
  if (kept_log_) kept_log_->flush();
}

/// Once the runtime has asked for its next event, or when it will not.
void Environment::say_runtime_done() {
  if (!undone_) return;
  RuntimeDone done = *std::exchange(undone_, std::nullopt);
  if (asked_) {
    done.asked = *asked_;
    done.took = std::max(done.took, microseconds_between(done.begin, done.asked));
  }
  log_->runtime_done(done);
}

void Environment::report(InvocationReport what) {
  if (asked_ && state_ == State::ready && !runtime_api_->extensions().none()) {
    what.extensions_began = *asked_;
    what.extensions_ended = parts_.clock.steady();
  }
  what.peak_memory_mib = sandbox_->peak_memory_mib();
  log_->report(what);
}

bool Environment::idle() const {
  if (state_ == State::ended) return true;
  if (unreported_) return false;
  return state_ == State::broken ? runtime_api_->extensions().none() : runtime_api_->idle();
}

Task<void> Environment::settle() {
  co_await await_report();
  if (state_ == State::broken && has_extensions())
    co_await shut_extensions_down(deadline_passed_ ? "timeout" : "failure");
}

Task<void> Environment::await_report() {
  if (state_ == State::ready) co_await runtime_api_->settled();
  timer_->deadline.cancel();
  if (state_ == State::ready && !runtime_api_->idle()) break_down();
  capture_->drain();
  say_runtime_done();
  if (auto late = std::exchange(unreported_, std::nullopt)) {
    late->report.took = std::chrono::duration_cast<microseconds>(parts_.clock.steady() - late->begin);
    if (late->report.ending.status == "success" && state_ != State::ready) {
      const auto& failure = runtime_api_->extensions().failure();
      late->report.ending = {deadline_passed_ ? "timeout" : "error", failure ? failure->type : ""};
    }
    report(std::move(late->report));
    keep_log();
  }
}

/// Waits for `condition`, which is asked whenever something has ended.
Task<void> Environment::wait_until(std::function<bool()> condition, base::SteadyTime deadline) {
  while (state_ != State::ended && !condition() && std::chrono::steady_clock::now() < deadline) {
    timer_->change.expires_at(deadline);
    timer_->waited_for = true;
    co_await timer_->change.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

/// First the runtime, then the extensions; afterwards nothing runs inside.
Task<void> Environment::shut_extensions_down(std::string_view reason) {
  runtime_api::Extensions& extensions = runtime_api_->extensions();
  const milliseconds budget = extensions.any_external() ? kShutdownExternal : kShutdownInternal;
  const milliseconds runtimes_part = extensions.any_internal() ? kShutdownInternal : kShutdownRuntime;
  const auto begin = std::chrono::steady_clock::now();
  if (!exit_) sandbox_->terminate();
  if (!exit_) co_await wait_until([this] { return exit_.has_value(); }, begin + runtimes_part);
  if (state_ == State::ended) co_return;
  runtime_api_->runtime_ended();
  capture_->drain();
  runtime_api_->telemetry().flush();
  const auto left = std::chrono::duration_cast<milliseconds>(begin + budget - std::chrono::steady_clock::now());
  extensions.shut_down(reason, parts_.clock.now_ms() + std::max<std::int64_t>(0, left.count()));
  co_await wait_until([&extensions] { return extensions.all_gone(); }, begin + budget);
  if (state_ == State::ended) co_return;
  capture_->drain();
  sandbox_->kill();
  runtime_api_->close();
  runtime_api_->start({});
  runtime_api_->runtime_ended();
}

Task<void> Environment::shut_down() {
  const bool was_frozen = frozen_;
  thaw();
  if (has_extensions()) {
    if (was_frozen)
      co_await wait_until([this] { return exit_.has_value(); }, std::chrono::steady_clock::now() + kThawing);
    if (state_ != State::ended) co_await shut_extensions_down("spindown");
  }
  end();
}

}  // namespace lambent::invoke
