#include "services/iam/policy_versions.h"

#include <algorithm>

#include "auth/policy.h"
#include "services/iam/pages.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

using store::Change;

auto version_of(store::Policy& policy, const std::string& id) {
  return std::ranges::find(policy.versions, id, &store::PolicyVersion::id);
}

PolicyVersionEntry describe(const store::PolicyVersion& version, const std::string& default_id) {
  return {version.id, version.id == default_id, {version.created_ms}};
}

}  // namespace

store::PolicySnapshot own_policy(const Iam& iam, const aws::Caller& caller, const std::string& arn,
                                 const std::optional<std::string>& version) {
  auto policy = visible_policy(iam, caller, arn);
  if (!policy) throw version ? no_such_policy_version(arn, *version) : no_such_policy(arn);
  if (policy->account == "aws")
    throw aws::Error("AccessDenied", "Policy " + arn + " is AWS's and cannot be changed.", 403);
  return policy;
}

base::Task<CreatePolicyVersionOutput> create_policy_version(Iam& iam, aws::Caller caller, CreatePolicyVersionInput in) {
  const auto policy = own_policy(iam, caller, in.PolicyArn);
  auth::check_policy(in.PolicyDocument, auth::PolicyUse::managed);
  CreatePolicyVersionOutput out;
  const auto edit = [&out, &in, now_ms = iam.now_ms()](store::Policy& edited) {
    if (edited.versions.size() >= store::quota::kVersionsPerPolicy) return Change::limit;
    store::PolicyVersion version{"v" + std::to_string(++edited.last_version), in.PolicyDocument, now_ms};
    edited.updated_ms = now_ms;
    if (in.SetAsDefault) {
      edited.version = version.id;
      edited.document = version.document;
    }
    out.PolicyVersion = describe(version, edited.version);
    edited.versions.push_back(std::move(version));
    return Change::done;
  };
  const auto outcome = co_await iam.identities().edit_policy(caller.account, policy->name, edit);
  if (outcome == Change::missing) throw no_such_policy(in.PolicyArn);
  if (outcome == Change::limit)
    throw aws::Error("LimitExceeded",
                     "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
                     "existing version.",
                     409);
  co_return out;
}

base::Task<ListPolicyVersionsOutput> list_policy_versions(Iam& iam, aws::Caller caller, ListPolicyVersionsInput in) {
  const auto request = page_request("ListPolicyVersions", in.Marker, in.MaxItems);
  const auto policy = visible_policy(iam, caller, in.PolicyArn);
  if (!policy) throw no_such_policy(in.PolicyArn);
  // The newest first, as AWS lists them; numbered so that a page can begin behind one.
  std::vector<std::pair<std::string, PolicyVersionEntry>> entries;
  for (auto at = policy->versions.rbegin(); at != policy->versions.rend(); ++at)
    entries.emplace_back(std::string(1, static_cast<char>('a' + entries.size())), describe(*at, policy->version));
  auto page = cut(std::move(entries), request, [](const auto& entry) { return entry.first; });
  ListPolicyVersionsOutput out;
  for (auto& [key, entry] : page.items) out.Versions.push_back(std::move(entry));
  out.IsTruncated = page.marker.has_value();
  out.Marker = std::move(page.marker);
  co_return out;
}

base::Task<Nothing> set_default_policy_version(Iam& iam, aws::Caller caller, PolicyVersionInput in) {
  const auto policy = own_policy(iam, caller, in.PolicyArn, in.VersionId);
  const auto edit = [&in, now_ms = iam.now_ms()](store::Policy& edited) {
    const auto version = version_of(edited, in.VersionId);
    if (version == edited.versions.end()) return Change::missing;
    edited.version = version->id;
    edited.document = version->document;
    edited.updated_ms = now_ms;
    return Change::done;
  };
  const auto outcome = co_await iam.identities().edit_policy(caller.account, policy->name, edit);
  if (outcome == Change::missing) throw no_such_policy_version(in.PolicyArn, in.VersionId);
  co_return Nothing();
}

base::Task<Nothing> delete_policy_version(Iam& iam, aws::Caller caller, PolicyVersionInput in) {
  const auto policy = own_policy(iam, caller, in.PolicyArn, in.VersionId);
  const auto edit = [&in](store::Policy& edited) {
    const auto version = version_of(edited, in.VersionId);
    if (version == edited.versions.end()) return Change::missing;
    if (version->id == edited.version) return Change::conflict;
    edited.versions.erase(version);
    return Change::done;
  };
  const auto outcome = co_await iam.identities().edit_policy(caller.account, policy->name, edit);
  if (outcome == Change::missing) throw no_such_policy_version(in.PolicyArn, in.VersionId);
  if (outcome == Change::conflict)
    throw aws::Error("DeleteConflict", "Cannot delete the default version of a policy.", 409);
  co_return Nothing();
}

base::Task<Nothing> delete_policy(Iam& iam, aws::Caller caller, GetPolicyInput in) {
  const auto policy = own_policy(iam, caller, in.PolicyArn);
  const auto outcome = co_await iam.identities().delete_policy(caller.account, policy->name);
  if (outcome == Change::missing) throw no_such_policy(in.PolicyArn);
  if (outcome == Change::conflict)
    throw aws::Error("DeleteConflict", "Cannot delete a policy attached to entities.", 409);
  if (outcome == Change::limit)
    throw aws::Error("DeleteConflict",
                     "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                     "versions. The default version is deleted with the policy.",
                     409);
  co_return Nothing();
}

}  // namespace lambent::iam
