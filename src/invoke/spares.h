// Where environments get their sandboxes from: one that waits for its function already, or one made on demand.
//
// What waits is pooled by what was started inside, refilled off the request path after demand: a runtime that nobody has asked
// for lately has nothing waiting. Each lane has a Sandboxes of its own, which lives there with its launcher and ends with
// stop(); what all of them hold together is bounded by one SpareMemory.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/task.h"
#include "runtimes/catalog.h"
#include "sandbox/sandbox.h"

namespace lambent::invoke {

/// The bound on what waits in the whole process, with its metrics. Any thread.
class SpareMemory {
 public:
  /// `limit_mib` of 0: nothing waits.
  SpareMemory(std::int64_t limit_mib, base::Metrics& metrics);

  bool reserve(std::int64_t mib);
  void release(std::int64_t mib) { held_mib_.fetch_sub(mib); }
  std::int64_t held_mib() const { return held_mib_.load(); }
  bool none() const { return limit_mib_ == 0; }
  std::int64_t limit_mib() const { return limit_mib_; }

  /// "made", "taken", "missed", "died", "dropped", "failed"
  void count(const char* event) { events_.at({event}).add(); }
  std::atomic<std::int64_t> waiting{0};
  /// What is being made to wait, and each lane that looks for more to make.
  std::atomic<std::int64_t> making{0};

 private:
  const std::int64_t limit_mib_;
  std::atomic<std::int64_t> held_mib_{0};
  base::Family<base::Counter>& events_;
};

class Sandboxes : public std::enable_shared_from_this<Sandboxes> {
 public:
  /// An environment of this kind is asked for once again within this time, or nothing waits for it any longer.
  static constexpr std::chrono::minutes kRemembered{5};
  /// Demand is the most that was asked for within such a window; half of it is forgotten in each quiet one.
  static constexpr std::chrono::seconds kWindow{30};
  /// What waits at least for a runtime in use: a page that calls two functions at once is the common case.
  static constexpr std::size_t kLeast = 2;
  static constexpr std::size_t kMost = 32;
  /// The cost of a sandbox in which nothing waits.
  static constexpr std::int32_t kEmptyMib = 1;

  Sandboxes(base::asio::io_context& lane, sandbox::Launcher& launcher, const base::Clock& clock,
            std::shared_ptr<SpareMemory> memory);

  /// A sandbox in which `spec` runs or is about to. Throws std::runtime_error when there is none to be had.
  base::Task<std::unique_ptr<sandbox::Sandbox>> take(sandbox::Spec spec, const runtimes::Runtime& runtime);
  /// A function of this runtime exists that will be invoked: something begins to wait for it.
  void expect(const runtimes::Runtime& runtime, std::int32_t memory_mib, std::int32_t ephemeral_mib);
  /// Lets go of what died and of what is no longer asked for. Every few seconds.
  void sweep();
  /// Drops what waits for the time being; says how much that held, in MiB.
  std::int64_t shed();
  /// Drops everything that waits, once and for all.
  void stop();

 private:
  struct Waiting {
    std::unique_ptr<sandbox::Sandbox> sandbox;
    std::shared_ptr<bool> dead;
  };
  struct Pool {
    sandbox::SpareSpec spec;
    std::int32_t held_mib = kEmptyMib;
    std::deque<Waiting> waiting;
    std::size_t making = 0;
    /// One has been made at some time: a zygote is up and a fork is faster than an exec.
    bool proven = false;
    std::size_t demand = 0, asked_in_window = 0;
    base::SteadyTime window_began, last_asked;
    std::chrono::milliseconds pause{0};
    base::SteadyTime not_before;
  };
  using Key = std::string;

  Pool* pool_for_waiting(const sandbox::Spec& spec, const runtimes::Runtime& runtime);
  Pool& pool_of_empty(const sandbox::Spec& spec);
  Pool& pool(sandbox::SpareSpec spec, std::int32_t held_mib);
  void note_demand(Pool& pool);
  void roll_window(Pool& pool) const;
  std::size_t wanted(const Pool& pool) const;
  std::unique_ptr<sandbox::Sandbox> pop(Pool& pool);
  base::Task<std::unique_ptr<sandbox::Sandbox>> assigned(std::unique_ptr<sandbox::Sandbox> sandbox,
                                                         const sandbox::Spec& spec);
  base::Task<std::unique_ptr<sandbox::Sandbox>> forked(sandbox::SpareSpec spare, const sandbox::Spec& spec);
  base::Task<std::unique_ptr<sandbox::Sandbox>> find(const sandbox::Spec& spec, const runtimes::Runtime& runtime);

  void wake();
  void rest();
  static base::Task<void> refill(std::shared_ptr<Sandboxes> self);
  Pool* neediest();
  std::size_t& making(const Pool& pool);
  bool make_room(const Pool& wanting);
  static base::Task<void> make_one(std::shared_ptr<Sandboxes> self, Pool* pool, bool keep);
  void drop(Pool& pool, const char* why);

  base::asio::io_context& lane_;
  sandbox::Launcher& launcher_;
  const base::Clock& clock_;
  const std::shared_ptr<SpareMemory> memory_;
  std::map<Key, Pool> pools_;
  /// Environments that are being made for somebody who waits: refilling stands back.
  std::size_t taking_ = 0;
  /// In which a program starts, and of the others.
  std::size_t making_slow_ = 0, making_quick_ = 0;
  /// How long refilling has stood back for those who take, since it was last at rest.
  std::chrono::milliseconds stood_back_{0};
  bool refilling_ = false;
  bool stopped_ = false;
};

/// The NAME=VALUE pairs among these whose effect is over once a process runs (the dynamic linker's, the interpreters' own).
std::vector<std::string> acting_at_exec(const std::vector<std::string>& environment, runtimes::Family family);

}  // namespace lambent::invoke
