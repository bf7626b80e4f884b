#include "invoke/async/attempt.h"

#include <algorithm>

#include "aws/arn.h"
#include "aws/error.h"
#include "base/log.h"

namespace lambent::invoke {

using base::Task;

namespace {

/// A target that says no is asked so often; one that cannot be reached for as long as AWS keeps an event.
constexpr std::int32_t kRefusals = 3;
constexpr std::int64_t kTellFor_ms = 6 * 3600 * 1000;

std::string name_of(aws::DeliveryOutcome::Kind kind) {
  using Kind = aws::DeliveryOutcome::Kind;
  return kind == Kind::delivered ? "delivered" : kind == Kind::refused ? "refused" : "unavailable";
}

std::string qualified_arn(const store::AsyncEvent& event) {
  std::string arn =
      "arn:aws:lambda:" + event.function.region + ":" + event.function.account + ":function:" + event.function.name;
  return event.qualifier.empty() ? arn : arn + ":" + event.qualifier;
}

}  // namespace

/// What came of handing an event to the engine.
struct Attempts::Run {
  enum class End { answered, throttled, refused, platform_error };
  End end = End::answered;
  Outcome outcome;
  std::string reason;
};

Attempts::Attempts(const AsyncOptions& options, const AsyncParts& parts)
    : options_(options),
      parts_(parts),
      attempts_(parts.metrics.counter("lambent_async_attempts_total", "Attempts at accepted events.", {"end"})),
      dropped_(parts.metrics.counter("lambent_async_dropped_total",
                                     "Accepted events that ended without success, by their reason.", {"reason"})),
      told_(parts.metrics.counter("lambent_async_outcome_deliveries_total",
                                  "Tries to tell a target how an event ended, by what came of them.", {"end"})),
      undelivered_(parts.metrics.counter("lambent_destination_delivery_failures_total",
                                         "Invocation records given up (DestinationDeliveryFailures).", {"service"})),
      undelivered_dead_letters_(parts.metrics.counter("lambent_dead_letter_errors_total",
                                                      "Dead letters given up (DeadLetterErrors).", {"service"})),
      waits_(parts.metrics.histogram("lambent_async_wait_seconds", "From acceptance to the first attempt.")) {}

RetryPolicy Attempts::policy_of(const store::AsyncEvent& event) const {
  const std::string qualifier = event.qualifier.empty() ? "$LATEST" : event.qualifier;
  return RetryPolicy::of(parts_.configs.find(event.function, qualifier), options_.time_scale);
}

Task<Attempt> Attempts::attempt(store::AsyncEventPointer event) {
  if (!event->notice.empty()) co_return co_await tell(std::move(event));
  const auto function = parts_.resolve(event->function, event->qualifier);
  // One of its name that has come since, with or without tenants, is another function.
  if (!function || function->per_tenant == event->tenant_id.empty()) co_return drop(*event, "function_is_gone");
  const RetryPolicy policy = policy_of(*event);
  if (too_old(*event, parts_.clock.now_ms(), policy))
    co_return ended(*event, *function, kEventAgeExceeded, event->attempts, std::nullopt);
  if (parts_.concurrency.limits(event->function).reserved == 0)
    co_return ended(*event, *function, kZeroReservedConcurrency, event->attempts, std::nullopt);
  if (event->attempts == 0)
    waits_.at({}).observe(static_cast<double>(parts_.clock.now_ms() - event->accepted_ms) / 1000);

  auto work = run(*event, function);
  Run run = co_await std::move(work);
  const std::int64_t now = parts_.clock.now_ms();
  if (run.end == Run::End::throttled) co_return Attempt{Attempt::End::throttled, nullptr};
  if (run.end == Run::End::refused) co_return ended(*event, *function, run.reason, event->attempts, std::nullopt);
  if (run.end == Run::End::platform_error) {
    const Verdict verdict = after_setback(*event, now, policy);
    if (!verdict.condition.empty())
      co_return ended(*event, *function, verdict.condition, event->attempts, std::nullopt);
    co_return later(*event, verdict.due_ms, event->attempts, event->setbacks + 1);
  }
  const bool failed = !run.outcome.function_error.empty();
  Ending::Run said{std::move(run.outcome.executed_version), std::move(run.outcome.function_error),
                   std::move(run.outcome.payload), std::move(run.outcome.trace_header)};
  if (!failed) co_return ended(*event, *function, kSuccess, event->attempts + 1, std::move(said));
  const Verdict verdict = after_function_error(*event, now, policy);
  if (!verdict.condition.empty())
    co_return ended(*event, *function, verdict.condition, event->attempts + 1, std::move(said));
  co_return later(*event, verdict.due_ms, event->attempts + 1, 0);
}

Task<Attempts::Run> Attempts::run(const store::AsyncEvent& event, store::FunctionSnapshot function) {
  Run run;
  Invocation invocation;
  invocation.function = std::move(function);
  invocation.request_id = event.request_id;
  invocation.invoked_function_arn = qualified_arn(event);
  invocation.payload = event.payload;
  invocation.tenant_id = event.tenant_id;
  invocation.trace_id = event.trace_header;
  std::string_view end = "success";
  try {
    auto work = parts_.engine.invoke(std::move(invocation));
    run.outcome = co_await std::move(work);
    if (!run.outcome.function_error.empty()) end = "function_error";
  } catch (const aws::Error& error) {
    run.reason = error.code();
    run.end = Run::End::platform_error;
    end = "platform_error";
    if (error.status() == 429) {
      run.end = Run::End::throttled;
      end = "throttled";
    } else if (error.code() == "RecursiveInvocationException") {
      run.end = Run::End::refused;
      end = "recursive_loop";
    } else {
      base::log::warn("an event could not be run", {{"request_id", event.request_id}, {"reason", error.message()}});
    }
  } catch (const std::exception& error) {
    run.end = Run::End::platform_error;
    end = "platform_error";
    base::log::warn("an event could not be run", {{"request_id", event.request_id}, {"reason", error.what()}});
  }
  attempts_.at({std::string(end)}).add();
  co_return run;
}

Attempt Attempts::later(const store::AsyncEvent& event, std::int64_t due_ms, std::int32_t attempts,
                        std::int32_t setbacks) {
  auto next = std::make_shared<store::AsyncEvent>(event);
  next->due_ms = due_ms;
  next->attempts = attempts;
  next->setbacks = setbacks;
  return {Attempt::End::settled, std::move(next)};
}

Attempt Attempts::drop(const store::AsyncEvent& event, std::string_view reason) {
  dropped_.at({std::string(reason)}).add();
  base::log::warn("an accepted event ended without success and nobody is to be told",
                  {{"request_id", event.request_id}, {"function", event.function.name}, {"reason", reason}});
  return {};
}

Attempt Attempts::ended(const store::AsyncEvent& event, const store::FunctionVersion& function,
                        std::string_view condition, std::int32_t invoke_count, std::optional<Ending::Run> run) {
  const std::string qualifier = event.qualifier.empty() ? "$LATEST" : event.qualifier;
  const auto config = parts_.configs.find(event.function, qualifier);
  Ending ending;
  const bool success = condition == kSuccess;
  const auto destination = !config ? std::nullopt : success ? config->on_success : config->on_failure;
  if (destination && !destination->empty()) ending.notices.push_back({false, *destination});
  if (!success && !function.dead_letter_arn.empty()) ending.notices.push_back({true, function.dead_letter_arn});
  if (ending.notices.empty()) return success ? Attempt{} : drop(event, condition);
  if (!success) dropped_.at({std::string(condition)}).add();
  ending.condition = condition;
  ending.invoke_count = invoke_count;
  ending.ended_ms = parts_.clock.now_ms();
  ending.function_arn = function.arn() + ":" + qualifier;
  ending.role_arn = function.role;
  ending.run = std::move(run);
  auto next = std::make_shared<store::AsyncEvent>(event);
  next->due_ms = ending.ended_ms;
  next->setbacks = 0;
  next->notice = ending.text();
  return {Attempt::End::settled, std::move(next)};
}

Task<Attempt> Attempts::tell(store::AsyncEventPointer event) {
  Ending ending = Ending::parse(event->notice);
  const std::int64_t age_ms = parts_.clock.now_ms() - ending.ended_ms;
  const bool last_try = static_cast<double>(age_ms) * options_.time_scale > static_cast<double>(kTellFor_ms);
  std::vector<Ending::Notice> left;
  bool unreachable = false;
  for (const Ending::Notice& notice : ending.notices) {
    auto work = parts_.targets.deliver(delivery_of(*event, ending, notice));
    const aws::DeliveryOutcome outcome = co_await std::move(work);
    told_.at({name_of(outcome.kind)}).add();
    unreachable |= outcome.kind == aws::DeliveryOutcome::Kind::unavailable;
    if (!is_over(*event, ending, notice, outcome, last_try)) left.push_back(notice);
  }
  if (left.empty()) co_return Attempt{};
  ending.notices = std::move(left);
  auto next = std::make_shared<store::AsyncEvent>(*event);
  next->setbacks = event->setbacks + 1;
  next->due_ms = parts_.clock.now_ms() + backoff_ms(next->setbacks, options_.time_scale);
  next->notice = ending.text();
  co_return Attempt{unreachable ? Attempt::End::unreachable : Attempt::End::settled, std::move(next)};
}

/// True when the target knows, or never will.
bool Attempts::is_over(const store::AsyncEvent& event, const Ending& ending, const Ending::Notice& notice,
                       const aws::DeliveryOutcome& outcome, bool last_try) {
  using Kind = aws::DeliveryOutcome::Kind;
  if (outcome.kind == Kind::delivered) return true;
  const bool hopeless = last_try || (outcome.kind == Kind::refused && event.setbacks + 1 >= kRefusals);
  if (!hopeless) return false;
  const auto arn = aws::Arn::parse(notice.target_arn);
  auto& counter = notice.dead_letter ? undelivered_dead_letters_ : undelivered_;
  counter.at({arn ? arn->service : "unknown"}).add();
  base::log::error(
      notice.dead_letter ? "a dead letter could not be delivered" : "an invocation record could not be delivered",
      {{"request_id", event.request_id},
       {"function", event.function.name},
       {"condition", ending.condition},
       {"target", notice.target_arn},
       {"reason", outcome.reason}});
  return true;
}

}  // namespace lambent::invoke
