// What an account's owner set for the concurrency of functions: reserved, provisioned, and what becomes of recursive loops.
//
// Reads come from memory (any thread), writes go through the Database and publish after their commit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"
#include "store/functions.h"

namespace lambent::store {

struct FunctionLimits {
  FunctionKey function;
  /// ReservedConcurrentExecutions.
  std::optional<std::int32_t> reserved;
  /// RecursiveLoop: "Terminate" or "Allow".
  std::string recursive_loop = "Terminate";
};

struct ProvisionedConcurrency {
  FunctionKey function;
  /// A version or an alias.
  std::string qualifier;
  std::int32_t requested = 0;
  std::int64_t last_modified_ms = 0;
};

/// What an account and region has to share out, for writes that must fit.
struct ConcurrencyQuota {
  /// Concurrent executions of the account.
  std::int32_t limit = 0;
  /// What must stay unreserved of it.
  std::int32_t minimum_unreserved = 0;
};

/// What came of provisioning.
enum class ProvisionWrite {
  stored,
  /// There is no such version or alias.
  gone,
  /// All of the function's together would be more than is reserved for it.
  above_reservation,
  /// It is more than the account has unreserved.
  above_unreserved,
  /// Less than the minimum would stay unreserved.
  below_minimum,
};

class Concurrency {
 public:
  /// Loads all of it into memory. `database` must outlive this.
  explicit Concurrency(Database& database);

  /// The defaults for a function of which nothing was set.
  FunctionLimits limits(const FunctionKey& function) const;
  /// Reserved by all functions of an account and region together.
  std::int32_t reserved_total(std::string_view account, std::string_view region) const;

  /// Of every function that has a reservation, in the order of their keys.
  std::vector<FunctionLimits> reservations() const;

  /// Provisioned for functions of an account and region that have no reservation.
  std::int32_t provisioned_total(std::string_view account, std::string_view region) const;

  /// Reserves for a function; false, and nothing changed, when all reservations of its account and region, with what is
  /// provisioned for other functions without one, would exceed `most`, or when more is provisioned for the function itself.
  base::Task<bool> reserve(FunctionKey function, std::int32_t reserved, std::int32_t most);
  base::Task<void> release(FunctionKey function);
  base::Task<void> set_recursive_loop(FunctionKey function, std::string recursive_loop);

  std::optional<ProvisionedConcurrency> provisioned(const FunctionKey& function, std::string_view qualifier) const;
  /// Of one function in the order of qualifiers, after `after` (exclusive), at most `limit`.
  std::vector<ProvisionedConcurrency> provisioned_of(const FunctionKey& function, std::string_view after,
                                                     std::size_t limit) const;
  std::vector<ProvisionedConcurrency> all_provisioned() const;
  /// Stores it when its version or alias exists and it fits.
  base::Task<ProvisionWrite> put_provisioned(ProvisionedConcurrency config, ConcurrencyQuota quota);
  /// False when there was none.
  base::Task<bool> remove_provisioned(FunctionKey function, std::string qualifier);

  /// For Functions::when_removed: of a version or alias that is removed, or with an empty qualifier all of a function.
  void forget(Transaction& transaction, const FunctionKey& function, std::string_view qualifier);

 private:
  struct Snapshots;

  base::Task<bool> edit(FunctionKey function, std::function<bool(Transaction&, FunctionLimits&)> edit);

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
