#include "invoke/allocations.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace lambent::invoke {
namespace {

using State = ProvisionStatus::State;

bool is_number(std::string_view qualifier) {
  return qualifier.find_first_not_of("0123456789") == std::string_view::npos;
}

bool all_there(const ProvisionStatus& status, std::int32_t count) {
  return status.state == State::ready && status.requested >= count;
}

}  // namespace

void Allocations::start() {
  std::set<store::FunctionKey> functions;
  for (const auto& setting : settings_.all_provisioned()) functions.insert(setting.function);
  for (const auto& function : functions) follow(function);
}

void Allocations::follow(const store::FunctionKey& function) {
  const std::lock_guard lock(mutex_);
  follow_locked(function);
}

void Allocations::allocate(const store::FunctionKey& function, std::string_view qualifier) {
  const auto alias = is_number(qualifier) ? nullptr : functions_.alias(function, qualifier);
  const std::string version = alias ? alias->function_version : std::string(qualifier);
  const std::lock_guard lock(mutex_);
  const Version* const before = find(function, version);
  const std::int32_t count = before && before->status.state == State::failed ? before->count : 0;
  follow_locked(function);
  Version* const now = find(function, version);
  if (count > 0 && now && now->count == count) ask(function, version, count, *now);
}

Allocations::Version* Allocations::find(const store::FunctionKey& key, const std::string& version) {
  const auto function = kept_.find(key);
  if (function == kept_.end()) return nullptr;
  const auto found = function->second.versions.find(version);
  return found == function->second.versions.end() ? nullptr : &found->second;
}

/// The part of each version; together what was requested.
Allocations::Shares Allocations::shares_of(const store::Alias& alias, std::int32_t requested) {
  Shares shares;
  std::int32_t left = requested;
  for (const auto& [version, weight] : alias.weights) {
    const auto part = static_cast<std::int32_t>(std::ceil(requested * weight));
    shares[version] = std::clamp(part, 0, left);
    left -= shares[version];
  }
  shares[alias.function_version] += left;
  return shares;
}

void Allocations::want_alias(const store::Alias& alias, std::int32_t requested, Function& function, Wanted& wanted) {
  const Shares shares = shares_of(alias, requested);
  for (const auto& [version, part] : shares) wanted.kept[version] += part;
  const std::string& own = alias.function_version;
  const auto serving = function.serving.find(alias.name);
  const bool moves = alias.weights.empty() && serving != function.serving.end() && serving->second != own &&
                     functions_.find(alias.key, serving->second) != nullptr;
  const auto there = function.versions.find(own);
  if (moves && (there == function.versions.end() || !all_there(there->second.status, wanted.kept[own]))) {
    wanted.kept[serving->second] += requested;
    wanted.admitted[serving->second] += requested;
    return;
  }
  for (const auto& [version, part] : shares) wanted.admitted[version] += part;
  function.serving[alias.name] = own;
}

Allocations::Wanted Allocations::wanted(const store::FunctionKey& key, Function& function) {
  Wanted wanted;
  std::set<std::string, std::less<>> aliases;
  for (const auto& setting : settings_.provisioned_of(key, "", std::numeric_limits<std::size_t>::max())) {
    if (is_number(setting.qualifier)) {
      wanted.kept[setting.qualifier] += setting.requested;
      wanted.admitted[setting.qualifier] += setting.requested;
      continue;
    }
    const auto alias = functions_.alias(key, setting.qualifier);
    if (!alias || alias->function_version == store::kLatest) continue;
    aliases.insert(alias->name);
    want_alias(*alias, setting.requested, function, wanted);
  }
  std::erase_if(function.serving, [&](const auto& entry) { return !aliases.contains(entry.first); });
  return wanted;
}

void Allocations::follow_locked(const store::FunctionKey& key) {
  Function& function = kept_[key];
  const Wanted now = wanted(key, function);
  for (const auto& [version, count] : now.kept) function.versions[version];
  for (auto at = function.versions.begin(); at != function.versions.end();) {
    const auto& [version, kept] = *at;
    const auto share = [&version = version](const Shares& shares) {
      const auto found = shares.find(version);
      return found == shares.end() ? 0 : found->second;
    };
    admission_.set_provisioned(key, version, share(now.admitted));
    const std::int32_t count = share(now.kept);
    if (count != kept.count) ask(key, version, count, at->second);
    at = count == 0 ? function.versions.erase(at) : std::next(at);
  }
  if (function.versions.empty() && function.serving.empty()) kept_.erase(key);
  count_moves();
}

void Allocations::ask(const store::FunctionKey& key, const std::string& version, std::int32_t count, Version& kept) {
  kept.count = count;
  kept.status.state = State::in_progress;
  kept.status.requested = count;
  kept.status.reason.clear();
  auto snapshot = functions_.find(key, version);
  // A version that is gone was retired, and its environments with it.
  if (!snapshot) return;
  auto observer = [this, key, version](ProvisionStatus status) { heard(key, version, std::move(status)); };
  engine_.provision(std::move(snapshot), count, std::move(observer));
}

void Allocations::heard(const store::FunctionKey& key, const std::string& version, ProvisionStatus status) {
  const std::lock_guard lock(mutex_);
  const auto function = kept_.find(key);
  if (function == kept_.end()) return;
  const auto kept = function->second.versions.find(version);
  // What was asked since has an answer of its own.
  if (kept == function->second.versions.end() || kept->second.count != status.requested) return;
  const bool ready = status.state == State::ready && kept->second.status.state != State::ready;
  kept->second.status = std::move(status);
  // An alias may have waited for it.
  if (ready) follow_locked(key);
}

void Allocations::count_moves() {
  std::size_t moves = 0;
  for (const auto& [key, function] : kept_)
    for (const auto& [name, version] : function.serving) {
      const auto alias = functions_.alias(key, name);
      if (alias && alias->function_version != version) ++moves;
    }
  moves_.store(moves);
}

ProvisionStatus Allocations::status(const store::ProvisionedConcurrency& setting) const {
  ProvisionStatus status;
  status.requested = setting.requested;
  Shares shares{{setting.qualifier, setting.requested}};
  if (!is_number(setting.qualifier)) {
    const auto alias = functions_.alias(setting.function, setting.qualifier);
    if (!alias) return status;
    shares = shares_of(*alias, setting.requested);
  }
  const std::lock_guard lock(mutex_);
  const auto function = kept_.find(setting.function);
  status.state = State::ready;
  for (const auto& [version, part] : shares) {
    if (part == 0) continue;
    Version kept;
    if (function != kept_.end())
      if (const auto found = function->second.versions.find(version); found != function->second.versions.end())
        kept = found->second;
    status.allocated += std::min(part, kept.status.allocated);
    if (status.state == State::failed || kept.status.state == State::ready) continue;
    status.state = kept.status.state;
    status.reason = kept.status.reason;
  }
  return status;
}

std::optional<std::string> Allocations::holding(const store::FunctionKey& function, std::string_view alias) const {
  if (moves_.load() == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(function);
  if (found == kept_.end()) return std::nullopt;
  const auto serving = found->second.serving.find(alias);
  if (serving == found->second.serving.end()) return std::nullopt;
  return serving->second;
}

}  // namespace lambent::invoke
