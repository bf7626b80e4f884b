// ListPolicies and ListEntitiesForPolicy; and ListInstanceProfilesForRole, of which there are none.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/policies.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

struct ListPoliciesInput {
  std::optional<std::string> Scope;
  std::optional<bool> OnlyAttached;
  std::optional<std::string> PathPrefix;
  std::optional<std::string> PolicyUsageFilter;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListPoliciesInput, (), (Scope, OnlyAttached, PathPrefix, PolicyUsageFilter, Marker, MaxItems))
struct ListManagedPoliciesOutput {
  std::vector<Policy> Policies;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListManagedPoliciesOutput, (), (Policies, IsTruncated, Marker))
base::Task<ListManagedPoliciesOutput> list_policies(Iam& iam, aws::Caller caller, ListPoliciesInput in);

struct ListEntitiesForPolicyInput {
  std::string PolicyArn;
  std::optional<std::string> EntityFilter;
  std::optional<std::string> PathPrefix;
  std::optional<std::string> PolicyUsageFilter;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListEntitiesForPolicyInput, (),
                      (PolicyArn, EntityFilter, PathPrefix, PolicyUsageFilter, Marker, MaxItems))
struct PolicyGroup {
  std::string GroupName;
};
BOOST_DESCRIBE_STRUCT(PolicyGroup, (), (GroupName))
struct PolicyUser {
  std::string UserName;
  std::string UserId;
};
BOOST_DESCRIBE_STRUCT(PolicyUser, (), (UserName, UserId))
struct PolicyRole {
  std::string RoleName;
  std::string RoleId;
};
BOOST_DESCRIBE_STRUCT(PolicyRole, (), (RoleName, RoleId))
struct ListEntitiesForPolicyOutput {
  std::vector<PolicyGroup> PolicyGroups;
  std::vector<PolicyUser> PolicyUsers;
  std::vector<PolicyRole> PolicyRoles;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListEntitiesForPolicyOutput, (), (PolicyGroups, PolicyUsers, PolicyRoles, IsTruncated, Marker))
base::Task<ListEntitiesForPolicyOutput> list_entities_for_policy(Iam& iam, aws::Caller caller,
                                                                 ListEntitiesForPolicyInput in);

struct ListInstanceProfilesForRoleInput {
  std::string RoleName;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListInstanceProfilesForRoleInput, (), (RoleName, Marker, MaxItems))
struct InstanceProfile {
  std::string InstanceProfileName;
};
BOOST_DESCRIBE_STRUCT(InstanceProfile, (), (InstanceProfileName))
struct ListInstanceProfilesForRoleOutput {
  std::vector<InstanceProfile> InstanceProfiles;
  bool IsTruncated = false;
};
BOOST_DESCRIBE_STRUCT(ListInstanceProfilesForRoleOutput, (), (InstanceProfiles, IsTruncated))
base::Task<ListInstanceProfilesForRoleOutput> list_instance_profiles_for_role(Iam& iam, aws::Caller caller,
                                                                              ListInstanceProfilesForRoleInput in);

}  // namespace lambent::iam
