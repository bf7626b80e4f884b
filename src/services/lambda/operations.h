// The operations on functions. Each handler throws aws::Error for a refusal; each *_resource names what is authorized.
#pragma once

#include <string>

#include "aws/caller.h"
#include "base/task.h"
#include "services/lambda/lambda.h"
#include "services/lambda/shapes.h"
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

// invoke_function.cc
base::Task<InvokeOutput> invoke_function(Lambda& lambda, aws::Caller caller, InvokeInput in);
std::string invoke_function_resource(const aws::Caller& caller, const InvokeInput& in);

// invoke_with_response_stream.cc
base::Task<InvokeWithResponseStreamOutput> invoke_with_response_stream(Lambda& lambda, aws::Caller caller,
                                                                       InvokeWithResponseStreamInput in);
std::string invoke_with_response_stream_resource(const aws::Caller& caller, const InvokeWithResponseStreamInput& in);

/// What a new function and a changed one have in common: checks `in` and puts what it names into `function`.
void apply_settings(const Lambda& lambda, const FunctionSettings& in, store::FunctionVersion& function);

}  // namespace lambent::lambda
