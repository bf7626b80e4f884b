// The operations on functions. Each handler throws aws::Error for a refusal; each *_resource names what is authorized.
#pragma once

#include <string>

#include "aws/caller.h"
#include "base/task.h"
#include "services/lambda/lambda.h"
#include "services/lambda/layer_shapes.h"
#include "services/lambda/mapping_shapes.h"
#include "services/lambda/permission_shapes.h"
#include "services/lambda/shapes.h"
#include "services/lambda/tag_shapes.h"
#include "services/lambda/url_shapes.h"
#include "services/lambda/version_shapes.h"

namespace lambent::lambda {

// create_function.cc
base::Task<FunctionConfiguration> create_function(Lambda& lambda, aws::Caller caller, CreateFunctionInput in);
std::string create_function_resource(const aws::Caller& caller, const CreateFunctionInput& in);

// update_function.cc
base::Task<FunctionConfiguration> update_function_code(Lambda& lambda, aws::Caller caller, UpdateFunctionCodeInput in);
std::string update_function_code_resource(const aws::Caller& caller, const UpdateFunctionCodeInput& in);
base::Task<FunctionConfiguration> update_function_configuration(Lambda& lambda, aws::Caller caller,
                                                                UpdateFunctionConfigurationInput in);
std::string update_function_configuration_resource(const aws::Caller& caller,
                                                   const UpdateFunctionConfigurationInput& in);

// get_function.cc
base::Task<GetFunctionOutput> get_function(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in);
std::string get_function_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);
base::Task<FunctionConfiguration> get_function_configuration(Lambda& lambda, aws::Caller caller,
                                                             QualifiedFunctionInput in);
std::string get_function_configuration_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);
base::Task<ListFunctionsOutput> list_functions(Lambda& lambda, aws::Caller caller, ListFunctionsInput in);
std::string list_functions_resource(const aws::Caller& caller, const ListFunctionsInput& in);

// delete_function.cc
base::Task<DeleteFunctionOutput> delete_function(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in);
std::string delete_function_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);

// publish_version.cc
base::Task<FunctionConfiguration> publish_version(Lambda& lambda, aws::Caller caller, PublishVersionInput in);
std::string publish_version_resource(const aws::Caller& caller, const PublishVersionInput& in);
base::Task<ListVersionsOutput> list_versions(Lambda& lambda, aws::Caller caller, ListVersionsInput in);
std::string list_versions_resource(const aws::Caller& caller, const ListVersionsInput& in);

// alias.cc
base::Task<AliasConfiguration> create_alias(Lambda& lambda, aws::Caller caller, CreateAliasInput in);
std::string create_alias_resource(const aws::Caller& caller, const CreateAliasInput& in);
base::Task<AliasConfiguration> get_alias(Lambda& lambda, aws::Caller caller, AliasInput in);
std::string get_alias_resource(const aws::Caller& caller, const AliasInput& in);
base::Task<AliasConfiguration> update_alias(Lambda& lambda, aws::Caller caller, UpdateAliasInput in);
std::string update_alias_resource(const aws::Caller& caller, const UpdateAliasInput& in);
base::Task<NoOutput> delete_alias(Lambda& lambda, aws::Caller caller, AliasInput in);
std::string delete_alias_resource(const aws::Caller& caller, const AliasInput& in);
base::Task<ListAliasesOutput> list_aliases(Lambda& lambda, aws::Caller caller, ListAliasesInput in);
std::string list_aliases_resource(const aws::Caller& caller, const ListAliasesInput& in);

// tags.cc
base::Task<NoOutput> tag_resource(Lambda& lambda, aws::Caller caller, TagResourceInput in);
std::string tag_resource_resource(const aws::Caller& caller, const TagResourceInput& in);
base::Task<NoOutput> untag_resource(Lambda& lambda, aws::Caller caller, UntagResourceInput in);
std::string untag_resource_resource(const aws::Caller& caller, const UntagResourceInput& in);
base::Task<ListTagsOutput> list_tags(Lambda& lambda, aws::Caller caller, ListTagsInput in);
std::string list_tags_resource(const aws::Caller& caller, const ListTagsInput& in);

// account_settings.cc
base::Task<GetAccountSettingsOutput> get_account_settings(Lambda& lambda, aws::Caller caller,
                                                          GetAccountSettingsInput in);
std::string get_account_settings_resource(const aws::Caller& caller, const GetAccountSettingsInput& in);

// permissions.cc
base::Task<AddPermissionOutput> add_permission(Lambda& lambda, aws::Caller caller, AddPermissionInput in);
std::string add_permission_resource(const aws::Caller& caller, const AddPermissionInput& in);
base::Task<NoOutput> remove_permission(Lambda& lambda, aws::Caller caller, RemovePermissionInput in);
std::string remove_permission_resource(const aws::Caller& caller, const RemovePermissionInput& in);
base::Task<PolicyOutput> get_policy(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in);
std::string get_policy_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);
base::Task<PolicyOutput> put_resource_policy(Lambda& lambda, aws::Caller caller, PutResourcePolicyInput in);
std::string put_resource_policy_resource(const aws::Caller& caller, const PutResourcePolicyInput& in);
base::Task<PolicyOutput> get_resource_policy(Lambda& lambda, aws::Caller caller, GetResourcePolicyInput in);
std::string get_resource_policy_resource(const aws::Caller& caller, const GetResourcePolicyInput& in);
base::Task<NoOutput> delete_resource_policy(Lambda& lambda, aws::Caller caller, DeleteResourcePolicyInput in);
std::string delete_resource_policy_resource(const aws::Caller& caller, const DeleteResourcePolicyInput& in);
/// The policy of what a name says, to be weighed with the caller's; empty when there is none.
std::string policy_of(Lambda& lambda, const FunctionName& name);

