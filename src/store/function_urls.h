// Function URLs: the HTTP addresses of functions and aliases, at most one each. Immutable snapshots.
//
// Reads come from memory (any thread), writes go through the Database; a URL goes with what it belongs to, in the same
// transaction. Owned by the composition root, after the Database and the Functions, both of which outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/database.h"
#include "store/functions.h"

namespace lambent::store {

struct FunctionUrl {
  FunctionKey function;
  /// An alias; empty for the function itself.
  std::string qualifier;
  /// What its host begins with: 32 lower-case letters and digits, never given twice.
  std::string url_id;
  /// "NONE" or "AWS_IAM".
  std::string auth_type;
  std::string invoke_mode = "BUFFERED";
  /// The CORS settings as JSON in the API's spelling.
  std::optional<std::string> cors;
  std::int64_t created_ms = 0;
  std::int64_t modified_ms = 0;

  /// Of the function, with the alias.
  std::string function_arn() const;
};

using FunctionUrlSnapshot = std::shared_ptr<const FunctionUrl>;

class FunctionUrls {
 public:
  /// Loads everything into memory, and asks `functions` to be told of what is removed.
  FunctionUrls(Database& database, Functions& functions);

  /// Null when there is none. Any thread, like all that follow.
  FunctionUrlSnapshot find(const FunctionKey& function, std::string_view qualifier) const;
  FunctionUrlSnapshot by_id(std::string_view url_id) const;
  /// Of one function by qualifier, the function's own first, after `after` (exclusive; nothing for all), at most `limit`.
  std::vector<FunctionUrlSnapshot> list(const FunctionKey& function, const std::optional<std::string>& after,
                                        std::size_t limit) const;

  /// False, and nothing changed, when there is one already.
  base::Task<bool> create(FunctionUrl url);
  /// False when it is gone.
  base::Task<bool> replace(FunctionUrl url);
  base::Task<bool> remove(FunctionKey function, std::string qualifier);

 private:
  /// What readers see; commands share it.
  struct Snapshots;

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
