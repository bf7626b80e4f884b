// Functions, their versions and their aliases as they are stored and as invocations hold them: immutable snapshots.
//
// Reads come from memory (any thread), writes go through the Database and publish new snapshots after their commit.
// An invocation keeps the FunctionVersion it began with, whatever is updated or deleted meanwhile.
//
// Owned by the composition root, after the Database and the code store, both of which outlive it. Commands that are still queued
// when it ends are written all the same.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"
#include "store/function_version.h"

namespace lambent::store {

/// What an account has stored in a region.
struct FunctionUsage {
  std::int64_t functions = 0;
  /// Bytes of all zips, each version counted for itself as AWS counts them.
  std::int64_t code_size = 0;
};

/// What came of writing an alias.
enum class AliasWrite {
  stored,
  /// It exists already, or is no longer the one that was expected, or is gone.
  lost,
  /// A version that it refers to does not exist.
  no_version,
};

/// What came of removing a version.
struct VersionRemoval {
  bool removed = false;
  /// The aliases that refer to it and so keep it.
  std::vector<std::string> aliases;
};

class Functions {
 public:
  /// Loads everything into memory. `pin` gives what keeps an archive from being removed; without it nothing is kept.
  explicit Functions(Database& database, std::function<CodePin(std::string_view hash)> pin = {});

  /// $LATEST. Null when there is none. Any thread, like all that follow.
  FunctionSnapshot find(const FunctionKey& key) const;
  /// "$LATEST" or a number without leading zeros.
  FunctionSnapshot find(const FunctionKey& key, std::string_view version) const;
  AliasSnapshot alias(const FunctionKey& key, std::string_view name) const;

  /// Functions of an account and region in the order of their names, after `after` (exclusive), at most `limit`.
  std::vector<FunctionSnapshot> list(std::string_view account, std::string_view region, std::string_view after,
                                     std::size_t limit) const;
  /// Every version of every function in that order, $LATEST before the numbers, after that version of that function.
  std::vector<FunctionSnapshot> list_versions(std::string_view account, std::string_view region,
                                              std::string_view after_name, std::string_view after_version,
                                              std::size_t limit) const;
  /// Versions of one function in the same order, after `after` (exclusive; empty for all).
  std::vector<FunctionSnapshot> versions(const FunctionKey& key, std::string_view after, std::size_t limit) const;
  /// Aliases of a function by name, after `after` (exclusive), at most `limit`; with `version` those of it only.
  std::vector<AliasSnapshot> aliases(const FunctionKey& key, std::string_view after, std::string_view version,
                                     std::size_t limit) const;
  FunctionUsage usage(std::string_view account, std::string_view region) const;
  /// Every version of every function, for start-up: those left Pending or InProgress by a crash are finished then.
  std::vector<FunctionSnapshot> all() const;

  /// A new function, and its first version with it when one is given. False, and nothing changed, when the name is taken. `alongside`
  /// runs in the same transaction; what it throws takes the function back.
  base::Task<bool> create(FunctionVersion function, std::optional<FunctionVersion> published = std::nullopt,
                          std::function<void(Transaction&)> alongside = {});
  /// Replaces the function or the version if its revision is still `expected_revision`, and adds `published`; false when it
  /// changed or is gone. `alongside` as above.
  base::Task<bool> replace(FunctionVersion function, std::string expected_revision,
                           std::optional<FunctionVersion> published = std::nullopt,
                           std::function<void(Transaction&)> alongside = {});
  /// The function with its versions and aliases. False when there was none.
  base::Task<bool> remove(FunctionKey key);
  /// One numbered version, unless aliases refer to it.
  base::Task<VersionRemoval> remove_version(FunctionKey key, std::string version);

  /// Stores the alias if what is stored has `expected_revision`; a new one when that is empty.
  base::Task<AliasWrite> put_alias(Alias alias, std::string expected_revision);
  /// False when there was none.
  base::Task<bool> remove_alias(FunctionKey key, std::string name);

  /// Called inside the transaction that removes a function (`qualifier` empty), a version or an alias: whatever is stored for it
  /// elsewhere goes with it. Before the first request.
  using Removed = std::function<void(Transaction&, const FunctionKey&, std::string_view qualifier)>;
  void when_removed(Removed hook);

 private:
  /// What readers see. Commands share it, so that one still queued when this is destroyed has where to publish.
  struct Snapshots;

  using Pins = std::shared_ptr<std::vector<CodePin>>;
  /// A command that throws by itself clears the pins of what it would have stored.
  template <class Command>
  base::Task<std::invoke_result_t<Command, Transaction&>> write(Command command, Pins pins);

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
