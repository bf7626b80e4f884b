#include "services/lambda/service.h"

#include "services/lambda/async_operations.h"
#include "services/lambda/code_signing_operations.h"
#include "services/lambda/operations.h"
#include "services/lambda/request_keys.h"

namespace lambent::lambda {
namespace {

/// "InvokeAsync: 256 KB", and what its body may be at most before that is said.
constexpr std::size_t kMaxInvokeAsyncBody = 262'144;
/// AWS's quotas "Invocation payload" (synchronous) and, as its refusal words it, "Request must be smaller than 69905067 bytes
/// for the CreateFunction operation": 50 MB in base64.
constexpr std::size_t kMaxInvokeBody = 6'291'456;
constexpr std::size_t kMaxCodeBody = 69'905'067;

void add_asynchronous(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(operation("InvokeAsync", invoke_async, invoke_async_resource).with_body_up_to(kMaxInvokeAsyncBody));
  rows.push_back(operation("PutFunctionEventInvokeConfig", put_event_invoke_config, put_event_invoke_config_resource));
  rows.push_back(
      operation("UpdateFunctionEventInvokeConfig", update_event_invoke_config, update_event_invoke_config_resource));
  rows.push_back(operation("GetFunctionEventInvokeConfig", get_event_invoke_config, get_event_invoke_config_resource));
  rows.push_back(
      operation("DeleteFunctionEventInvokeConfig", delete_event_invoke_config, delete_event_invoke_config_resource));
  rows.push_back(
      operation("ListFunctionEventInvokeConfigs", list_event_invoke_configs, list_event_invoke_configs_resource));
  rows.push_back(
      operation("PutProvisionedConcurrencyConfig", put_provisioned_concurrency, put_provisioned_concurrency_resource));
  rows.push_back(
      operation("GetProvisionedConcurrencyConfig", get_provisioned_concurrency, get_provisioned_concurrency_resource));
  rows.push_back(operation("ListProvisionedConcurrencyConfigs", list_provisioned_concurrency,
                           list_provisioned_concurrency_resource));
  rows.push_back(operation("DeleteProvisionedConcurrencyConfig", delete_provisioned_concurrency,
                           delete_provisioned_concurrency_resource));
  rows.push_back(operation("PutFunctionConcurrency", put_function_concurrency, put_function_concurrency_resource));
  rows.push_back(operation("GetFunctionConcurrency", get_function_concurrency, get_function_concurrency_resource));
  rows.push_back(
      operation("DeleteFunctionConcurrency", delete_function_concurrency, delete_function_concurrency_resource));
  rows.push_back(
      operation("PutFunctionRecursionConfig", put_function_recursion_config, put_function_recursion_config_resource));
  rows.push_back(
      operation("GetFunctionRecursionConfig", get_function_recursion_config, get_function_recursion_config_resource));
}

std::string get_policy_of(Lambda& lambda, const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return policy_of(lambda, resolve_function(NamedBy::get, caller, in.FunctionName, in.Qualifier));
}

template <class In>
std::string invoke_policy_of(Lambda& lambda, const aws::Caller& caller, const In& in) {
  return policy_of(lambda, resolve_function(NamedBy::invoke, caller, in.FunctionName, in.Qualifier));
}

void add_functions(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(operation("CreateFunction", create_function, create_function_resource)
                     .with_keys(create_function_keys)
                     .with_body_up_to(kMaxCodeBody));
  rows.push_back(operation("GetFunction", get_function, get_function_resource).weighing(get_policy_of));
  rows.push_back(operation("GetFunctionConfiguration", get_function_configuration, get_function_configuration_resource)
                     .weighing(get_policy_of));
  rows.push_back(operation("ListFunctions", list_functions, list_functions_resource));
  rows.push_back(operation("UpdateFunctionCode", update_function_code, update_function_code_resource)
                     .with_body_up_to(kMaxCodeBody));
  rows.push_back(
      operation("UpdateFunctionConfiguration", update_function_configuration, update_function_configuration_resource)
          .with_keys(update_function_keys));
  rows.push_back(operation("DeleteFunction", delete_function, delete_function_resource));
}

void add_versions(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(operation("PublishVersion", publish_version, publish_version_resource));
  rows.push_back(operation("ListVersionsByFunction", list_versions, list_versions_resource));
  rows.push_back(operation("CreateAlias", create_alias, create_alias_resource));
  rows.push_back(operation("GetAlias", get_alias, get_alias_resource));
  rows.push_back(operation("UpdateAlias", update_alias, update_alias_resource));
  rows.push_back(operation("DeleteAlias", delete_alias, delete_alias_resource));
  rows.push_back(operation("ListAliases", list_aliases, list_aliases_resource));
}

/// And tags and account settings.
void add_permissions(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(operation("TagResource", tag_resource, tag_resource_resource).with_keys(tag_keys));
  rows.push_back(operation("UntagResource", untag_resource, untag_resource_resource).with_keys(untag_keys));
  rows.push_back(operation("ListTags", list_tags, list_tags_resource));
  rows.push_back(operation("GetAccountSettings", get_account_settings, get_account_settings_resource));
  rows.push_back(operation("AddPermission", add_permission, add_permission_resource).with_keys(add_permission_keys));
  rows.push_back(operation("RemovePermission", remove_permission, remove_permission_resource));
  rows.push_back(operation("GetPolicy", get_policy, get_policy_resource));
  rows.push_back(operation("PutResourcePolicy", put_resource_policy, put_resource_policy_resource));
  rows.push_back(operation("GetResourcePolicy", get_resource_policy, get_resource_policy_resource));
  rows.push_back(operation("DeleteResourcePolicy", delete_resource_policy, delete_resource_policy_resource));
}

void add_layers(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(operation("PublishLayerVersion", publish_layer_version, publish_layer_version_resource)
                     .with_body_up_to(kMaxCodeBody));
  rows.push_back(operation("PublishLayer", publish_layer_version, publish_layer_version_resource)
                     .as_action("PublishLayerVersion")
                     .with_body_up_to(kMaxCodeBody));
  rows.push_back(operation("GetLayerVersion", get_layer_version, get_layer_version_resource)
                     .weighing(get_layer_version_policy_of));
  rows.push_back(operation("GetLayerVersionByArn", get_layer_version_by_arn, get_layer_version_by_arn_resource)
                     .as_action("GetLayerVersion")
                     .weighing(layer_policy_by_arn));
  rows.push_back(operation("ListLayers", list_layers, list_layers_resource));
  rows.push_back(operation("ListLayerVersions", list_layer_versions, list_layer_versions_resource));
  rows.push_back(operation("DeleteLayerVersion", delete_layer_version, delete_layer_version_resource));
  rows.push_back(operation("AddLayerVersionPermission", add_layer_permission, add_layer_permission_resource));
  rows.push_back(operation("RemoveLayerVersionPermission", remove_layer_permission, remove_layer_permission_resource));
  rows.push_back(operation("GetLayerVersionPolicy", get_layer_policy, get_layer_policy_resource));
}

/// And runtime management.
void add_urls(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(operation("CreateFunctionUrlConfig", create_function_url, create_function_url_resource)
                     .with_keys(create_url_keys));
  rows.push_back(
      operation("GetFunctionUrlConfig", get_function_url, get_function_url_resource).with_keys(get_url_keys));
  rows.push_back(operation("UpdateFunctionUrlConfig", update_function_url, update_function_url_resource)
                     .with_keys(update_url_keys));
  rows.push_back(operation("DeleteFunctionUrlConfig", delete_function_url, delete_function_url_resource)
                     .with_keys(remove_url_keys));
  rows.push_back(operation("ListFunctionUrlConfigs", list_function_urls, list_function_urls_resource));
  rows.push_back(operation("GetRuntimeManagementConfig", get_runtime_management, get_runtime_management_resource));
  rows.push_back(operation("PutRuntimeManagementConfig", put_runtime_management, put_runtime_management_resource));
}

void add_mappings(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(
      operation("CreateEventSourceMapping", create_mapping, create_mapping_resource).with_keys(create_mapping_keys));
  rows.push_back(operation("GetEventSourceMapping", get_mapping, get_mapping_resource).with_keys(mapping_keys));
  rows.push_back(
      operation("UpdateEventSourceMapping", update_mapping, update_mapping_resource).with_keys(updated_mapping_keys));
  rows.push_back(
      operation("DeleteEventSourceMapping", delete_mapping, delete_mapping_resource).with_keys(mapping_keys));
  rows.push_back(operation("ListEventSourceMappings", list_mappings, list_mappings_resource));
}

void add_code_signing(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(operation("CreateCodeSigningConfig", create_code_signing_config, create_code_signing_config_resource)
                     .with_keys(create_code_signing_config_keys));
  rows.push_back(operation("GetCodeSigningConfig", get_code_signing_config, get_code_signing_config_resource));
  rows.push_back(operation("UpdateCodeSigningConfig", update_code_signing_config, update_code_signing_config_resource));
  rows.push_back(operation("DeleteCodeSigningConfig", delete_code_signing_config, delete_code_signing_config_resource));
  rows.push_back(operation("ListCodeSigningConfigs", list_code_signing_configs, list_code_signing_configs_resource));
  rows.push_back(operation("ListFunctionsByCodeSigningConfig", list_functions_by_code_signing_config,
                           list_functions_by_code_signing_config_resource));
  rows.push_back(operation("PutFunctionCodeSigningConfig", put_function_code_signing_config,
                           put_function_code_signing_config_resource)
                     .with_keys(put_code_signing_config_keys));
  rows.push_back(operation("GetFunctionCodeSigningConfig", get_function_code_signing_config,
                           get_function_code_signing_config_resource));
  rows.push_back(operation("DeleteFunctionCodeSigningConfig", delete_function_code_signing_config,
                           delete_function_code_signing_config_resource));
}

void add_invocations(std::vector<aws::Row>& rows) {
  using aws::operation;
  rows.push_back(operation("Invoke", invoke_function, invoke_function_resource)
                     .as_action("InvokeFunction")
                     .weighing(invoke_policy_of<InvokeInput>)
                     .with_body_up_to(kMaxInvokeBody));
  rows.push_back(
      operation("InvokeWithResponseStream", invoke_with_response_stream, invoke_with_response_stream_resource)
          .as_action("InvokeFunction")
          .weighing(invoke_policy_of<InvokeWithResponseStreamInput>)
          .with_body_up_to(kMaxInvokeBody));
}

}  // namespace

aws::Service lambda_service(Lambda& lambda) {
  std::vector<aws::Row> rows;
  add_functions(rows);
  add_versions(rows);
  add_permissions(rows);
  add_layers(rows);
  add_urls(rows);
  add_mappings(rows);
  add_code_signing(rows);
  add_invocations(rows);
  add_asynchronous(rows);
  return aws::service("lambda", lambda, std::move(rows));
}

}  // namespace lambent::lambda
