// The wire structs of the operations on policies of functions, versions and aliases, with AWS's spelling.
#pragma once

#include "services/lambda/shapes.h"

namespace lambent::lambda {

struct AddPermissionInput {
  std::string FunctionName;
  std::string StatementId;
  std::string Action;
  std::string Principal;
  OptionalText SourceArn;
  OptionalText FunctionUrlAuthType;
  OptionalBool InvokedViaFunctionUrl;
  OptionalText SourceAccount;
  OptionalText EventSourceToken;
  OptionalText Qualifier;
  OptionalText RevisionId;
  OptionalText PrincipalOrgID;
};
BOOST_DESCRIBE_STRUCT(AddPermissionInput, (),
                      (FunctionName, StatementId, Action, Principal, SourceArn, FunctionUrlAuthType,
                       InvokedViaFunctionUrl, SourceAccount, EventSourceToken, Qualifier, RevisionId, PrincipalOrgID))

struct AddPermissionOutput {
  std::string Statement;
};
BOOST_DESCRIBE_STRUCT(AddPermissionOutput, (), (Statement))

struct RemovePermissionInput {
  std::string FunctionName;
  std::string StatementId;
  OptionalText Qualifier;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(RemovePermissionInput, (), (FunctionName, StatementId, Qualifier, RevisionId))

struct PutResourcePolicyInput {
  std::string ResourceArn;
  std::string Policy;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(PutResourcePolicyInput, (), (ResourceArn, Policy, RevisionId))

struct GetResourcePolicyInput {
  std::string ResourceArn;
};
BOOST_DESCRIBE_STRUCT(GetResourcePolicyInput, (), (ResourceArn))

struct DeleteResourcePolicyInput {
  std::string ResourceArn;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(DeleteResourcePolicyInput, (), (ResourceArn, RevisionId))

/// Of both forms.
struct PolicyOutput {
  std::string Policy;
  std::string RevisionId;
};
BOOST_DESCRIBE_STRUCT(PolicyOutput, (), (Policy, RevisionId))

}  // namespace lambent::lambda
