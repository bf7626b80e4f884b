// Event source mappings as resources. Nothing polls yet: a mapping is made and kept Disabled, and one that is to be enabled is
// refused by the name of its source.
#include <algorithm>
#include <boost/json.hpp>

#include "aws/plain_json.h"
#include "base/ids.h"
#include "services/lambda/errors.h"
#include "services/lambda/mapping_source.h"
#include "services/lambda/operations.h"
#include "services/lambda/paging.h"
#include "services/lambda/request_keys.h"
#include "services/lambda/validation.h"

namespace lambent::lambda {
namespace {

/// "ListEventSourceMappings returns a maximum of 100 items in each response".
constexpr std::int32_t kMappingPage = 100;

aws::Error no_mapping() { return {"ResourceNotFoundException", "The resource you requested does not exist.", 404}; }

std::string mapping_arn(const aws::Caller& caller, std::string_view uuid) {
  return fmt::format("arn:aws:lambda:{}:{}:event-source-mapping:{}", caller.region, caller.account, uuid);
}

store::EventSourceMappingSnapshot existing(Lambda& lambda, const aws::Caller& caller, const std::string& uuid) {
  auto mapping = lambda.mappings().find(caller.account, caller.region, uuid);
  if (!mapping) throw no_mapping();
  return mapping;
}

/// AWS's word for a function that is missing here is another than elsewhere.
FunctionName mapped_function(const Lambda& lambda, NamedBy operation, const aws::Caller& caller,
                             const std::string& text) {
  const auto name = resolve_function(operation, caller, text);
  const auto& functions = lambda.parts().functions;
  const bool found = name.qualifier.empty() ? functions.find(name.key) != nullptr
                                            : functions.alias(name.key, name.qualifier) != nullptr ||
                                                  functions.find(name.key, name.qualifier) != nullptr;
  if (!found) throw invalid_parameter("Function does not exist");
  if (lambda.target(name)->per_tenant) throw without_tenant("Event source mappings are");
  return name;
}

void refuse_enabling(const SourceKind& kind) {
  throw invalid_parameter(
      fmt::format("Enabled: polling {} is not supported by this version of Lambent; a mapping can be "
                  "made with Enabled=false",
                  kind.name));
}

MappingOutput shown(const store::EventSourceMapping& mapping) {
  MappingOutput out;
  static_cast<MappingSettings&>(out) = aws::from_plain_json<MappingSettings>(mapping.settings);
  const auto& kind = source_kind(out);
  // Filters that were given empty are not shown.
  if (out.FilterCriteria && (!out.FilterCriteria->Filters || out.FilterCriteria->Filters->empty()))
    out.FilterCriteria.reset();
  if (out.ScalingConfig && !out.ScalingConfig->MaximumConcurrency) out.ScalingConfig.reset();
  out.UUID = mapping.uuid;
  out.FunctionArn = mapping.function_arn();
  out.EventSourceMappingArn = fmt::format("arn:aws:lambda:{}:{}:event-source-mapping:{}", mapping.function.region,
                                          mapping.function.account, mapping.uuid);
  out.LastModified = aws::Timestamp{mapping.modified_ms};
  if (kind.has_result) out.LastProcessingResult = "No records processed";
  out.State = mapping.state;
  out.StateTransitionReason = kind.user_initiated ? "USER_INITIATED" : "User action";
  return out;
}

/// AWS has one mapping for a function and a source (and a topic).
void refuse_duplicate(Lambda& lambda, const store::EventSourceMapping& mapping, const MappingSettings& settings) {
  const auto same = [&](const store::EventSourceMapping& other) {
    return other.uuid != mapping.uuid && other.source == mapping.source && other.function == mapping.function &&
           other.qualifier == mapping.qualifier &&
           aws::from_plain_json<MappingSettings>(other.settings).Topics == settings.Topics;
  };
  const auto found = lambda.mappings().list(mapping.function.account, mapping.function.region, "", same, 1);
  if (found.empty()) return;
  const auto& kind = source_kind(settings);
  if (settings.SelfManagedEventSource)
    throw conflict(
        fmt::format("An event source mapping with event source (\"{}\"), function (\"{}\"), topics (\"{}\") already "
                    "exists. Please update or delete the existing mapping with UUID {}",
                    mapping.source, mapping.function_arn(), settings.Topics->front(), found.front()->uuid));
  if (kind.has_scaling)
    throw conflict(
        fmt::format("An event source mapping with SQS arn (\" {} \") and function (\" {} \") already exists. "
                    "Please update or delete the existing mapping with UUID {}",
                    mapping.source, mapping.function.name, found.front()->uuid));
  throw conflict(
      fmt::format("The event source arn (\" {} \") and function (\" {} \") provided mapping already exists. Please "
                  "update or delete the existing mapping with UUID {}",
                  mapping.source, mapping.function.name, found.front()->uuid));
}

}  // namespace

base::Task<MappingOutput> create_mapping(Lambda& lambda, aws::Caller caller, CreateMappingInput in) {
  MappingSettings settings = in;
  const auto& kind = source_kind(settings);
  const auto now_ms = lambda.parts().clock.now_ms();
  check_new_mapping(kind, settings, now_ms);
  check_mapping(kind, settings);
  const auto name = mapped_function(lambda, NamedBy::map_source, caller, in.FunctionName);
  if (in.KMSKeyArn && !in.KMSKeyArn->empty()) throw unsupported("KMSKeyArn", "a key of the customer's");
  if (in.Tags) check_tags(*in.Tags);
  if (in.Enabled.value_or(true)) refuse_enabling(kind);
  add_defaults(kind, settings);
  store::EventSourceMapping mapping;
  mapping.uuid = base::uuid();
  mapping.function = name.key;
  mapping.qualifier = name.qualifier;
  mapping.source = source_of(settings);
  mapping.state = "Disabled";
  mapping.settings = aws::plain_json(settings);
  if (in.Tags) mapping.tags = aws::plain_json(*in.Tags);
  mapping.modified_ms = now_ms;
  refuse_duplicate(lambda, mapping, settings);
  auto out = shown(mapping);
  auto task = lambda.mappings().create(std::move(mapping));
  co_await std::move(task);
  co_return out;
}

std::string create_mapping_resource(const aws::Caller&, const CreateMappingInput&) { return "*"; }

base::Task<MappingOutput> get_mapping(Lambda& lambda, aws::Caller caller, MappingInput in) {
  co_return shown(*existing(lambda, caller, in.UUID));
}

std::string get_mapping_resource(const aws::Caller& caller, const MappingInput& in) {
  return mapping_arn(caller, in.UUID);
}

base::Task<MappingOutput> update_mapping(Lambda& lambda, aws::Caller caller, UpdateMappingInput in) {
  // The pipeline has asked for the function that the mapping has; who gives it another must be allowed for that one too.
  if (in.FunctionName && lambda.parts().require)
    lambda.parts().require(caller, "lambda:UpdateEventSourceMapping", mapping_arn(caller, in.UUID),
                           mapping_keys_with(caller, *in.FunctionName));
  // Whoever is faster has changed the mapping: each further round begins with their work, so this ends.
  const auto judged = existing(lambda, caller, in.UUID);
  for (;;) {
    const auto before = existing(lambda, caller, in.UUID);
    if (before->function_arn() != judged->function_arn())
      throw conflict("The event source mapping was given another function meanwhile. Please retry.");
    auto mapping = *before;
    auto settings = aws::from_plain_json<MappingSettings>(mapping.settings);
    const auto& kind = source_kind(settings);
    check_changes(kind, in);
    apply_changes(kind, in, settings);
    check_mapping(kind, settings);
    if (in.KMSKeyArn && !in.KMSKeyArn->empty()) throw unsupported("KMSKeyArn", "a key of the customer's");
    if (in.FunctionName) {
      const auto name = mapped_function(lambda, NamedBy::update_mapping, caller, *in.FunctionName);
      mapping.function = name.key;
      mapping.qualifier = name.qualifier;
      refuse_duplicate(lambda, mapping, settings);
    }
    if (in.Enabled.value_or(false)) refuse_enabling(kind);
    mapping.settings = aws::plain_json(settings);
    mapping.modified_ms = lambda.parts().clock.now_ms();
    ++mapping.revision;
    auto out = shown(mapping);
    out.State = "Updating";
    auto task = lambda.mappings().replace(std::move(mapping));
    const bool stored = co_await std::move(task);
    if (stored) co_return out;
  }
}

std::string update_mapping_resource(const aws::Caller& caller, const UpdateMappingInput& in) {
  return mapping_arn(caller, in.UUID);
}

base::Task<MappingOutput> delete_mapping(Lambda& lambda, aws::Caller caller, MappingInput in) {
  auto out = shown(*existing(lambda, caller, in.UUID));
  const bool removed = co_await lambda.mappings().remove(in.UUID);
  if (!removed) throw no_mapping();
  out.State = "Deleting";
  co_return out;
}

std::string delete_mapping_resource(const aws::Caller& caller, const MappingInput& in) {
  return mapping_arn(caller, in.UUID);
}

base::Task<ListMappingsOutput> list_mappings(Lambda& lambda, aws::Caller caller, ListMappingsInput in) {
  const auto after = item_of_marker("ListEventSourceMappings", in.Marker);
  const auto page = static_cast<std::size_t>(std::min(in.MaxItems.value_or(kMappingPage), kMappingPage));
  std::optional<FunctionName> function;
  if (in.FunctionName) function = resolve_function(NamedBy::list_mappings, caller, *in.FunctionName);
  const auto passes = [&](const store::EventSourceMapping& mapping) {
    if (in.EventSourceArn && mapping.source != *in.EventSourceArn) return false;
    return !function || (mapping.function == function->key && mapping.qualifier == function->qualifier);
  };
  ListMappingsOutput out;
  auto mappings = lambda.mappings().list(caller.account, caller.region, after, passes, page + 1);
  if (cut_page(mappings, page)) out.NextMarker = marker_after(mappings.back()->uuid);
  for (const auto& mapping : mappings) out.EventSourceMappings.push_back(shown(*mapping));
  co_return out;
}

std::string list_mappings_resource(const aws::Caller&, const ListMappingsInput&) { return "*"; }

}  // namespace lambent::lambda
