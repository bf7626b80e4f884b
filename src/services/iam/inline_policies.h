// Policies embedded in one user or role: Put, Get, Delete and List of both.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

struct PutUserPolicyInput {
  std::string UserName;
  std::string PolicyName;
  std::string PolicyDocument;
};
BOOST_DESCRIBE_STRUCT(PutUserPolicyInput, (), (UserName, PolicyName, PolicyDocument))
base::Task<Nothing> put_user_policy(Iam& iam, aws::Caller caller, PutUserPolicyInput in);

struct PutRolePolicyInput {
  std::string RoleName;
  std::string PolicyName;
  std::string PolicyDocument;
};
BOOST_DESCRIBE_STRUCT(PutRolePolicyInput, (), (RoleName, PolicyName, PolicyDocument))
base::Task<Nothing> put_role_policy(Iam& iam, aws::Caller caller, PutRolePolicyInput in);

struct GetUserPolicyInput {
  std::string UserName;
  std::string PolicyName;
};
BOOST_DESCRIBE_STRUCT(GetUserPolicyInput, (), (UserName, PolicyName))
/// The document is percent-encoded (RFC 3986), here and in GetRolePolicy.
struct GetUserPolicyOutput {
  std::string UserName;
  std::string PolicyName;
  std::string PolicyDocument;
};
BOOST_DESCRIBE_STRUCT(GetUserPolicyOutput, (), (UserName, PolicyName, PolicyDocument))
base::Task<GetUserPolicyOutput> get_user_policy(Iam& iam, aws::Caller caller, GetUserPolicyInput in);

struct GetRolePolicyInput {
  std::string RoleName;
  std::string PolicyName;
};
BOOST_DESCRIBE_STRUCT(GetRolePolicyInput, (), (RoleName, PolicyName))
struct GetRolePolicyOutput {
  std::string RoleName;
  std::string PolicyName;
  std::string PolicyDocument;
};
BOOST_DESCRIBE_STRUCT(GetRolePolicyOutput, (), (RoleName, PolicyName, PolicyDocument))
base::Task<GetRolePolicyOutput> get_role_policy(Iam& iam, aws::Caller caller, GetRolePolicyInput in);

struct DeleteUserPolicyInput {
  std::string UserName;
  std::string PolicyName;
};
BOOST_DESCRIBE_STRUCT(DeleteUserPolicyInput, (), (UserName, PolicyName))
base::Task<Nothing> delete_user_policy(Iam& iam, aws::Caller caller, DeleteUserPolicyInput in);

struct DeleteRolePolicyInput {
  std::string RoleName;
  std::string PolicyName;
};
BOOST_DESCRIBE_STRUCT(DeleteRolePolicyInput, (), (RoleName, PolicyName))
base::Task<Nothing> delete_role_policy(Iam& iam, aws::Caller caller, DeleteRolePolicyInput in);

struct ListUserPoliciesInput {
  std::string UserName;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListUserPoliciesInput, (), (UserName, Marker, MaxItems))
struct ListRolePoliciesInput {
  std::string RoleName;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListRolePoliciesInput, (), (RoleName, Marker, MaxItems))
struct ListPoliciesOutput {
  std::vector<std::string> PolicyNames;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListPoliciesOutput, (), (PolicyNames, IsTruncated, Marker))
base::Task<ListPoliciesOutput> list_user_policies(Iam& iam, aws::Caller caller, ListUserPoliciesInput in);
base::Task<ListPoliciesOutput> list_role_policies(Iam& iam, aws::Caller caller, ListRolePoliciesInput in);

}  // namespace lambent::iam
