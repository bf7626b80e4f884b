#include "services/iam/policy_lists.h"

#include <algorithm>

#include "services/iam/pages.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

struct Entity {
  /// "role/name" or "user/name": what pages are cut by.
  std::string key;
  std::string name;
  std::string id;
  bool is_user = false;
};

template <class Record>
bool is_wanted(const Record& record, const ListEntitiesForPolicyInput& in) {
  return record.path.starts_with(in.PathPrefix.value_or("/")) &&
         std::ranges::find(record.attached_policies, in.PolicyArn) != record.attached_policies.end();
}

/// All there are: at most store::quota::kUsersPerAccount and kRolesPerAccount.
std::vector<Entity> entities(const Iam& iam, const std::string& account, const ListEntitiesForPolicyInput& in) {
  std::vector<Entity> found;
  const std::string filter = in.EntityFilter.value_or("");
  // There are no permissions boundaries.
  if (in.PolicyUsageFilter == "PermissionsBoundary") return found;
  if (filter.empty() || filter == "Role")
    for (const auto& role : iam.identities().roles(account, "", store::quota::kRolesPerAccount))
      if (is_wanted(*role, in)) found.push_back({"role/" + role->name, role->name, role->id, false});
  if (filter.empty() || filter == "User")
    for (const auto& user : iam.identities().users(account, "", store::quota::kUsersPerAccount))
      if (is_wanted(*user, in)) found.push_back({"user/" + user->name, user->name, user->id, true});
  std::ranges::sort(found, {}, &Entity::key);
  return found;
}

}  // namespace

base::Task<ListManagedPoliciesOutput> list_policies(Iam& iam, aws::Caller caller, ListPoliciesInput in) {
  const auto request = page_request("ListPolicies", in.Marker, in.MaxItems);
  const std::string scope = in.Scope.value_or("All");
  const std::string prefix = in.PathPrefix.value_or("/");
  std::vector<store::PolicySnapshot> found;
  const auto add = [&](std::string_view account) {
    for (auto& policy : iam.identities().policies(account, "", store::quota::kPoliciesPerAccount)) {
      if (!policy->path.starts_with(prefix)) continue;
      if (in.OnlyAttached.value_or(false) && iam.identities().attachments(caller.account, policy->arn()) == 0) continue;
      found.push_back(std::move(policy));
    }
  };
  if (in.PolicyUsageFilter != "PermissionsBoundary") {
    if (scope != "AWS") add(caller.account);
    if (scope != "Local") add("aws");
  }
  std::ranges::sort(found, {}, [](const auto& policy) { return policy->arn(); });
  const auto page = cut(std::move(found), request, [](const auto& policy) { return policy->arn(); });
  ListManagedPoliciesOutput out;
  for (const auto& policy : page.items) out.Policies.push_back(describe_policy(iam, caller, *policy));
  out.IsTruncated = page.marker.has_value();
  out.Marker = page.marker;
  co_return out;
}

base::Task<ListEntitiesForPolicyOutput> list_entities_for_policy(Iam& iam, aws::Caller caller,
                                                                 ListEntitiesForPolicyInput in) {
  const auto request = page_request("ListEntitiesForPolicy", in.Marker, in.MaxItems);
  if (!visible_policy(iam, caller, in.PolicyArn)) throw no_such_policy(in.PolicyArn);
  auto page = cut(entities(iam, caller.account, in), request, [](const Entity& entity) { return entity.key; });
  ListEntitiesForPolicyOutput out;
  for (Entity& entity : page.items) {
    if (entity.is_user)
      out.PolicyUsers.push_back({std::move(entity.name), std::move(entity.id)});
    else
      out.PolicyRoles.push_back({std::move(entity.name), std::move(entity.id)});
  }
  out.IsTruncated = page.marker.has_value();
  out.Marker = std::move(page.marker);
  co_return out;
}

base::Task<ListInstanceProfilesForRoleOutput> list_instance_profiles_for_role(Iam& iam, aws::Caller caller,
                                                                              ListInstanceProfilesForRoleInput in) {
  if (!iam.identities().role(caller.account, in.RoleName)) throw no_such_role(in.RoleName);
  co_return ListInstanceProfilesForRoleOutput();
}

}  // namespace lambent::iam
