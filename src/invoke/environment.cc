#include "invoke/environment.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>

#include "aws/error.h"
#include "base/ids.h"
#include "invoke/environment_variables.h"
#include "invoke/failures.h"
#include "runtimes/exec_wrapper.h"

namespace lambent::invoke {

using base::Task;
using runtime_api::Answer;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

/// 2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef
std::string make_log_stream(const base::Clock& clock, const store::FunctionVersion& function) {
  const auto day = fmt::gmtime(std::chrono::system_clock::to_time_t(clock.now()));
  return fmt::format("{:%Y/%m/%d}/[{}]{}", day, function.version, base::random_hex(16));
}

std::string timestamp(const base::Clock& clock) {
  const auto now = clock.now();
  const auto second = fmt::gmtime(std::chrono::system_clock::to_time_t(now));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03d}Z", second, now.time_since_epoch().count() % 1000);
}

runtimes::Runtime find_runtime(const runtimes::Catalog& catalog, const store::FunctionVersion& function) {
  auto found = catalog.find(function.runtime);
  if (!found.runtime) throw aws::Error("InvalidRuntimeException", found.why_not, 502);
  return std::move(*found.runtime);
}

}  // namespace

/// Outlives the environment by as long as its last wait is queued.
struct Environment::Timer {
  base::asio::steady_timer timer;
  Environment* owner;
};

Environment::Environment(const EngineParts& parts, base::asio::io_context& lane, store::FunctionSnapshot function)
    : parts_(parts),
      lane_(lane),
      function_(std::move(function)),
      log_stream_(make_log_stream(parts.clock, *function_)),
      launched_at_(parts.clock.steady()),
      timer_(new Timer{base::asio::steady_timer(lane), this}) {}

Environment::~Environment() {
  timer_->owner = nullptr;
  timer_->timer.cancel();
  end();
  if (api_) api_->abort();
}

Task<std::unique_ptr<Environment>> Environment::launch(const EngineParts& parts, Sandboxes& sandboxes,
                                                       base::asio::io_context& lane, store::FunctionSnapshot function) {
  const runtimes::Runtime runtime = find_runtime(parts.catalog, *function);
  const RoleCredentials credentials = parts.credentials(*function);
  std::unique_ptr<Environment> made(new Environment(parts, lane, function));

  sandbox::Spec spec;
  spec.code_hash = function->code_hash;
  spec.root = runtime.root;
  spec.runtime_dir = runtime.bootstrap_dir;
  spec.environment = environment_variables(*function, runtime, credentials, made->log_stream_);
  spec.argv =
      runtimes::with_exec_wrapper(runtimes::command_line(runtime, function->memory_mib), spec.environment, runtime);
  spec.memory_mib = function->memory_mib;
  spec.ephemeral_mib = function->ephemeral_mib;
  std::unique_ptr<sandbox::Sandbox> sandbox = co_await sandboxes.take(std::move(spec), runtime);
  made->attach(std::move(sandbox));
  made->log_->platform_line(fmt::format("INIT_START Runtime Version: {}\tRuntime Version ARN: {}",
                                        runtime.runtime_version, function->runtime_version_arn));
  const auto today = runtimes::date_text(parts.clock.now());
  for (const std::string& line : runtimes::remarks(runtime, function->architecture, today))
    made->log_->platform_line(line);
  co_return made;
}

void Environment::attach(std::unique_ptr<sandbox::Sandbox> sandbox) {
  sandbox_ = std::move(sandbox);
  const auto executor = lane_.get_executor();
  auto sink = [this](std::string_view text) {
    if (parts_.log_sink) parts_.log_sink(function_->log_group, log_stream_, text);
  };
  log_ = std::make_unique<LogCapture>(executor, sandbox_->take_stdout(), sandbox_->take_stderr(), sink);
  runtime_api_ = runtime_api::serve_runtime_api(executor, sandbox_->take_runtime_api_listener());
  api_ = parts_.serve_api(executor, sandbox_->take_api_listener());
  // The sandbox is a member: it forgets its observer before this object is gone.
  sandbox_->on_exit([this](sandbox::Exit exit) {
    exit_ = exit;
    ended_ = true;
    runtime_api_->close();
  });
}

bool Environment::serves(const store::FunctionVersion& wanted) const {
  const store::FunctionVersion& mine = *function_;
  return mine.version == wanted.version && mine.code_hash == wanted.code_hash && mine.handler == wanted.handler &&
         mine.runtime == wanted.runtime && mine.role == wanted.role && mine.memory_mib == wanted.memory_mib &&
         mine.ephemeral_mib == wanted.ephemeral_mib && mine.environment == wanted.environment &&
         mine.log_group == wanted.log_group && mine.log_format == wanted.log_format;
}

void Environment::end() {
  ended_ = true;
  if (sandbox_) sandbox_->kill();
  if (runtime_api_) runtime_api_->close();
}

/// Kills what is inside at `deadline`, unless end_at is called again before.
void Environment::end_at(base::SteadyTime deadline) {
  timer_->timer.expires_at(deadline);
  timer_->timer.async_wait([timer = timer_](boost::system::error_code error) {
    if (error || timer->owner == nullptr) return;
    // A wait that was overtaken by a new end_at just as it fired still says success.
    if (timer->timer.expiry() > std::chrono::steady_clock::now()) return;
    timer->owner->deadline_passed_ = true;
    timer->owner->end();
  });
}

