#include "invoke/engine.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <list>
#include <map>
#include <set>

#include "aws/error.h"
#include "base/log.h"
#include "invoke/environment.h"
#include "invoke/provisions.h"
#include "invoke/spares.h"
#include "invoke/starts.h"
#include "invoke/under_way.h"

namespace lambent::invoke {

using base::Task;
using std::chrono::milliseconds;

namespace {

/// How long an invocation waits for an environment that has just answered: as long as a new one would need, within these. The
/// least is five periods of a function's share of a processor, which the runtime may have used up with its answer.
constexpr milliseconds kLeastPatience{100}, kMostPatience{500};
/// How many environments one invocation may wear out before it has begun.
constexpr int kAttempts = 3;

/// Counts an invocation for as long as it runs.
class Running {
 public:
  explicit Running(std::atomic<std::int32_t>& count) : count_(count) { count_.fetch_add(1); }
  Running(const Running&) = delete;
  ~Running() { count_.fetch_sub(1); }

 private:
  std::atomic<std::int32_t>& count_;
};

/// MemAvailable of /proc/meminfo, in MiB.
std::int64_t available_memory_mib() {
  std::ifstream file("/proc/meminfo");
  for (std::string name, unit; file >> name;) {
    std::int64_t kib = 0;
    file >> kib;
    if (name == "MemAvailable:") return kib >> 10;
    std::getline(file, unit);
  }
  return std::numeric_limits<std::int64_t>::max();
}

/// The environments of the functions that are pinned to one lane. Everything here runs on that lane.
class LaneEngine {
 public:
  LaneEngine(const EngineOptions& options, const EngineParts& parts, base::asio::io_context& lane,
             sandbox::Launcher& launcher, const std::shared_ptr<SpareMemory>& memory,
             base::Family<base::Counter>& provisioned_invocations)
      : options_(options),
        parts_(parts),
        lane_(lane),
        sandboxes_(std::make_shared<Sandboxes>(lane, launcher, parts.clock, memory)),
        starts_(lane, options.starts_at_once),
        provisioned_invocations_(provisioned_invocations),
        provisions_(provisions_parts()),
        sweep_timer_(lane) {}

  Task<Outcome> invoke(const Invocation& invocation) {
    UnderWay::Place place = under_way_.begin(invocation.function);
    const Pool pool = pool_of(invocation);
    std::unique_ptr<Environment> environment = take_idle(*invocation.function, pool);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      if (environment == nullptr && settling_.contains(pool))
        environment = co_await await_settling(*invocation.function, pool);
      if (environment == nullptr) environment = co_await await_turn(*invocation.function, pool);
      if (environment == nullptr) {
        Purpose purpose{.tenant_id = pool.tenant_id};
        environment = co_await launch_in_turn(invocation.function, std::move(purpose));
      }
      if (attempt == 0) count_provisioned(*environment);
      std::optional<Outcome> outcome = co_await environment->invoke(invocation);
      if (outcome) {
        release(std::move(environment), invocation.function, std::move(place));
        co_return std::move(*outcome);
      }
      // It could not be reset: another one takes its place.
      drop(std::move(environment));
    }
    throw aws::Error("ServiceException", "The service encountered an internal error.", 500);
  }

  /// Idle environments end now, busy ones when they come back.
  void retire(const store::FunctionKey& key, const std::string& version) {
    under_way_.retire(key, version);
    drop_idle(key, version);
    provisions_.retire(key, version);
  }

  void provision(store::FunctionSnapshot function, std::int32_t count, ProvisionObserver observer) {
    provisions_.provision(std::move(function), count, std::move(observer));
  }

  void expect(const store::FunctionVersion& function) {
    if (!parts_.catalog.looked()) {
      base::asio::co_spawn(lane_, expect_later(function), base::asio::detached);
      return;
    }
    const auto found = parts_.catalog.find(function.runtime);
    if (found.runtime) sandboxes_->expect(*found.runtime, function.memory_mib, function.ephemeral_mib);
  }

  Task<void> expect_later(store::FunctionVersion function) {
    auto looked = parts_.catalog.await_look();
    co_await std::move(looked);
    if (!stopped_) expect(function);
  }

  void start() { base::asio::co_spawn(lane_, sweep(), base::asio::detached); }
  /// Idle environments end; those with extensions take their time, see busy().
  void stop() {
    while (!idle_.empty()) drop_idle(store::FunctionKey(idle_.begin()->first.function), "");
    provisions_.stop();
    stopped_ = true;
    sweep_timer_.cancel();
    sandboxes_->stop();
  }
  /// Ends every environment at once; invocations that still run come back as killed.
  void abort() {
    for (Environment* environment : alive_) environment->end();
  }

