// Which other accounts may use a version of a layer: its resource policy.
#include "base/ids.h"
#include "services/lambda/errors.h"
#include "services/lambda/layer_name.h"
#include "services/lambda/operations.h"
#include "services/lambda/policy_document.h"

namespace lambent::lambda {
namespace {

aws::Error denied(const aws::Caller& caller, const LayerName& name, std::string_view action) {
  return {
      "AccessDeniedException",
      fmt::format("User: {} is not authorized to perform: {} on resource: {} because no resource-based policy allows "
                  "the {} action",
                  caller.arn, action, name.arn(), action),
      403};
}

/// The version, which must be of the caller's account and region. Throws when it does not exist.
store::LayerSnapshot own_version(const Lambda& lambda, const aws::Caller& caller, const LayerName& name) {
  auto version = name.key.region == caller.region ? lambda.parts().layers.find(name.key, name.version) : nullptr;
  if (!version)
    throw aws::Error("ResourceNotFoundException", fmt::format("Layer version {} does not exist.", name.arn()), 404);
  return version;
}

LayerName named(const aws::Caller& caller, const std::string& layer, std::int64_t number, std::string_view action) {
  check_layer_number(number);
  const auto name = layer_name(caller, layer, number);
  if (name.key.account != caller.account) throw denied(caller, name, action);
  return name;
}

void require_policy_revision(const OptionalText& given, const std::string& revision) {
  if (given && *given != revision)
    throw aws::Error("PreconditionFailedException",
                     "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to "
                     "retrieve the latest Revision Id",
                     412);
}

/// Changes the version's policy by `edit`, anew when somebody else was faster; the new revision.
base::Task<std::string> change(Lambda& lambda, aws::Caller caller, LayerName name,
                               std::function<std::string(const store::LayerVersion&)> edit) {
  for (;;) {
    const auto before = own_version(lambda, caller, name);
    auto changed = *before;
    changed.policy = edit(*before);
    changed.policy_revision = base::uuid();
    const auto revision = changed.policy_revision;
    auto task = lambda.layers().replace_policy(std::move(changed), before->policy_revision);
    const bool stored = co_await std::move(task);
    if (stored) co_return revision;
  }
}

}  // namespace

base::Task<AddLayerPermissionOutput> add_layer_permission(Lambda& lambda, aws::Caller caller,
                                                          AddLayerPermissionInput in) {
  const auto name = named(caller, in.LayerName, in.VersionNumber, "lambda:AddLayerVersionPermission");
  own_version(lambda, caller, name);
  if (in.OrganizationId && in.Principal != "*")
    throw invalid_parameter("If you specify an organization ID, the principal must be *.");
  Permission permission;
  permission.sid = in.StatementId;
  permission.action = in.Action;
  permission.principal = in.Principal;
  permission.resource = name.arn();
  permission.organization = in.OrganizationId;
  const auto statement = statement_of(permission);
  const auto add = [&](const store::LayerVersion& version) {
    auto policy = with_statement(version.policy, statement);
    require_policy_revision(in.RevisionId, version.policy_revision);
    return policy;
  };
  auto task = change(lambda, caller, name, add);
  const auto revision = co_await std::move(task);
  co_return AddLayerPermissionOutput{boost::json::serialize(statement), revision};
}

std::string add_layer_permission_resource(const aws::Caller& caller, const AddLayerPermissionInput& in) {
  return named(caller, in.LayerName, in.VersionNumber, "lambda:AddLayerVersionPermission").arn();
}

base::Task<NoOutput> remove_layer_permission(Lambda& lambda, aws::Caller caller, RemoveLayerPermissionInput in) {
  const auto name = named(caller, in.LayerName, in.VersionNumber, "lambda:RemoveLayerVersionPermission");
  const auto remove = [&](const store::LayerVersion& version) {
    require_policy_revision(in.RevisionId, version.policy_revision);
    return without_statement(version.policy, in.StatementId);
  };
  auto task = change(lambda, caller, name, remove);
  co_await std::move(task);
  co_return NoOutput{};
}

std::string remove_layer_permission_resource(const aws::Caller& caller, const RemoveLayerPermissionInput& in) {
  return named(caller, in.LayerName, in.VersionNumber, "lambda:RemoveLayerVersionPermission").arn();
}

base::Task<PolicyOutput> get_layer_policy(Lambda& lambda, aws::Caller caller, LayerVersionInput in) {
  const auto name = named(caller, in.LayerName, in.VersionNumber, "lambda:GetLayerVersionPolicy");
  const auto version = own_version(lambda, caller, name);
  if (version->policy.empty())
    throw aws::Error("ResourceNotFoundException", "No policy is associated with the given resource.", 404);
  co_return PolicyOutput{version->policy, version->policy_revision};
}

std::string get_layer_policy_resource(const aws::Caller& caller, const LayerVersionInput& in) {
  return named(caller, in.LayerName, in.VersionNumber, "lambda:GetLayerVersionPolicy").arn();
}

}  // namespace lambent::lambda
