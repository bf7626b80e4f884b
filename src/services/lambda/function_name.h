// How a request names a function: bare name, "ACCOUNT:function:NAME", "REGION:ACCOUNT:function:NAME" or the full ARN, each with
// or without a qualifier, which may also come beside the name.
//
// What each operation makes of each form is decided by the table in function_name.cc and nowhere else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/caller.h"
#include "store/functions.h"

namespace lambent::lambda {

struct FunctionName {
  store::FunctionKey key;
  /// As given, in the name or beside it; empty when there was none.
  std::string qualifier;

  std::string unqualified_arn() const;
  /// With the qualifier when one was given: what is authorized, and what "Function not found" says.
  std::string arn() const;
};

enum class NamedBy {
  create,
  update_code,
  update_configuration,
  remove,
  get,
  get_configuration,
  invoke,
  publish_version,
  list_versions,
  create_alias,
  get_alias,
  update_alias,
  remove_alias,
  list_aliases,
  put_event_config,
  update_event_config,
  get_event_config,
  remove_event_config,
  list_event_configs,
  put_concurrency,
  get_concurrency,
  remove_concurrency,
  put_provisioned,
  get_provisioned,
  remove_provisioned,
  list_provisioned,
  put_recursion,
  get_recursion,
  tag,
  untag,
  list_tags,
  add_permission,
  remove_permission,
  get_policy,
  put_resource_policy,
  get_resource_policy,
  delete_resource_policy,
  create_url,
  get_url,
  update_url,
  remove_url,
  list_urls,
  get_runtime_management,
  put_runtime_management,
  map_source,
  update_mapping,
  list_mappings,
  put_code_signing,
  get_code_signing,
  remove_code_signing,
};

/// Throws aws::Error for a name of another account or region, a qualifier that the operation does not take, and two qualifiers that
/// differ. The codec has checked `name` and `qualifier` against the model's patterns.
FunctionName resolve_function(NamedBy operation, const aws::Caller& caller, std::string_view name,
                              const std::optional<std::string>& qualifier = std::nullopt);

}  // namespace lambent::lambda