  std::size_t environments() const { return environments_.load(std::memory_order_relaxed); }
  /// Environments that settle, shut down or are provisioned in the background.
  std::size_t busy() const { return busy_.load(std::memory_order_relaxed) + provisions_.making(); }
  const Provisions& provisions() const { return provisions_; }

 private:
  using Idle = std::list<std::unique_ptr<Environment>>;
  using Target = Provisions::Target;
  /// Whose environments may take each other's place: those of one version and, where it isolates its tenants, of one tenant.
  struct Pool {
    store::FunctionKey function;
    std::string version;
    std::string tenant_id;
    auto operator<=>(const Pool&) const = default;
  };

  static Target target_of(const store::FunctionVersion& function) { return {function.key, function.version}; }
  static Pool pool_of(const Invocation& invocation) {
    const store::FunctionVersion& function = *invocation.function;
    return {function.key, function.version, function.per_tenant ? invocation.tenant_id : ""};
  }
  static Pool pool_of(const Environment& environment) {
    const store::FunctionVersion& function = environment.function();
    return {function.key, function.version, environment.tenant_id()};
  }
  /// In the queue of starts, where tenants share their function's turn.
  static std::string name_of(const store::FunctionKey& function, const std::string& version) {
    return function.account + "/" + function.region + "/" + function.name + ":" + version;
  }

  Provisions::Parts provisions_parts() {
    auto launch = [this](store::FunctionSnapshot function) { return launch_provisioned(std::move(function)); };
    auto dispose = [this](std::unique_ptr<Environment> environment) { this->dispose(std::move(environment)); };
    return {lane_, parts_.clock, options_.lifetime, launch, dispose};
  }

  void count_provisioned(const Environment& environment) {
    if (environment.provisioned())
      provisioned_invocations_.at({"provisioned"}).add();
    else if (!provisions_.none() && provisions_.provisioned(target_of(environment.function())))
      provisioned_invocations_.at({"spillover"}).add();
  }

  /// What is provisioned first; then the warmest, so that the others grow old and go.
  std::unique_ptr<Environment> take_idle(const store::FunctionVersion& function, const Pool& pool) {
    if (!provisions_.none())
      if (auto environment = provisions_.take(target_of(function))) return environment;
    const auto found = idle_.find(pool);
    if (found == idle_.end()) return nullptr;
    while (!found->second.empty()) {
      std::unique_ptr<Environment> environment = std::move(found->second.front());
      found->second.pop_front();
      if (environment->usable() && environment->serves(function)) {
        // Whoever looks for the coldest finds one in every list.
        if (found->second.empty()) idle_.erase(found);
        return environment;
      }
      dispose(std::move(environment));
    }
    idle_.erase(found);
    return nullptr;
  }

  /// When it may start an environment: nothing. Or one that has become idle while it waited.
  Task<std::unique_ptr<Environment>> await_turn(const store::FunctionVersion& function, const Pool& pool) {
    const std::string name = name_of(pool.function, pool.version);
    while (std::unique_ptr<Environment> offered = co_await starts_.enter(name, pool.tenant_id)) {
      if (offered->usable() && offered->serves(function)) co_return offered;
      drop(std::move(offered));
    }
    co_return nullptr;
  }

  /// Runtimes ask for their next event right after an answer, but one that is slow to start may be slow to ask, with a share of a
  /// processor: patience saves whoever invokes again at once a new environment.
  Task<std::unique_ptr<Environment>> await_settling(const store::FunctionVersion& function, const Pool& pool) {
    const milliseconds patience = std::clamp(settling_.find(pool)->second, kLeastPatience, kMostPatience);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    base::asio::steady_timer pause(lane_);
    std::unique_ptr<Environment> found;
    while (found == nullptr && settling_.contains(pool) && std::chrono::steady_clock::now() < deadline) {
      pause.expires_after(milliseconds(1));
      co_await pause.async_wait(base::asio::use_awaitable);
      found = take_idle(function, pool);
    }
    co_return found;
  }

  /// An answer has left. Until the runtime and the extensions ask for their next events the environment is still busy.
  void release(std::unique_ptr<Environment> environment, const store::FunctionSnapshot& function,
               UnderWay::Place place) {
    if (environment->idle()) {
      give_back(std::move(environment), place);
      return;
    }
    busy_.fetch_add(1, std::memory_order_relaxed);
    if (!environment->has_extensions()) settling_.emplace(pool_of(*environment), environment->made_in());
    base::asio::co_spawn(lane_, settle(std::move(environment), function, std::move(place)), base::asio::detached);
  }

