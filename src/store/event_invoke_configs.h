// How asynchronous invocations of a function, version or alias are handled: retries, age, destinations.
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

struct EventInvokeConfig {
  FunctionKey function;
  /// A version, an alias or $LATEST.
  std::string qualifier = "$LATEST";
  /// Unset members have AWS's defaults: 2 retries, 6 hours.
  std::optional<std::int32_t> maximum_retry_attempts;
  std::optional<std::int32_t> maximum_event_age_s;
  /// ARNs; nothing when that destination was not given, empty when it was given without one.
  std::optional<std::string> on_success;
  std::optional<std::string> on_failure;
  std::int64_t last_modified_ms = 0;
};

class EventInvokeConfigs {
 public:
  /// Loads all of them into memory. `database` must outlive this.
  explicit EventInvokeConfigs(Database& database);

  std::optional<EventInvokeConfig> find(const FunctionKey& function, std::string_view qualifier) const;
  /// Of one function, in the order of qualifiers, after `after` (exclusive), at most `limit`.
  std::vector<EventInvokeConfig> list(const FunctionKey& function, std::string_view after, std::size_t limit) const;

  base::Task<void> put(EventInvokeConfig config);
  /// Applies `edit` to the config as it is inside the writer; nothing when there is none.
  base::Task<std::optional<EventInvokeConfig>> edit(FunctionKey function, std::string qualifier,
                                                    std::function<void(EventInvokeConfig&)> edit);
  /// False when there was none.
  base::Task<bool> remove(FunctionKey function, std::string qualifier);
  /// For Functions::when_removed: of a version or alias that is removed, or with an empty qualifier all of a function.
  void forget(Transaction& transaction, const FunctionKey& function, std::string_view qualifier);

 private:
  struct Snapshots;

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
