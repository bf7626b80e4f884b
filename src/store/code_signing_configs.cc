#include "store/code_signing_configs.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <tuple>

namespace lambent::store {
namespace {

namespace json = boost::json;

constexpr std::string_view kInsert = R"sql(
  INSERT INTO code_signing_configs (account, region, id, description, publishers, policy, tags, modified_ms, revision)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kSelect = R"sql(
  SELECT account, region, id, description, publishers, policy, tags, modified_ms, revision FROM code_signing_configs)sql";
constexpr std::string_view kRevision =
    "SELECT revision FROM code_signing_configs WHERE account = ? AND region = ? AND id = ?";
constexpr std::string_view kDelete = "DELETE FROM code_signing_configs WHERE account = ? AND region = ? AND id = ?";
constexpr std::string_view kSelectUse = "SELECT account, region, function, config FROM function_code_signing";
constexpr std::string_view kUse =
    "SELECT config FROM function_code_signing WHERE account = ? AND region = ? AND function = ?";
constexpr std::string_view kInsertUse =
    "INSERT INTO function_code_signing (account, region, function, config) VALUES (?, ?, ?, ?)";
constexpr std::string_view kDeleteUse =
    "DELETE FROM function_code_signing WHERE account = ? AND region = ? AND function = ?";
constexpr std::string_view kUsed =
    "SELECT function FROM function_code_signing WHERE account = ? AND region = ? AND config = ? LIMIT 1";
constexpr std::string_view kFunction =
    "SELECT name FROM functions WHERE account = ? AND region = ? AND name = ? AND version = '$LATEST'";

std::string string_of(const json::value& value) { return std::string(std::string_view(value.as_string())); }

CodeSigningConfig read_row(const Statement& row) {
  CodeSigningConfig config;
  config.account = row.text(0);
  config.region = row.text(1);
  config.id = row.text(2);
  config.description = row.text(3);
  const auto publishers = json::parse(row.text(4));
  for (const auto& arn : publishers.as_array()) config.publishers.push_back(string_of(arn));
  config.policy = row.text(5);
  const auto tags = json::parse(row.text(6));
  for (const auto& [key, value] : tags.as_object()) config.tags.emplace(key, string_of(value));
  config.modified_ms = row.integer(7);
  config.revision = row.integer(8);
  return config;
}

void insert(Transaction& transaction, const CodeSigningConfig& config) {
  json::array publishers;
  for (const auto& arn : config.publishers) publishers.emplace_back(arn);
  json::object tags;
  for (const auto& [key, value] : config.tags) tags.emplace(key, value);
  transaction.prepare(kInsert)
      .bind(config.account, config.region, config.id, config.description, json::serialize(publishers), config.policy,
            json::serialize(tags), config.modified_ms, config.revision)
      .run();
}

bool finds(Statement& statement) {
  const bool found = statement.step();
  statement.reset();
  return found;
}

std::optional<std::int64_t> revision_of(Transaction& transaction, const std::string& account, const std::string& region,
                                        const std::string& id) {
  auto& statement = transaction.prepare(kRevision).bind(account, region, id);
  std::optional<std::int64_t> revision;
  if (statement.step()) revision = statement.integer(0);
  statement.reset();
  return revision;
}

void erase_use(Transaction& transaction, const FunctionKey& function) {
  transaction.prepare(kDeleteUse).bind(function.account, function.region, function.name).run();
}

}  // namespace

std::string CodeSigningConfig::arn() const {
  return fmt::format("arn:aws:lambda:{}:{}:code-signing-config:{}", region, account, id);
}

struct CodeSigningConfigs::Snapshots {
  /// Account, region, id.
  using Key = std::tuple<std::string, std::string, std::string>;

  static Key key_of(const CodeSigningConfig& config) { return {config.account, config.region, config.id}; }

  void publish(CodeSigningConfigSnapshot config) {
    const std::unique_lock lock(mutex);
    configs[key_of(*config)] = std::move(config);
  }
  void forget(const Key& key) {
    const std::unique_lock lock(mutex);
    configs.erase(key);
  }
  void use(const FunctionKey& function, const std::string& id) {
    const std::unique_lock lock(mutex);
    drop(function);
    used[function] = id;
    users[{function.account, function.region, id}].insert(function.name);
  }
  void disuse(const FunctionKey& function) {
    const std::unique_lock lock(mutex);
    drop(function);
  }

  mutable std::shared_mutex mutex;
  std::map<Key, CodeSigningConfigSnapshot> configs;
  std::map<FunctionKey, std::string> used;
  std::map<Key, std::set<std::string, std::less<>>> users;

 private:
  void drop(const FunctionKey& function) {
    const auto before = used.find(function);
    if (before == used.end()) return;
    const auto names = users.find({function.account, function.region, before->second});
    names->second.erase(function.name);
    if (names->second.empty()) users.erase(names);
    used.erase(before);
  }
};

CodeSigningConfigs::CodeSigningConfigs(Database& database, Functions& functions)
    : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  database_.read_now([this](Transaction& transaction) {
    auto& configs = transaction.prepare(kSelect).bind();
    while (configs.step()) snapshots_->publish(std::make_shared<const CodeSigningConfig>(read_row(configs)));
    auto& uses = transaction.prepare(kSelectUse).bind();
    while (uses.step()) snapshots_->use({uses.text(0), uses.text(1), uses.text(2)}, uses.text(3));
  });
  functions.when_removed(
      [snapshots = snapshots_](Transaction& transaction, const FunctionKey& function, std::string_view qualifier) {
        if (!qualifier.empty()) return;
        erase_use(transaction, function);
        transaction.after_commit([snapshots, function] { snapshots->disuse(function); });
      });
}

