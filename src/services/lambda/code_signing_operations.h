// The operations on code signing configurations: handlers and what is authorized, as in operations.h.
#pragma once

#include <functional>
#include <string>

#include "aws/caller.h"
#include "base/task.h"
#include "services/lambda/code_signing_shapes.h"
#include "services/lambda/lambda.h"
#include "services/lambda/version_shapes.h"
#include "store/code_signing_configs.h"

namespace lambent::lambda {

// code_signing_config.cc
base::Task<CodeSigningConfigOutput> create_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                               CreateCodeSigningConfigInput in);
std::string create_code_signing_config_resource(const aws::Caller& caller, const CreateCodeSigningConfigInput& in);
base::Task<CodeSigningConfigOutput> get_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                            CodeSigningConfigInput in);
std::string get_code_signing_config_resource(const aws::Caller& caller, const CodeSigningConfigInput& in);
base::Task<CodeSigningConfigOutput> update_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                               UpdateCodeSigningConfigInput in);
std::string update_code_signing_config_resource(const aws::Caller& caller, const UpdateCodeSigningConfigInput& in);
base::Task<NoOutput> delete_code_signing_config(Lambda& lambda, aws::Caller caller, CodeSigningConfigInput in);
std::string delete_code_signing_config_resource(const aws::Caller& caller, const CodeSigningConfigInput& in);
base::Task<ListCodeSigningConfigsOutput> list_code_signing_configs(Lambda& lambda, aws::Caller caller,
                                                                   ListCodeSigningConfigsInput in);
std::string list_code_signing_configs_resource(const aws::Caller& caller, const ListCodeSigningConfigsInput& in);
base::Task<ListFunctionsByCodeSigningConfigOutput> list_functions_by_code_signing_config(
    Lambda& lambda, aws::Caller caller, ListFunctionsByCodeSigningConfigInput in);
std::string list_functions_by_code_signing_config_resource(const aws::Caller& caller,
                                                           const ListFunctionsByCodeSigningConfigInput& in);

/// Throws ResourceNotFoundException for an ARN of none of the caller's account and region.
store::CodeSigningConfigSnapshot existing_code_signing_config(const Lambda& lambda, const aws::Caller& caller,
                                                              const std::string& arn);
base::Task<void> amend_code_signing_tags(Lambda& lambda, aws::Caller caller, std::string arn,
                                         std::function<void(TextMap&)> edit);

// function_code_signing.cc
base::Task<FunctionCodeSigningConfigOutput> put_function_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                                             PutFunctionCodeSigningConfigInput in);
std::string put_function_code_signing_config_resource(const aws::Caller& caller,
                                                      const PutFunctionCodeSigningConfigInput& in);
base::Task<FunctionCodeSigningConfigOutput> get_function_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                                             FunctionCodeSigningConfigInput in);
std::string get_function_code_signing_config_resource(const aws::Caller& caller,
                                                      const FunctionCodeSigningConfigInput& in);
base::Task<NoOutput> delete_function_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                         FunctionCodeSigningConfigInput in);
std::string delete_function_code_signing_config_resource(const aws::Caller& caller,
                                                         const FunctionCodeSigningConfigInput& in);

}  // namespace lambent::lambda
