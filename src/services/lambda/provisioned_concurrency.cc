// Provisioned concurrency of versions and aliases: the settings. What becomes of them is invoke/allocations.h's.
#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "services/lambda/async_operations.h"
#include "services/lambda/asynchronous.h"
#include "services/lambda/errors.h"
#include "services/lambda/paging.h"

namespace lambent::lambda {
namespace {

bool is_version(std::string_view qualifier) {
  return qualifier.find_first_not_of("0123456789") == std::string_view::npos;
}

aws::Error unpublished() {
  return invalid_parameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
}

/// Of Get and Delete.
void require_published(const FunctionName& name) {
  if (name.qualifier.empty() || name.qualifier == store::kLatest)
    throw invalid_parameter("The function resource provided must be an alias or a published version.");
}

/// The version, or that of the alias; each missing in its own words, also where the function itself is.
store::FunctionSnapshot target_of(const Lambda& lambda, const FunctionName& name) {
  const auto& functions = lambda.parts().functions;
  std::string version = name.qualifier;
  if (!is_version(name.qualifier)) {
    const auto alias = functions.alias(name.key, name.qualifier);
    if (!alias) throw alias_not_found(name.arn());
    version = alias->function_version;
  }
  auto function = functions.find(name.key, version);
  if (!function) throw function_not_found(name.arn());
  return function;
}

/// "Each version of a function can only have one provisioned concurrency configuration. This can be directly on the version
/// itself, or on an alias that points to the version." (Developer Guide)
void require_single(Lambda& lambda, const store::Alias& alias) {
  const auto& settings = lambda.asynchronous().concurrency;
  const auto taken = [&](const std::string& version) {
    if (settings.provisioned(alias.key, version)) return true;
    for (const auto& other :
         lambda.functions().aliases(alias.key, "", version, std::numeric_limits<std::size_t>::max()))
      if (other->name != alias.name && settings.provisioned(alias.key, other->name)) return true;
    return false;
  };
  if (taken(alias.function_version))
    throw conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version");
}

void require_single(Lambda& lambda, const FunctionName& name) {
  const auto& settings = lambda.asynchronous().concurrency;
  const auto& version = name.qualifier;
  for (const auto& alias : lambda.functions().aliases(name.key, "", version, std::numeric_limits<std::size_t>::max()))
    if (settings.provisioned(name.key, alias->name))
      throw conflict("Version is pointed by a Provisioned Concurrency alias");
}

void check_target(Lambda& lambda, const FunctionName& name) {
  if (is_version(name.qualifier)) return require_single(lambda, name);
  const auto alias = lambda.functions().alias(name.key, name.qualifier);
  if (!alias) throw alias_not_found(name.arn());
  if (alias->function_version == store::kLatest) throw unpublished();
  // "You can't manage provisioned concurrency settings on the alias while the routing configuration is in place."
  if (!alias->weights.empty())
    throw invalid_parameter("Alias with weights can not be used with Provisioned Concurrency");
  require_single(lambda, *alias);
}

aws::Error refusal_of(store::ProvisionWrite why, const Lambda& lambda, const FunctionName& name,
                      const store::ConcurrencyQuota& quota) {
  switch (why) {
    case store::ProvisionWrite::above_reservation:
      return invalid_parameter(
          "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function");
    case store::ProvisionWrite::above_unreserved: {
      const auto& settings = lambda.asynchronous().concurrency;
      const auto own = settings.provisioned(name.key, name.qualifier);
      const std::int32_t left = quota.limit - settings.reserved_total(name.key.account, name.key.region) -
                                settings.provisioned_total(name.key.account, name.key.region);
      return invalid_parameter(fmt::format(
          "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{}].",
          left + (own ? own->requested : 0)));
    }
    default:
      return invalid_parameter(fmt::format(
          "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
          "minimum value of [{}].",
          quota.minimum_unreserved));
  }
}

std::string_view name_of(invoke::ProvisionStatus::State state) {
  switch (state) {
    case invoke::ProvisionStatus::State::ready:
      return "READY";
    case invoke::ProvisionStatus::State::failed:
      return "FAILED";
    case invoke::ProvisionStatus::State::in_progress:
      break;
  }
  return "IN_PROGRESS";
}

/// 2026-11-22T22:00:00+0000: without the fraction that other times of Lambda have (AWS CLI reference, examples).
std::string last_modified_text(std::int64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}+0000", fmt::gmtime(static_cast<std::time_t>(ms / 1000)));
}

template <class Shape>
Shape shown(const Lambda& lambda, const store::ProvisionedConcurrency& config) {
  const auto status = lambda.asynchronous().allocations.status(config);
  Shape out;
  out.RequestedProvisionedConcurrentExecutions = config.requested;
  out.AvailableProvisionedConcurrentExecutions = status.allocated;
  out.AllocatedProvisionedConcurrentExecutions = status.allocated;
  out.Status = name_of(status.state);
  if (!status.reason.empty()) out.StatusReason = status.reason;
  out.LastModified = last_modified_text(config.last_modified_ms);
  return out;
}

}  // namespace

void require_provisionable(Lambda& lambda, const store::Alias& alias) {
  if (!lambda.parts().asynchronous || !lambda.asynchronous().concurrency.provisioned(alias.key, alias.name)) return;
  if (alias.function_version == store::kLatest) throw unpublished();
  require_single(lambda, alias);
}

