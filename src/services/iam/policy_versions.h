// The versions of a managed policy: Create, List, SetDefault, Delete; and DeletePolicy, which needs all but one to be gone.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/policies.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

struct CreatePolicyVersionInput {
  std::string PolicyArn;
  std::string PolicyDocument;
  bool SetAsDefault = false;
};
BOOST_DESCRIBE_STRUCT(CreatePolicyVersionInput, (), (PolicyArn, PolicyDocument, SetAsDefault))
/// As lists show it: without its document.
struct PolicyVersionEntry {
  std::string VersionId;
  bool IsDefaultVersion = false;
  aws::Timestamp CreateDate;
};
BOOST_DESCRIBE_STRUCT(PolicyVersionEntry, (), (VersionId, IsDefaultVersion, CreateDate))
struct CreatePolicyVersionOutput {
  PolicyVersionEntry PolicyVersion;
};
BOOST_DESCRIBE_STRUCT(CreatePolicyVersionOutput, (), (PolicyVersion))
base::Task<CreatePolicyVersionOutput> create_policy_version(Iam& iam, aws::Caller caller, CreatePolicyVersionInput in);

struct ListPolicyVersionsInput {
  std::string PolicyArn;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListPolicyVersionsInput, (), (PolicyArn, Marker, MaxItems))
struct ListPolicyVersionsOutput {
  std::vector<PolicyVersionEntry> Versions;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListPolicyVersionsOutput, (), (Versions, IsTruncated, Marker))
base::Task<ListPolicyVersionsOutput> list_policy_versions(Iam& iam, aws::Caller caller, ListPolicyVersionsInput in);

struct PolicyVersionInput {
  std::string PolicyArn;
  std::string VersionId;
};
BOOST_DESCRIBE_STRUCT(PolicyVersionInput, (), (PolicyArn, VersionId))
base::Task<Nothing> set_default_policy_version(Iam& iam, aws::Caller caller, PolicyVersionInput in);
base::Task<Nothing> delete_policy_version(Iam& iam, aws::Caller caller, PolicyVersionInput in);

base::Task<Nothing> delete_policy(Iam& iam, aws::Caller caller, GetPolicyInput in);

/// The caller's own policy of that ARN. Throws NoSuchEntity (of the version, where one is asked for), and AccessDenied for AWS's
/// policies, which nobody changes.
store::PolicySnapshot own_policy(const Iam& iam, const aws::Caller& caller, const std::string& arn,
                                 const std::optional<std::string>& version = std::nullopt);

}  // namespace lambent::iam
