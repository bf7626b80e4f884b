#include "services/iam/attachments.h"

#include "services/iam/pages.h"
#include "services/iam/policies.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

using store::Change;

/// Attaching again is no error and changes nothing.
template <class Record>
auto attaching(std::string arn) {
  return [arn = std::move(arn)](Record& record) {
    auto& attached = record.attached_policies;
    if (std::find(attached.begin(), attached.end(), arn) != attached.end()) return Change::done;
    if (attached.size() >= kAttachedPolicies) return Change::limit;
    attached.push_back(arn);
    return Change::done;
  };
}

/// `conflict` when it is not attached.
template <class Record>
auto detaching(std::string arn) {
  return [arn = std::move(arn)](Record& record) {
    return std::erase(record.attached_policies, arn) ? Change::done : Change::conflict;
  };
}

ListAttachedPoliciesOutput list_attached(const Iam& iam, std::vector<std::string> arns, std::string_view path_prefix,
                                         const PageRequest& request) {
  std::sort(arns.begin(), arns.end());
  std::erase_if(arns, [&](const std::string& arn) {
    const auto policy = iam.identities().policy(arn);
    return !policy || !policy->path.starts_with(path_prefix);
  });
  auto page = cut(std::move(arns), request, [](const std::string& arn) { return arn; });
  ListAttachedPoliciesOutput out;
  for (std::string& arn : page.items) {
    std::string name = arn.substr(arn.rfind('/') + 1);
    out.AttachedPolicies.push_back({std::move(name), std::move(arn)});
  }
  out.IsTruncated = page.marker.has_value();
  out.Marker = std::move(page.marker);
  return out;
}

}  // namespace

base::Task<Nothing> attach_user_policy(Iam& iam, aws::Caller caller, UserAttachmentInput in) {
  if (!visible_policy(iam, caller, in.PolicyArn)) throw not_attachable(in.PolicyArn);
  const auto edit = attaching<store::User>(in.PolicyArn);
  const auto outcome = co_await iam.identities().edit_user(caller.account, in.UserName, edit);
  if (outcome == Change::missing) throw no_such_user(in.UserName);
  if (outcome == Change::limit) throw over_quota("PoliciesPerUser", kAttachedPolicies);
  co_return Nothing();
}

base::Task<Nothing> detach_user_policy(Iam& iam, aws::Caller caller, UserAttachmentInput in) {
  visible_policy(iam, caller, in.PolicyArn);
  const auto edit = detaching<store::User>(in.PolicyArn);
  const auto outcome = co_await iam.identities().edit_user(caller.account, in.UserName, edit);
  if (outcome == Change::missing) throw no_such_user(in.UserName);
  if (outcome == Change::conflict) throw no_such_policy(in.PolicyArn);
  co_return Nothing();
}

base::Task<Nothing> attach_role_policy(Iam& iam, aws::Caller caller, RoleAttachmentInput in) {
  if (!visible_policy(iam, caller, in.PolicyArn)) throw not_attachable(in.PolicyArn);
  const auto edit = attaching<store::Role>(in.PolicyArn);
  const auto outcome = co_await iam.identities().edit_role(caller.account, in.RoleName, edit);
  if (outcome == Change::missing) throw no_such_role(in.RoleName);
  if (outcome == Change::limit) throw over_quota("PoliciesPerRole", kAttachedPolicies);
  co_return Nothing();
}

base::Task<Nothing> detach_role_policy(Iam& iam, aws::Caller caller, RoleAttachmentInput in) {
  visible_policy(iam, caller, in.PolicyArn);
  const auto edit = detaching<store::Role>(in.PolicyArn);
  const auto outcome = co_await iam.identities().edit_role(caller.account, in.RoleName, edit);
  if (outcome == Change::missing) throw no_such_role(in.RoleName);
  if (outcome == Change::conflict) throw no_such_policy(in.PolicyArn);
  co_return Nothing();
}

base::Task<ListAttachedPoliciesOutput> list_attached_user_policies(Iam& iam, aws::Caller caller,
                                                                   ListAttachedUserPoliciesInput in) {
  const auto request = page_request("ListAttachedUserPolicies", in.Marker, in.MaxItems);
  const auto user = iam.identities().user(caller.account, in.UserName);
  if (!user) throw no_such_user(in.UserName);
  co_return list_attached(iam, user->attached_policies, in.PathPrefix.value_or("/"), request);
}

base::Task<ListAttachedPoliciesOutput> list_attached_role_policies(Iam& iam, aws::Caller caller,
                                                                   ListAttachedRolePoliciesInput in) {
  const auto request = page_request("ListAttachedRolePolicies", in.Marker, in.MaxItems);
  const auto role = iam.identities().role(caller.account, in.RoleName);
  if (!role) throw no_such_role(in.RoleName);
  co_return list_attached(iam, role->attached_policies, in.PathPrefix.value_or("/"), request);
}

}  // namespace lambent::iam
