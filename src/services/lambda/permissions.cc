// Who else may use a function, a version or an alias: its resource policy, statement by statement and as a whole.
//
// The policy is a part of what it protects and shares its revision, whichever form of the operations changes it.
#include "base/ids.h"
#include "services/lambda/errors.h"
#include "services/lambda/operations.h"
#include "services/lambda/policy_document.h"

namespace lambent::lambda {
namespace {

aws::Error no_resource() { return {"ResourceNotFoundException", "The resource you requested does not exist.", 404}; }

/// The policy of what the name says, and its revision.
struct Held {
  std::string policy;
  std::string revision;
};

/// Throws what says that the function, version or alias does not exist.
Held held(const Lambda& lambda, const FunctionName& name) {
  const auto& functions = lambda.parts().functions;
  if (!functions.find(name.key)) throw function_not_found(name.unqualified_arn());
  if (const auto alias = name.qualifier.empty() ? nullptr : functions.alias(name.key, name.qualifier))
    return {alias->policy, alias->revision_id};
  const bool number = name.qualifier.find_first_not_of("0123456789") == std::string::npos;
  if (!name.qualifier.empty() && name.qualifier != store::kLatest && !number) throw alias_not_found(name.arn());
  const auto function = lambda.existing(name);
  return {function->policy, function->revision_id};
}

/// Changes the policy that the name says; `edit` gets it and returns the new one, anew when somebody else was faster.
base::Task<Held> change(Lambda& lambda, FunctionName name, OptionalText revision,
                        std::function<std::string(const std::string&)> edit) {
  for (;;) {
    const Held before = held(lambda, name);
    const auto alias = name.qualifier.empty() ? nullptr : lambda.functions().alias(name.key, name.qualifier);
    if (!alias) {
      const auto apply = [&](store::FunctionVersion& function) {
        auto policy = edit(function.policy);
        Lambda::require_revision(revision, function.revision_id);
        function.policy = std::move(policy);
      };
      auto task = lambda.amend(name, apply);
      const auto changed = co_await std::move(task);
      co_return Held{changed->policy, changed->revision_id};
    }
    auto changed = *alias;
    changed.policy = edit(alias->policy);
    Lambda::require_revision(revision, alias->revision_id);
    changed.revision_id = base::uuid();
    auto task = lambda.functions().put_alias(changed, alias->revision_id);
    const auto written = co_await std::move(task);
    if (written == store::AliasWrite::stored) co_return Held{changed.policy, changed.revision_id};
  }
}

void refuse_public(const Lambda& lambda, const std::string& policy) {
  if (!lambda.parts().block_public_policies || policy.empty() || !is_public(policy)) return;
  throw aws::Error("PublicPolicyException",
                   "Lambda prevented your policy from being created because it would grant public access to your "
                   "function.",
                   400);
}

Permission permission_of(const AddPermissionInput& in, const FunctionName& name) {
  if (in.FunctionUrlAuthType && in.Action != "lambda:InvokeFunctionUrl")
    throw invalid_parameter("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
  if (in.InvokedViaFunctionUrl && in.Action != "lambda:InvokeFunction")
    throw invalid_parameter("InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action");
  Permission out;
  out.sid = in.StatementId;
  out.action = in.Action;
  out.principal = in.Principal;
  out.resource = name.arn();
  out.source_arn = in.SourceArn;
  out.source_account = in.SourceAccount;
  out.organization = in.PrincipalOrgID;
  out.event_source_token = in.EventSourceToken;
  out.url_auth_type = in.FunctionUrlAuthType;
  out.via_function_url = in.InvokedViaFunctionUrl;
  return out;
}

/// In IAM's words for what is wrong, with the code that Lambda's operations have for it.
void check_statements(const Lambda& lambda, std::string_view policy) {
  try {
    lambda.parts().check_resource_policy(policy);
  } catch (const aws::Error& error) {
    throw invalid_parameter(error.message());
  }
}

}  // namespace

std::string policy_of(Lambda& lambda, const FunctionName& name) {
  const auto& functions = lambda.functions();
  if (!name.qualifier.empty())
    if (const auto alias = functions.alias(name.key, name.qualifier)) return alias->policy;
  const auto function = name.qualifier.empty() ? functions.find(name.key) : functions.find(name.key, name.qualifier);
  return function ? function->policy : std::string();
}

base::Task<AddPermissionOutput> add_permission(Lambda& lambda, aws::Caller caller, AddPermissionInput in) {
  const auto name = resolve_function(NamedBy::add_permission, caller, in.FunctionName, in.Qualifier);
  held(lambda, name);
  const auto statement = statement_of(permission_of(in, name));
  check_statements(lambda, with_statement("", statement));
  const auto add = [&](const std::string& policy) {
    auto changed = with_statement(policy, statement);
    refuse_public(lambda, changed);
    return changed;
  };
  auto task = change(lambda, name, in.RevisionId, add);
  co_await std::move(task);
  co_return AddPermissionOutput{boost::json::serialize(statement)};
}

std::string add_permission_resource(const aws::Caller& caller, const AddPermissionInput& in) {
  return resolve_function(NamedBy::add_permission, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<NoOutput> remove_permission(Lambda& lambda, aws::Caller caller, RemovePermissionInput in) {
  const auto name = resolve_function(NamedBy::remove_permission, caller, in.FunctionName, in.Qualifier);
  if (!lambda.functions().find(name.key))
    throw aws::Error("ResourceNotFoundException", fmt::format("No policy found for: {}", name.unqualified_arn()), 404);
  const auto remove = [&](const std::string& policy) {
    if (policy.empty())
      throw aws::Error("ResourceNotFoundException", "No policy is associated with the given resource.", 404);
    // What stays is judged as what is put: AWS lists PublicPolicyException for RemovePermission too.
    auto rest = without_statement(policy, in.StatementId);
    refuse_public(lambda, rest);
    return rest;
  };
  auto task = change(lambda, name, in.RevisionId, remove);
  co_await std::move(task);
  co_return NoOutput{};
}

std::string remove_permission_resource(const aws::Caller& caller, const RemovePermissionInput& in) {
  return resolve_function(NamedBy::remove_permission, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<PolicyOutput> get_policy(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::get_policy, caller, in.FunctionName, in.Qualifier);
  const auto found = held(lambda, name);
  if (found.policy.empty()) throw no_resource();
  co_return PolicyOutput{found.policy, found.revision};
}

std::string get_policy_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::get_policy, caller, in.FunctionName, in.Qualifier).arn();
}

namespace {

/// ARNs of runtimes may have policies on AWS; none of them exists here.
FunctionName policy_resource(NamedBy operation, const aws::Caller& caller, const std::string& arn) {
  if (arn.find(":runtime/") != std::string::npos) throw no_resource();
  return resolve_function(operation, caller, arn);
}

}  // namespace

base::Task<PolicyOutput> put_resource_policy(Lambda& lambda, aws::Caller caller, PutResourcePolicyInput in) {
  const auto name = policy_resource(NamedBy::put_resource_policy, caller, in.ResourceArn);
  held(lambda, name);
  const auto policy = normalised_policy(in.Policy);
  // As it was written: the normalised text has lost members that were there twice.
  check_statements(lambda, in.Policy);
  refuse_public(lambda, policy);
  const auto put = [&policy](const std::string&) { return policy; };
  auto task = change(lambda, name, in.RevisionId, put);
  const auto changed = co_await std::move(task);
  co_return PolicyOutput{changed.policy, changed.revision};
}

std::string put_resource_policy_resource(const aws::Caller& caller, const PutResourcePolicyInput& in) {
  return policy_resource(NamedBy::put_resource_policy, caller, in.ResourceArn).arn();
}

base::Task<PolicyOutput> get_resource_policy(Lambda& lambda, aws::Caller caller, GetResourcePolicyInput in) {
  const auto found = held(lambda, policy_resource(NamedBy::get_resource_policy, caller, in.ResourceArn));
  if (found.policy.empty()) throw no_resource();
  co_return PolicyOutput{found.policy, found.revision};
}

std::string get_resource_policy_resource(const aws::Caller& caller, const GetResourcePolicyInput& in) {
  return policy_resource(NamedBy::get_resource_policy, caller, in.ResourceArn).arn();
}

base::Task<NoOutput> delete_resource_policy(Lambda& lambda, aws::Caller caller, DeleteResourcePolicyInput in) {
  const auto name = policy_resource(NamedBy::delete_resource_policy, caller, in.ResourceArn);
  const auto remove = [](const std::string& policy) -> std::string {
    if (policy.empty()) throw no_resource();
    return {};
  };
  auto task = change(lambda, name, in.RevisionId, remove);
  co_await std::move(task);
  co_return NoOutput{};
}

std::string delete_resource_policy_resource(const aws::Caller& caller, const DeleteResourcePolicyInput& in) {
  return policy_resource(NamedBy::delete_resource_policy, caller, in.ResourceArn).arn();
}

}  // namespace lambent::lambda
