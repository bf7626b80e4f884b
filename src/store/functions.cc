#include "store/functions.h"

#include <fmt/format.h>

#include <charconv>
#include <mutex>
#include <shared_mutex>

#include "store/functions_rows.h"

namespace lambent::store {
namespace {

/// The number of a published version; nothing for $LATEST, an alias's name and what no version is called ("01").
std::optional<std::int64_t> number_of(std::string_view version) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
  if (error != std::errc() || end != version.data() + version.size() || number < 1 || version.front() == '0')
    return std::nullopt;
  return number;
}

void append(std::vector<CodePin>& pins, const FunctionVersion& function) {
  for (auto& pin : function.pins()) pins.push_back(std::move(pin));
}

std::shared_ptr<std::vector<CodePin>> pins_of(const FunctionVersion& function, const FunctionSnapshot& published) {
  const auto pins = std::make_shared<std::vector<CodePin>>(function.pins());
  if (published) append(*pins, *published);
  return pins;
}

/// What it throws takes everything back for certain: nothing of what the pins are for is stored.
void run_alongside(const std::function<void(Transaction&)>& alongside, Transaction& transaction,
                   std::vector<CodePin>& pins) {
  if (!alongside) return;
  try {
    alongside(transaction);
  } catch (const std::exception&) {
    pins.clear();
    throw;
  }
}

FunctionSnapshot snapshot_of(std::optional<FunctionVersion> version) {
  return version ? std::make_shared<const FunctionVersion>(std::move(*version)) : nullptr;
}

}  // namespace

std::string FunctionKey::arn() const { return fmt::format("arn:aws:lambda:{}:{}:function:{}", region, account, name); }

std::vector<CodePin> FunctionVersion::pins() const {
  std::vector<CodePin> all;
  if (code_pin) all.push_back(code_pin);
  for (const LayerUse& layer : layers)
    if (layer.pin) all.push_back(layer.pin);
  return all;
}

struct Functions::Snapshots {
  struct Entry {
    FunctionSnapshot latest;
    std::map<std::int64_t, FunctionSnapshot> versions;
    std::map<std::string, AliasSnapshot, std::less<>> aliases;

    FunctionSnapshot version(std::string_view name) const {
      if (name == kLatest) return latest;
      const auto number = number_of(name);
      const auto found = number ? versions.find(*number) : versions.end();
      return found == versions.end() ? nullptr : found->second;
    }
  };

  void publish(FunctionSnapshot function) {
    if (!function) return;
    // What is replaced may hold the last pins of its archives: they go after the lock.
    FunctionSnapshot before;
    const std::unique_lock lock(mutex);
    Entry& entry = by_key[function->key];
    const auto number = number_of(function->version);
    FunctionSnapshot& place = number ? entry.versions[*number] : entry.latest;
    count(place, -1);
    before = std::exchange(place, std::move(function));
    count(place, +1);
  }
  void publish(AliasSnapshot alias) {
    const std::unique_lock lock(mutex);
    by_key[alias->key].aliases[alias->name] = std::move(alias);
  }
  void forget(const FunctionKey& key) {
    Entry gone;
    const std::unique_lock lock(mutex);
    const auto found = by_key.find(key);
    if (found == by_key.end()) return;
    gone = std::move(found->second);
    by_key.erase(found);
    count(gone.latest, -1);
    for (const auto& [number, version] : gone.versions) count(version, -1);
  }
  void forget_version(const FunctionKey& key, std::string_view version) {
    FunctionSnapshot gone;
    const std::unique_lock lock(mutex);
    const auto found = by_key.find(key);
    const auto number = number_of(version);
    if (found == by_key.end() || !number) return;
    const auto place = found->second.versions.find(*number);
    if (place == found->second.versions.end()) return;
    gone = std::move(place->second);
    found->second.versions.erase(place);
    count(gone, -1);
  }
  void forget_alias(const FunctionKey& key, std::string_view name) {
    const std::unique_lock lock(mutex);
    const auto found = by_key.find(key);
    if (found == by_key.end()) return;
    const auto alias = found->second.aliases.find(name);
    if (alias != found->second.aliases.end()) found->second.aliases.erase(alias);
  }

  void count(const FunctionSnapshot& function, int sign) {
    if (!function) return;
    FunctionUsage& of = usage[{function->key.account, function->key.region}];
    of.code_size += sign * function->code_size;
    if (function->version == kLatest) of.functions += sign;
  }

  const Entry* find(const FunctionKey& key) const {
    const auto found = by_key.find(key);
    return found == by_key.end() ? nullptr : &found->second;
  }

