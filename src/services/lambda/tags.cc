// Tags of functions, event source mappings and code signing configurations, by their ARN.
#include "aws/arn.h"
#include "aws/plain_json.h"
#include "services/lambda/code_signing_operations.h"
#include "services/lambda/errors.h"
#include "services/lambda/operations.h"
#include "services/lambda/validation.h"

namespace lambent::lambda {
namespace {

constexpr std::string_view kMapping = "event-source-mapping:";

/// The mapping that the ARN names; nothing when it names something else.
std::optional<std::string> mapping_of(const std::string& resource) {
  const auto arn = aws::Arn::parse(resource);
  if (!arn || !arn->resource.starts_with(kMapping)) return std::nullopt;
  return arn->resource.substr(kMapping.size());
}

bool is_code_signing_config(const std::string& resource) {
  const auto arn = aws::Arn::parse(resource);
  return arn && arn->resource.starts_with("code-signing-config:");
}

/// Throws when there is no such mapping in the caller's account and region.
store::EventSourceMappingSnapshot tagged_mapping(Lambda& lambda, const aws::Caller& caller,
                                                 const std::string& resource) {
  const auto arn = aws::Arn::parse(resource);
  auto mapping = arn->partition == "aws" && arn->account == caller.account && arn->region == caller.region
                     ? lambda.mappings().find(caller.account, caller.region, *mapping_of(resource))
                     : nullptr;
  if (!mapping)
    throw aws::Error("ResourceNotFoundException", fmt::format("Event source mapping not found: {}", resource), 404);
  return mapping;
}

base::Task<void> amend_mapping(Lambda& lambda, aws::Caller caller, std::string resource,
                               std::function<void(TextMap&)> edit) {
  // Whoever is faster has changed the mapping: each further round begins with their work, so this ends.
  for (;;) {
    auto mapping = *tagged_mapping(lambda, caller, resource);
    auto tags = aws::from_plain_json<TextMap>(mapping.tags);
    edit(tags);
    mapping.tags = aws::plain_json(tags);
    ++mapping.revision;
    auto task = lambda.mappings().replace(std::move(mapping));
    const bool stored = co_await std::move(task);
    if (stored) co_return;
  }
}

/// The function that the ARN names. Throws for what else has a taggable ARN but does not exist here.
FunctionName tagged_function(NamedBy operation, const aws::Caller& caller, const std::string& resource) {
  const auto arn = aws::Arn::parse(resource);
  if (!arn || !arn->resource.starts_with("function:"))
    throw aws::Error("ResourceNotFoundException", "The resource you requested does not exist.", 404);
  return resolve_function(operation, caller, resource);
}

/// What is authorized.
std::string tagged_arn(NamedBy operation, const aws::Caller& caller, const std::string& resource) {
  return mapping_of(resource) || is_code_signing_config(resource) ? resource
                                                                  : tagged_function(operation, caller, resource).arn();
}

base::Task<void> amend_tags(Lambda& lambda, aws::Caller caller, NamedBy operation, std::string resource,
                            std::function<void(TextMap&)> edit) {
  if (mapping_of(resource)) {
    auto task = amend_mapping(lambda, caller, resource, std::move(edit));
    co_return co_await std::move(task);
  }
  if (is_code_signing_config(resource)) {
    auto task = amend_code_signing_tags(lambda, caller, resource, std::move(edit));
    co_return co_await std::move(task);
  }
  const auto name = tagged_function(operation, caller, resource);
  const auto apply = [edit = std::move(edit)](store::FunctionVersion& function) { edit(function.tags); };
  auto task = lambda.amend(name, apply);
  co_await std::move(task);
}

}  // namespace

void check_tags(const TextMap& tags) {
  if (tags.size() > kMaxTags) throw invalid_parameter("Number of tags exceeds resource tag limit.");
}

base::Task<NoOutput> tag_resource(Lambda& lambda, aws::Caller caller, TagResourceInput in) {
  if (in.Tags.empty()) throw invalid_parameter("An error occurred and the request cannot be processed.");
  const auto add = [&in](TextMap& tags) {
    for (const auto& [key, value] : in.Tags) tags[key] = value;
    check_tags(tags);
  };
  auto task = amend_tags(lambda, caller, NamedBy::tag, in.Resource, add);
  co_await std::move(task);
  co_return NoOutput{};
}

std::string tag_resource_resource(const aws::Caller& caller, const TagResourceInput& in) {
  return tagged_arn(NamedBy::tag, caller, in.Resource);
}

base::Task<NoOutput> untag_resource(Lambda& lambda, aws::Caller caller, UntagResourceInput in) {
  const auto take = [&in](TextMap& tags) {
    for (const auto& key : in.TagKeys) tags.erase(key);
  };
  auto task = amend_tags(lambda, caller, NamedBy::untag, in.Resource, take);
  co_await std::move(task);
  co_return NoOutput{};
}

std::string untag_resource_resource(const aws::Caller& caller, const UntagResourceInput& in) {
  return tagged_arn(NamedBy::untag, caller, in.Resource);
}

base::Task<ListTagsOutput> list_tags(Lambda& lambda, aws::Caller caller, ListTagsInput in) {
  if (mapping_of(in.Resource))
    co_return ListTagsOutput{aws::from_plain_json<TextMap>(tagged_mapping(lambda, caller, in.Resource)->tags)};
  if (is_code_signing_config(in.Resource))
    co_return ListTagsOutput{existing_code_signing_config(lambda, caller, in.Resource)->tags};
  co_return ListTagsOutput{lambda.existing(tagged_function(NamedBy::list_tags, caller, in.Resource))->tags};
}

std::string list_tags_resource(const aws::Caller& caller, const ListTagsInput& in) {
  return tagged_arn(NamedBy::list_tags, caller, in.Resource);
}

}  // namespace lambent::lambda
