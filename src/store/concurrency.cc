#include "store/concurrency.h"

#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace lambent::store {
namespace {

constexpr std::string_view kSelectLimits =
    "SELECT account, region, name, reserved, recursive_loop FROM function_limits";
constexpr std::string_view kSelectLimitsOf = R"sql(
  SELECT account, region, name, reserved, recursive_loop FROM function_limits
  WHERE account = ? AND region = ? AND name = ?)sql";
constexpr std::string_view kReservedByOthers = R"sql(
  SELECT COALESCE(SUM(reserved), 0) FROM function_limits WHERE account = ? AND region = ? AND name <> ?)sql";
/// What others have provisioned without a reservation.
constexpr std::string_view kProvisionedByOthers = R"sql(
  SELECT COALESCE(SUM(requested), 0) FROM provisioned_concurrency AS config
  WHERE account = ? AND region = ? AND name <> ? AND NOT EXISTS (
    SELECT 1 FROM function_limits AS limits
    WHERE limits.account = config.account AND limits.region = config.region AND limits.name = config.name
      AND limits.reserved IS NOT NULL))sql";
constexpr std::string_view kProvisionedOf = R"sql(
  SELECT COALESCE(SUM(requested), 0) FROM provisioned_concurrency
  WHERE account = ? AND region = ? AND name = ? AND qualifier <> ?)sql";
constexpr std::string_view kTargetExists = R"sql(
  SELECT 1 FROM functions WHERE account = ?1 AND region = ?2 AND name = ?3 AND version = ?4
  UNION ALL SELECT 1 FROM aliases WHERE account = ?1 AND region = ?2 AND function = ?3 AND name = ?4)sql";
constexpr std::string_view kInsertLimits =
    "INSERT INTO function_limits (account, region, name, reserved, recursive_loop) VALUES (?, ?, ?, ?, ?)";
constexpr std::string_view kDeleteLimits = "DELETE FROM function_limits WHERE account = ? AND region = ? AND name = ?";
constexpr std::string_view kSelectProvisioned =
    "SELECT account, region, name, qualifier, requested, last_modified_ms FROM provisioned_concurrency";
constexpr std::string_view kInsertProvisioned = R"sql(
  INSERT INTO provisioned_concurrency (account, region, name, qualifier, requested, last_modified_ms)
  VALUES (?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kDeleteProvisioned =
    "DELETE FROM provisioned_concurrency WHERE account = ? AND region = ? AND name = ? AND qualifier = ?";
constexpr std::string_view kForgetProvisioned =
    "DELETE FROM provisioned_concurrency WHERE account = ? AND region = ? AND name = ?";

FunctionLimits read_limits(const Statement& row) {
  FunctionLimits limits;
  limits.function = {row.text(0), row.text(1), row.text(2)};
  if (!row.is_null(3)) limits.reserved = static_cast<std::int32_t>(row.integer(3));
  limits.recursive_loop = row.text(4);
  return limits;
}

/// The one number that the row has.
std::int64_t number_in(Statement& row) {
  const std::int64_t number = row.step() ? row.integer(0) : 0;
  row.reset();
  return number;
}

ProvisionWrite fits(Transaction& transaction, const ProvisionedConcurrency& config, const ConcurrencyQuota& quota) {
  const FunctionKey& key = config.function;
  auto& target = transaction.prepare(kTargetExists).bind(key.account, key.region, key.name, config.qualifier);
  if (number_in(target) == 0) return ProvisionWrite::gone;
  const std::int64_t own =
      number_in(transaction.prepare(kProvisionedOf).bind(key.account, key.region, key.name, config.qualifier)) +
      config.requested;
  FunctionLimits limits;
  auto& row = transaction.prepare(kSelectLimitsOf).bind(key.account, key.region, key.name);
  if (row.step()) limits = read_limits(row);
  row.reset();
  if (limits.reserved) return own > *limits.reserved ? ProvisionWrite::above_reservation : ProvisionWrite::stored;
  const std::int64_t others =
      number_in(transaction.prepare(kReservedByOthers).bind(key.account, key.region, key.name)) +
      number_in(transaction.prepare(kProvisionedByOthers).bind(key.account, key.region, key.name));
  if (own > quota.limit - others) return ProvisionWrite::above_unreserved;
  if (own > quota.limit - others - quota.minimum_unreserved) return ProvisionWrite::below_minimum;
  return ProvisionWrite::stored;
}

ProvisionedConcurrency read_provisioned(const Statement& row) {
  ProvisionedConcurrency config;
  config.function = {row.text(0), row.text(1), row.text(2)};
  config.qualifier = row.text(3);
  config.requested = static_cast<std::int32_t>(row.integer(4));
  config.last_modified_ms = row.integer(5);
  return config;
}

}  // namespace

