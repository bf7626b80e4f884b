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
    update_status_reason_code, unzipped_size, layers, dead_letter_arn, content_id, policy, tags, last_version,
    kms_key_arn, vpc, file_systems, signing_profile, signing_job, application_log_level, system_log_level, per_tenant)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
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
    array.push_back(json::object{{"arn", layer.arn},
                                 {"hash", layer.hash},
                                 {"size", layer.size},
                                 {"unzipped_size", layer.unzipped_size},
                                 {"signing_profile", layer.signing_profile_arn},
                                 {"signing_job", layer.signing_job_arn}});
  return json::serialize(array);
}

std::vector<LayerUse> layers_of(const std::string& text) {
  std::vector<LayerUse> layers;
  const auto value = json::parse(text);
  for (const auto& entry : value.as_array()) {
    const auto& layer = entry.as_object();
    // Rows from before migration 8 do not have these.
    const auto optional = [&layer](std::string_view name) {
      const auto* text = layer.if_contains(name);
      return text ? string_of(*text) : std::string();
    };
    layers.push_back({string_of(layer.at("arn")), string_of(layer.at("hash")),
                      layer.at("size").to_number<std::int64_t>(), layer.at("unzipped_size").to_number<std::int64_t>(),
                      nullptr, optional("signing_profile"), optional("signing_job")});
  }
  return layers;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

std::vector<std::string> texts_of(const json::value& array) {
  std::vector<std::string> texts;
  for (const auto& text : array.as_array()) texts.push_back(string_of(text));
  return texts;
}

std::optional<std::string> text_of(const std::optional<VpcUse>& vpc) {
  if (!vpc) return std::nullopt;
  return json::serialize(json::object{{"subnet_ids", array_of(vpc->subnet_ids)},
                                      {"security_group_ids", array_of(vpc->security_group_ids)},
                                      {"vpc_id", vpc->vpc_id},
                                      {"ipv6_allowed", vpc->ipv6_allowed}});
}

VpcUse vpc_of(const std::string& text) {
  const auto value = json::parse(text);
  const auto& vpc = value.as_object();
  return {texts_of(vpc.at("subnet_ids")), texts_of(vpc.at("security_group_ids")), string_of(vpc.at("vpc_id")),
          vpc.at("ipv6_allowed").as_bool()};
}

std::string text_of(const std::vector<FileSystemUse>& file_systems) {
  json::array array;
  for (const FileSystemUse& use : file_systems)
    array.push_back(json::object{{"arn", use.arn}, {"mount_path", use.mount_path}});
  return json::serialize(array);
}

std::vector<FileSystemUse> file_systems_of(const std::string& text) {
  std::vector<FileSystemUse> file_systems;
  const auto value = json::parse(text);
  for (const auto& use : value.as_array())
    file_systems.push_back({string_of(use.as_object().at("arn")), string_of(use.as_object().at("mount_path"))});
  return file_systems;
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
    update_status_reason_code, unzipped_size, layers, dead_letter_arn, content_id, policy, tags, last_version,
    kms_key_arn, vpc, file_systems, signing_profile, signing_job, application_log_level, system_log_level,
    per_tenant
  FROM functions)sql";
const std::string_view kSelectAliases = R"sql(
  SELECT account, region, function, name, function_version, description, weights, revision_id, policy FROM aliases)sql";

void insert(Transaction& transaction, const FunctionVersion& f) {
  auto& statement = transaction.prepare(kInsertFunction);
  std::optional<std::string> environment;
  if (!f.environment.empty())
    environment = transaction.vault().seal(environment_owner(f.key, f.version), text_of(f.environment), f.kms_key_arn);
  statement.bind(f.key.account, f.key.region, f.key.name, f.version, f.description, f.role, f.handler, f.runtime,
                 f.architecture, f.timeout_s, f.memory_mib, f.ephemeral_mib, environment, f.tracing_mode, f.log_format,
                 f.log_group, f.runtime_version_arn, f.code_sha256, f.code_hash, f.code_size, f.revision_id,
                 f.last_modified_ms, f.state, f.state_reason, f.state_reason_code, f.update_status,
                 f.update_status_reason, f.update_status_reason_code, f.unzipped_size, text_of(f.layers),
                 f.dead_letter_arn, f.content_id, f.policy, text_of(f.tags), f.last_version, f.kms_key_arn,
                 text_of(f.vpc), text_of(f.file_systems), f.signing_profile_arn, f.signing_job_arn,
                 f.application_log_level, f.system_log_level, std::int64_t{f.per_tenant});
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

std::string environment_owner(const FunctionKey& key, std::string_view version) {
  return "environment " + key.arn() + ":" + std::string(version);
}

FunctionVersion read_function(const Statement& row, const Vault& vault) {
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
  if (!row.is_null(column)) f.environment = map_of(vault.open(environment_owner(f.key, f.version), row.text(column)));
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
  f.kms_key_arn = text();
  if (!row.is_null(column)) f.vpc = vpc_of(row.text(column));
  ++column;
  f.file_systems = file_systems_of(text());
  f.signing_profile_arn = text();
  f.signing_job_arn = text();
  f.application_log_level = text();
  f.system_log_level = text();
  f.per_tenant = number() != 0;
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
