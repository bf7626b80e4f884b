// The operations on functions. Each handler throws aws::Error for a refusal; each *_resource names what is authorized.
#pragma once

#include <string>

#include "aws/caller.h"
#include "base/task.h"
#include "services/lambda/lambda.h"
#include "services/lambda/shapes.h"

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

// invoke_function.cc
base::Task<InvokeOutput> invoke_function(Lambda& lambda, aws::Caller caller, InvokeInput in);
std::string invoke_function_resource(const aws::Caller& caller, const InvokeInput& in);

/// What a new function and a changed one have in common: checks `in` and puts what it names into `function`.
void apply_settings(const Lambda& lambda, const FunctionSettings& in, store::FunctionVersion& function);

}  // namespace lambent::lambda
