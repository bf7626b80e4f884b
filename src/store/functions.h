// Functions as they are stored and as invocations hold them: immutable snapshots behind shared_ptr.
//
// Reads come from memory (any thread), writes go through the Database and publish a new snapshot after their commit.
// An invocation keeps the FunctionVersion it began with, whatever is updated or deleted meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"

namespace lambent::store {

struct FunctionKey {
  std::string account;
  std::string region;
  std::string name;
  auto operator<=>(const FunctionKey&) const = default;
};

/// $LATEST for now; numbered versions share the shape.
struct FunctionVersion {
  FunctionKey key;
  std::string version = "$LATEST";
  std::string description;
  std::string role;
  std::string handler;
  std::string runtime;
  std::string architecture = "x86_64";
  std::int32_t timeout_s = 3;
  std::int32_t memory_mib = 128;
  std::int32_t ephemeral_mib = 512;
  std::map<std::string, std::string> environment;
  bool has_environment = false;
  std::string tracing_mode = "PassThrough";
  std::string log_format = "Text";
  std::string log_group;
  std::string runtime_version_arn;
  /// SHA-256 of the zip: base64 as the API shows it, hex as the code store names its tree.
  std::string code_sha256;
  std::string code_hash;
  std::int64_t code_size = 0;
  std::string revision_id;
  std::int64_t last_modified_ms = 0;
  /// "Pending", "Active", "Failed" with AWS's reason and code, which are empty when there is none.
  std::string state;
  std::string state_reason;
  std::string state_reason_code;
  /// "InProgress", "Successful", "Failed"; empty while the function is being created.
  std::string update_status;
  std::string update_status_reason;
  std::string update_status_reason_code;

  /// Without a qualifier.
  std::string arn() const;
};

using FunctionSnapshot = std::shared_ptr<const FunctionVersion>;

class Functions {
 public:
  /// Loads every function into memory. `database` must outlive this.
  explicit Functions(Database& database);

  /// Null when there is none. Any thread.
  FunctionSnapshot find(const FunctionKey& key) const;
  /// Functions of an account and region in the order of their names, after `after` (exclusive), at most `limit`.
  std::vector<FunctionSnapshot> list(std::string_view account, std::string_view region, std::string_view after,
                                     std::size_t limit) const;
  /// Every function, for start-up: those left Pending or InProgress by a crash are finished then.
  std::vector<FunctionSnapshot> all() const;

  /// False, and nothing changed, when the name is taken.
  base::Task<bool> create(FunctionVersion function);
  /// Replaces the function if its revision is still `expected_revision`; false when it changed or is gone.
  base::Task<bool> replace(FunctionVersion function, std::string expected_revision);
  /// False when there was none.
  base::Task<bool> remove(FunctionKey key);

 private:
  /// What readers see. Commands share it, so that one still queued when this is destroyed has where to publish.
  struct Snapshots;

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
