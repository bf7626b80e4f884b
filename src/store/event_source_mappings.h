// Event source mappings as they are stored: which source feeds which function, and how. Immutable snapshots.
//
// Reads come from memory (any thread), writes go through the Database. What the settings mean is for the service; here they are
// text. Owned by the composition root, after the Database, which outlives it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"
#include "store/function_version.h"

namespace lambent::store {

struct EventSourceMapping {
  std::string uuid;
  FunctionKey function;
  /// As the caller named it; empty for the function itself.
  std::string qualifier;
  /// The source's ARN, or the bootstrap servers of a self-managed one.
  std::string source;
  /// "Disabled", "Enabled".
  std::string state;
  std::string settings;
  /// JSON object.
  std::string tags = "{}";
  /// Rises with every change.
  std::int64_t revision = 1;
  std::int64_t modified_ms = 0;

  std::string function_arn() const;
};

using EventSourceMappingSnapshot = std::shared_ptr<const EventSourceMapping>;

class EventSourceMappings {
 public:
  explicit EventSourceMappings(Database& database);

  /// Null when there is none in that account and region. Any thread, like all that follow.
  EventSourceMappingSnapshot find(std::string_view account, std::string_view region, std::string_view uuid) const;
  /// Those of an account and region that pass, by uuid, after `after` (exclusive), at most `limit`.
  std::vector<EventSourceMappingSnapshot> list(std::string_view account, std::string_view region,
                                               std::string_view after,
                                               const std::function<bool(const EventSourceMapping&)>& passes,
                                               std::size_t limit) const;

  base::Task<void> create(EventSourceMapping mapping);
  /// Replaces it if its revision is still one less than the given one's; false when it changed or is gone.
  base::Task<bool> replace(EventSourceMapping mapping);
  /// False when there was none.
  base::Task<bool> remove(std::string uuid);

 private:
  /// What readers see; commands share it.
  struct Snapshots;

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
