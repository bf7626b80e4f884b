// How many invocations may run at once: the account's limit, what is reserved for a function, and what is provisioned for a
// version ("Understanding Lambda function scaling", AWS Lambda Developer Guide).
//
// Counting is exact: a function never runs more often than its limit, on however many lanes. Owned by the composition root;
// any thread. Every invocation of every kind passes through make_admitting_engine().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "invoke/engine.h"
#include "invoke/trace.h"
#include "store/concurrency.h"

namespace lambent::invoke {

struct AdmissionOptions {
  /// Concurrent executions of one account in one region ("Lambda quotas": 1,000).
  std::int32_t account_limit = 1000;
  /// AWS lets a function gain 1,000 concurrent executions each 10 s; 0 lets it gain all at once.
  std::int32_t gain_per_10_s = 0;
};

/// AWS keeps so many executions for functions without a reservation ("UnreservedConcurrentExecutions below its minimum value").
constexpr std::int32_t kMinimumUnreserved = 100;

/// Where whoever refuses with 429 counts it, by its Reason: attempts at accepted events too.
base::Family<base::Counter>& throttles(base::Metrics& metrics);

class Admission {
 public:
  /// Why an invocation was not admitted: the Reason of TooManyRequestsException.
  enum class Refusal { account, reserved, rate };

  /// The place of one running invocation; gives itself back.
  class Place {
   public:
    Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), share_(std::move(other.share_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (owner_) owner_->leave(share_);
    }
    /// It runs on what is provisioned for its version.
    bool provisioned() const { return share_.provisioned; }

   private:
    friend class Admission;
    struct Share {
      store::FunctionKey function;
      std::string version;
      bool provisioned = false;
      /// Counted against the account's unreserved pool.
      bool unreserved = false;
    };
    Place(Admission* owner, Share share) : owner_(owner), share_(std::move(share)) {}
    Admission* owner_;
    Share share_;
  };

  /// What runs, beside how much may.
  struct Usage {
    std::int32_t running = 0;
    std::int32_t limit = 0;
    std::int32_t unreserved = 0;
    std::int32_t unreserved_limit = 0;
  };

  /// Everything referred to must outlive this.
  Admission(AdmissionOptions options, const store::Concurrency& settings, const base::Clock& clock,
            base::Metrics& metrics);
  Admission(const Admission&) = delete;

  /// Throws TooManyRequestsException (429) with AWS's Reason, and Retry-After.
  Place enter(const store::FunctionVersion& function);

  /// What is allocated for a version of a function from now on; 0 ends it.
  void set_provisioned(const store::FunctionKey& function, const std::string& version, std::int32_t count);
  std::int32_t provisioned_running(const store::FunctionKey& function, const std::string& version) const;

  /// Of an account and region.
  Usage usage(const std::string& account, const std::string& region) const;
  std::int32_t running(const store::FunctionKey& function) const;
  std::int32_t account_limit() const { return options_.account_limit; }
  const store::Concurrency& settings() const { return settings_; }
  /// Of everything that is admitted: one decision of what is sampled.
  Tracing& tracing() { return tracing_; }

 private:
  struct Version {
    std::int32_t allocated = 0;
    std::int32_t running = 0;
  };
  struct Function {
    std::int32_t running = 0;
    /// Those that were allocated something, until what ran on it has ended.
    std::map<std::string, Version> versions;

    /// Held for its versions: allocated, or still running on what was.
    std::int32_t held() const;
    /// Running on none of that.
    std::int32_t on_demand() const;
    /// Of gain_per_10_s: what it may still gain, as of when.
    double gain = 0;
    std::optional<base::SteadyTime> gained_at;
    std::int32_t peak = 0;
  };
  using Namespace = std::pair<std::string, std::string>;
  struct Account {
    std::int32_t running = 0;
    std::int32_t unreserved = 0;
  };

  std::optional<Refusal> place(const store::FunctionVersion& function, Place::Share& share);
  bool may_gain(Function& function);
  std::int32_t unreserved_limit(const Namespace& where) const;
  std::int32_t provisioned_unreserved(const Namespace& where) const;
  void leave(const Place::Share& share);
  [[noreturn]] void refuse(Refusal refusal);

  // What the metrics tell of each limit, in admission_gauges.cc.
  void add_gauges(base::Metrics& metrics) const;
  std::vector<Namespace> namespaces() const;
  base::Readings by_account(std::int32_t Usage::* number) const;
  base::Readings by_reservation(std::int32_t Usage::* number) const;
  base::Readings by_version(std::int32_t Version::* number) const;

  const AdmissionOptions options_;
  const store::Concurrency& settings_;
  const base::Clock& clock_;
  Tracing tracing_;
  base::Family<base::Counter>& throttles_;
  mutable std::mutex mutex_;
  std::map<store::FunctionKey, Function> functions_;
  std::map<Namespace, Account> accounts_;
  /// Of functions_: those that have versions with something allocated. Few.
  std::set<store::FunctionKey> provisioned_;
};

/// An engine that lets `inner` run what `admission` admits, with the trace header that it passes on, and ends recursive loops:
/// RecursiveInvocationException (400). Both must outlive it.
std::unique_ptr<Engine> make_admitting_engine(Engine& inner, Admission& admission);

}  // namespace lambent::invoke
