#include "invoke/admission.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "aws/error.h"
#include "invoke/trace.h"

namespace lambent::invoke {
namespace {

constexpr double kGainPeriod_s = 10;

std::string_view reason_of(Admission::Refusal refusal) {
  switch (refusal) {
    case Admission::Refusal::reserved:
      return "ReservedFunctionConcurrentInvocationLimitExceeded";
    case Admission::Refusal::rate:
      return "FunctionInvocationRateLimitExceeded";
    case Admission::Refusal::account:
      break;
  }
  return "ConcurrentInvocationLimitExceeded";
}

class AdmittingEngine final : public Engine {
 public:
  AdmittingEngine(Engine& inner, Admission& admission) : inner_(inner), admission_(admission) {}

  base::Task<Outcome> invoke(Invocation invocation) override {
    const store::FunctionVersion& function = *invocation.function;
    require_no_loop(invocation.trace_id, function);
    const Admission::Place place = admission_.enter(function);
    std::string trace_header = admission_.tracing().next(invocation.trace_id, function);
    invocation.trace_id = trace_header;
    auto task = inner_.invoke(std::move(invocation));
    Outcome outcome = co_await std::move(task);
    outcome.trace_header = std::move(trace_header);
    co_return outcome;
  }
  void retire(const store::FunctionKey& key, const std::string& version) override { inner_.retire(key, version); }
  void expect(const store::FunctionVersion& function) override { inner_.expect(function); }
  void provision(store::FunctionSnapshot function, std::int32_t count, ProvisionObserver observer) override {
    inner_.provision(std::move(function), count, std::move(observer));
  }
  base::Task<void> stop(std::chrono::seconds grace) override { return inner_.stop(grace); }

 private:
  void require_no_loop(std::string_view trace_header, const store::FunctionVersion& function) const {
    if (Tracing::loops(trace_header, function) < kRecursiveLoops) return;
    if (admission_.settings().limits(function.key).recursive_loop == "Allow") return;
    // As the API reference words it.
    throw aws::Error(
        "RecursiveInvocationException",
        "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services "
        "resources and stopped your function's invocation.",
        400);
  }

