#include "app/resource_tags.h"

#include <boost/json.hpp>

#include "aws/arn.h"

namespace lambent::app {
namespace {

auth::Tags tags_of_function(const store::Functions& functions, const aws::Arn& arn, std::string_view name) {
  const auto function = functions.find({arn.account, arn.region, std::string(name.substr(0, name.find(':')))});
  if (!function) return {};
  return {function->tags.begin(), function->tags.end()};
}

auth::Tags tags_of_mapping(const store::EventSourceMappings& mappings, const aws::Arn& arn, std::string_view uuid) {
  auth::Tags tags;
  const auto mapping = mappings.find(arn.account, arn.region, uuid);
  if (!mapping) return tags;
  boost::system::error_code error;
  const auto stored = boost::json::parse(mapping->tags, error);
  if (const auto* object = error ? nullptr : stored.if_object())
    for (const auto& [key, value] : *object)
      if (const auto* text = value.if_string()) tags.emplace(std::string(key), std::string(std::string_view(*text)));
  return tags;
}

auth::Tags tags_of_config(const store::CodeSigningConfigs& configs, const aws::Arn& arn, std::string_view id) {
  const auto config = configs.find(arn.account, arn.region, id);
  if (!config) return {};
  return {config->tags.begin(), config->tags.end()};
}

/// "NAME", "NAME:*" or "NAME:log-stream:STREAM": names have no colons.
auth::Tags tags_of_group(const store::LogGroups& groups, const aws::Arn& arn, std::string_view named) {
  const auto group = groups.find({arn.account, arn.region, std::string(named.substr(0, named.find(':')))});
  if (!group) return {};
  return {group->tags.begin(), group->tags.end()};
}

/// What follows the kind, when the resource is of that kind.
std::optional<std::string_view> after(std::string_view kind, std::string_view resource) {
  if (!resource.starts_with(kind)) return std::nullopt;
  return resource.substr(kind.size());
}

}  // namespace

auth::Tags resource_tags(const TaggedResources& resources, std::string_view text) {
  const auto arn = aws::Arn::parse(text);
  if (!arn) return {};
  if (arn->service == "logs") {
    if (const auto group = after("log-group:", arn->resource)) return tags_of_group(resources.log_groups, *arn, *group);
  } else if (arn->service == "lambda") {
    if (const auto name = after("function:", arn->resource)) return tags_of_function(resources.functions, *arn, *name);
    if (const auto uuid = after("event-source-mapping:", arn->resource))
      return tags_of_mapping(resources.mappings, *arn, *uuid);
    if (const auto id = after("code-signing-config:", arn->resource))
      return tags_of_config(resources.code_signing, *arn, *id);
  }
  return {};
}

}  // namespace lambent::app
