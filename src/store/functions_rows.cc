#include "store/functions_rows.h"

#include <boost/json.hpp>

namespace lambent::store::rows {
namespace {

namespace json = boost::json;

// insert() and read_function() follow this order.
constexpr std::string_view kInsertFunction = R"sql(
  INSERT INTO functions (account, region, name, version, description, role, handler, runtime, architecture, timeout_s,
    memory_mib, ephemeral_mib, environment, tracing_mode, log_format, log_group, runtime_version_arn, code_sha256, code_hash,
    code_size, revision_id, last_modified_ms, state, state_reason, state_reason_code, update_status, update_status_reason,
    update_status_reason_code, unzipped_size, layers, dead_letter_arn, content_id, policy, tags, last_version)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kInsertAlias = R"sql(
  INSERT INTO aliases (account, region, function, name, function_version, description, weights, revision_id, policy)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?))sql";

std::string text_of(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [name, value] : map) object.emplace(name, value);
  return json::serialize(object);
}

std::string string_of(const json::value& value) { return std::string(std::string_view(value.as_string())); }

std::map<std::string, std::string> map_of(const std::string& text) {
  std::map<std::string, std::string> map;
  const auto value = json::parse(text);
  for (const auto& [name, entry] : value.as_object()) map.emplace(name, string_of(entry));
  return map;
}

std::string text_of(const std::vector<LayerUse>& layers) {
  json::array array;
  for (const LayerUse& layer : layers)
    array.push_back(json::object{
        {"arn", layer.arn}, {"hash", layer.hash}, {"size", layer.size}, {"unzipped_size", layer.unzipped_size}});
  return json::serialize(array);
}

std::vector<LayerUse> layers_of(const std::string& text) {
  std::vector<LayerUse> layers;
  const auto value = json::parse(text);
  for (const auto& entry : value.as_array()) {
    const auto& layer = entry.as_object();
    layers.push_back({string_of(layer.at("arn")), string_of(layer.at("hash")),
                      layer.at("size").to_number<std::int64_t>(), layer.at("unzipped_size").to_number<std::int64_t>(),
                      nullptr});
  }
  return layers;
}

std::optional<std::string> one_text(Statement& statement) {
  std::optional<std::string> text;
  if (statement.step()) text = statement.text(0);
  statement.reset();
  return text;
}

}  // namespace

const std::string_view kSelectFunctions = R"sql(
  SELECT account, region, name, version, description, role, handler, runtime, architecture, timeout_s, memory_mib,
    ephemeral_mib, environment, tracing_mode, log_format, log_group, runtime_version_arn, code_sha256, code_hash, code_size,
    revision_id, last_modified_ms, state, state_reason, state_reason_code, update_status, update_status_reason,
    update_status_reason_code, unzipped_size, layers, dead_letter_arn, content_id, policy, tags, last_version
  FROM functions)sql";
const std::string_view kSelectAliases = R"sql(
  SELECT account, region, function, name, function_version, description, weights, revision_id, policy FROM aliases)sql";

void insert(Transaction& transaction, const FunctionVersion& f) {
  auto& statement = transaction.prepare(kInsertFunction);
  const auto bind = [&](const auto& environment) {
    statement.bind(f.key.account, f.key.region, f.key.name, f.version, f.description, f.role, f.handler, f.runtime,
                   f.architecture, f.timeout_s, f.memory_mib, f.ephemeral_mib, environment, f.tracing_mode,
                   f.log_format, f.log_group, f.runtime_version_arn, f.code_sha256, f.code_hash, f.code_size,
                   f.revision_id, f.last_modified_ms, f.state, f.state_reason, f.state_reason_code, f.update_status,
                   f.update_status_reason, f.update_status_reason_code, f.unzipped_size, text_of(f.layers),
                   f.dead_letter_arn, f.content_id, f.policy, text_of(f.tags), f.last_version);
  };
  if (f.has_environment)
    bind(text_of(f.environment));
  else
    bind(nullptr);
  statement.run();
}

void insert(Transaction& transaction, const Alias& alias) {
  json::object weights;
  for (const auto& [version, weight] : alias.weights) weights.emplace(version, weight);
  transaction.prepare(kInsertAlias)
      .bind(alias.key.account, alias.key.region, alias.key.name, alias.name, alias.function_version, alias.description,
            json::serialize(weights), alias.revision_id, alias.policy)
      .run();
}

FunctionVersion read_function(const Statement& row) {
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
  f.has_environment = !row.is_null(column);
  if (f.has_environment) f.environment = map_of(row.text(column));
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
  f.unzipped_size = row.integer(column++);
  f.layers = layers_of(text());
  f.dead_letter_arn = text();
  f.content_id = text();
  f.policy = text();
  f.tags = map_of(text());
  f.last_version = row.integer(column++);
  return f;
}

Alias read_alias(const Statement& row) {
  Alias alias;
  alias.key = {row.text(0), row.text(1), row.text(2)};
  alias.name = row.text(3);
  alias.function_version = row.text(4);
  alias.description = row.text(5);
  const auto weights = json::parse(row.text(6));
  for (const auto& [version, weight] : weights.as_object()) alias.weights.emplace(version, weight.to_number<double>());
  alias.revision_id = row.text(7);
  alias.policy = row.text(8);
  return alias;
}

std::optional<std::string> function_revision(Transaction& transaction, const FunctionKey& key,
                                             std::string_view version) {
  return one_text(
      transaction
          .prepare("SELECT revision_id FROM functions WHERE account = ? AND region = ? AND name = ? AND version = ?")
          .bind(key.account, key.region, key.name, version));
}

std::optional<std::string> alias_revision(Transaction& transaction, const FunctionKey& key, std::string_view name) {
  return one_text(
      transaction
          .prepare("SELECT revision_id FROM aliases WHERE account = ? AND region = ? AND function = ? AND name = ?")
          .bind(key.account, key.region, key.name, name));
}

void remove_function(Transaction& transaction, const FunctionKey& key) {
  transaction.prepare("DELETE FROM functions WHERE account = ? AND region = ? AND name = ?")
      .bind(key.account, key.region, key.name)
      .run();
  transaction.prepare("DELETE FROM aliases WHERE account = ? AND region = ? AND function = ?")
      .bind(key.account, key.region, key.name)
      .run();
}

void remove_version(Transaction& transaction, const FunctionKey& key, std::string_view version) {
  transaction.prepare("DELETE FROM functions WHERE account = ? AND region = ? AND name = ? AND version = ?")
      .bind(key.account, key.region, key.name, version)
      .run();
}

void remove_alias(Transaction& transaction, const FunctionKey& key, std::string_view name) {
  transaction.prepare("DELETE FROM aliases WHERE account = ? AND region = ? AND function = ? AND name = ?")
      .bind(key.account, key.region, key.name, name)
      .run();
}

}  // namespace lambent::store::rows