  Engine& inner_;
  Admission& admission_;
};

}  // namespace

base::Family<base::Counter>& throttles(base::Metrics& metrics) {
  return metrics.counter("lambent_throttles_total", "Invocations refused with 429, attempts at accepted events too.",
                         {"reason"});
}

Admission::Admission(AdmissionOptions options, const store::Concurrency& settings, const base::Clock& clock,
                     base::Metrics& metrics)
    : options_(options), settings_(settings), clock_(clock), tracing_(clock), throttles_(throttles(metrics)) {
  // A rate over a counter that is there only from its first refusal on misses that one.
  for (const Refusal refusal : {Refusal::account, Refusal::reserved, Refusal::rate})
    throttles_.at({std::string(reason_of(refusal))});
  add_gauges(metrics);
}

std::int32_t Admission::Function::held() const {
  std::int32_t held = 0;
  for (const auto& [name, version] : versions) held += std::max(version.allocated, version.running);
  return held;
}

std::int32_t Admission::Function::on_demand() const {
  std::int32_t others = running;
  for (const auto& [name, version] : versions) others -= version.running;
  return others;
}

std::int32_t Admission::provisioned_unreserved(const Namespace& where) const {
  std::int32_t held = 0;
  for (auto key = provisioned_.lower_bound({where.first, where.second, ""});
       key != provisioned_.end() && key->account == where.first && key->region == where.second; ++key)
    if (!settings_.limits(*key).reserved) held += functions_.at(*key).held();
  return held;
}

std::int32_t Admission::unreserved_limit(const Namespace& where) const {
  return options_.account_limit - settings_.reserved_total(where.first, where.second) - provisioned_unreserved(where);
}

/// Room to grow comes back evenly over the period and is spent on running more at once than before.
bool Admission::may_gain(Function& function) {
  if (options_.gain_per_10_s == 0 || function.running < function.peak) return true;
  const auto now = clock_.steady();
  const double full = options_.gain_per_10_s;
  if (!function.gained_at) {
    function.gain = full;
  } else {
    const double seconds = std::chrono::duration<double>(now - *function.gained_at).count();
    function.gain = std::min(full, function.gain + full * seconds / kGainPeriod_s);
  }
  function.gained_at = now;
  if (function.gain < 1) return false;
  function.gain -= 1;
  function.peak = function.running + 1;
  return true;
}

std::optional<Admission::Refusal> Admission::place(const store::FunctionVersion& function, Place::Share& share) {
  const Namespace where{function.key.account, function.key.region};
  const auto reserved = settings_.limits(function.key).reserved;
  const auto found = functions_.find(function.key);
  const std::int32_t running = found == functions_.end() ? 0 : found->second.running;
  if (reserved && running >= *reserved) return Refusal::reserved;
  Account& account = accounts_[where];
  // Of use only while more runs than a new setting leaves room for.
  if (account.running >= options_.account_limit) return Refusal::account;
  if (found != functions_.end()) {
    const auto version = found->second.versions.find(function.version);
    share.provisioned = version != found->second.versions.end() && version->second.running < version->second.allocated;
  }
  // "If the amount of provisioned concurrency on a function's versions and aliases adds up to the function's reserved
  // concurrency, then all invocations run on provisioned concurrency" (Developer Guide).
  if (reserved && !share.provisioned && found != functions_.end() &&
      found->second.on_demand() >= *reserved - found->second.held())
    return Refusal::reserved;
  share.unreserved = !share.provisioned && !reserved;
  if (share.unreserved && account.unreserved >= unreserved_limit(where)) return Refusal::account;
  Function& use = functions_[function.key];
  if (!share.provisioned && !may_gain(use)) return Refusal::rate;
  ++use.running;
  if (share.provisioned) ++use.versions[function.version].running;
  ++account.running;
  if (share.unreserved) ++account.unreserved;
  return std::nullopt;
}

Admission::Place Admission::enter(const store::FunctionVersion& function) {
  Place::Share share{function.key, function.version};
  std::optional<Refusal> refusal;
  {
    const std::lock_guard lock(mutex_);
    refusal = place(function, share);
  }
  if (refusal) refuse(*refusal);
  return {this, std::move(share)};
}

void Admission::refuse(Refusal refusal) {
  const std::string reason(reason_of(refusal));
  throttles_.at({reason}).add();
  throw aws::Error("TooManyRequestsException", "Rate Exceeded.", 429)
      .with("Reason", reason)
      .with("retryAfterSeconds", "1");
}

void Admission::leave(const Place::Share& share) {
  const std::lock_guard lock(mutex_);
  const auto found = functions_.find(share.function);
  Function& function = found->second;
  --function.running;
  Account& account = accounts_[{share.function.account, share.function.region}];
  --account.running;
  if (share.unreserved) --account.unreserved;
  if (share.provisioned) {
    const auto version = function.versions.find(share.version);
    --version->second.running;
    if (version->second.allocated == 0 && version->second.running == 0) function.versions.erase(version);
    if (function.versions.empty()) provisioned_.erase(share.function);
  }
  if (function.running == 0 && function.versions.empty()) functions_.erase(found);
}

void Admission::set_provisioned(const store::FunctionKey& key, const std::string& version, std::int32_t count) {
  const std::lock_guard lock(mutex_);
  Function& function = functions_[key];
  Version& use = function.versions[version];
  use.allocated = count;
  if (count == 0 && use.running == 0) function.versions.erase(version);
  if (function.versions.empty())
    provisioned_.erase(key);
  else
    provisioned_.insert(key);
  if (function.running == 0 && function.versions.empty()) functions_.erase(key);
}

std::int32_t Admission::provisioned_running(const store::FunctionKey& key, const std::string& version) const {
  const std::lock_guard lock(mutex_);
  const auto function = functions_.find(key);
  if (function == functions_.end()) return 0;
  const auto use = function->second.versions.find(version);
  return use == function->second.versions.end() ? 0 : use->second.running;
}

Admission::Usage Admission::usage(const std::string& account, const std::string& region) const {
  const Namespace where{account, region};
  const std::lock_guard lock(mutex_);
  Usage usage{.limit = options_.account_limit};
  usage.unreserved_limit = unreserved_limit(where);
  const auto found = accounts_.find(where);
  if (found == accounts_.end()) return usage;
  usage.running = found->second.running;
  usage.unreserved = found->second.unreserved;
  return usage;
}

std::int32_t Admission::running(const store::FunctionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = functions_.find(key);
  return found == functions_.end() ? 0 : found->second.running;
}

std::unique_ptr<Engine> make_admitting_engine(Engine& inner, Admission& admission) {
  return std::make_unique<AdmittingEngine>(inner, admission);
}

}  // namespace lambent::invoke
