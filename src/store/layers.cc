#include "store/layers.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>
#include <mutex>
#include <shared_mutex>

namespace lambent::store {
namespace {

namespace json = boost::json;

constexpr std::string_view kInsert = R"sql(
  INSERT INTO layer_versions (account, region, name, version, description, license_info, compatible_runtimes,
    compatible_architectures, code_sha256, code_hash, code_size, unzipped_size, created_ms, policy, policy_revision,
    signing_profile, signing_job)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kSelect = R"sql(
  SELECT account, region, name, version, description, license_info, compatible_runtimes, compatible_architectures,
    code_sha256, code_hash, code_size, unzipped_size, created_ms, policy, policy_revision,
    signing_profile, signing_job FROM layer_versions)sql";
constexpr std::string_view kUpdatePolicy =
    "UPDATE layer_versions SET policy = ?, policy_revision = ?"
    " WHERE account = ? AND region = ? AND name = ? AND version = ?";
constexpr std::string_view kSelectRevision =
    "SELECT policy_revision FROM layer_versions WHERE account = ? AND region = ? AND name = ? AND version = ?";
constexpr std::string_view kDelete =
    "DELETE FROM layer_versions WHERE account = ? AND region = ? AND name = ? AND version = ?";

std::string text_of(const std::vector<std::string>& list) {
  json::array array;
  for (const auto& item : list) array.emplace_back(item);
  return json::serialize(array);
}

std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> list;
  const auto array = json::parse(text);
  for (const auto& item : array.as_array()) list.emplace_back(std::string_view(item.as_string()));
  return list;
}

void insert(Transaction& transaction, const LayerVersion& v) {
  auto& statement = transaction.prepare(kInsert);
  const auto bind = [&](const auto& license) {
    statement.bind(v.key.account, v.key.region, v.key.name, v.version, v.description, license, text_of(v.runtimes),
                   text_of(v.architectures), v.code_sha256, v.code_hash, v.code_size, v.unzipped_size, v.created_ms,
                   v.policy, v.policy_revision, v.signing_profile_arn, v.signing_job_arn);
  };
  if (v.license_info)
    bind(*v.license_info);
  else
    bind(nullptr);
  statement.run();
}

LayerVersion read_row(const Statement& row) {
  LayerVersion v;
  v.key = {row.text(0), row.text(1), row.text(2)};
  v.version = row.integer(3);
  v.description = row.text(4);
  if (!row.is_null(5)) v.license_info = row.text(5);
  v.runtimes = list_of(row.text(6));
  v.architectures = list_of(row.text(7));
  v.code_sha256 = row.text(8);
  v.code_hash = row.text(9);
  v.code_size = row.integer(10);
  v.unzipped_size = row.integer(11);
  v.created_ms = row.integer(12);
  v.policy = row.text(13);
  v.policy_revision = row.text(14);
  v.signing_profile_arn = row.text(15);
  v.signing_job_arn = row.text(16);
  return v;
}

/// The layer's next number, which is taken with that.
std::int64_t take_number(Transaction& transaction, const LayerKey& key) {
  auto& last = transaction.prepare("SELECT last_version FROM layers WHERE account = ? AND region = ? AND name = ?")
                   .bind(key.account, key.region, key.name);
  const std::int64_t number = (last.step() ? last.integer(0) : 0) + 1;
  last.reset();
  transaction.prepare("DELETE FROM layers WHERE account = ? AND region = ? AND name = ?")
      .bind(key.account, key.region, key.name)
      .run();
  transaction.prepare("INSERT INTO layers (account, region, name, last_version) VALUES (?, ?, ?, ?)")
      .bind(key.account, key.region, key.name, number)
      .run();
  return number;
}

}  // namespace

std::string LayerKey::arn() const { return fmt::format("arn:aws:lambda:{}:{}:layer:{}", region, account, name); }

std::string LayerVersion::arn() const { return fmt::format("{}:{}", key.arn(), version); }

struct Layers::Snapshots {
  using Versions = std::map<std::int64_t, LayerSnapshot, std::greater<>>;

  void publish(LayerSnapshot version) {
    const std::unique_lock lock(mutex);
    LayerSnapshot& place = by_key[version->key][version->version];
    if (!place) code_size[{version->key.account, version->key.region}] += version->code_size;
    place = std::move(version);
  }
  void forget(const LayerKey& key, std::int64_t version) {
    LayerSnapshot gone;
    const std::unique_lock lock(mutex);
    const auto layer = by_key.find(key);
    if (layer == by_key.end()) return;
    const auto place = layer->second.find(version);
    if (place == layer->second.end()) return;
    gone = std::move(place->second);
    code_size[{key.account, key.region}] -= gone->code_size;
    layer->second.erase(place);
    if (layer->second.empty()) by_key.erase(layer);
  }