// layers.cc
base::Task<LayerVersionOutput> publish_layer_version(Lambda& lambda, aws::Caller caller, PublishLayerVersionInput in);
std::string publish_layer_version_resource(const aws::Caller& caller, const PublishLayerVersionInput& in);
base::Task<LayerVersionOutput> get_layer_version(Lambda& lambda, aws::Caller caller, LayerVersionInput in);
std::string get_layer_version_resource(const aws::Caller& caller, const LayerVersionInput& in);
std::string get_layer_version_policy_of(Lambda& lambda, const aws::Caller& caller, const LayerVersionInput& in);
base::Task<LayerVersionOutput> get_layer_version_by_arn(Lambda& lambda, aws::Caller caller,
                                                        GetLayerVersionByArnInput in);
std::string get_layer_version_by_arn_resource(const aws::Caller& caller, const GetLayerVersionByArnInput& in);
std::string layer_policy_by_arn(Lambda& lambda, const aws::Caller& caller, const GetLayerVersionByArnInput& in);
base::Task<ListLayersOutput> list_layers(Lambda& lambda, aws::Caller caller, ListLayersInput in);
std::string list_layers_resource(const aws::Caller& caller, const ListLayersInput& in);
base::Task<ListLayerVersionsOutput> list_layer_versions(Lambda& lambda, aws::Caller caller, ListLayerVersionsInput in);
std::string list_layer_versions_resource(const aws::Caller& caller, const ListLayerVersionsInput& in);
base::Task<NoOutput> delete_layer_version(Lambda& lambda, aws::Caller caller, LayerVersionInput in);
std::string delete_layer_version_resource(const aws::Caller& caller, const LayerVersionInput& in);

// layer_permissions.cc
base::Task<AddLayerPermissionOutput> add_layer_permission(Lambda& lambda, aws::Caller caller,
                                                          AddLayerPermissionInput in);
std::string add_layer_permission_resource(const aws::Caller& caller, const AddLayerPermissionInput& in);
base::Task<NoOutput> remove_layer_permission(Lambda& lambda, aws::Caller caller, RemoveLayerPermissionInput in);
std::string remove_layer_permission_resource(const aws::Caller& caller, const RemoveLayerPermissionInput& in);
base::Task<PolicyOutput> get_layer_policy(Lambda& lambda, aws::Caller caller, LayerVersionInput in);
std::string get_layer_policy_resource(const aws::Caller& caller, const LayerVersionInput& in);

// function_url_config.cc
base::Task<FunctionUrlOutput> create_function_url(Lambda& lambda, aws::Caller caller, CreateFunctionUrlInput in);
std::string create_function_url_resource(const aws::Caller& caller, const CreateFunctionUrlInput& in);
base::Task<FunctionUrlConfig> get_function_url(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in);
std::string get_function_url_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);
base::Task<FunctionUrlConfig> update_function_url(Lambda& lambda, aws::Caller caller, UpdateFunctionUrlInput in);
std::string update_function_url_resource(const aws::Caller& caller, const UpdateFunctionUrlInput& in);
base::Task<NoOutput> delete_function_url(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in);
std::string delete_function_url_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);
base::Task<ListFunctionUrlsOutput> list_function_urls(Lambda& lambda, aws::Caller caller, ListFunctionUrlsInput in);
std::string list_function_urls_resource(const aws::Caller& caller, const ListFunctionUrlsInput& in);

// runtime_management.cc
base::Task<RuntimeManagementOutput> get_runtime_management(Lambda& lambda, aws::Caller caller,
                                                           QualifiedFunctionInput in);
std::string get_runtime_management_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);
base::Task<RuntimeManagementOutput> put_runtime_management(Lambda& lambda, aws::Caller caller,
                                                           PutRuntimeManagementInput in);
std::string put_runtime_management_resource(const aws::Caller& caller, const PutRuntimeManagementInput& in);

// event_source_mapping.cc
base::Task<MappingOutput> create_mapping(Lambda& lambda, aws::Caller caller, CreateMappingInput in);
std::string create_mapping_resource(const aws::Caller& caller, const CreateMappingInput& in);
base::Task<MappingOutput> get_mapping(Lambda& lambda, aws::Caller caller, MappingInput in);
std::string get_mapping_resource(const aws::Caller& caller, const MappingInput& in);
base::Task<MappingOutput> update_mapping(Lambda& lambda, aws::Caller caller, UpdateMappingInput in);
std::string update_mapping_resource(const aws::Caller& caller, const UpdateMappingInput& in);
base::Task<MappingOutput> delete_mapping(Lambda& lambda, aws::Caller caller, MappingInput in);
std::string delete_mapping_resource(const aws::Caller& caller, const MappingInput& in);
base::Task<ListMappingsOutput> list_mappings(Lambda& lambda, aws::Caller caller, ListMappingsInput in);
std::string list_mappings_resource(const aws::Caller& caller, const ListMappingsInput& in);

// invoke_function.cc
base::Task<InvokeOutput> invoke_function(Lambda& lambda, aws::Caller caller, InvokeInput in);
std::string invoke_function_resource(const aws::Caller& caller, const InvokeInput& in);

// invoke_with_response_stream.cc
base::Task<InvokeWithResponseStreamOutput> invoke_with_response_stream(Lambda& lambda, aws::Caller caller,
                                                                       InvokeWithResponseStreamInput in);
std::string invoke_with_response_stream_resource(const aws::Caller& caller, const InvokeWithResponseStreamInput& in);

/// What a new function and a changed one have in common: checks `in` and puts what it names into `function`.
void apply_settings(const Lambda& lambda, const aws::Caller& caller, const FunctionSettings& in,
                    store::FunctionVersion& function);

}  // namespace lambent::lambda