void follow_provisioned(Lambda& lambda, const store::FunctionKey& function) {
  if (lambda.parts().asynchronous) lambda.asynchronous().allocations.follow(function);
}

base::Task<ProvisionedConcurrencyConfig> put_provisioned_concurrency(Lambda& lambda, aws::Caller caller,
                                                                     PutProvisionedConcurrencyInput in) {
  const auto name = resolve_function(NamedBy::put_provisioned, caller, in.FunctionName, in.Qualifier);
  if (name.qualifier.empty() || name.qualifier == store::kLatest) throw unpublished();
  const auto function = target_of(lambda, name);
  check_target(lambda, name);
  if (function->per_tenant) throw without_tenant("Provisioned Concurrency is");
  if (function->state == "Pending") co_await lambda.settle(function->key, function->version);
  auto& asynchronous = lambda.asynchronous();
  store::ConcurrencyQuota quota;
  quota.limit = asynchronous.admission.account_limit();
  quota.minimum_unreserved = std::min(quota.limit, invoke::kMinimumUnreserved);
  store::ProvisionedConcurrency config;
  config.function = name.key;
  config.qualifier = name.qualifier;
  config.requested = in.ProvisionedConcurrentExecutions;
  config.last_modified_ms = lambda.parts().clock.now_ms();
  auto write = asynchronous.concurrency.put_provisioned(config, quota);
  const auto written = co_await std::move(write);
  if (written == store::ProvisionWrite::gone) {
    target_of(lambda, name);
    throw function_not_found(name.arn());
  }
  if (written != store::ProvisionWrite::stored) throw refusal_of(written, lambda, name, quota);
  asynchronous.allocations.allocate(name.key, name.qualifier);
  auto out = shown<ProvisionedConcurrencyConfig>(lambda, config);
  // Whatever is there already: the answer says that it has begun.
  out.Status = name_of(invoke::ProvisionStatus::State::in_progress);
  out.StatusReason.reset();
  co_return out;
}

std::string put_provisioned_concurrency_resource(const aws::Caller& caller, const PutProvisionedConcurrencyInput& in) {
  return resolve_function(NamedBy::put_provisioned, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<ProvisionedConcurrencyConfig> get_provisioned_concurrency(Lambda& lambda, aws::Caller caller,
                                                                     ProvisionedConcurrencyInput in) {
  const auto name = resolve_function(NamedBy::get_provisioned, caller, in.FunctionName, in.Qualifier);
  require_published(name);
  target_of(lambda, name);
  const auto config = lambda.asynchronous().concurrency.provisioned(name.key, name.qualifier);
  if (!config)
    throw aws::Error("ProvisionedConcurrencyConfigNotFoundException",
                     "No Provisioned Concurrency Config found for this function", 404);
  co_return shown<ProvisionedConcurrencyConfig>(lambda, *config);
}

std::string get_provisioned_concurrency_resource(const aws::Caller& caller, const ProvisionedConcurrencyInput& in) {
  return resolve_function(NamedBy::get_provisioned, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<ListProvisionedConcurrencyOutput> list_provisioned_concurrency(Lambda& lambda, aws::Caller caller,
                                                                          ListOfFunctionInput in) {
  const auto name = resolve_function(NamedBy::list_provisioned, caller, in.FunctionName);
  lambda.existing(name);
  const auto after = item_of_marker("ListProvisionedConcurrencyConfigs", in.Marker);
  const auto page = page_size(in.MaxItems);
  auto found = lambda.asynchronous().concurrency.provisioned_of(name.key, after, page + 1);
  ListProvisionedConcurrencyOutput out;
  if (cut_page(found, page)) out.NextMarker = marker_after(found.back().qualifier);
  for (const auto& config : found) {
    auto item = shown<ProvisionedConcurrencyListItem>(lambda, config);
    item.FunctionArn = FunctionName{config.function, config.qualifier}.arn();
    out.ProvisionedConcurrencyConfigs.push_back(std::move(item));
  }
  co_return out;
}

std::string list_provisioned_concurrency_resource(const aws::Caller& caller, const ListOfFunctionInput& in) {
  return resolve_function(NamedBy::list_provisioned, caller, in.FunctionName).arn();
}

base::Task<NoOutput> delete_provisioned_concurrency(Lambda& lambda, aws::Caller caller,
                                                    ProvisionedConcurrencyInput in) {
  const auto name = resolve_function(NamedBy::remove_provisioned, caller, in.FunctionName, in.Qualifier);
  require_published(name);
  target_of(lambda, name);
  auto& asynchronous = lambda.asynchronous();
  // What is not there is deleted already, as on AWS.
  auto removal = asynchronous.concurrency.remove_provisioned(name.key, name.qualifier);
  co_await std::move(removal);
  asynchronous.allocations.follow(name.key);
  co_return NoOutput{};
}

std::string delete_provisioned_concurrency_resource(const aws::Caller& caller, const ProvisionedConcurrencyInput& in) {
  return resolve_function(NamedBy::remove_provisioned, caller, in.FunctionName, in.Qualifier).arn();
}

}  // namespace lambent::lambda
