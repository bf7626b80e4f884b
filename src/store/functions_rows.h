// Functions and aliases as rows: how functions.cc reads and writes them. Statements run on the writer thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/database.h"
#include "store/function_version.h"

namespace lambent::store::rows {

extern const std::string_view kSelectFunctions;
extern const std::string_view kSelectAliases;

void insert(Transaction& transaction, const FunctionVersion& function);
void insert(Transaction& transaction, const Alias& alias);
/// Of a row of kSelectFunctions or kSelectAliases; pins are not set. Throws std::runtime_error for an environment that does not
/// open with the keys of `vault`.
FunctionVersion read_function(const Statement& row, const Vault& vault);
Alias read_alias(const Statement& row);

/// Whom the environment of a version is sealed for.
std::string environment_owner(const FunctionKey& key, std::string_view version);

/// The revision that is stored; nothing when there is no such version or alias.
std::optional<std::string> function_revision(Transaction& transaction, const FunctionKey& key,
                                             std::string_view version);
std::optional<std::string> alias_revision(Transaction& transaction, const FunctionKey& key, std::string_view name);

void remove_function(Transaction& transaction, const FunctionKey& key);
void remove_version(Transaction& transaction, const FunctionKey& key, std::string_view version);
void remove_alias(Transaction& transaction, const FunctionKey& key, std::string_view name);

}  // namespace lambent::store::rows
