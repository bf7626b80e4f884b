#include "invoke/spares.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "invoke/engine.h"
#include "invoke/environment_variables.h"

namespace lambent::invoke {

using base::Task;
using sandbox::Sandbox;
using sandbox::SpareSpec;
using sandbox::Spec;
using std::chrono::milliseconds;

namespace {

/// Refilling begins when nobody has asked for so long: it takes the CPU from whoever was just handed its sandbox.
constexpr milliseconds kQuiet{15};
/// But not later than this.
constexpr milliseconds kLatest{100};
/// In each of two kinds. Spares in which a program starts get only CPU that nobody else wants; where there is none, they must not hold
/// up forks and empty sandboxes.
constexpr std::size_t kMakingAtOnce = 2;
constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{60'000};

constexpr std::array<std::string_view, 14> kPrefixesAtExec{"LD_",    "LC_",   "MALLOC_", "GLIBC_", "OPENSSL_",
                                                           "PYTHON", "NODE_", "RUBY",    "GEM_",   "BUNDLE_",
                                                           "JAVA_",  "JDK_",  "_JAVA",   "DOTNET_"};
constexpr std::array<std::string_view, 4> kNamesAtExec{"LANG", "LANGUAGE", "UV_THREADPOOL_SIZE",
                                                       "AWS_LAMBDA_EXEC_WRAPPER"};

bool acts_at_exec(std::string_view name, runtimes::Family family) {
  // Read by programs whenever they like, and set by everybody.
  if (name == "NODE_ENV") return false;
  // Python and Node.js notice when it changes.
  if (name == "TZ") return family != runtimes::Family::python && family != runtimes::Family::nodejs;
  return std::ranges::find(kNamesAtExec, name) != kNamesAtExec.end() ||
         std::ranges::any_of(kPrefixesAtExec, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

/// What every function of the runtime has, of that which must be there before its process starts.
std::vector<std::string> own_environment(const runtimes::Runtime& runtime) {
  return acting_at_exec(environment_variables(store::FunctionVersion{}, runtime, RoleCredentials{}, "", "on-demand"),
                        runtime.family);
}

/// What one spare's place is known by; two runtimes that wait in the same way share it.
std::string key_of(const SpareSpec& spec) {
  std::string key = spec.root + '\0' + spec.runtime_dir + '\0' + std::to_string(spec.ephemeral_mib) + '\0' +
                    std::to_string(spec.max_processes);
  for (const std::string& argument : spec.argv) key += '\0' + argument;
  key += '\0';
  for (const std::string& pair : spec.environment) key += '\0' + pair;
  return key;
}

}  // namespace

std::vector<std::string> acting_at_exec(const std::vector<std::string>& environment, runtimes::Family family) {
  std::vector<std::string> acting;
  for (const std::string& pair : environment)
    if (acts_at_exec(std::string_view(pair).substr(0, pair.find('=')), family)) acting.push_back(pair);
  return acting;
}

SpareMemory::SpareMemory(std::int64_t limit_mib, base::Metrics& metrics)
    : limit_mib_(limit_mib),
      events_(
          metrics.counter("lambent_spares_total", "What became of sandboxes that wait for a function.", {"event"})) {
  metrics.gauge("lambent_spares_waiting", "Sandboxes that wait for a function.",
                [this] { return static_cast<double>(waiting.load()); });
  metrics.gauge(
      "lambent_spares_making",
      "Sandboxes that are being made to wait for a function; not 0 while there are more to make and memory for "
      "them, but for the pause after a failure.",
      [this] { return static_cast<double>(making.load()); });
  metrics.gauge("lambent_spare_memory_mib",
                "Memory that waiting sandboxes hold, in MiB, by measured cost of each kind.",
                [this] { return static_cast<double>(held_mib()); });
}

bool SpareMemory::reserve(std::int64_t mib) {
  if (held_mib_.fetch_add(mib) + mib <= limit_mib_) return true;
  held_mib_.fetch_sub(mib);
  return false;
}

Sandboxes::Sandboxes(base::asio::io_context& lane, sandbox::Launcher& launcher, const base::Clock& clock,
                     std::shared_ptr<SpareMemory> memory)
    : lane_(lane), launcher_(launcher), clock_(clock), memory_(std::move(memory)) {}

Task<std::unique_ptr<Sandbox>> Sandboxes::take(Spec spec, const runtimes::Runtime& runtime) {
  const auto self = shared_from_this();
  ++taking_;
  std::unique_ptr<Sandbox> found;
  std::exception_ptr failure;
  try {
    found = co_await find(spec, runtime);
    if (!found) found = co_await launcher_.launch(std::move(spec));
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  --taking_;
  wake();
  if (failure) std::rethrow_exception(failure);
  co_return found;
}

/// The quickest way there is, or nothing.
Task<std::unique_ptr<Sandbox>> Sandboxes::find(const Spec& spec, const runtimes::Runtime& runtime) {
  if (memory_->none() || stopped_) co_return nullptr;
  Pool* const waiting = pool_for_waiting(spec, runtime);
  Pool& wanted = waiting != nullptr ? *waiting : pool_of_empty(spec);
  note_demand(wanted);
  if (std::unique_ptr<Sandbox> sandbox = pop(wanted)) {
    memory_->count("taken");
    // One that fails is not tried again with another: whatever is wrong with it may be wrong with all.
    co_return co_await assigned(std::move(sandbox), spec);
  }
  memory_->count("missed");
  if (waiting == nullptr) co_return nullptr;
  if (waiting->spec.zygote && waiting->proven) {
    SpareSpec spare = waiting->spec;
    co_return co_await forked(std::move(spare), spec);
  }
  std::unique_ptr<Sandbox> empty = pop(pool_of_empty(spec));
  if (!empty) co_return nullptr;
  co_return co_await assigned(std::move(empty), spec);
}

/// Nothing when it cannot be assigned: then it is gone.
Task<std::unique_ptr<Sandbox>> Sandboxes::assigned(std::unique_ptr<Sandbox> sandbox, const Spec& spec) {
  try {
    co_await sandbox->assign(spec);
    co_return sandbox;
  } catch (const std::runtime_error& error) {
    memory_->count("failed");
    base::log::warn("a waiting sandbox could not be assigned", {{"reason", error.what()}});
  }
  co_return nullptr;
}

Task<std::unique_ptr<Sandbox>> Sandboxes::forked(SpareSpec spare, const Spec& spec) {
  std::unique_ptr<Sandbox> sandbox;
  try {
    sandbox = co_await launcher_.prepare(std::move(spare));
  } catch (const std::runtime_error& error) {
    memory_->count("failed");
    base::log::warn("no sandbox could be forked", {{"reason", error.what()}});
    co_return nullptr;
  }
  memory_->count("forked");
  co_return co_await assigned(std::move(sandbox), spec);
}

void Sandboxes::expect(const runtimes::Runtime& runtime, std::int32_t memory_mib, std::int32_t ephemeral_mib) {
  if (memory_->none() || stopped_) return;
  Spec spec;
  spec.root = runtime.root;
  spec.runtime_dir = runtime.bootstrap_dir;
  spec.argv = runtimes::command_line(runtime, memory_mib);
  spec.environment = own_environment(runtime);
  spec.memory_mib = memory_mib;
  spec.ephemeral_mib = ephemeral_mib;
  Pool* const waiting = pool_for_waiting(spec, runtime);
  Pool& expected = waiting != nullptr ? *waiting : pool_of_empty(spec);
  expected.last_asked = clock_.steady();
  wake();
}

/// Nothing when a process that waits could not become this one.
Sandboxes::Pool* Sandboxes::pool_for_waiting(const Spec& spec, const runtimes::Runtime& runtime) {
  if (!runtime.spare) return nullptr;
  SpareSpec spare;
  spare.environment = own_environment(runtime);
  if (acting_at_exec(spec.environment, runtime.family) != spare.environment) return nullptr;
  spare.root = spec.root;
  spare.runtime_dir = spec.runtime_dir;
  spare.argv = spec.argv;
  spare.argv.push_back(runtime.spare->zygote ? "--zygote" : "--spare");
  spare.zygote = runtime.spare->zygote;
  // A zygote is root's: it knows its import path by itself and is told nothing else.
  if (spare.zygote)
    std::erase_if(spare.environment, [](const std::string& pair) { return pair.starts_with("PYTHON"); });
  spare.memory_mib = spec.memory_mib;
  spare.ephemeral_mib = spec.ephemeral_mib;
  spare.max_processes = spec.max_processes;
  return &pool(std::move(spare), runtime.spare->held_mib);
}

Sandboxes::Pool& Sandboxes::pool_of_empty(const Spec& spec) {
  SpareSpec spare;
  spare.root = spec.root;
  spare.runtime_dir = spec.runtime_dir;
  spare.ephemeral_mib = spec.ephemeral_mib;
  spare.max_processes = spec.max_processes;
  return pool(std::move(spare), kEmptyMib);
}

Sandboxes::Pool& Sandboxes::pool(SpareSpec spec, std::int32_t held_mib) {
  const auto [found, added] = pools_.try_emplace(key_of(spec));
  if (added) {
    Pool& made = found->second;
    made.spec = std::move(spec);
    made.held_mib = held_mib;
    made.window_began = clock_.steady();
    made.last_asked = base::SteadyTime::min();
  }
  return found->second;
}

void Sandboxes::note_demand(Pool& pool) {
  roll_window(pool);
  pool.last_asked = clock_.steady();
  ++pool.asked_in_window;
}

void Sandboxes::roll_window(Pool& pool) const {
  const auto now = clock_.steady();
  while (now - pool.window_began >= kWindow) {
    pool.demand = std::max(pool.asked_in_window, pool.demand / 2);
    pool.asked_in_window = 0;
    pool.window_began += kWindow;
    if (pool.demand == 0) pool.window_began = now;
  }
}

std::size_t Sandboxes::wanted(const Pool& pool) const {
  const bool asked = pool.last_asked != base::SteadyTime::min() && clock_.steady() - pool.last_asked < kRemembered;
  if (stopped_ || !asked) return 0;
  return std::clamp(std::max(pool.demand, pool.asked_in_window), kLeast, kMost);
}

std::unique_ptr<Sandbox> Sandboxes::pop(Pool& pool) {
  while (!pool.waiting.empty()) {
    if (*pool.waiting.front().dead) {
      drop(pool, "died");
      continue;
    }
    std::unique_ptr<Sandbox> sandbox = std::move(pool.waiting.front().sandbox);
    pool.waiting.pop_front();
    memory_->release(pool.held_mib);
    memory_->waiting.fetch_sub(1);
    // From now on its end is its environment's to hear of.
    sandbox->on_exit(nullptr);
    return sandbox;
  }
  return nullptr;
}

/// The one that has waited longest goes.
void Sandboxes::drop(Pool& pool, const char* why) {
  pool.waiting.pop_front();
  memory_->release(pool.held_mib);
  memory_->waiting.fetch_sub(1);
  memory_->count(why);
}

void Sandboxes::sweep() {
  for (auto at = pools_.begin(); at != pools_.end();) {
    Pool& pool = at->second;
    roll_window(pool);
    const auto dead =
        std::partition(pool.waiting.begin(), pool.waiting.end(), [](const Waiting& waiting) { return *waiting.dead; });
    for (auto left = dead - pool.waiting.begin(); left > 0; --left) drop(pool, "died");
    while (pool.waiting.size() > wanted(pool)) drop(pool, "dropped");
    const bool forgotten = pool.waiting.empty() && pool.making == 0 && wanted(pool) == 0;
    at = forgotten ? pools_.erase(at) : std::next(at);
  }
  wake();
}

std::int64_t Sandboxes::shed() {
  std::int64_t held_mib = 0;
  for (auto& [key, pool] : pools_) {
    for (; !pool.waiting.empty(); held_mib += pool.held_mib) drop(pool, "dropped");
    // Until somebody asks again.
    pool.last_asked = base::SteadyTime::min();
  }
  return held_mib;
}

void Sandboxes::stop() {
  stopped_ = true;
  shed();
}

void Sandboxes::wake() {
  if (refilling_ || stopped_ || neediest() == nullptr) return;
  refilling_ = true;
  memory_->making.fetch_add(1);
  base::asio::co_spawn(lane_, refill(shared_from_this()), base::asio::detached);
}

/// Makes what is wanted, one after another, until nothing more is or there is no place: whatever is made then goes on.
Task<void> Sandboxes::refill(std::shared_ptr<Sandboxes> self) {
  base::asio::steady_timer pause(self->lane_);
  // What goes on where another ended for want of a place has stood back already.
  milliseconds& waited = self->stood_back_;
  while (!self->stopped_ && self->neediest() != nullptr) {
    const bool busy = self->taking_ > 0 && waited < kLatest;
    if (waited < kQuiet || busy) {
      pause.expires_after(kQuiet);
      co_await pause.async_wait(base::asio::use_awaitable);
      waited += kQuiet;
      continue;
    }
    Pool* const pool = self->neediest();
    const bool keep = self->make_room(*pool);
    // With no room for what would wait, its zygote at least is started: a fork is faster than an exec.
    if (!keep && (pool->proven || !pool->spec.zygote)) break;
    ++pool->making;
    ++self->making(*pool);
    self->memory_->making.fetch_add(1);
    // The first of a kind may have to wait for its zygote; what else is wanted does not wait with it, as long as a place is left.
    base::asio::co_spawn(self->lane_, make_one(self, pool, keep), base::asio::detached);
  }
  self->refilling_ = false;
  self->rest();
  self->memory_->making.fetch_sub(1);
}

/// Who refills next stands back anew, once nothing is on its way any longer.
void Sandboxes::rest() {
  if (!refilling_ && making_slow_ + making_quick_ == 0) stood_back_ = milliseconds(0);
}

std::size_t& Sandboxes::making(const Pool& pool) {
  const bool starts = !pool.spec.argv.empty() && !pool.spec.zygote;
  return starts ? making_slow_ : making_quick_;
}

/// Of those that lack something and have a place to be made in, the one that was asked for last.
Sandboxes::Pool* Sandboxes::neediest() {
  Pool* best = nullptr;
  for (auto& [key, pool] : pools_) {
    const bool enough = pool.waiting.size() + pool.making >= wanted(pool);
    const bool no_place = making(pool) >= kMakingAtOnce;
    if (enough || no_place || clock_.steady() < pool.not_before || (!pool.proven && pool.making > 0)) continue;
    if (best == nullptr || pool.last_asked > best->last_asked) best = &pool;
  }
  return best;
}

/// Takes the memory for one more, from whatever was asked for longest ago if there must be.
bool Sandboxes::make_room(const Pool& wanting) {
  while (!memory_->reserve(wanting.held_mib)) {
    Pool* oldest = nullptr;
    for (auto& [key, pool] : pools_)
      if (!pool.waiting.empty() && pool.last_asked < wanting.last_asked &&
          (oldest == nullptr || pool.last_asked < oldest->last_asked))
        oldest = &pool;
    if (oldest == nullptr) return false;
    drop(*oldest, "dropped");
  }
  return true;
}

Task<void> Sandboxes::make_one(std::shared_ptr<Sandboxes> self, Pool* pool, bool keep) {
  Waiting made;
  try {
    SpareSpec spec = pool->spec;
    made.sandbox = co_await self->launcher_.prepare(std::move(spec));
  } catch (const std::runtime_error& error) {
    self->memory_->count("failed");
    pool->pause = std::clamp(pool->pause * 2, kFirstPause, kLongestPause);
    pool->not_before = self->clock_.steady() + pool->pause;
    base::log::warn("no sandbox could be made to wait",
                    {{"runtime", pool->spec.runtime_dir}, {"reason", error.what()}});
  }
  --pool->making;
  --self->making(*pool);
  if (made.sandbox) {
    pool->pause = milliseconds(0);
    pool->proven = true;
  }
  if (!made.sandbox || !keep || self->stopped_) {
    if (keep) self->memory_->release(pool->held_mib);
    self->wake();
    self->rest();
    self->memory_->making.fetch_sub(1);
    co_return;
  }
  made.dead = std::make_shared<bool>(false);
  made.sandbox->on_exit([dead = made.dead](sandbox::Exit) { *dead = true; });
  pool->waiting.push_back(std::move(made));
  self->memory_->waiting.fetch_add(1);
  self->memory_->count("made");
  self->wake();
  self->rest();
  // After waking, so that it is never 0 in between.
  self->memory_->making.fetch_sub(1);
}

}  // namespace lambent::invoke
