// Users, roles, policies and access keys as rows: the SQL of identities_schema.h and nothing else.
//
// Called on the writer thread inside a command. Names are looked up without case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/database.h"
#include "store/identities.h"

namespace lambent::store::rows {

template <class Record>
std::vector<Record> all(Transaction& transaction);
template <class Record>
std::optional<Record> find(Transaction& transaction, std::string_view account, std::string_view name);
/// How many an account has.
template <class Record>
std::size_t count(Transaction& transaction, std::string_view account);
template <class Record>
void insert(Transaction& transaction, const Record& record);
/// Writes the record anew under its id.
template <class Record>
void update(Transaction& transaction, const Record& record);

/// To a user or a role of any account.
bool is_attached(Transaction& transaction, std::string_view policy_arn);

/// With everything that hangs on it but access keys, which must be gone.
void remove_identity(Transaction& transaction, std::string_view id);

/// Whom an access key's secret is sealed for. Reading one throws std::runtime_error when it does not open.
std::string access_key_owner(std::string_view id);

std::vector<AccessKey> all_access_keys(Transaction& transaction);
std::optional<AccessKey> find_access_key(Transaction& transaction, std::string_view id);
/// The keys of a user, or with an empty id those of the account's root.
std::vector<AccessKey> access_keys_of(Transaction& transaction, std::string_view account, std::string_view user_id);
/// `user_id` is empty for a root key.
void insert_access_key(Transaction& transaction, const AccessKey& key, std::string_view user_id);
void set_access_key_active(Transaction& transaction, std::string_view id, bool active);
void remove_access_key(Transaction& transaction, std::string_view id);

}  // namespace lambent::store::rows
