#include "services/lambda/publish_version.h"

#include "base/ids.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_configuration.h"
#include "services/lambda/operations.h"
#include "services/lambda/paging.h"

namespace lambent::lambda {

store::FunctionVersion publish(store::FunctionVersion& latest, const OptionalText& description) {
  const bool settled = latest.state != "Pending" && latest.update_status != "InProgress";
  latest.revision_id = base::uuid();
  ++latest.last_version;
  auto version = latest;
  version.version = std::to_string(latest.last_version);
  if (description) version.description = *description;
  version.revision_id = base::uuid();
  // Of the function as a whole, or of $LATEST alone.
  version.policy.clear();
  version.tags.clear();
  version.last_version = 0;
  version.update_status_reason.clear();
  version.update_status_reason_code.clear();
  if (settled) return version;
  version.state = "Pending";
  version.state_reason = "The function is being created.";
  version.state_reason_code = "Creating";
  version.update_status.clear();
  return version;
}

base::Task<FunctionConfiguration> publish_version(Lambda& lambda, aws::Caller caller, PublishVersionInput in) {
  const auto name = resolve_function(NamedBy::publish_version, caller, in.FunctionName);
  // Whoever is faster has changed or published the function: each further round sees their work, so this ends.
  for (;;) {
    const auto before = lambda.existing(name);
    Lambda::require_revision(in.RevisionId, before->revision_id);
    if (in.CodeSha256 && !in.CodeSha256->empty() && *in.CodeSha256 != before->code_sha256)
      throw invalid_parameter(
          fmt::format("CodeSHA256 ({}) is different from current CodeSHA256 in $LATEST ({}). Please "
                      "try again with the CodeSHA256 in $LATEST.",
                      *in.CodeSha256, before->code_sha256));
    Lambda::require_settled(*before);
    // "Lambda doesn't publish a version if the function's configuration and code haven't changed since the last version."
    const auto last = lambda.functions().find(name.key, std::to_string(before->last_version));
    if (last && last->content_id == before->content_id) co_return configuration_of(*last, last->version);
    lambda.require_storage(name.key.account, name.key.region, before->code_size);
    auto latest = *before;
    auto version = publish(latest, in.Description);
    const auto answer = configuration_of(version, version.version);
    auto task = lambda.functions().replace(std::move(latest), before->revision_id, version);
    const bool published = co_await std::move(task);
    if (!published) continue;
    lambda.engine().expect(version);
    co_return answer;
  }
}

std::string publish_version_resource(const aws::Caller& caller, const PublishVersionInput& in) {
  return resolve_function(NamedBy::publish_version, caller, in.FunctionName).arn();
}

base::Task<ListVersionsOutput> list_versions(Lambda& lambda, aws::Caller caller, ListVersionsInput in) {
  const auto name = resolve_function(NamedBy::list_versions, caller, in.FunctionName);
  lambda.existing(name);
  const auto after = item_of_marker("ListVersionsByFunction", in.Marker);
  const auto page = page_size(in.MaxItems);
  ListVersionsOutput out;
  auto versions = lambda.functions().versions(name.key, after, page + 1);
  if (cut_page(versions, page)) out.NextMarker = marker_after(versions.back()->version);
  for (const auto& version : versions) out.Versions.push_back(listed(*version, version->version));
  co_return out;
}

std::string list_versions_resource(const aws::Caller& caller, const ListVersionsInput& in) {
  return resolve_function(NamedBy::list_versions, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