  mutable std::shared_mutex mutex;
  std::map<LayerKey, Versions> by_key;
  std::map<std::pair<std::string, std::string>, std::int64_t> code_size;
  /// Of writes that failed: only a restart shows whether they are on the disk, so their archives are kept until then.
  std::vector<CodePin> doubtful;
};

Layers::Layers(Database& database, std::function<CodePin(std::string_view hash)> pin)
    : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  database_.read_now([this, &pin](Transaction& transaction) {
    auto& rows = transaction.prepare(kSelect).bind();
    while (rows.step()) {
      auto version = read_row(rows);
      if (pin) version.code_pin = pin(version.code_hash);
      snapshots_->publish(std::make_shared<const LayerVersion>(std::move(version)));
    }
  });
}

LayerSnapshot Layers::find(const LayerKey& key, std::int64_t version) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto layer = snapshots_->by_key.find(key);
  if (layer == snapshots_->by_key.end()) return nullptr;
  const auto found = layer->second.find(version);
  return found == layer->second.end() ? nullptr : found->second;
}

std::vector<LayerSnapshot> Layers::list(std::string_view account, std::string_view region, std::string_view after,
                                        const LayerFilter& passes, std::size_t limit) const {
  const LayerKey from{std::string(account), std::string(region), std::string(after)};
  std::vector<LayerSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  const auto end = snapshots_->by_key.end();
  for (auto at = snapshots_->by_key.upper_bound(from); at != end && page.size() < limit; ++at) {
    if (at->first.account != account || at->first.region != region) break;
    const auto newest = std::find_if(at->second.begin(), at->second.end(),
                                     [&](const auto& version) { return passes(*version.second); });
    if (newest != at->second.end()) page.push_back(newest->second);
  }
  return page;
}

std::vector<LayerSnapshot> Layers::versions(const LayerKey& key, std::int64_t before, const LayerFilter& passes,
                                            std::size_t limit) const {
  std::vector<LayerSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  const auto layer = snapshots_->by_key.find(key);
  if (layer == snapshots_->by_key.end()) return page;
  const auto& all = layer->second;
  for (auto at = before == 0 ? all.begin() : all.upper_bound(before); at != all.end() && page.size() < limit; ++at)
    if (passes(*at->second)) page.push_back(at->second);
  return page;
}

std::int64_t Layers::code_size(std::string_view account, std::string_view region) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->code_size.find({std::string(account), std::string(region)});
  return found == snapshots_->code_size.end() ? 0 : found->second;
}

base::Task<LayerSnapshot> Layers::publish(LayerVersion version) {
  const auto snapshots = snapshots_;
  const CodePin pin = version.code_pin;
  auto command = [snapshots, version = std::move(version)](Transaction& transaction) mutable {
    version.version = take_number(transaction, version.key);
    insert(transaction, version);
    auto made = std::make_shared<const LayerVersion>(std::move(version));
    transaction.after_commit([snapshots, made] { snapshots->publish(made); });
    return LayerSnapshot(made);
  };
  try {
    auto task = database_.write(std::move(command));
    co_return co_await std::move(task);
  } catch (...) {
    const std::unique_lock lock(snapshots->mutex);
    snapshots->doubtful.push_back(pin);
    throw;
  }
}

base::Task<bool> Layers::replace_policy(LayerVersion version, std::string expected_revision) {
  auto command = [snapshots = snapshots_, changed = std::make_shared<const LayerVersion>(std::move(version)),
                  expected = std::move(expected_revision)](Transaction& transaction) {
    const LayerKey& key = changed->key;
    auto& stored = transaction.prepare(kSelectRevision).bind(key.account, key.region, key.name, changed->version);
    const bool same = stored.step() && stored.text(0) == expected;
    stored.reset();
    if (!same) return false;
    transaction.prepare(kUpdatePolicy)
        .bind(changed->policy, changed->policy_revision, key.account, key.region, key.name, changed->version)
        .run();
    transaction.after_commit([snapshots, changed] { snapshots->publish(changed); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> Layers::remove(LayerKey key, std::int64_t version) {
  auto command = [snapshots = snapshots_, key = std::move(key), version](Transaction& transaction) {
    auto& stored = transaction.prepare(kSelectRevision).bind(key.account, key.region, key.name, version);
    const bool there = stored.step();
    stored.reset();
    if (!there) return false;
    transaction.prepare(kDelete).bind(key.account, key.region, key.name, version).run();
    transaction.after_commit([snapshots, key, version] { snapshots->forget(key, version); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

}  // namespace lambent::store
