#include "store/identities_rows.h"

#include "base/bytes.h"

namespace lambent::store::rows {
namespace {

/// A row of the table identities: what the three kinds say there, each in its own words.
struct Row {
  std::string id, account, name, path, description, document;
  std::int64_t max_session_s = 0;
  std::int64_t created_ms = 0;
};

constexpr const char* kind_of(const User*) { return "user"; }
constexpr const char* kind_of(const Role*) { return "role"; }
constexpr const char* kind_of(const Policy*) { return "policy"; }
template <class Record>
constexpr const char* kKind = kind_of(static_cast<const Record*>(nullptr));

Row row_of(const User& user) { return {user.id, user.account, user.name, user.path, "", "", 0, user.created_ms}; }
Row row_of(const Role& role) {
  return {role.id,          role.account,      role.name,          role.path,
          role.description, role.trust_policy, role.max_session_s, role.created_ms};
}
Row row_of(const Policy& policy) {
  return {policy.id,          policy.account,  policy.name, policy.path,
          policy.description, policy.document, 0,           policy.created_ms};
}

void fill(User& user, Row row) {
  user.account = std::move(row.account);
  user.name = std::move(row.name);
  user.path = std::move(row.path);
  user.id = std::move(row.id);
  user.created_ms = row.created_ms;
}
void fill(Role& role, Row row) {
  role.account = std::move(row.account);
  role.name = std::move(row.name);
  role.path = std::move(row.path);
  role.id = std::move(row.id);
  role.description = std::move(row.description);
  role.trust_policy = std::move(row.document);
  role.max_session_s = static_cast<std::int32_t>(row.max_session_s);
  role.created_ms = row.created_ms;
}
void fill(Policy& policy, Row row) {
  policy.account = std::move(row.account);
  policy.name = std::move(row.name);
  policy.path = std::move(row.path);
  policy.id = std::move(row.id);
  policy.description = std::move(row.description);
  policy.document = std::move(row.document);
  policy.created_ms = row.created_ms;
  policy.updated_ms = row.created_ms;
}

Row read_row(const Statement& rows) {
  return {rows.text(0), rows.text(1), rows.text(2),    rows.text(3),
          rows.text(4), rows.text(5), rows.integer(6), rows.integer(7)};
}

constexpr std::string_view kSelectAll =
    "SELECT id, account, name, path, description, document, max_session_s, created_ms FROM identities WHERE kind = ?";
constexpr std::string_view kSelectOne =
    "SELECT id, account, name, path, description, document, max_session_s, created_ms FROM identities "
    "WHERE account = ? AND kind = ? AND name_key = ?";

std::vector<Tag> read_tags(Transaction& transaction, const std::string& id) {
  std::vector<Tag> tags;
  Statement& rows =
      transaction.prepare("SELECT tag_key, tag_value FROM tags WHERE owner_id = ? ORDER BY position").bind(id);
  while (rows.step()) tags.push_back({rows.text(0), rows.text(1)});
  return tags;
}

template <class Record>
void read_policies(Transaction& transaction, Record& record) {
  Statement& documents =
      transaction.prepare("SELECT name, document FROM inline_policies WHERE owner_id = ?").bind(record.id);
  while (documents.step()) record.inline_policies.emplace(documents.text(0), documents.text(1));
  Statement& attached =
      transaction.prepare("SELECT policy_arn FROM attached_policies WHERE owner_id = ? ORDER BY position")
          .bind(record.id);
  while (attached.step()) record.attached_policies.push_back(attached.text(0));
}

void read_versions(Transaction& transaction, Policy& policy) {
  Statement& rows = transaction
                        .prepare(
                            "SELECT number, document, created_ms, is_default FROM policy_versions WHERE policy_id = ? "
                            "ORDER BY number")
                        .bind(policy.id);
  while (rows.step()) {
    policy.versions.push_back({"v" + std::to_string(rows.integer(0)), rows.text(1), rows.integer(2)});
    if (rows.integer(3) != 0) policy.version = policy.versions.back().id;
  }
  Statement& state =
      transaction.prepare("SELECT last_version, updated_ms FROM policy_states WHERE policy_id = ?").bind(policy.id);
  if (!state.step()) return;
  policy.last_version = state.integer(0);
  policy.updated_ms = state.integer(1);
  state.reset();
}

void insert_versions(Transaction& transaction, const Policy& policy) {
  for (const PolicyVersion& version : policy.versions)
    transaction
        .prepare(
            "INSERT INTO policy_versions (policy_id, number, document, created_ms, is_default) VALUES (?, ?, ?, ?, ?)")
        .bind(policy.id, static_cast<std::int64_t>(std::stoll(version.id.substr(1))), version.document,
              version.created_ms, version.id == policy.version)
        .run();
  transaction.prepare("INSERT INTO policy_states (policy_id, last_version, updated_ms) VALUES (?, ?, ?)")
      .bind(policy.id, policy.last_version, policy.updated_ms)
      .run();
}

template <class Record>
void read_rest(Transaction& transaction, Record& record) {
  record.tags = read_tags(transaction, record.id);
  if constexpr (requires { record.versions; }) read_versions(transaction, record);
  if constexpr (requires { record.inline_policies; }) read_policies(transaction, record);
}

template <class Record>
void insert_rest(Transaction& transaction, const Record& record) {
  int position = 0;
  for (const Tag& tag : record.tags)
    transaction.prepare("INSERT INTO tags (owner_id, position, tag_key, tag_value) VALUES (?, ?, ?, ?)")
        .bind(record.id, position++, tag.key, tag.value)
        .run();
  if constexpr (requires { record.versions; }) insert_versions(transaction, record);
  if constexpr (requires { record.inline_policies; }) {
    for (const auto& [name, document] : record.inline_policies)
      transaction.prepare("INSERT INTO inline_policies (owner_id, name, document) VALUES (?, ?, ?)")
          .bind(record.id, name, document)
          .run();
    position = 0;
    for (const std::string& arn : record.attached_policies)
      transaction.prepare("INSERT INTO attached_policies (owner_id, position, policy_arn) VALUES (?, ?, ?)")
          .bind(record.id, position++, arn)
          .run();
  }
}

void remove_rest(Transaction& transaction, const std::string& id) {
  transaction.prepare("DELETE FROM tags WHERE owner_id = ?").bind(id).run();
  transaction.prepare("DELETE FROM inline_policies WHERE owner_id = ?").bind(id).run();
  transaction.prepare("DELETE FROM attached_policies WHERE owner_id = ?").bind(id).run();
  transaction.prepare("DELETE FROM policy_versions WHERE policy_id = ?").bind(id).run();
  transaction.prepare("DELETE FROM policy_states WHERE policy_id = ?").bind(id).run();
}

// The user's name as it is now: keys hang on the id.
constexpr std::string_view kSelectKeys =
    "SELECT k.id, k.secret, k.account, COALESCE(i.name, ''), k.active, k.created_ms "
    "FROM access_keys k LEFT JOIN identities i ON i.id = k.user_id";
constexpr std::string_view kSelectKey =
    "SELECT k.id, k.secret, k.account, COALESCE(i.name, ''), k.active, k.created_ms "
    "FROM access_keys k LEFT JOIN identities i ON i.id = k.user_id WHERE k.id = ?";
constexpr std::string_view kSelectKeysOf =
    "SELECT k.id, k.secret, k.account, COALESCE(i.name, ''), k.active, k.created_ms "
    "FROM access_keys k LEFT JOIN identities i ON i.id = k.user_id "
    "WHERE k.account = ? AND COALESCE(k.user_id, '') = ? ORDER BY k.created_ms, k.id";

std::vector<AccessKey> read_keys(Statement& rows, const Vault& vault) {
  std::vector<AccessKey> keys;
  while (rows.step())
    keys.push_back({rows.text(0), vault.open(access_key_owner(rows.text(0)), rows.text(1)), rows.text(2), rows.text(3),
                    rows.integer(4) != 0, rows.integer(5)});
  return keys;
}

}  // namespace

template <class Record>
std::vector<Record> all(Transaction& transaction) {
  std::vector<Record> records;
  Statement& rows = transaction.prepare(kSelectAll).bind(kKind<Record>);
  while (rows.step()) fill(records.emplace_back(), read_row(rows));
  for (Record& record : records) read_rest(transaction, record);
  return records;
}

template <class Record>
std::optional<Record> find(Transaction& transaction, std::string_view account, std::string_view name) {
  Statement& rows = transaction.prepare(kSelectOne).bind(account, kKind<Record>, base::lower(name));
  if (!rows.step()) return std::nullopt;
  Record record;
  fill(record, read_row(rows));
  read_rest(transaction, record);
  return record;
}

template <class Record>
std::size_t count(Transaction& transaction, std::string_view account) {
  Statement& rows = transaction.prepare("SELECT COUNT(*) FROM identities WHERE account = ? AND kind = ?")
                        .bind(account, kKind<Record>);
  rows.step();
  return static_cast<std::size_t>(rows.integer(0));
}

template <class Record>
void insert(Transaction& transaction, const Record& record) {
  const Row row = row_of(record);
  transaction
      .prepare(
          "INSERT INTO identities (id, account, kind, name, name_key, path, description, document, max_session_s, "
          "created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(row.id, row.account, kKind<Record>, row.name, base::lower(row.name), row.path, row.description,
            row.document, row.max_session_s, row.created_ms)
      .run();
  insert_rest(transaction, record);
}

template <class Record>
void update(Transaction& transaction, const Record& record) {
  const Row row = row_of(record);
  transaction.prepare("UPDATE identities SET path = ?, description = ?, document = ?, max_session_s = ? WHERE id = ?")
      .bind(row.path, row.description, row.document, row.max_session_s, row.id)
      .run();
  remove_rest(transaction, record.id);
  insert_rest(transaction, record);
}

#define LAMBENT_ROWS_OF(Record)                                                          \
  template std::vector<Record> all(Transaction&);                                        \
  template std::optional<Record> find(Transaction&, std::string_view, std::string_view); \
  template std::size_t count<Record>(Transaction&, std::string_view);                    \
  template void insert(Transaction&, const Record&);                                     \
  template void update(Transaction&, const Record&)
LAMBENT_ROWS_OF(User);
LAMBENT_ROWS_OF(Role);
LAMBENT_ROWS_OF(Policy);
#undef LAMBENT_ROWS_OF

bool is_attached(Transaction& transaction, std::string_view policy_arn) {
  Statement& rows = transaction.prepare("SELECT COUNT(*) FROM attached_policies WHERE policy_arn = ?").bind(policy_arn);
  rows.step();
  const bool attached = rows.integer(0) > 0;
  rows.reset();
  return attached;
}

void remove_identity(Transaction& transaction, std::string_view id) {
  transaction.prepare("DELETE FROM identities WHERE id = ?").bind(id).run();
}

std::string access_key_owner(std::string_view id) { return "access key " + std::string(id); }

std::vector<AccessKey> all_access_keys(Transaction& transaction) {
  return read_keys(transaction.prepare(kSelectKeys).bind(), transaction.vault());
}

std::optional<AccessKey> find_access_key(Transaction& transaction, std::string_view id) {
  auto keys = read_keys(transaction.prepare(kSelectKey).bind(id), transaction.vault());
  if (keys.empty()) return std::nullopt;
  return std::move(keys.front());
}

std::vector<AccessKey> access_keys_of(Transaction& transaction, std::string_view account, std::string_view user_id) {
  return read_keys(transaction.prepare(kSelectKeysOf).bind(account, user_id), transaction.vault());
}

void insert_access_key(Transaction& transaction, const AccessKey& key, std::string_view user_id) {
  Statement& insertion = transaction.prepare(
      "INSERT INTO access_keys (id, secret, account, user_id, active, created_ms) VALUES (?, ?, ?, ?, ?, ?)");
  const std::string secret = transaction.vault().seal(access_key_owner(key.id), key.secret);
  if (user_id.empty())
    insertion.bind(key.id, secret, key.account, nullptr, key.active, key.created_ms).run();
  else
    insertion.bind(key.id, secret, key.account, user_id, key.active, key.created_ms).run();
}

void set_access_key_active(Transaction& transaction, std::string_view id, bool active) {
  transaction.prepare("UPDATE access_keys SET active = ? WHERE id = ?").bind(active, id).run();
}

void remove_access_key(Transaction& transaction, std::string_view id) {
  transaction.prepare("DELETE FROM access_keys WHERE id = ?").bind(id).run();
}

}  // namespace lambent::store::rows
