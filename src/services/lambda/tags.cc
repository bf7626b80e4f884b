// Tags of functions and event source mappings, by their ARN.
#include "aws/arn.h"
#include "services/lambda/errors.h"
#include "services/lambda/operations.h"
#include "services/lambda/validation.h"

namespace lambent::lambda {
namespace {

/// The function that the ARN names. Throws for what else has a taggable ARN but does not exist here.
FunctionName tagged_function(NamedBy operation, const aws::Caller& caller, const std::string& resource) {
  const auto arn = aws::Arn::parse(resource);
  if (!arn || !arn->resource.starts_with("function:"))
    throw aws::Error("ResourceNotFoundException", "The resource you requested does not exist.", 404);
  return resolve_function(operation, caller, resource);
}

}  // namespace

void check_tags(const TextMap& tags) {
  if (tags.size() > kMaxTags) throw invalid_parameter("Number of tags exceeds resource tag limit.");
}

base::Task<NoOutput> tag_resource(Lambda& lambda, aws::Caller caller, TagResourceInput in) {
  if (in.Tags.empty()) throw invalid_parameter("An error occurred and the request cannot be processed.");
  const auto name = tagged_function(NamedBy::tag, caller, in.Resource);
  const auto add = [&in](store::FunctionVersion& function) {
    for (const auto& [key, value] : in.Tags) function.tags[key] = value;
    check_tags(function.tags);
  };
  auto task = lambda.amend(name, add);
  co_await std::move(task);
  co_return NoOutput{};
}

std::string tag_resource_resource(const aws::Caller& caller, const TagResourceInput& in) {
  return tagged_function(NamedBy::tag, caller, in.Resource).arn();
}

base::Task<NoOutput> untag_resource(Lambda& lambda, aws::Caller caller, UntagResourceInput in) {
  const auto name = tagged_function(NamedBy::untag, caller, in.Resource);
  const auto take = [&in](store::FunctionVersion& function) {
    for (const auto& key : in.TagKeys) function.tags.erase(key);
  };
  auto task = lambda.amend(name, take);
  co_await std::move(task);
  co_return NoOutput{};
}

std::string untag_resource_resource(const aws::Caller& caller, const UntagResourceInput& in) {
  return tagged_function(NamedBy::untag, caller, in.Resource).arn();
}

base::Task<ListTagsOutput> list_tags(Lambda& lambda, aws::Caller caller, ListTagsInput in) {
  const auto name = tagged_function(NamedBy::list_tags, caller, in.Resource);
  co_return ListTagsOutput{lambda.existing(name)->tags};
}

std::string list_tags_resource(const aws::Caller& caller, const ListTagsInput& in) {
  return tagged_function(NamedBy::list_tags, caller, in.Resource).arn();
}

}  // namespace lambent::lambda