  mutable std::shared_mutex mutex;
  std::map<FunctionKey, Entry> by_key;
  std::map<std::pair<std::string, std::string>, FunctionUsage> usage;
  std::vector<Removed> removed_hooks;
  /// Of writes that failed: only a restart shows whether they are on the disk, so their archives are kept until then.
  std::vector<CodePin> doubtful;
};

Functions::Functions(Database& database, std::function<CodePin(std::string_view hash)> pin)
    : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  const auto pinned = [&pin](FunctionVersion function) {
    if (pin) {
      function.code_pin = pin(function.code_hash);
      for (LayerUse& layer : function.layers) layer.pin = pin(layer.hash);
    }
    return std::make_shared<const FunctionVersion>(std::move(function));
  };
  database_.read_now([this, &pinned](Transaction& transaction) {
    auto& functions = transaction.prepare(rows::kSelectFunctions).bind();
    while (functions.step()) snapshots_->publish(pinned(rows::read_function(functions, transaction.vault())));
    auto& aliases = transaction.prepare(rows::kSelectAliases).bind();
    while (aliases.step()) snapshots_->publish(std::make_shared<const Alias>(rows::read_alias(aliases)));
  });
}

void Functions::when_removed(Removed hook) { snapshots_->removed_hooks.push_back(std::move(hook)); }

FunctionSnapshot Functions::find(const FunctionKey& key) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto* entry = snapshots_->find(key);
  return entry ? entry->latest : nullptr;
}

FunctionSnapshot Functions::find(const FunctionKey& key, std::string_view version) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto* entry = snapshots_->find(key);
  return entry ? entry->version(version) : nullptr;
}

AliasSnapshot Functions::alias(const FunctionKey& key, std::string_view name) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto* entry = snapshots_->find(key);
  if (!entry) return nullptr;
  const auto found = entry->aliases.find(name);
  return found == entry->aliases.end() ? nullptr : found->second;
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
    page.push_back(at->second.latest);
  }
  return page;
}

namespace {

/// The versions after `after` (empty: all of them), $LATEST first.
template <class Entry>
void add_versions(const Entry& entry, std::string_view after, std::size_t limit, std::vector<FunctionSnapshot>& page) {
  if (after.empty() && page.size() < limit) page.push_back(entry.latest);
  for (auto at = entry.versions.upper_bound(number_of(after).value_or(0)); at != entry.versions.end(); ++at) {
    if (page.size() >= limit) return;
    page.push_back(at->second);
  }
}

}  // namespace

std::vector<FunctionSnapshot> Functions::list_versions(std::string_view account, std::string_view region,
                                                       std::string_view after_name, std::string_view after_version,
                                                       std::size_t limit) const {
  const FunctionKey from{std::string(account), std::string(region), std::string(after_name)};
  std::vector<FunctionSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  for (auto at = snapshots_->by_key.lower_bound(from); at != snapshots_->by_key.end() && page.size() < limit; ++at) {
    if (at->first.account != account || at->first.region != region) break;
    add_versions(at->second, at->first == from ? after_version : std::string_view(), limit, page);
  }
  return page;
}

std::vector<FunctionSnapshot> Functions::versions(const FunctionKey& key, std::string_view after,
                                                  std::size_t limit) const {
  std::vector<FunctionSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  if (const auto* entry = snapshots_->find(key)) add_versions(*entry, after, limit, page);
  return page;
}

std::vector<AliasSnapshot> Functions::aliases(const FunctionKey& key, std::string_view after, std::string_view version,
                                              std::size_t limit) const {
  std::vector<AliasSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  const auto* entry = snapshots_->find(key);
  if (!entry) return page;
  for (auto at = entry->aliases.upper_bound(after); at != entry->aliases.end() && page.size() < limit; ++at)
    if (version.empty() || at->second->function_version == version) page.push_back(at->second);
  return page;
}

FunctionUsage Functions::usage(std::string_view account, std::string_view region) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto found = snapshots_->usage.find({std::string(account), std::string(region)});
  return found == snapshots_->usage.end() ? FunctionUsage{} : found->second;
}

std::vector<FunctionSnapshot> Functions::all() const {
  std::vector<FunctionSnapshot> every;
  const std::shared_lock lock(snapshots_->mutex);
  for (const auto& [key, entry] : snapshots_->by_key) add_versions(entry, "", std::string::npos, every);
  return every;
}

template <class Command>
base::Task<std::invoke_result_t<Command, Transaction&>> Functions::write(Command command, Pins pins) {
  const auto snapshots = snapshots_;
  try {
    auto task = database_.write(std::move(command));
    co_return co_await std::move(task);
  } catch (...) {
    const std::unique_lock lock(snapshots->mutex);
    snapshots->doubtful.insert(snapshots->doubtful.end(), pins->begin(), pins->end());
    throw;
  }
}