  Task<void> settle(std::unique_ptr<Environment> environment, store::FunctionSnapshot function, UnderWay::Place place) {
    const bool counted = !environment->has_extensions();
    co_await environment->settle();
    if (const auto one = settling_.find(pool_of(*environment)); counted && one != settling_.end()) settling_.erase(one);
    give_back(std::move(environment), place);
    busy_.fetch_sub(1, std::memory_order_relaxed);
  }

  void give_back(std::unique_ptr<Environment> environment, const UnderWay::Place& place) {
    // What is provisioned is replaced, not reset: its next invocation shall find it initialised.
    const bool fit = environment->provisioned() ? environment->intact() && !provisions_.replaced(*environment)
                                                : environment->usable() && !outlived(*environment);
    if (stopped_ || !fit || place.retired()) {
      drop(std::move(environment));
      return;
    }
    const Pool pool = pool_of(*environment);
    environment = starts_.offer(name_of(pool.function, pool.version), pool.tenant_id, std::move(environment));
    if (environment == nullptr) return;
    if (environment->provisioned()) return provisions_.give_back(std::move(environment));
    environment->rest();
    environment->idle_since = parts_.clock.steady();
    idle_[pool].push_front(std::move(environment));
  }

  /// Those of the version, or of every version when it is empty.
  void drop_idle(const store::FunctionKey& key, const std::string& version) {
    for (auto found = idle_.lower_bound({key, version, ""}); found != idle_.end() && found->first.function == key;) {
      if (!version.empty() && found->first.version != version) return;
      for (auto& environment : found->second) dispose(std::move(environment));
      found = idle_.erase(found);
    }
  }

  /// One that has been taken and serves nobody any longer.
  void drop(std::unique_ptr<Environment> environment) {
    if (environment->provisioned())
      provisions_.give_back(std::move(environment));
    else
      dispose(std::move(environment));
  }

  /// Its extensions are told that it ends and have their time for it.
  void dispose(std::unique_ptr<Environment> environment) {
    if (environment->provisioned()) provisions_.left(*environment);
    if (stopped_ || !environment->has_extensions()) {
      forget(std::move(environment));
      return;
    }
    busy_.fetch_add(1, std::memory_order_relaxed);
    base::asio::co_spawn(lane_, shut_down(std::move(environment)), base::asio::detached);
  }

  Task<void> shut_down(std::unique_ptr<Environment> environment) {
    co_await environment->shut_down();
    forget(std::move(environment));
    busy_.fetch_sub(1, std::memory_order_relaxed);
  }