struct Concurrency::Snapshots {
  using Name = std::pair<FunctionKey, std::string>;
  using Namespace = std::pair<std::string, std::string>;

  void publish(const FunctionLimits& next) {
    const std::unique_lock lock(mutex);
    auto& slot = limits[next.function];
    auto& total = reserved[{next.function.account, next.function.region}];
    total += next.reserved.value_or(0) - slot.reserved.value_or(0);
    slot = next;
  }
  void publish(const ProvisionedConcurrency& next) {
    const std::unique_lock lock(mutex);
    provisioned.insert_or_assign(Name{next.function, next.qualifier}, next);
  }
  void forget_provisioned(const Name& name) {
    const std::unique_lock lock(mutex);
    provisioned.erase(name);
  }
  void forget(const FunctionKey& function) {
    publish(FunctionLimits{.function = function});
    const std::unique_lock lock(mutex);
    limits.erase(function);
    std::erase_if(provisioned, [&](const auto& entry) { return entry.first.first == function; });
  }

  mutable std::shared_mutex mutex;
  std::map<FunctionKey, FunctionLimits> limits;
  std::map<Namespace, std::int32_t> reserved;
  std::map<Name, ProvisionedConcurrency> provisioned;
};

Concurrency::Concurrency(Database& database) : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  database_.read_now([this](Transaction& transaction) {
    auto& limits = transaction.prepare(kSelectLimits).bind();
    while (limits.step()) snapshots_->publish(read_limits(limits));
    auto& provisioned = transaction.prepare(kSelectProvisioned).bind();
    while (provisioned.step()) snapshots_->publish(read_provisioned(provisioned));
  });
}

FunctionLimits Concurrency::limits(const FunctionKey& function) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->limits.find(function);
  if (found == snapshots_->limits.end()) return {.function = function};
  return found->second;
}

std::int32_t Concurrency::reserved_total(std::string_view account, std::string_view region) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->reserved.find(Snapshots::Namespace{account, region});
  return found == snapshots_->reserved.end() ? 0 : found->second;
}

std::vector<FunctionLimits> Concurrency::reservations() const {
  std::vector<FunctionLimits> found;
  const std::shared_lock lock(snapshots_->mutex);
  for (const auto& [function, limits] : snapshots_->limits)
    if (limits.reserved) found.push_back(limits);
  return found;
}

std::int32_t Concurrency::provisioned_total(std::string_view account, std::string_view region) const {
  const std::shared_lock lock(snapshots_->mutex);
  std::int32_t total = 0;
  const FunctionKey first{std::string(account), std::string(region), ""};
  for (auto at = snapshots_->provisioned.lower_bound({first, ""}); at != snapshots_->provisioned.end(); ++at) {
    const FunctionKey& key = at->first.first;
    if (key.account != account || key.region != region) break;
    const auto limits = snapshots_->limits.find(key);
    if (limits == snapshots_->limits.end() || !limits->second.reserved) total += at->second.requested;
  }
  return total;
}

