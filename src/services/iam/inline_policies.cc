#include "services/iam/inline_policies.h"

#include "auth/policy.h"
#include "base/bytes.h"
#include "services/iam/pages.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

using store::Change;

/// The quota is on the sum of an identity's inline policies.
std::size_t size_of(const store::InlinePolicies& policies) {
  std::size_t sum = 0;
  for (const auto& [name, document] : policies) sum += auth::policy_size(document);
  return sum;
}

template <class Record>
auto putting(std::string name, std::string document, std::size_t limit) {
  return [name = std::move(name), document = std::move(document), limit](Record& record) {
    record.inline_policies[name] = document;
    return size_of(record.inline_policies) > limit ? Change::limit : Change::done;
  };
}

/// `conflict` when there is no policy of that name.
template <class Record>
auto deleting(std::string name) {
  return [name = std::move(name)](Record& record) {
    return record.inline_policies.erase(name) ? Change::done : Change::conflict;
  };
}

const std::string& document_of(const store::InlinePolicies& policies, std::string_view kind, const std::string& name) {
  const auto found = policies.find(name);
  if (found == policies.end()) throw no_such_inline_policy(kind, name);
  return found->second;
}

ListPoliciesOutput names_of(const store::InlinePolicies& policies, const PageRequest& request) {
  std::vector<std::string> names;
  for (const auto& [name, document] : policies) names.push_back(name);
  auto page = cut(std::move(names), request, [](const std::string& name) { return name; });
  ListPoliciesOutput out;
  out.PolicyNames = std::move(page.items);
  out.IsTruncated = page.marker.has_value();
  out.Marker = std::move(page.marker);
  return out;
}

store::UserSnapshot user_of(const Iam& iam, const aws::Caller& caller, const std::string& name) {
  auto user = iam.identities().user(caller.account, name);
  if (!user) throw no_such_user(name);
  return user;
}

store::RoleSnapshot role_of(const Iam& iam, const aws::Caller& caller, const std::string& name) {
  auto role = iam.identities().role(caller.account, name);
  if (!role) throw no_such_role(name);
  return role;
}

}  // namespace

base::Task<Nothing> put_user_policy(Iam& iam, aws::Caller caller, PutUserPolicyInput in) {
  auth::check_policy(in.PolicyDocument, auth::PolicyUse::inline_user);
  const auto edit = putting<store::User>(in.PolicyName, in.PolicyDocument, auth::kUserInlinePolicySize);
  const auto outcome = co_await iam.identities().edit_user(caller.account, in.UserName, edit);
  if (outcome == Change::missing) throw no_such_user(in.UserName);
  if (outcome == Change::limit) throw inline_policies_too_large(auth::kUserInlinePolicySize, "user", in.UserName);
  co_return Nothing();
}

base::Task<Nothing> put_role_policy(Iam& iam, aws::Caller caller, PutRolePolicyInput in) {
  auth::check_policy(in.PolicyDocument, auth::PolicyUse::inline_role);
  const auto edit = putting<store::Role>(in.PolicyName, in.PolicyDocument, auth::kRoleInlinePolicySize);
  const auto outcome = co_await iam.identities().edit_role(caller.account, in.RoleName, edit);
  if (outcome == Change::missing) throw no_such_role(in.RoleName);
  if (outcome == Change::limit) throw inline_policies_too_large(auth::kRoleInlinePolicySize, "role", in.RoleName);
  co_return Nothing();
}

base::Task<GetUserPolicyOutput> get_user_policy(Iam& iam, aws::Caller caller, GetUserPolicyInput in) {
  const auto user = user_of(iam, caller, in.UserName);
  GetUserPolicyOutput out;
  out.UserName = user->name;
  out.PolicyName = in.PolicyName;
  out.PolicyDocument = base::percent_encode(document_of(user->inline_policies, "user", in.PolicyName));
  co_return out;
}

base::Task<GetRolePolicyOutput> get_role_policy(Iam& iam, aws::Caller caller, GetRolePolicyInput in) {
  const auto role = role_of(iam, caller, in.RoleName);
  GetRolePolicyOutput out;
  out.RoleName = role->name;
  out.PolicyName = in.PolicyName;
  out.PolicyDocument = base::percent_encode(document_of(role->inline_policies, "role", in.PolicyName));
  co_return out;
}

base::Task<Nothing> delete_user_policy(Iam& iam, aws::Caller caller, DeleteUserPolicyInput in) {
  const auto edit = deleting<store::User>(in.PolicyName);
  const auto outcome = co_await iam.identities().edit_user(caller.account, in.UserName, edit);
  if (outcome == Change::missing) throw no_such_user(in.UserName);
  if (outcome == Change::conflict) throw no_such_inline_policy("user", in.PolicyName);
  co_return Nothing();
}

base::Task<Nothing> delete_role_policy(Iam& iam, aws::Caller caller, DeleteRolePolicyInput in) {
  const auto edit = deleting<store::Role>(in.PolicyName);
  const auto outcome = co_await iam.identities().edit_role(caller.account, in.RoleName, edit);
  if (outcome == Change::missing) throw no_such_role(in.RoleName);
  if (outcome == Change::conflict) throw no_such_inline_policy("role", in.PolicyName);
  co_return Nothing();
}

base::Task<ListPoliciesOutput> list_user_policies(Iam& iam, aws::Caller caller, ListUserPoliciesInput in) {
  const auto request = page_request("ListUserPolicies", in.Marker, in.MaxItems);
  co_return names_of(user_of(iam, caller, in.UserName)->inline_policies, request);
}

base::Task<ListPoliciesOutput> list_role_policies(Iam& iam, aws::Caller caller, ListRolePoliciesInput in) {
  const auto request = page_request("ListRolePolicies", in.Marker, in.MaxItems);
  co_return names_of(role_of(iam, caller, in.RoleName)->inline_policies, request);
}

}  // namespace lambent::iam
