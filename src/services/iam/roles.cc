#include "services/iam/roles.h"

#include "auth/policy.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "services/iam/pages.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

Role describe(const store::Role& role) {
  Role wire;
  wire.Path = role.path;
  wire.RoleName = role.name;
  wire.RoleId = role.id;
  wire.Arn = role.arn();
  wire.CreateDate = {role.created_ms};
  wire.AssumeRolePolicyDocument = base::percent_encode(role.trust_policy);
  return wire;
}

// What CreateRole's answer leaves out (IAM API Reference, its example).
Role describe_fully(const store::Role& role) {
  Role wire = describe(role);
  if (!role.description.empty()) wire.Description = role.description;
  wire.MaxSessionDuration = role.max_session_s;
  return wire;
}

}  // namespace

base::Task<CreateRoleOutput> create_role(Iam& iam, aws::Caller caller, CreateRoleInput in) {
  auth::check_policy(in.AssumeRolePolicyDocument, auth::PolicyUse::trust);
  store::Role role;
  role.account = caller.account;
  role.name = in.RoleName;
  role.path = in.Path.value_or("/");
  role.id = "AROA" + base::random_base32(17);
  role.description = in.Description;
  role.trust_policy = in.AssumeRolePolicyDocument;
  role.max_session_s = in.MaxSessionDuration.value_or(role.max_session_s);
  role.created_ms = iam.now_ms();
  role.tags = checked_tags(in.Tags);
  CreateRoleOutput out;
  out.Role = describe(role);
  out.Role.Tags = wire_tags_if_any(role.tags);
  const auto outcome = co_await iam.identities().create_role(std::move(role));
  if (outcome == store::Change::exists) throw already_exists("Role", in.RoleName);
  if (outcome == store::Change::limit) throw over_quota("RolesPerAccount", store::quota::kRolesPerAccount);
  co_return out;
}

base::Task<GetRoleOutput> get_role(Iam& iam, aws::Caller caller, GetRoleInput in) {
  const auto role = iam.identities().role(caller.account, in.RoleName);
  if (!role) throw no_such_role(in.RoleName);
  GetRoleOutput out;
  out.Role = describe_fully(*role);
  out.Role.Tags = wire_tags_if_any(role->tags);
  out.Role.RoleLastUsed.emplace();
  co_return out;
}

base::Task<ListRolesOutput> list_roles(Iam& iam, aws::Caller caller, ListRolesInput in) {
  const auto request = page_request("ListRoles", in.Marker, in.MaxItems);
  auto found = with_path(request, in.PathPrefix.value_or("/"), [&](std::string_view after, std::size_t limit) {
    return iam.identities().roles(caller.account, after, limit);
  });
  const auto page = cut(std::move(found), request, [](const auto& role) { return base::lower(role->name); });
  ListRolesOutput out;
  for (const auto& role : page.items) out.Roles.push_back(describe_fully(*role));
  out.IsTruncated = page.marker.has_value();
  out.Marker = page.marker;
  co_return out;
}

base::Task<Nothing> delete_role(Iam& iam, aws::Caller caller, DeleteRoleInput in) {
  const auto outcome = co_await iam.identities().delete_role(caller.account, in.RoleName);
  if (outcome == store::Change::missing) throw no_such_role(in.RoleName);
  if (outcome == store::Change::conflict) {
    const auto role = iam.identities().role(caller.account, in.RoleName);
    if (role && !role->attached_policies.empty()) throw must_first("detach all policies");
    throw must_first("delete policies");
  }
  co_return Nothing();
}

base::Task<Nothing> update_assume_role_policy(Iam& iam, aws::Caller caller, UpdateAssumeRolePolicyInput in) {
  auth::check_policy(in.PolicyDocument, auth::PolicyUse::trust);
  const auto edit = [document = in.PolicyDocument](store::Role& role) {
    role.trust_policy = document;
    return store::Change::done;
  };
  const auto outcome = co_await iam.identities().edit_role(caller.account, in.RoleName, edit);
  if (outcome == store::Change::missing) throw no_such_role(in.RoleName);
  co_return Nothing();
}

base::Task<Nothing> update_role(Iam& iam, aws::Caller caller, UpdateRoleInput in) {
  const auto edit = [&in](store::Role& role) {
    if (in.Description) role.description = *in.Description;
    // The API reference has it that the default is applied where none is given; AWS keeps what was (LocalStack, test_update_role,
    // recorded in February 2026).
    if (in.MaxSessionDuration) role.max_session_s = *in.MaxSessionDuration;
    return store::Change::done;
  };
  const auto outcome = co_await iam.identities().edit_role(caller.account, in.RoleName, edit);
  if (outcome == store::Change::missing) throw no_such_role(in.RoleName);
  co_return Nothing();
}

base::Task<UpdateRoleDescriptionOutput> update_role_description(Iam& iam, aws::Caller caller,
                                                                UpdateRoleDescriptionInput in) {
  UpdateRoleDescriptionOutput out;
  const auto edit = [&in, &out](store::Role& role) {
    role.description = in.Description;
    out.Role = describe(role);
    out.Role.Description = role.description;
    return store::Change::done;
  };
  const auto outcome = co_await iam.identities().edit_role(caller.account, in.RoleName, edit);
  if (outcome == store::Change::missing) throw no_such_role(in.RoleName);
  co_return out;
}

}  // namespace lambent::iam
