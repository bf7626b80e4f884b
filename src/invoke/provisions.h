// The environments that one lane keeps initialised for versions with provisioned concurrency: as many as were asked for, made off
// the request path, replaced when they die, break or outlive their credentials, and ended by nothing else.
//
// Belongs to one lane and its engine, which makes and disposes of environments for it; ends with stop().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/task.h"
#include "invoke/engine.h"

namespace lambent::invoke {

class Environment;

class Provisions {
 public:
  /// A function and one of its versions.
  using Target = std::pair<store::FunctionKey, std::string>;

  /// How many are initialised at the same time on a lane: invocations share the machine with them.
  static constexpr std::size_t kAtOnce = 4;
  /// What the platform could not make is tried again after so long, which doubles up to the longest.
  static constexpr std::chrono::milliseconds kFirstPause{100}, kLongestPause{60'000};

  struct Parts {
    base::asio::io_context& lane;
    const base::Clock& clock;
    /// No environment outlives the credentials that it began with.
    std::chrono::seconds lifetime;
    /// A launched environment in its init phase. Throws as Environment::launch does.
    std::function<base::Task<std::unique_ptr<Environment>>(store::FunctionSnapshot)> launch;
    /// Ends one; left() is called for it.
    std::function<void(std::unique_ptr<Environment>)> dispose;
  };

  explicit Provisions(Parts parts) : parts_(std::move(parts)), retry_(parts_.lane) {}
  Provisions(const Provisions&) = delete;

  /// See Engine::provision.
  void provision(store::FunctionSnapshot function, std::int32_t count, ProvisionObserver observer);
  /// The version is gone, or with an empty version the whole function.
  void retire(const store::FunctionKey& key, const std::string& version);

  /// An idle one; nothing when all are busy.
  std::unique_ptr<Environment> take(const Target& target);
  /// It has outlived its credentials and another one stands in its place: whoever has it gives it back and to nobody else.
  bool replaced(const Environment& environment) const;
  bool none() const { return provisions_.empty(); }
  bool provisioned(const Target& target) const { return find(target) != nullptr; }
  /// One of these has become idle and nobody waits for it.
  void give_back(std::unique_ptr<Environment> environment);
  /// One of these is being ended: its place is free.
  void left(const Environment& environment);

  void sweep();
  void stop();

  /// Any thread. Of all versions: initialised environments, and those of them that are busy.
  std::int32_t allocated() const { return allocated_.load(std::memory_order_relaxed); }
  std::int32_t busy() const { return busy_.load(std::memory_order_relaxed); }
  /// Environments that are being made. Any thread.
  std::size_t making() const { return making_.load(std::memory_order_relaxed); }

 private:
  struct Provision {
    store::FunctionSnapshot function;
    std::int32_t count = 0;
    ProvisionObserver observer;
    std::list<std::unique_ptr<Environment>> idle;
    /// Taken and not given back yet.
    std::set<const Environment*> busy;
    /// Launched and not disposed of; those still in their init among them.
    std::int32_t alive = 0, initializing = 0;
    /// Asked of the engine, not launched yet.
    std::int32_t launching = 0;
    ProvisionStatus said;
    ProvisionStatus::State state = ProvisionStatus::State::in_progress;
    std::string reason;
    std::chrono::milliseconds pause{0};
    base::SteadyTime not_before = {};

    std::int32_t initialized() const { return alive - initializing; }
  };
  using Pointer = std::shared_ptr<Provision>;

  const Provision* find(const Target& target) const;
  bool is_old(const Environment& environment) const;
  std::int32_t old_busy(const Provision& provision) const;
  std::int32_t old_idle(const Provision& provision) const;
  void fill();
  base::Task<void> make(Pointer provision);
  base::Task<std::unique_ptr<Environment>> launched(Pointer provision);
  static base::Task<bool> initialized(Environment& environment);
  void keep(Provision& provision, std::unique_ptr<Environment> environment);
  void fail(Provision& provision, std::string reason);
  void pause(Provision& provision);
  void trim(Provision& provision);
  void tell(Provision& provision);
  void retry_at(base::SteadyTime when);
  void mend(const Target& target);

  const Parts parts_;
  base::asio::steady_timer retry_;
  std::map<Target, Pointer> provisions_;
  std::set<Environment*> initializing_;
  std::atomic<std::int32_t> allocated_{0}, busy_{0};
  std::atomic<std::size_t> making_{0};
  bool stopped_ = false;
};

}  // namespace lambent::invoke
