#include "invoke/provisions.h"

#include <algorithm>
#include <vector>

#include "aws/error.h"
#include "base/log.h"
#include "invoke/environment.h"

namespace lambent::invoke {

using base::Task;
using State = ProvisionStatus::State;

namespace {

/// The StatusReason of an init that failed, as AWS has it.
constexpr const char* kInitFailure = "FUNCTION_ERROR_INIT_FAILURE";

Provisions::Target target_of(const store::FunctionVersion& function) { return {function.key, function.version}; }

}  // namespace

const Provisions::Provision* Provisions::find(const Target& target) const {
  const auto found = provisions_.find(target);
  return found == provisions_.end() || found->second->count == 0 ? nullptr : found->second.get();
}

void Provisions::provision(store::FunctionSnapshot function, std::int32_t count, ProvisionObserver observer) {
  if (stopped_) return;
  const Target target = target_of(*function);
  Pointer& slot = provisions_[target];
  if (!slot) slot = std::make_shared<Provision>();
  Provision& provision = *slot;
  provision.function = std::move(function);
  provision.count = count;
  provision.observer = count > 0 ? std::move(observer) : nullptr;
  provision.state = State::in_progress;
  provision.reason.clear();
  provision.pause = {};
  provision.not_before = {};
  provision.said = {.requested = -1};
  trim(provision);
  fill();
  if (const auto found = provisions_.find(target); found != provisions_.end()) tell(*found->second);
}

void Provisions::retire(const store::FunctionKey& key, const std::string& version) {
  std::vector<Pointer> gone;
  for (auto at = provisions_.lower_bound({key, version}); at != provisions_.end() && at->first.first == key; ++at)
    if (version.empty() || at->first.second == version) gone.push_back(at->second);
  for (const Pointer& provision : gone) {
    provision->count = 0;
    provision->observer = nullptr;
    trim(*provision);
  }
  const auto ends = [&](const Target& target) {
    return target.first == key && (version.empty() || target.second == version);
  };
  for (Environment* environment : initializing_)
    if (ends(target_of(environment->function()))) environment->end();
  fill();
}

std::unique_ptr<Environment> Provisions::take(const Target& target) {
  const auto found = provisions_.find(target);
  if (found == provisions_.end()) return nullptr;
  const Pointer provision = found->second;
  while (!provision->idle.empty()) {
    std::unique_ptr<Environment> environment = std::move(provision->idle.front());
    provision->idle.pop_front();
    if (environment->intact()) {
      busy_.fetch_add(1, std::memory_order_relaxed);
      provision->busy.insert(environment.get());
      return environment;
    }
    parts_.dispose(std::move(environment));
  }
  return nullptr;
}

bool Provisions::replaced(const Environment& environment) const {
  const auto found = provisions_.find(target_of(environment.function()));
  return found != provisions_.end() && found->second->initialized() > found->second->count && is_old(environment);
}

void Provisions::give_back(std::unique_ptr<Environment> environment) {
  busy_.fetch_sub(1, std::memory_order_relaxed);
  const auto found = provisions_.find(target_of(environment->function()));
  if (found == provisions_.end()) return parts_.dispose(std::move(environment));
  const Pointer provision = found->second;
  provision->busy.erase(environment.get());
  const bool wanted = !stopped_ && environment->intact() && environment->serves(*provision->function) &&
                      provision->count > 0 && !replaced(*environment);
  if (!wanted) return parts_.dispose(std::move(environment));
  // It has served: what went wrong before is over.
  provision->pause = {};
  keep(*provision, std::move(environment));
}

void Provisions::keep(Provision& provision, std::unique_ptr<Environment> environment) {
  environment->rest();
  environment->idle_since = parts_.clock.steady();
  provision.idle.push_front(std::move(environment));
  trim(provision);
  tell(provision);
}

void Provisions::left(const Environment& environment) {
  const auto found = provisions_.find(target_of(environment.function()));
  if (found == provisions_.end()) return;
  --found->second->alive;
  tell(*found->second);
  if (stopped_) return;
  // Not here: whoever ends one may be in the midst of a list of them.
  base::asio::post(parts_.lane, [this] { fill(); });
}

bool Provisions::is_old(const Environment& environment) const {
  return parts_.clock.steady() - environment.launched_at() > parts_.lifetime;
}

std::int32_t Provisions::old_busy(const Provision& provision) const {
  return static_cast<std::int32_t>(
      std::ranges::count_if(provision.busy, [this](const Environment* one) { return is_old(*one); }));
}

std::int32_t Provisions::old_idle(const Provision& provision) const {
  return static_cast<std::int32_t>(
      std::ranges::count_if(provision.idle, [this](const auto& one) { return is_old(*one); }));
}

/// Ends what is more than was asked for, what is old first, the oldest of it: a replacement is made before it takes their place. For
/// each old one that is busy another stays, because the old one goes when it is given back.
void Provisions::trim(Provision& provision) {
  const std::int32_t leaving = provision.count > 0 ? old_busy(provision) : 0;
  while (!provision.idle.empty() && provision.initialized() > provision.count) {
    auto which = std::ranges::min_element(provision.idle, {}, [](const auto& one) { return one->launched_at(); });
    if (!is_old(**which)) {
      if (provision.initialized() - leaving <= provision.count) return;
      which = std::prev(provision.idle.end());
    }
    std::unique_ptr<Environment> environment = std::move(*which);
    provision.idle.erase(which);
    parts_.dispose(std::move(environment));
  }
}

void Provisions::fill() {
  if (stopped_) return;
  const auto now = std::chrono::steady_clock::now();
  std::vector<Pointer> next;
  for (auto at = provisions_.begin(); at != provisions_.end();) {
    const Pointer provision = at->second;
    const bool over = provision->count == 0 && provision->alive == 0 && provision->launching == 0;
    at = over ? provisions_.erase(at) : std::next(at);
    if (provision->count == 0 || provision->state == State::failed) continue;
    if (now < provision->not_before) {
      retry_at(provision->not_before);
      continue;
    }
    const std::int32_t wanted = provision->count + old_idle(*provision) + old_busy(*provision);
    while (making_.load() < kAtOnce && provision->alive + provision->launching < wanted) {
      ++provision->launching;
      making_.fetch_add(1);
      next.push_back(provision);
    }
  }
  for (Pointer& provision : next) base::asio::co_spawn(parts_.lane, make(std::move(provision)), base::asio::detached);
}

Task<std::unique_ptr<Environment>> Provisions::launched(Pointer provision) {
  std::unique_ptr<Environment> environment;
  const store::FunctionSnapshot function = provision->function;
  try {
    environment = co_await parts_.launch(function);
  } catch (const aws::Error& error) {
    // What no further try changes: the runtime or the role is gone.
    if (provision->function == function) fail(*provision, error.message());
  } catch (const std::exception& error) {
    base::log::warn("a provisioned environment could not be made",
                    {{"function", function->key.name}, {"version", function->version}, {"reason", error.what()}});
    pause(*provision);
  }
  co_return environment;
}

Task<bool> Provisions::initialized(Environment& environment) {
  try {
    co_return co_await environment.initialize();
  } catch (const std::exception& error) {
    base::log::warn("a provisioned environment could not be initialised", {{"reason", error.what()}});
  }
  co_return false;
}

Task<void> Provisions::make(Pointer provision) {
  std::unique_ptr<Environment> environment = co_await launched(provision);
  --provision->launching;
  if (environment) {
    ++provision->alive;
    ++provision->initializing;
    Environment* const raw = environment.get();
    const store::FunctionSnapshot function = provision->function;
    initializing_.insert(raw);
    if (stopped_) raw->end();
    const bool ready = co_await initialized(*raw);
    initializing_.erase(raw);
    --provision->initializing;
    // Meanwhile the function may have been deleted and made anew, with another code under the same version.
    if (ready && !stopped_ && provision->count > 0 && raw->serves(*provision->function)) {
      const Target target = target_of(raw->function());
      raw->when_broken([this, target] { base::asio::post(parts_.lane, [this, target] { mend(target); }); });
      keep(*provision, std::move(environment));
    } else {
      if (!ready && !stopped_ && provision->count > 0 && provision->function == function)
        fail(*provision, kInitFailure);
      parts_.dispose(std::move(environment));
    }
  }
  making_.fetch_sub(1);
  tell(*provision);
  fill();
}

/// Once all were there, a failure is a misfortune that is tried again; before, it is the end of the allocation.
void Provisions::fail(Provision& provision, std::string reason) {
  if (provision.state == State::ready) return pause(provision);
  provision.state = State::failed;
  provision.reason = std::move(reason);
}

void Provisions::pause(Provision& provision) {
  provision.pause = std::clamp(provision.pause * 2, kFirstPause, kLongestPause);
  provision.not_before = std::chrono::steady_clock::now() + provision.pause;
}

void Provisions::retry_at(base::SteadyTime when) {
  if (retry_.expiry() > std::chrono::steady_clock::now() && retry_.expiry() <= when) return;
  retry_.expires_at(when);
  retry_.async_wait([this](boost::system::error_code error) {
    if (!error) fill();
  });
}

/// What has ended while it was idle makes room for another one; not at once when it ended soon after its init, as it may always do.
void Provisions::mend(const Target& target) {
  const auto found = provisions_.find(target);
  if (found == provisions_.end()) return;
  const Pointer provision = found->second;
  const auto ended_soon = [this](const auto& one) {
    return !one->intact() && parts_.clock.steady() - one->launched_at() < kLongestPause;
  };
  if (std::ranges::any_of(provision->idle, ended_soon)) pause(*provision);
  for (auto at = provision->idle.begin(); at != provision->idle.end();) {
    std::unique_ptr<Environment> broken;
    if (!(*at)->intact()) broken = std::move(*at);
    at = broken ? provision->idle.erase(at) : std::next(at);
    if (broken) parts_.dispose(std::move(broken));
  }
}

void Provisions::tell(Provision& provision) {
  std::int32_t allocated = 0;
  for (const auto& [target, one] : provisions_) allocated += one->initialized();
  allocated_.store(allocated, std::memory_order_relaxed);
  if (!provision.observer) return;
  ProvisionStatus status;
  if (provision.state == State::in_progress && provision.initialized() >= provision.count)
    provision.state = State::ready;
  status.state = provision.state;
  status.requested = provision.count;
  status.allocated = std::min(provision.initialized(), provision.count);
  status.reason = provision.reason;
  if (status == provision.said) return;
  provision.said = status;
  provision.observer(std::move(status));
}

void Provisions::sweep() {
  for (const auto& [target, provision] : provisions_) trim(*provision);
  fill();
}

void Provisions::stop() {
  stopped_ = true;
  retry_.cancel();
  for (Environment* environment : initializing_) environment->end();
  for (const auto& [target, provision] : provisions_) {
    provision->observer = nullptr;
    while (!provision->idle.empty()) {
      std::unique_ptr<Environment> environment = std::move(provision->idle.front());
      provision->idle.pop_front();
      parts_.dispose(std::move(environment));
    }
  }
}

}  // namespace lambent::invoke