  void forget(std::unique_ptr<Environment> environment) {
    alive_.erase(environment.get());
    environment.reset();
    environments_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// When there is no sandbox to be had, the environment that has been idle longest makes room for this one.
  Task<std::unique_ptr<Environment>> launch_or_make_room(const store::FunctionSnapshot& function, Purpose purpose) {
    const milliseconds limit = init_limit(*function, purpose.initialization);
    std::string reason;
    try {
      co_return co_await Environment::launch(parts_, *sandboxes_, lane_, function, limit, purpose);
    } catch (const std::runtime_error& error) {
      if (idle_.empty()) throw;
      reason = error.what();
    }
    base::log::warn("an idle environment makes room", {{"reason", reason}});
    drop_coldest();
    co_return co_await Environment::launch(parts_, *sandboxes_, lane_, function, limit, purpose);
  }

  milliseconds init_limit(const store::FunctionVersion& function, Initialization initialization) const {
    if (initialization == Initialization::on_demand) return options_.init_limit;
    return std::max(options_.provisioned_init_limit, milliseconds(std::chrono::seconds(function.timeout_s)));
  }

  Task<std::unique_ptr<Environment>> launch(const store::FunctionSnapshot& function, Purpose purpose) {
    std::unique_ptr<Environment> environment = co_await launch_or_make_room(function, std::move(purpose));
    if (stopped_) throw aws::Error("ServiceException", "The server is stopping.", 500);
    alive_.insert(environment.get());
    environments_.fetch_add(1, std::memory_order_relaxed);
    co_return environment;
  }

  /// The launch of one whose turn it was.
  Task<std::unique_ptr<Environment>> launch_in_turn(const store::FunctionSnapshot& function, Purpose purpose) {
    std::unique_ptr<Environment> environment;
    std::exception_ptr failure;
    try {
      environment = co_await launch(function, std::move(purpose));
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
    starts_.leave();
    if (failure) std::rethrow_exception(failure);
    co_return environment;
  }

  /// In turn with the invocations that wait, under a name of its own: nothing is offered to it.
  Task<std::unique_ptr<Environment>> launch_provisioned(store::FunctionSnapshot function) {
    co_await starts_.enter(name_of(function->key, function->version) + " provisioned");
    Purpose purpose{.initialization = Initialization::provisioned};
    co_return co_await launch_in_turn(function, std::move(purpose));
  }

  Task<void> sweep() {
    while (!stopped_) {
      sweep_timer_.expires_after(options_.sweep_period);
      try {
        co_await sweep_timer_.async_wait(base::asio::use_awaitable);
      } catch (const boost::system::system_error&) {
        co_return;
      }
      drop_stale();
      provisions_.sweep();
      sandboxes_->sweep();
      relieve_pressure();
    }
  }

  /// One that is always busy when it is looked at must not live on either.
  bool outlived(const Environment& environment) const {
    return parts_.clock.steady() - environment.launched_at() > options_.lifetime;
  }

  void drop_stale() {
    const auto now = parts_.clock.steady();
    for (auto pool = idle_.begin(); pool != idle_.end();) {
      for (auto at = pool->second.begin(); at != pool->second.end();) {
        const Environment& environment = **at;
        const bool stale =
            !environment.usable() || now - environment.idle_since > options_.idle_time || outlived(environment);
        if (stale) dispose(std::move(*at));
        at = stale ? pool->second.erase(at) : std::next(at);
      }
      pool = pool->second.empty() ? idle_.erase(pool) : std::next(pool);
    }
  }

  /// Ends the environment that has been idle longest and says what it held at most, in MiB. There must be one.
  std::int64_t drop_coldest() {
    // Each list has its coldest at the end.
    const auto coldest = std::ranges::min_element(idle_, {}, [](const auto& pool) {
      return pool.second.empty() ? base::SteadyTime::max() : pool.second.back()->idle_since;
    });
    const std::int64_t held_mib = coldest->second.back()->peak_memory_mib();
    dispose(std::move(coldest->second.back()));
    coldest->second.pop_back();
    if (coldest->second.empty()) idle_.erase(coldest);
    return held_mib;
  }

  void relieve_pressure() {
    if (options_.keep_free_mib == 0) return;
    std::int64_t missing_mib = options_.keep_free_mib - options_.available_memory_mib();
    if (missing_mib > 0) missing_mib -= sandboxes_->shed();
    std::size_t ended = 0;
    for (; missing_mib > 0 && !idle_.empty(); ++ended) missing_mib -= std::max<std::int64_t>(1, drop_coldest());
    if (ended > 0)
      base::log::warn("little memory is left: idle environments were ended", {{"ended", std::to_string(ended)}});
  }

  const EngineOptions& options_;
  const EngineParts& parts_;
  base::asio::io_context& lane_;
  std::shared_ptr<Sandboxes> sandboxes_;
  Starts starts_;
  base::Family<base::Counter>& provisioned_invocations_;
  Provisions provisions_;
  base::asio::steady_timer sweep_timer_;
  std::map<Pool, Idle> idle_;
  /// Of each environment that has answered and whose runtime has not asked for its next event: how long it took to make.
  std::multimap<Pool, milliseconds> settling_;
  UnderWay under_way_;
  std::set<Environment*> alive_;
  std::atomic<std::size_t> environments_{0}, busy_{0};
  bool stopped_ = false;
};

class LanedEngine final : public Engine {
 public:
  LanedEngine(EngineOptions options, EngineParts parts)
      : options_(options),
        parts_(std::move(parts)),
        invocations_(parts_.metrics.counter("lambent_invocations_total", "Invocations by their end.", {"end"})),
        provisioned_invocations_(parts_.metrics.counter(
            "lambent_provisioned_concurrency_invocations_total",
            "Invocations of versions with provisioned concurrency, by where they ran.", {"environment"})),
        spare_memory_(std::make_shared<SpareMemory>(options_.spare_memory_mib, parts_.metrics)) {
    if (!options_.available_memory_mib) options_.available_memory_mib = available_memory_mib;
    for (std::size_t i = 0; i < parts_.lanes.count(); ++i) {
      lanes_.push_back(std::make_unique<LaneEngine>(options_, parts_, parts_.lanes.lane(i), *parts_.launchers[i],
                                                    spare_memory_, provisioned_invocations_));
      lanes_.back()->start();
    }
    parts_.metrics.gauge("lambent_environments", "Execution environments that exist.", [this] {
      std::size_t total = 0;
      for (const auto& lane : lanes_) total += lane->environments();
      return static_cast<double>(total);
    });
    parts_.metrics.gauge("lambent_invocations_running", "Invocations running now.",
                         [this] { return static_cast<double>(running_.load()); });
    const auto total = [this](std::int32_t (Provisions::*count)() const) {
      double sum = 0;
      for (const auto& lane : lanes_) sum += (lane->provisions().*count)();
      return sum;
    };
    parts_.metrics.gauge("lambent_provisioned_concurrency_allocated", "Provisioned environments that are initialised.",
                         [total] { return total(&Provisions::allocated); });
    parts_.metrics.gauge("lambent_provisioned_concurrency_running", "Provisioned environments that are busy.",
                         [total] { return total(&Provisions::busy); });
    parts_.metrics.gauge("lambent_provisioned_concurrency_utilization", "Their share of those that are initialised.",
                         [total] {
                           const double allocated = total(&Provisions::allocated);
                           return allocated == 0 ? 0 : total(&Provisions::busy) / allocated;
                         });
  }

  Task<Outcome> invoke(Invocation invocation) override {
    // Counted before the flag is read: stop() sees the count or this sees the flag.
    const Running running(running_);
    if (stopping_) throw aws::Error("ServiceException", "The server is stopping.", 500);
    const std::size_t index = lane_index(invocation.function->key);
    LaneEngine& engine = *lanes_[index];
    auto work = [&engine, &invocation] { return engine.invoke(invocation); };
    Outcome outcome;
    try {
      outcome = co_await base::on(parts_.lanes.lane(index), work);
    } catch (const aws::Error&) {
      invocations_.at({"refused"}).add();
      throw;
    } catch (const std::exception& error) {
      invocations_.at({"platform_error"}).add();
      base::log::error("invocation failed", {{"request_id", invocation.request_id}, {"reason", error.what()}});
      throw aws::Error("ServiceException", "The service encountered an internal error.", 500);
    }
    invocations_.at({outcome.function_error.empty() ? "success" : "function_error"}).add();
    co_return outcome;
  }

  void retire(const store::FunctionKey& key, const std::string& version) override {
    const std::size_t index = lane_index(key);
    base::asio::post(parts_.lanes.lane(index),
                     [engine = lanes_[index].get(), key, version] { engine->retire(key, version); });
  }

  void expect(const store::FunctionVersion& function) override {
    const std::size_t index = lane_index(function.key);
    base::asio::post(parts_.lanes.lane(index), [engine = lanes_[index].get(), function] { engine->expect(function); });
  }

  void provision(store::FunctionSnapshot function, std::int32_t count, ProvisionObserver observer) override {
    const std::size_t index = lane_index(function->key);
    auto work = [engine = lanes_[index].get(), function = std::move(function), count, observer = std::move(observer)] {
      engine->provision(function, count, observer);
    };
    base::asio::post(parts_.lanes.lane(index), std::move(work));
  }

  Task<void> stop(std::chrono::seconds grace) override {
    stopping_ = true;
    const auto running = [this] { return running_.load() > 0; };
    const auto busy = [this] { return std::ranges::any_of(lanes_, [](const auto& lane) { return lane->busy() > 0; }); };
    co_await wait_while(running, grace);
    co_await on_each(&LaneEngine::stop);
    co_await wait_while(busy, Environment::kShutdownExternal + milliseconds(500));
    co_await on_each(&LaneEngine::abort);
    co_await wait_while([&] { return running() || busy(); }, std::chrono::seconds(5));
  }

 private:
  Task<void> on_each(void (LaneEngine::*call)()) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      auto work = [engine = lanes_[i].get(), call]() -> Task<void> {
        (engine->*call)();
        co_return;
      };
      co_await base::on(parts_.lanes.lane(i), work);
    }
  }

  Task<void> wait_while(std::function<bool()> condition, milliseconds at_most) {
    base::asio::steady_timer timer(co_await base::asio::this_coro::executor);
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    while (condition() && std::chrono::steady_clock::now() < deadline) {
      timer.expires_after(milliseconds(5));
      co_await timer.async_wait(base::asio::use_awaitable);
    }
  }

  std::size_t lane_index(const store::FunctionKey& key) const {
    return parts_.lanes.index_of(key.account + "/" + key.region + "/" + key.name);
  }

  EngineOptions options_;
  EngineParts parts_;
  base::Family<base::Counter>& invocations_;
  base::Family<base::Counter>& provisioned_invocations_;
  std::shared_ptr<SpareMemory> spare_memory_;
  std::vector<std::unique_ptr<LaneEngine>> lanes_;
  std::atomic<std::int32_t> running_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace

std::unique_ptr<Engine> make_engine(EngineOptions options, EngineParts parts) {
  return std::make_unique<LanedEngine>(options, std::move(parts));
}

}  // namespace lambent::invoke
