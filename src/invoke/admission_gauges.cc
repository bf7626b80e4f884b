#include <set>
#include <type_traits>

#include "invoke/admission.h"

namespace lambent::invoke {
namespace {

/// The keys of a map or a set that `mutex` guards, few at a time: who is to be admitted meanwhile never waits for all of them.
template <class Keyed>
std::vector<typename Keyed::key_type> keys_of(const Keyed& keyed, std::mutex& mutex) {
  constexpr int kAtOnce = 64;
  std::vector<typename Keyed::key_type> keys;
  while (true) {
    const std::lock_guard lock(mutex);
    auto at = keys.empty() ? keyed.begin() : keyed.upper_bound(keys.back());
    for (int i = 0; i < kAtOnce && at != keyed.end(); ++i, ++at) {
      if constexpr (std::is_same_v<typename Keyed::key_type, typename Keyed::value_type>)
        keys.push_back(*at);
      else
        keys.push_back(at->first);
    }
    if (at == keyed.end()) return keys;
  }
}

}  // namespace

/// Those in which something has run, or is set aside.
std::vector<Admission::Namespace> Admission::namespaces() const {
  std::set<Namespace> found;
  for (Namespace& where : keys_of(accounts_, mutex_)) found.insert(std::move(where));
  for (const store::FunctionKey& key : keys_of(provisioned_, mutex_)) found.emplace(key.account, key.region);
  for (const store::FunctionLimits& limits : settings_.reservations())
    found.emplace(limits.function.account, limits.function.region);
  return {found.begin(), found.end()};
}

base::Readings Admission::by_account(std::int32_t Usage::* number) const {
  base::Readings readings;
  for (const auto& [account, region] : namespaces())
    readings.emplace_back(std::vector{account, region}, usage(account, region).*number);
  return readings;
}

base::Readings Admission::by_reservation(std::int32_t Usage::* number) const {
  base::Readings readings;
  for (const store::FunctionLimits& limits : settings_.reservations()) {
    const store::FunctionKey& key = limits.function;
    const Usage use{.running = running(key), .limit = limits.reserved.value_or(0)};
    readings.emplace_back(std::vector{key.account, key.region, key.name}, use.*number);
  }
  return readings;
}

base::Readings Admission::by_version(std::int32_t Version::* number) const {
  base::Readings readings;
  for (const store::FunctionKey& key : keys_of(provisioned_, mutex_)) {
    const std::lock_guard lock(mutex_);
    const auto function = functions_.find(key);
    if (function == functions_.end()) continue;
    for (const auto& [version, use] : function->second.versions)
      readings.emplace_back(std::vector{key.account, key.region, key.name, version}, use.*number);
  }
  return readings;
}

void Admission::add_gauges(base::Metrics& metrics) const {
  const auto of_accounts = [&](std::string name, std::string help, std::int32_t Usage::* number) {
    metrics.gauge(std::move(name), std::move(help), {"account", "region"},
                  [this, number] { return by_account(number); });
  };
  of_accounts("lambent_concurrency_running", "Invocations that run now.", &Usage::running);
  of_accounts("lambent_concurrency_limit", "How many may run at once in an account and region.", &Usage::limit);
  of_accounts("lambent_concurrency_unreserved_running", "Those that run on nothing reserved or provisioned.",
              &Usage::unreserved);
  of_accounts("lambent_concurrency_unreserved_limit", "What reservations and provisioned concurrency leave for them.",
              &Usage::unreserved_limit);

  const auto of_reservations = [&](std::string name, std::string help, std::int32_t Usage::* number) {
    metrics.gauge(std::move(name), std::move(help), {"account", "region", "function"},
                  [this, number] { return by_reservation(number); });
  };
  of_reservations("lambent_reserved_concurrency_running", "Invocations that run now of a function with a reservation.",
                  &Usage::running);
  of_reservations("lambent_reserved_concurrency_limit", "How many of it may: its reservation.", &Usage::limit);

  const auto of_versions = [&](std::string name, std::string help, std::int32_t Version::* number) {
    metrics.gauge(std::move(name), std::move(help), {"account", "region", "function", "version"},
                  [this, number] { return by_version(number); });
  };
  of_versions("lambent_version_provisioned_concurrency_running", "Invocations that run now on what is provisioned.",
              &Version::running);
  of_versions("lambent_version_provisioned_concurrency_limit", "How many may: what is provisioned for the version.",
              &Version::allocated);
}

}  // namespace lambent::invoke
