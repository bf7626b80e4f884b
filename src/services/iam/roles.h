// CreateRole, GetRole, ListRoles, DeleteRole, UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

/// Use is not tracked; GetRole answers the empty structure, as AWS does for a role that was never used.
struct RoleLastUsed {
  std::optional<aws::Timestamp> LastUsedDate;
};
BOOST_DESCRIBE_STRUCT(RoleLastUsed, (), (LastUsedDate))

struct Role {
  std::string Path;
  std::string RoleName;
  std::string RoleId;
  std::string Arn;
  aws::Timestamp CreateDate;
  /// Percent-encoded (RFC 3986).
  std::string AssumeRolePolicyDocument;
  std::optional<std::string> Description;
  std::optional<std::int32_t> MaxSessionDuration;
  std::optional<std::vector<Tag>> Tags;
  std::optional<iam::RoleLastUsed> RoleLastUsed;
};
BOOST_DESCRIBE_STRUCT(Role, (),
                      (Path, RoleName, RoleId, Arn, CreateDate, AssumeRolePolicyDocument, Description,
                       MaxSessionDuration, Tags, RoleLastUsed))

struct CreateRoleInput {
  std::optional<std::string> Path;
  std::string RoleName;
  std::string AssumeRolePolicyDocument;
  std::string Description;
  std::optional<std::int32_t> MaxSessionDuration;
  std::vector<Tag> Tags;
};
BOOST_DESCRIBE_STRUCT(CreateRoleInput, (),
                      (Path, RoleName, AssumeRolePolicyDocument, Description, MaxSessionDuration, Tags))
struct CreateRoleOutput {
  iam::Role Role;
};
BOOST_DESCRIBE_STRUCT(CreateRoleOutput, (), (Role))
base::Task<CreateRoleOutput> create_role(Iam& iam, aws::Caller caller, CreateRoleInput in);

struct GetRoleInput {
  std::string RoleName;
};
BOOST_DESCRIBE_STRUCT(GetRoleInput, (), (RoleName))
struct GetRoleOutput {
  iam::Role Role;
};
BOOST_DESCRIBE_STRUCT(GetRoleOutput, (), (Role))
base::Task<GetRoleOutput> get_role(Iam& iam, aws::Caller caller, GetRoleInput in);

struct ListRolesInput {
  std::optional<std::string> PathPrefix;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListRolesInput, (), (PathPrefix, Marker, MaxItems))
struct ListRolesOutput {
  std::vector<Role> Roles;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListRolesOutput, (), (Roles, IsTruncated, Marker))
base::Task<ListRolesOutput> list_roles(Iam& iam, aws::Caller caller, ListRolesInput in);

struct DeleteRoleInput {
  std::string RoleName;
};
BOOST_DESCRIBE_STRUCT(DeleteRoleInput, (), (RoleName))
base::Task<Nothing> delete_role(Iam& iam, aws::Caller caller, DeleteRoleInput in);

struct UpdateAssumeRolePolicyInput {
  std::string RoleName;
  std::string PolicyDocument;
};
BOOST_DESCRIBE_STRUCT(UpdateAssumeRolePolicyInput, (), (RoleName, PolicyDocument))
base::Task<Nothing> update_assume_role_policy(Iam& iam, aws::Caller caller, UpdateAssumeRolePolicyInput in);

struct UpdateRoleInput {
  std::string RoleName;
  std::optional<std::string> Description;
  std::optional<std::int32_t> MaxSessionDuration;
};
BOOST_DESCRIBE_STRUCT(UpdateRoleInput, (), (RoleName, Description, MaxSessionDuration))
base::Task<Nothing> update_role(Iam& iam, aws::Caller caller, UpdateRoleInput in);

struct UpdateRoleDescriptionInput {
  std::string RoleName;
  std::string Description;
};
BOOST_DESCRIBE_STRUCT(UpdateRoleDescriptionInput, (), (RoleName, Description))
struct UpdateRoleDescriptionOutput {
  iam::Role Role;
};
BOOST_DESCRIBE_STRUCT(UpdateRoleDescriptionOutput, (), (Role))
base::Task<UpdateRoleDescriptionOutput> update_role_description(Iam& iam, aws::Caller caller,
                                                                UpdateRoleDescriptionInput in);

}  // namespace lambent::iam