base::Task<bool> Concurrency::edit(FunctionKey function, std::function<bool(Transaction&, FunctionLimits&)> edit) {
  auto command = [snapshots = snapshots_, key = std::move(function), edit = std::move(edit)](Transaction& transaction) {
    FunctionLimits limits{.function = key};
    auto& row = transaction.prepare(kSelectLimitsOf).bind(key.account, key.region, key.name);
    if (row.step()) limits = read_limits(row);
    row.reset();
    if (!edit(transaction, limits)) return false;
    transaction.prepare(kDeleteLimits).bind(key.account, key.region, key.name).run();
    transaction.prepare(kInsertLimits)
        .bind(key.account, key.region, key.name, limits.reserved, limits.recursive_loop)
        .run();
    transaction.after_commit([snapshots, limits] { snapshots->publish(limits); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> Concurrency::reserve(FunctionKey function, std::int32_t reserved, std::int32_t most) {
  auto change = [reserved, most](Transaction& transaction, FunctionLimits& limits) {
    const FunctionKey& key = limits.function;
    const std::int64_t others =
        number_in(transaction.prepare(kReservedByOthers).bind(key.account, key.region, key.name)) +
        number_in(transaction.prepare(kProvisionedByOthers).bind(key.account, key.region, key.name));
    const std::int64_t own = number_in(transaction.prepare(kProvisionedOf).bind(key.account, key.region, key.name, ""));
    if (others + reserved > most || own > reserved) return false;
    limits.reserved = reserved;
    return true;
  };
  co_return co_await edit(std::move(function), std::move(change));
}

base::Task<void> Concurrency::release(FunctionKey function) {
  auto change = [](Transaction&, FunctionLimits& limits) {
    limits.reserved.reset();
    return true;
  };
  co_await edit(std::move(function), std::move(change));
}

base::Task<void> Concurrency::set_recursive_loop(FunctionKey function, std::string recursive_loop) {
  auto change = [recursive_loop = std::move(recursive_loop)](Transaction&, FunctionLimits& limits) {
    limits.recursive_loop = recursive_loop;
    return true;
  };
  co_await edit(std::move(function), std::move(change));
}

std::optional<ProvisionedConcurrency> Concurrency::provisioned(const FunctionKey& function,
                                                               std::string_view qualifier) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->provisioned.find(Snapshots::Name{function, qualifier});
  if (found == snapshots_->provisioned.end()) return std::nullopt;
  return found->second;
}

std::vector<ProvisionedConcurrency> Concurrency::provisioned_of(const FunctionKey& function, std::string_view after,
                                                                std::size_t limit) const {
  std::vector<ProvisionedConcurrency> page;
  const std::shared_lock lock(snapshots_->mutex);
  for (auto at = snapshots_->provisioned.upper_bound(Snapshots::Name{function, after});
       at != snapshots_->provisioned.end() && at->first.first == function && page.size() < limit; ++at)
    page.push_back(at->second);
  return page;
}

std::vector<ProvisionedConcurrency> Concurrency::all_provisioned() const {
  std::vector<ProvisionedConcurrency> found;
  const std::shared_lock lock(snapshots_->mutex);
  for (const auto& [name, config] : snapshots_->provisioned) found.push_back(config);
  return found;
}

base::Task<ProvisionWrite> Concurrency::put_provisioned(ProvisionedConcurrency config, ConcurrencyQuota quota) {
  auto command = [snapshots = snapshots_, config = std::move(config), quota](Transaction& transaction) {
    const ProvisionWrite verdict = fits(transaction, config, quota);
    if (verdict != ProvisionWrite::stored) return verdict;
    const FunctionKey& key = config.function;
    transaction.prepare(kDeleteProvisioned).bind(key.account, key.region, key.name, config.qualifier).run();
    transaction.prepare(kInsertProvisioned)
        .bind(key.account, key.region, key.name, config.qualifier, config.requested, config.last_modified_ms)
        .run();
    transaction.after_commit([snapshots, config] { snapshots->publish(config); });
    return ProvisionWrite::stored;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> Concurrency::remove_provisioned(FunctionKey function, std::string qualifier) {
  auto command = [snapshots = snapshots_,
                  name = Snapshots::Name{std::move(function), std::move(qualifier)}](Transaction& transaction) {
    const FunctionKey& key = name.first;
    auto& row = transaction
                    .prepare(
                        "SELECT 1 FROM provisioned_concurrency WHERE account = ? AND region = ? AND name = ? AND "
                        "qualifier = ?")
                    .bind(key.account, key.region, key.name, name.second);
    const bool there = row.step();
    row.reset();
    if (!there) return false;
    transaction.prepare(kDeleteProvisioned).bind(key.account, key.region, key.name, name.second).run();
    transaction.after_commit([snapshots, name] { snapshots->forget_provisioned(name); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

void Concurrency::forget(Transaction& transaction, const FunctionKey& key, std::string_view qualifier) {
  if (qualifier.empty()) {
    transaction.prepare(kDeleteLimits).bind(key.account, key.region, key.name).run();
    transaction.prepare(kForgetProvisioned).bind(key.account, key.region, key.name).run();
  } else {
    transaction.prepare(kDeleteProvisioned).bind(key.account, key.region, key.name, qualifier).run();
  }
  transaction.after_commit([snapshots = snapshots_, name = Snapshots::Name{key, qualifier}] {
    if (name.second.empty())
      snapshots->forget(name.first);
    else
      snapshots->forget_provisioned(name);
  });
}

}  // namespace lambent::store
