// Managed policies attached to users and roles: Attach, Detach and ListAttached of both.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

/// PoliciesPerUser and PoliciesPerRole.
constexpr std::size_t kAttachedPolicies = 10;

struct UserAttachmentInput {
  std::string UserName;
  std::string PolicyArn;
};
BOOST_DESCRIBE_STRUCT(UserAttachmentInput, (), (UserName, PolicyArn))
base::Task<Nothing> attach_user_policy(Iam& iam, aws::Caller caller, UserAttachmentInput in);
base::Task<Nothing> detach_user_policy(Iam& iam, aws::Caller caller, UserAttachmentInput in);

struct RoleAttachmentInput {
  std::string RoleName;
  std::string PolicyArn;
};
BOOST_DESCRIBE_STRUCT(RoleAttachmentInput, (), (RoleName, PolicyArn))
base::Task<Nothing> attach_role_policy(Iam& iam, aws::Caller caller, RoleAttachmentInput in);
base::Task<Nothing> detach_role_policy(Iam& iam, aws::Caller caller, RoleAttachmentInput in);

struct AttachedPolicy {
  std::string PolicyName;
  std::string PolicyArn;
};
BOOST_DESCRIBE_STRUCT(AttachedPolicy, (), (PolicyName, PolicyArn))
struct ListAttachedPoliciesOutput {
  std::vector<AttachedPolicy> AttachedPolicies;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListAttachedPoliciesOutput, (), (AttachedPolicies, IsTruncated, Marker))

struct ListAttachedUserPoliciesInput {
  std::string UserName;
  std::optional<std::string> PathPrefix;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListAttachedUserPoliciesInput, (), (UserName, PathPrefix, Marker, MaxItems))
base::Task<ListAttachedPoliciesOutput> list_attached_user_policies(Iam& iam, aws::Caller caller,
                                                                   ListAttachedUserPoliciesInput in);

struct ListAttachedRolePoliciesInput {
  std::string RoleName;
  std::optional<std::string> PathPrefix;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListAttachedRolePoliciesInput, (), (RoleName, PathPrefix, Marker, MaxItems))
base::Task<ListAttachedPoliciesOutput> list_attached_role_policies(Iam& iam, aws::Caller caller,
                                                                   ListAttachedRolePoliciesInput in);

}  // namespace lambent::iam
