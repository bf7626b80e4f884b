// Aliases: names that point at versions and can share their invocations between two.
#include <algorithm>

#include "base/ids.h"
#include "services/lambda/async_operations.h"
#include "services/lambda/errors.h"
#include "services/lambda/operations.h"
#include "services/lambda/paging.h"

namespace lambent::lambda {
namespace {

using Weights = std::map<std::string, double>;

AliasConfiguration shown(const store::Alias& alias) {
  AliasConfiguration out;
  out.AliasArn = alias.arn();
  out.Name = alias.name;
  out.FunctionVersion = alias.function_version;
  out.Description = alias.description;
  if (!alias.weights.empty()) out.RoutingConfig = AliasRoutingConfiguration{alias.weights};
  out.RevisionId = alias.revision_id;
  return out;
}

FunctionName with_qualifier(FunctionName name, const std::string& qualifier) {
  name.qualifier = qualifier;
  return name;
}

/// Throws when a version that the alias refers to does not exist, in the words that name it.
void require_versions(const Lambda& lambda, const FunctionName& function, const store::Alias& alias) {
  const auto require = [&](const std::string& version) {
    if (!lambda.parts().functions.find(function.key, version))
      throw function_not_found(with_qualifier(function, version).arn());
  };
  require(alias.function_version);
  for (const auto& [version, weight] : alias.weights) require(version);
}

void check_weights(const std::string& function_version, const Weights& weights) {
  if (weights.empty()) return;
  if (weights.size() > 1)
    throw invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1");
  if (weights.contains(function_version))
    throw invalid_parameter(
        fmt::format("Invalid function version {0}. Function version {0} is already included in routing configuration.",
                    function_version));
  if (function_version == store::kLatest)
    throw invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version");
}

std::optional<Weights> weights_in(const std::optional<AliasRoutingConfiguration>& routing) {
  if (!routing) return std::nullopt;
  return routing->AdditionalVersionWeights.value_or(Weights{});
}

}  // namespace

base::Task<AliasConfiguration> create_alias(Lambda& lambda, aws::Caller caller, CreateAliasInput in) {
  const auto name = resolve_function(NamedBy::create_alias, caller, in.FunctionName);
  store::Alias alias;
  alias.key = name.key;
  alias.name = in.Name;
  alias.function_version = in.FunctionVersion;
  alias.description = in.Description.value_or("");
  alias.weights = weights_in(in.RoutingConfig).value_or(Weights{});
  alias.revision_id = base::uuid();
  // The version first: of a function that does not exist AWS says that this version was not found.
  if (!lambda.functions().find(name.key, alias.function_version))
    throw function_not_found(with_qualifier(name, alias.function_version).arn());
  check_weights(alias.function_version, alias.weights);
  require_versions(lambda, name, alias);
  auto task = lambda.functions().put_alias(alias, "");
  const auto written = co_await std::move(task);
  if (written == store::AliasWrite::stored) co_return shown(alias);
  if (written == store::AliasWrite::lost) throw conflict(fmt::format("Alias already exists: {}", alias.arn()));
  require_versions(lambda, name, alias);
  throw function_not_found(with_qualifier(name, alias.function_version).arn());
}

std::string create_alias_resource(const aws::Caller& caller, const CreateAliasInput& in) {
  return resolve_function(NamedBy::create_alias, caller, in.FunctionName).arn();
}

base::Task<AliasConfiguration> get_alias(Lambda& lambda, aws::Caller caller, AliasInput in) {
  const auto name = resolve_function(NamedBy::get_alias, caller, in.FunctionName);
  const auto alias = lambda.functions().alias(name.key, in.Name);
  if (!alias) throw alias_not_found(with_qualifier(name, in.Name).arn());
  co_return shown(*alias);
}

std::string get_alias_resource(const aws::Caller& caller, const AliasInput& in) {
  return resolve_function(NamedBy::get_alias, caller, in.FunctionName).arn();
}

base::Task<AliasConfiguration> update_alias(Lambda& lambda, aws::Caller caller, UpdateAliasInput in) {
  const auto name = resolve_function(NamedBy::update_alias, caller, in.FunctionName);
  // Whoever is faster has changed the alias: each further round begins with their work, so this ends.
  for (;;) {
    const auto before = lambda.functions().alias(name.key, in.Name);
    if (!before) throw alias_not_found(with_qualifier(name, in.Name).arn());
    Lambda::require_revision(in.RevisionId, before->revision_id);
    auto alias = *before;
    if (in.FunctionVersion) alias.function_version = *in.FunctionVersion;
    if (in.Description) alias.description = *in.Description;
    if (auto weights = weights_in(in.RoutingConfig)) alias.weights = std::move(*weights);
    check_weights(alias.function_version, alias.weights);
    require_versions(lambda, name, alias);
    if (alias.function_version != before->function_version) require_provisionable(lambda, alias);
    alias.revision_id = base::uuid();
    auto task = lambda.functions().put_alias(alias, before->revision_id);
    const auto written = co_await std::move(task);
    if (written != store::AliasWrite::stored) continue;
    follow_provisioned(lambda, name.key);
    co_return shown(alias);
  }
}

std::string update_alias_resource(const aws::Caller& caller, const UpdateAliasInput& in) {
  return resolve_function(NamedBy::update_alias, caller, in.FunctionName).arn();
}

base::Task<NoOutput> delete_alias(Lambda& lambda, aws::Caller caller, AliasInput in) {
  const auto name = resolve_function(NamedBy::remove_alias, caller, in.FunctionName);
  lambda.existing(name);
  // An alias that is not there is deleted already, as on AWS.
  co_await lambda.functions().remove_alias(name.key, in.Name);
  follow_provisioned(lambda, name.key);
  co_return NoOutput{};
}

std::string delete_alias_resource(const aws::Caller& caller, const AliasInput& in) {
  return resolve_function(NamedBy::remove_alias, caller, in.FunctionName).arn();
}

base::Task<ListAliasesOutput> list_aliases(Lambda& lambda, aws::Caller caller, ListAliasesInput in) {
  const auto name = resolve_function(NamedBy::list_aliases, caller, in.FunctionName);
  lambda.existing(name);
  const auto after = item_of_marker("ListAliases", in.Marker);
  const auto page = page_size(in.MaxItems);
  ListAliasesOutput out;
  auto aliases = lambda.functions().aliases(name.key, after, in.FunctionVersion.value_or(""), page + 1);
  if (cut_page(aliases, page)) out.NextMarker = marker_after(aliases.back()->name);
  for (const auto& alias : aliases) out.Aliases.push_back(shown(*alias));
  co_return out;
}

std::string list_aliases_resource(const aws::Caller& caller, const ListAliasesInput& in) {
  return resolve_function(NamedBy::list_aliases, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