base::Task<bool> Functions::create(FunctionVersion function, std::optional<FunctionVersion> published,
                                   std::function<void(Transaction&)> alongside) {
  const auto version = snapshot_of(std::move(published));
  const auto created = std::make_shared<const FunctionVersion>(std::move(function));
  auto pins = pins_of(*created, version);
  auto command = [snapshots = snapshots_, created, version, pins,
                  alongside = std::move(alongside)](Transaction& transaction) {
    if (rows::function_revision(transaction, created->key, kLatest)) return false;
    rows::insert(transaction, *created);
    if (version) rows::insert(transaction, *version);
    run_alongside(alongside, transaction, *pins);
    transaction.after_commit([snapshots, created, version] {
      snapshots->publish(created);
      snapshots->publish(version);
    });
    return true;
  };
  auto task = write(std::move(command), std::move(pins));
  co_return co_await std::move(task);
}

base::Task<bool> Functions::replace(FunctionVersion function, std::string expected_revision,
                                    std::optional<FunctionVersion> published,
                                    std::function<void(Transaction&)> alongside) {
  const auto version = snapshot_of(std::move(published));
  const auto changed = std::make_shared<const FunctionVersion>(std::move(function));
  auto pins = pins_of(*changed, version);
  auto command = [snapshots = snapshots_, changed, version, pins, expected = std::move(expected_revision),
                  alongside = std::move(alongside)](Transaction& transaction) {
    if (rows::function_revision(transaction, changed->key, changed->version) != expected) return false;
    rows::remove_version(transaction, changed->key, changed->version);
    rows::insert(transaction, *changed);
    if (version) rows::insert(transaction, *version);
    run_alongside(alongside, transaction, *pins);
    transaction.after_commit([snapshots, changed, version] {
      snapshots->publish(changed);
      snapshots->publish(version);
    });
    return true;
  };
  auto task = write(std::move(command), std::move(pins));
  co_return co_await std::move(task);
}

base::Task<bool> Functions::remove(FunctionKey key) {
  auto command = [snapshots = snapshots_, key = std::move(key)](Transaction& transaction) {
    if (!rows::function_revision(transaction, key, kLatest)) return false;
    rows::remove_function(transaction, key);
    for (const auto& hook : snapshots->removed_hooks) hook(transaction, key, "");
    transaction.after_commit([snapshots, key] { snapshots->forget(key); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<VersionRemoval> Functions::remove_version(FunctionKey key, std::string version) {
  auto command = [snapshots = snapshots_, key = std::move(key),
                  version = std::move(version)](Transaction& transaction) {
    VersionRemoval out;
    auto& names = transaction
                      .prepare(
                          "SELECT name, function_version, weights FROM aliases"
                          " WHERE account = ? AND region = ? AND function = ? ORDER BY name")
                      .bind(key.account, key.region, key.name);
    // The keys of `weights` are digits between quotes, and nothing else in it is.
    const std::string weighted = "\"" + version + "\"";
    while (names.step())
      if (names.text(1) == version || names.text(2).find(weighted) != std::string::npos)
        out.aliases.push_back(names.text(0));
    names.reset();
    if (!out.aliases.empty() || !rows::function_revision(transaction, key, version)) return out;
    rows::remove_version(transaction, key, version);
    for (const auto& hook : snapshots->removed_hooks) hook(transaction, key, version);
    transaction.after_commit([snapshots, key, version] { snapshots->forget_version(key, version); });
    out.removed = true;
    return out;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<AliasWrite> Functions::put_alias(Alias alias, std::string expected_revision) {
  auto command = [snapshots = snapshots_, written = std::make_shared<const Alias>(std::move(alias)),
                  expected = std::move(expected_revision)](Transaction& transaction) {
    const auto& key = written->key;
    if (rows::alias_revision(transaction, key, written->name).value_or("") != expected) return AliasWrite::lost;
    if (!rows::function_revision(transaction, key, written->function_version)) return AliasWrite::no_version;
    for (const auto& [version, weight] : written->weights)
      if (!rows::function_revision(transaction, key, version)) return AliasWrite::no_version;
    rows::remove_alias(transaction, key, written->name);
    rows::insert(transaction, *written);
    transaction.after_commit([snapshots, written] { snapshots->publish(written); });
    return AliasWrite::stored;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> Functions::remove_alias(FunctionKey key, std::string name) {
  auto command = [snapshots = snapshots_, key = std::move(key), name = std::move(name)](Transaction& transaction) {
    if (!rows::alias_revision(transaction, key, name)) return false;
    rows::remove_alias(transaction, key, name);
    for (const auto& hook : snapshots->removed_hooks) hook(transaction, key, name);
    transaction.after_commit([snapshots, key, name] { snapshots->forget_alias(key, name); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

}  // namespace lambent::store
