#include "store/functions.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>

namespace lambent::store {
namespace {

// insert() and read_row() follow this order.
constexpr std::string_view kInsert = R"sql(
  INSERT INTO functions (account, region, name, version, description, role, handler, runtime, architecture, timeout_s,
    memory_mib, ephemeral_mib, environment, tracing_mode, log_format, log_group, runtime_version_arn, code_sha256, code_hash,
    code_size, revision_id, last_modified_ms, state, state_reason, state_reason_code, update_status, update_status_reason,
    update_status_reason_code)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kSelectAll = R"sql(
  SELECT account, region, name, version, description, role, handler, runtime, architecture, timeout_s, memory_mib,
    ephemeral_mib, environment, tracing_mode, log_format, log_group, runtime_version_arn, code_sha256, code_hash, code_size,
    revision_id, last_modified_ms, state, state_reason, state_reason_code, update_status, update_status_reason,
    update_status_reason_code
  FROM functions)sql";
constexpr std::string_view kSelectRevision =
    "SELECT revision_id FROM functions WHERE account = ? AND region = ? AND name = ? AND version = '$LATEST'";
constexpr std::string_view kDelete = "DELETE FROM functions WHERE account = ? AND region = ? AND name = ?";

std::string environment_text(const FunctionVersion& function) {
  boost::json::object variables;
  for (const auto& [name, value] : function.environment) variables.emplace(name, value);
  return boost::json::serialize(variables);
}

void read_environment(const std::string& text, FunctionVersion& function) {
  function.has_environment = true;
  const auto variables = boost::json::parse(text);
  for (const auto& [name, value] : variables.as_object())
    function.environment.emplace(name, std::string(std::string_view(value.as_string())));
}

void insert(Transaction& transaction, const FunctionVersion& f) {
  auto& statement = transaction.prepare(kInsert);
  const auto bind = [&](const auto& environment) {
    statement.bind(f.key.account, f.key.region, f.key.name, f.version, f.description, f.role, f.handler, f.runtime,
                   f.architecture, f.timeout_s, f.memory_mib, f.ephemeral_mib, environment, f.tracing_mode,
                   f.log_format, f.log_group, f.runtime_version_arn, f.code_sha256, f.code_hash, f.code_size,
                   f.revision_id, f.last_modified_ms, f.state, f.state_reason, f.state_reason_code, f.update_status,
                   f.update_status_reason, f.update_status_reason_code);
  };
  if (f.has_environment)
    bind(environment_text(f));
  else
    bind(nullptr);
  statement.run();
}

FunctionVersion read_row(const Statement& row) {
  FunctionVersion f;
  int column = 0;
  const auto text = [&] { return row.text(column++); };
  const auto number = [&] { return static_cast<std::int32_t>(row.integer(column++)); };
  f.key.account = text();
  f.key.region = text();
  f.key.name = text();
  f.version = text();
  f.description = text();
  f.role = text();
  f.handler = text();
  f.runtime = text();
  f.architecture = text();
  f.timeout_s = number();
  f.memory_mib = number();
  f.ephemeral_mib = number();
  if (!row.is_null(column)) read_environment(row.text(column), f);
  ++column;
  f.tracing_mode = text();
  f.log_format = text();
  f.log_group = text();
  f.runtime_version_arn = text();
  f.code_sha256 = text();
  f.code_hash = text();
  f.code_size = row.integer(column++);
  f.revision_id = text();
  f.last_modified_ms = row.integer(column++);
  f.state = text();
  f.state_reason = text();
  f.state_reason_code = text();
  f.update_status = text();
  f.update_status_reason = text();
  f.update_status_reason_code = text();
  return f;
}

/// The revision that is stored, inside the writer; nothing when there is no such function.
std::optional<std::string> stored_revision(Transaction& transaction, const FunctionKey& key) {
  auto& statement = transaction.prepare(kSelectRevision).bind(key.account, key.region, key.name);
  std::optional<std::string> revision;
  if (statement.step()) revision = statement.text(0);
  statement.reset();
  return revision;
}

}  // namespace

std::string FunctionVersion::arn() const {
  return fmt::format("arn:aws:lambda:{}:{}:function:{}", key.region, key.account, key.name);
}

struct Functions::Snapshots {
  void publish(FunctionSnapshot function) {
    const std::unique_lock lock(mutex);
    by_key[function->key] = std::move(function);
  }
  void forget(const FunctionKey& key) {
    const std::unique_lock lock(mutex);
    by_key.erase(key);
  }

  std::shared_mutex mutex;
  std::map<FunctionKey, FunctionSnapshot> by_key;
};

Functions::Functions(Database& database) : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  database_.read_now([this](Transaction& transaction) {
    auto& rows = transaction.prepare(kSelectAll).bind();
    while (rows.step()) snapshots_->publish(std::make_shared<const FunctionVersion>(read_row(rows)));
  });
}

FunctionSnapshot Functions::find(const FunctionKey& key) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->by_key.find(key);
  return found == snapshots_->by_key.end() ? nullptr : found->second;
}

std::vector<FunctionSnapshot> Functions::list(std::string_view account, std::string_view region, std::string_view after,
                                              std::size_t limit) const {
  const FunctionKey from{std::string(account), std::string(region), std::string(after)};
  std::vector<FunctionSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  const auto end = snapshots_->by_key.end();
  // No function has an empty name, so an empty `after` excludes none.
  for (auto at = snapshots_->by_key.upper_bound(from); at != end && page.size() < limit; ++at) {
    if (at->first.account != account || at->first.region != region) break;
    page.push_back(at->second);
  }
  return page;
}

std::vector<FunctionSnapshot> Functions::all() const {
  std::vector<FunctionSnapshot> every;
  const std::shared_lock lock(snapshots_->mutex);
  for (const auto& [key, function] : snapshots_->by_key) every.push_back(function);
  return every;
}

base::Task<bool> Functions::create(FunctionVersion function) {
  auto command = [snapshots = snapshots_,
                  created = std::make_shared<const FunctionVersion>(std::move(function))](Transaction& transaction) {
    if (stored_revision(transaction, created->key)) return false;
    insert(transaction, *created);
    transaction.after_commit([snapshots, created] { snapshots->publish(created); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> Functions::replace(FunctionVersion function, std::string expected_revision) {
  auto command = [snapshots = snapshots_, changed = std::make_shared<const FunctionVersion>(std::move(function)),
                  expected = std::move(expected_revision)](Transaction& transaction) {
    const auto& key = changed->key;
    if (stored_revision(transaction, key) != expected) return false;
    transaction.prepare(kDelete).bind(key.account, key.region, key.name).run();
    insert(transaction, *changed);
    transaction.after_commit([snapshots, changed] { snapshots->publish(changed); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> Functions::remove(FunctionKey key) {
  auto command = [snapshots = snapshots_, key = std::move(key)](Transaction& transaction) {
    if (!stored_revision(transaction, key)) return false;
    transaction.prepare(kDelete).bind(key.account, key.region, key.name).run();
    transaction.after_commit([snapshots, key] { snapshots->forget(key); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

}  // namespace lambent::store
