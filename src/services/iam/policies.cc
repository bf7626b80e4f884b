#include "services/iam/policies.h"

#include <algorithm>

#include "auth/policy.h"
#include "aws/arn.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

Policy describe(const store::Policy& policy) {
  Policy wire;
  wire.PolicyName = policy.name;
  wire.PolicyId = policy.id;
  wire.Arn = policy.arn();
  wire.Path = policy.path;
  wire.DefaultVersionId = policy.version;
  wire.CreateDate = {policy.created_ms};
  wire.UpdateDate = {policy.updated_ms};
  return wire;
}

}  // namespace

store::PolicySnapshot visible_policy(const Iam& iam, const aws::Caller& caller, const std::string& arn) {
  const auto parsed = aws::Arn::parse(arn);
  // Two codes for the same words: of what is no ARN, and of the ARN of something else (LocalStack, test_role_managed_policy_errors
  // and test_role_permissions_boundary_errors, recorded in February 2026).
  const std::string words = "ARN " + arn + " is not valid.";
  if (!parsed) throw validation_error(words);
  if (parsed->partition != "aws" || parsed->service != "iam" || !parsed->region.empty() ||
      !parsed->resource.starts_with("policy/"))
    throw invalid_input(words);
  if (parsed->account != caller.account && parsed->account != "aws") return nullptr;
  return iam.identities().policy(arn);
}

Policy describe_policy(const Iam& iam, const aws::Caller& caller, const store::Policy& policy) {
  Policy wire = describe(policy);
  wire.AttachmentCount = static_cast<std::int32_t>(iam.identities().attachments(caller.account, wire.Arn));
  return wire;
}

base::Task<CreatePolicyOutput> create_policy(Iam& iam, aws::Caller caller, CreatePolicyInput in) {
  auth::check_policy(in.PolicyDocument, auth::PolicyUse::managed);
  store::Policy policy;
  policy.account = caller.account;
  policy.name = in.PolicyName;
  policy.path = in.Path.value_or("/");
  policy.id = "ANPA" + base::random_base32(17);
  policy.description = in.Description;
  policy.document = in.PolicyDocument;
  policy.created_ms = policy.updated_ms = iam.now_ms();
  policy.tags = checked_tags(in.Tags, KeyCase::exact);
  CreatePolicyOutput out;
  out.Policy = describe(policy);
  out.Policy.Tags = wire_tags_if_any(policy.tags);
  const auto outcome = co_await iam.identities().create_policy(std::move(policy));
  if (outcome == store::Change::exists) throw policy_already_exists(in.PolicyName);
  if (outcome == store::Change::limit) throw over_quota("PoliciesPerAccount", store::quota::kPoliciesPerAccount);
  co_return out;
}

base::Task<GetPolicyOutput> get_policy(Iam& iam, aws::Caller caller, GetPolicyInput in) {
  const auto policy = visible_policy(iam, caller, in.PolicyArn);
  if (!policy) throw no_such_policy(in.PolicyArn);
  GetPolicyOutput out;
  out.Policy = describe_policy(iam, caller, *policy);
  if (!policy->description.empty()) out.Policy.Description = policy->description;
  out.Policy.Tags = wire_tags(policy->tags);
  co_return out;
}

base::Task<GetPolicyVersionOutput> get_policy_version(Iam& iam, aws::Caller caller, GetPolicyVersionInput in) {
  const auto policy = visible_policy(iam, caller, in.PolicyArn);
  if (!policy) throw no_such_policy_version(in.PolicyArn, in.VersionId);
  const auto version = std::ranges::find(policy->versions, in.VersionId, &store::PolicyVersion::id);
  if (version == policy->versions.end()) throw no_such_policy_version(in.PolicyArn, in.VersionId);
  GetPolicyVersionOutput out;
  out.PolicyVersion.Document = base::percent_encode(version->document);
  out.PolicyVersion.VersionId = version->id;
  out.PolicyVersion.IsDefaultVersion = version->id == policy->version;
  out.PolicyVersion.CreateDate = {version->created_ms};
  co_return out;
}

}  // namespace lambent::iam
