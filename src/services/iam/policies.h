// Managed policies: CreatePolicy, GetPolicy, GetPolicyVersion.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

struct Policy {
  std::string PolicyName;
  std::string PolicyId;
  std::string Arn;
  std::string Path;
  std::string DefaultVersionId;
  std::int32_t AttachmentCount = 0;
  std::int32_t PermissionsBoundaryUsageCount = 0;
  bool IsAttachable = true;
  std::optional<std::string> Description;
  aws::Timestamp CreateDate;
  aws::Timestamp UpdateDate;
  std::optional<std::vector<Tag>> Tags;
};
BOOST_DESCRIBE_STRUCT(Policy, (),
                      (PolicyName, PolicyId, Arn, Path, DefaultVersionId, AttachmentCount,
                       PermissionsBoundaryUsageCount, IsAttachable, Description, CreateDate, UpdateDate, Tags))

struct CreatePolicyInput {
  std::string PolicyName;
  std::optional<std::string> Path;
  std::string PolicyDocument;
  std::string Description;
  std::vector<Tag> Tags;
};
BOOST_DESCRIBE_STRUCT(CreatePolicyInput, (), (PolicyName, Path, PolicyDocument, Description, Tags))
struct CreatePolicyOutput {
  iam::Policy Policy;
};
BOOST_DESCRIBE_STRUCT(CreatePolicyOutput, (), (Policy))
base::Task<CreatePolicyOutput> create_policy(Iam& iam, aws::Caller caller, CreatePolicyInput in);

struct GetPolicyInput {
  std::string PolicyArn;
};
BOOST_DESCRIBE_STRUCT(GetPolicyInput, (), (PolicyArn))
struct GetPolicyOutput {
  iam::Policy Policy;
};
BOOST_DESCRIBE_STRUCT(GetPolicyOutput, (), (Policy))
base::Task<GetPolicyOutput> get_policy(Iam& iam, aws::Caller caller, GetPolicyInput in);

struct PolicyVersion {
  /// Percent-encoded (RFC 3986).
  std::string Document;
  std::string VersionId;
  bool IsDefaultVersion = true;
  aws::Timestamp CreateDate;
};
BOOST_DESCRIBE_STRUCT(PolicyVersion, (), (Document, VersionId, IsDefaultVersion, CreateDate))

struct GetPolicyVersionInput {
  std::string PolicyArn;
  std::string VersionId;
};
BOOST_DESCRIBE_STRUCT(GetPolicyVersionInput, (), (PolicyArn, VersionId))
struct GetPolicyVersionOutput {
  iam::PolicyVersion PolicyVersion;
};
BOOST_DESCRIBE_STRUCT(GetPolicyVersionOutput, (), (PolicyVersion))
base::Task<GetPolicyVersionOutput> get_policy_version(Iam& iam, aws::Caller caller, GetPolicyVersionInput in);

/// As lists and GetPolicy show it, with what it is attached to in the caller's account counted.
Policy describe_policy(const Iam& iam, const aws::Caller& caller, const store::Policy& policy);

/// The policy if it is the caller's account's or AWS's, else null. Throws ValidationError for what is no ARN,
/// InvalidInput for what is no policy's.
store::PolicySnapshot visible_policy(const Iam& iam, const aws::Caller& caller, const std::string& arn);

}  // namespace lambent::iam