CodeSigningConfigSnapshot CodeSigningConfigs::find(std::string_view account, std::string_view region,
                                                   std::string_view id) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->configs.find({std::string(account), std::string(region), std::string(id)});
  return found == snapshots_->configs.end() ? nullptr : found->second;
}

CodeSigningConfigSnapshot CodeSigningConfigs::of(const FunctionKey& function) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto use = snapshots_->used.find(function);
  if (use == snapshots_->used.end()) return nullptr;
  return snapshots_->configs.at({function.account, function.region, use->second});
}

std::vector<CodeSigningConfigSnapshot> CodeSigningConfigs::list(std::string_view account, std::string_view region,
                                                                std::string_view after, std::size_t limit) const {
  std::vector<CodeSigningConfigSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  const auto end = snapshots_->configs.end();
  for (auto at = snapshots_->configs.upper_bound({std::string(account), std::string(region), std::string(after)});
       at != end && page.size() < limit; ++at) {
    if (at->second->account != account || at->second->region != region) break;
    page.push_back(at->second);
  }
  return page;
}

std::vector<FunctionKey> CodeSigningConfigs::users(const CodeSigningConfig& config, std::string_view after,
                                                   std::size_t limit) const {
  std::vector<FunctionKey> page;
  const std::shared_lock lock(snapshots_->mutex);
  const auto names = snapshots_->users.find(Snapshots::key_of(config));
  if (names == snapshots_->users.end()) return page;
  for (auto at = names->second.upper_bound(after); at != names->second.end() && page.size() < limit; ++at)
    page.push_back({config.account, config.region, *at});
  return page;
}

base::Task<void> CodeSigningConfigs::create(CodeSigningConfig config) {
  auto command = [snapshots = snapshots_,
                  made = std::make_shared<const CodeSigningConfig>(std::move(config))](Transaction& transaction) {
    insert(transaction, *made);
    transaction.after_commit([snapshots, made] { snapshots->publish(made); });
  };
  co_await database_.write(std::move(command));
}

base::Task<bool> CodeSigningConfigs::replace(CodeSigningConfig config) {
  auto command = [snapshots = snapshots_,
                  changed = std::make_shared<const CodeSigningConfig>(std::move(config))](Transaction& transaction) {
    if (revision_of(transaction, changed->account, changed->region, changed->id) != changed->revision - 1) return false;
    transaction.prepare(kDelete).bind(changed->account, changed->region, changed->id).run();
    insert(transaction, *changed);
    transaction.after_commit([snapshots, changed] { snapshots->publish(changed); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<CodeSigningConfigs::Removal> CodeSigningConfigs::remove(std::string account, std::string region,
                                                                   std::string id) {
  auto command = [snapshots = snapshots_, account = std::move(account), region = std::move(region),
                  id = std::move(id)](Transaction& transaction) {
    if (!revision_of(transaction, account, region, id)) return Removal::none;
    if (finds(transaction.prepare(kUsed).bind(account, region, id))) return Removal::in_use;
    transaction.prepare(kDelete).bind(account, region, id).run();
    transaction.after_commit([snapshots, account, region, id] { snapshots->forget({account, region, id}); });
    return Removal::removed;
  };
  co_return co_await database_.write(std::move(command));
}

std::function<void(Transaction&)> CodeSigningConfigs::attach(FunctionKey function, std::string id) {
  return [snapshots = snapshots_, function = std::move(function), id = std::move(id)](Transaction& transaction) {
    if (!revision_of(transaction, function.account, function.region, id)) throw NoSuchCodeSigningConfig();
    erase_use(transaction, function);
    transaction.prepare(kInsertUse).bind(function.account, function.region, function.name, id).run();
    transaction.after_commit([snapshots, function, id] { snapshots->use(function, id); });
  };
}

std::function<void(Transaction&)> CodeSigningConfigs::unchanged(FunctionKey function,
                                                                CodeSigningConfigSnapshot config) {
  return [function = std::move(function), config = std::move(config)](Transaction& transaction) {
    auto& use = transaction.prepare(kUse).bind(function.account, function.region, function.name);
    const std::string id = use.step() ? use.text(0) : "";
    use.reset();
    if (id != (config ? config->id : "")) throw CodeSigningConfigChanged();
    if (config && revision_of(transaction, config->account, config->region, id) != config->revision)
      throw CodeSigningConfigChanged();
  };
}

base::Task<bool> CodeSigningConfigs::put(FunctionKey function, std::string id) {
  auto command = [function, give = attach(function, std::move(id))](Transaction& transaction) {
    if (!finds(transaction.prepare(kFunction).bind(function.account, function.region, function.name))) return false;
    give(transaction);
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> CodeSigningConfigs::detach(FunctionKey function) {
  auto command = [snapshots = snapshots_, function = std::move(function)](Transaction& transaction) {
    if (!finds(transaction.prepare(kUse).bind(function.account, function.region, function.name))) return false;
    erase_use(transaction, function);
    transaction.after_commit([snapshots, function] { snapshots->disuse(function); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

}  // namespace lambent::store
