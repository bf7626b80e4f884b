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

}  // namespace

auth::TagsOf resource_tags(const store::Functions& functions, const store::EventSourceMappings& mappings) {
  return [&functions, &mappings](std::string_view text) -> auth::Tags {
    constexpr std::string_view kFunction = "function:", kMapping = "event-source-mapping:";
    const auto arn = aws::Arn::parse(text);
    if (!arn || arn->service != "lambda") return {};
    const std::string_view named = arn->resource;
    if (named.starts_with(kFunction)) return tags_of_function(functions, *arn, named.substr(kFunction.size()));
    if (named.starts_with(kMapping)) return tags_of_mapping(mappings, *arn, named.substr(kMapping.size()));
    return {};
  };
}

}  // namespace lambent::app
