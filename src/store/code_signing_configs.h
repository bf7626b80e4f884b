// Code signing configurations, and which function uses which: at most one each. Immutable snapshots.
//
// Reads come from memory (any thread), writes go through the Database. A configuration that a function uses stays: that, and that
// a function is only given one that exists, is decided inside the transactions. Owned by the composition root, after the
// Database and the Functions, both of which outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"
#include "store/functions.h"

namespace lambent::store {

struct CodeSigningConfig {
  std::string account;
  std::string region;
  /// "csc-" and 17 lower-case letters and digits, never given twice.
  std::string id;
  std::string description;
  /// ARNs of signing profile versions.
  std::vector<std::string> publishers;
  /// "Warn" or "Enforce".
  std::string policy = "Warn";
  std::map<std::string, std::string> tags;
  std::int64_t modified_ms = 0;
  /// Rises with every change.
  std::int64_t revision = 1;

  std::string arn() const;
};

using CodeSigningConfigSnapshot = std::shared_ptr<const CodeSigningConfig>;

/// What attach()'s work throws, which takes the whole transaction back.
struct NoSuchCodeSigningConfig : std::runtime_error {
  NoSuchCodeSigningConfig() : runtime_error("the code signing configuration is gone") {}
};

/// What unchanged()'s work throws, which takes the whole transaction back.
struct CodeSigningConfigChanged : std::runtime_error {
  CodeSigningConfigChanged() : runtime_error("the code signing configuration has changed") {}
};

class CodeSigningConfigs {
 public:
  /// Loads everything into memory, and asks `functions` to be told of what is removed.
  CodeSigningConfigs(Database& database, Functions& functions);

  /// Null when there is none. Any thread, like all that follow.
  CodeSigningConfigSnapshot find(std::string_view account, std::string_view region, std::string_view id) const;
  /// The one that the function uses; null for none.
  CodeSigningConfigSnapshot of(const FunctionKey& function) const;
  /// Of an account and region by id, after `after` (exclusive), at most `limit`.
  std::vector<CodeSigningConfigSnapshot> list(std::string_view account, std::string_view region, std::string_view after,
                                              std::size_t limit) const;
  /// Functions that use it, by name, after `after` (exclusive), at most `limit`.
  std::vector<FunctionKey> users(const CodeSigningConfig& config, std::string_view after, std::size_t limit) const;

  base::Task<void> create(CodeSigningConfig config);
  /// Replaces the one with the revision before this one's; false when somebody was faster or it is gone.
  base::Task<bool> replace(CodeSigningConfig config);
  /// What came of removing one.
  enum class Removal { removed, none, in_use };
  base::Task<Removal> remove(std::string account, std::string region, std::string id);

  /// Gives the function a configuration, in a transaction of somebody else's: that of the function's creation.
  std::function<void(Transaction&)> attach(FunctionKey function, std::string id);
  /// Holds, in a transaction of somebody else's, that the function uses this configuration (null: none) and that it is still as it
  /// is here.
  static std::function<void(Transaction&)> unchanged(FunctionKey function, CodeSigningConfigSnapshot config);
  /// attach() for a function that exists: false when it does not. Throws NoSuchCodeSigningConfig.
  base::Task<bool> put(FunctionKey function, std::string id);
  /// False when the function had none.
  base::Task<bool> detach(FunctionKey function);

 private:
  /// What readers see; commands share it.
  struct Snapshots;

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