Task<Init> Environment::initialize(milliseconds limit) {
  end_at(launched_at_ + limit);
  init_answer_ = co_await runtime_api_->initialized();
  timer_->timer.cancel();
  init_took_ = std::chrono::duration_cast<microseconds>(parts_.clock.steady() - launched_at_);
  if (!init_answer_) {
    sandbox_->limit_cpu();
    co_return Init::ready;
  }
  ended_ = true;
  co_return deadline_passed_ ? Init::timed_out : Init::failed;
}

void Environment::begin_log(const Invocation& invocation) {
  log_->begin_tail();
  log_->platform_line(fmt::format("START RequestId: {} Version: {}", invocation.request_id, function_->version));
}

Task<Outcome> Environment::invoke(const Invocation& invocation, milliseconds budget) {
  const auto begin = parts_.clock.steady();
  begin_log(invocation);
  end_at(begin + budget);
  runtime_api::Event event;
  event.request_id = invocation.request_id;
  event.deadline_ms = parts_.clock.now_ms() + budget.count();
  event.invoked_function_arn = invocation.invoked_function_arn;
  event.trace_id = invocation.trace_id;
  event.client_context = invocation.client_context;
  event.payload = invocation.payload;
  Answer answer = co_await runtime_api_->invoke(std::move(event), invocation.sink);
  timer_->timer.cancel();
  const auto took = std::chrono::duration_cast<microseconds>(parts_.clock.steady() - begin);

  Outcome outcome;
  outcome.streamed = answer.streamed;
  outcome.content_type = std::move(answer.content_type);
  std::string_view status = "error";
  std::string error_type;
  switch (answer.kind) {
    case Answer::Kind::response:
      outcome.payload = std::move(answer.payload);
      status = "";
      break;
    case Answer::Kind::init_error:
      ended_ = true;
      [[fallthrough]];
    case Answer::Kind::error:
      outcome.payload = std::move(answer.payload);
      outcome.function_error = "Unhandled";
      error_type = answer.error_type;
      break;
    case Answer::Kind::response_too_large: {
      const Failure failure = response_too_large();
      log_->platform_line(failure.log_line);
      outcome.payload = failure.document();
      outcome.function_error = "Unhandled";
      error_type = failure.type;
      break;
    }
    case Answer::Kind::closed: {
      const Failure failure = failure_of(invocation);
      log_->drain();
      log_->platform_line(failure.log_line);
      outcome.payload = failure.document();
      outcome.function_error = "Unhandled";
      if (deadline_passed_) status = "timeout";
      error_type = failure.type;
      end();
      break;
    }
  }
  co_return finish(invocation, std::move(outcome), took, status, error_type);
}

Outcome Environment::init_outcome(const Invocation& invocation, Init init, milliseconds took) {
  begin_log(invocation);
  Outcome outcome;
  outcome.function_error = "Unhandled";
  std::string error_type;
  if (init == Init::failed && init_answer_->kind == Answer::Kind::init_error) {
    outcome.payload = std::move(init_answer_->payload);
    error_type = init_answer_->error_type;
  } else {
    const Failure failure = failure_of(invocation);
    log_->drain();
    log_->platform_line(failure.log_line);
    outcome.payload = failure.document();
    error_type = failure.type;
  }
  const std::string_view status = init == Init::timed_out ? "timeout" : "error";
  return finish(invocation, std::move(outcome), took, status, error_type);
}

Failure Environment::failure_of(const Invocation& invocation) {
  if (deadline_passed_) return timed_out(invocation.request_id, function_->timeout_s, timestamp(parts_.clock));
  const sandbox::Exit exit = exit_.value_or(sandbox::Exit{});
  if (exit.status == runtimes::kMissingEntrypoint) return missing_entrypoint(invocation.request_id);
  if (exit.status == runtimes::kForeignEntrypoint) return foreign_entrypoint(invocation.request_id);
  return exited(invocation.request_id, exit);
}

Outcome Environment::finish(const Invocation& invocation, Outcome outcome, microseconds took, std::string_view status,
                            std::string_view error_type) {
  log_->drain();
  const double duration_ms = static_cast<double>(took.count()) / 1000;
  double billed_ms = duration_ms;
  std::string init;
  // The first invocation pays for the init that it caused, and says so.
  if (init_took_ && !init_reported_) {
    init_reported_ = true;
    const double init_ms = static_cast<double>(init_took_->count()) / 1000;
    billed_ms += init_ms;
    init = fmt::format("Init Duration: {:.2f} ms\t", init_ms);
  }
  std::string more;
  if (!status.empty()) more += fmt::format("Status: {}\t", status);
  if (!error_type.empty() && status != "timeout") more += fmt::format("Error Type: {}\t", error_type);
  log_->platform_line(fmt::format("END RequestId: {}", invocation.request_id));
  log_->platform_line(
      fmt::format("REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {:.0f} ms\tMemory Size: {} MB\tMax "
                  "Memory Used: {} MB\t{}{}",
                  invocation.request_id, duration_ms, std::ceil(billed_ms), function_->memory_mib,
                  std::min(sandbox_->peak_memory_mib(), function_->memory_mib), init, more));
  outcome.executed_version = function_->version;
  outcome.log_tail = log_->tail();
  return outcome;
}

}  // namespace lambent::invoke
