// The operations on asynchronous invocation and on concurrency. Each handler throws aws::Error for a refusal; each *_resource names
// what is authorized.
#pragma once

#include <string>

#include "aws/caller.h"
#include "base/task.h"
#include "invoke/engine.h"
#include "services/lambda/async_shapes.h"
#include "services/lambda/lambda.h"

namespace lambent::lambda {

// invoke_async.cc
/// Accepts a prepared invocation for later: durable when the task ends. At most 1 MB. The trace header that it will run under.
base::Task<std::string> accept_event(Lambda& lambda, const FunctionName& name, invoke::Invocation invocation);
base::Task<InvokeAsyncOutput> invoke_async(Lambda& lambda, aws::Caller caller, InvokeAsyncInput in);
std::string invoke_async_resource(const aws::Caller& caller, const InvokeAsyncInput& in);

// dead_letter.cc
/// The target when `function` may have it as DeadLetterConfig.TargetArn. Throws InvalidParameterValueException.
std::string checked_dead_letter(const Lambda& lambda, const store::FunctionVersion& function,
                                const std::string& target_arn);

// event_invoke_config.cc
base::Task<FunctionEventInvokeConfig> put_event_invoke_config(Lambda& lambda, aws::Caller caller,
                                                              EventInvokeConfigInput in);
std::string put_event_invoke_config_resource(const aws::Caller& caller, const EventInvokeConfigInput& in);
base::Task<FunctionEventInvokeConfig> update_event_invoke_config(Lambda& lambda, aws::Caller caller,
                                                                 EventInvokeConfigInput in);
std::string update_event_invoke_config_resource(const aws::Caller& caller, const EventInvokeConfigInput& in);
base::Task<FunctionEventInvokeConfig> get_event_invoke_config(Lambda& lambda, aws::Caller caller,
                                                              QualifiedFunctionInput in);
std::string get_event_invoke_config_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);
base::Task<NoOutput> delete_event_invoke_config(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in);
std::string delete_event_invoke_config_resource(const aws::Caller& caller, const QualifiedFunctionInput& in);
base::Task<ListFunctionEventInvokeConfigsOutput> list_event_invoke_configs(Lambda& lambda, aws::Caller caller,
                                                                           ListOfFunctionInput in);
std::string list_event_invoke_configs_resource(const aws::Caller& caller, const ListOfFunctionInput& in);

// function_concurrency.cc
base::Task<Concurrency> put_function_concurrency(Lambda& lambda, aws::Caller caller, PutFunctionConcurrencyInput in);
std::string put_function_concurrency_resource(const aws::Caller& caller, const PutFunctionConcurrencyInput& in);
base::Task<Concurrency> get_function_concurrency(Lambda& lambda, aws::Caller caller, FunctionInput in);
std::string get_function_concurrency_resource(const aws::Caller& caller, const FunctionInput& in);
base::Task<NoOutput> delete_function_concurrency(Lambda& lambda, aws::Caller caller, FunctionInput in);
std::string delete_function_concurrency_resource(const aws::Caller& caller, const FunctionInput& in);
base::Task<RecursionConfig> put_function_recursion_config(Lambda& lambda, aws::Caller caller, RecursionConfigInput in);
std::string put_function_recursion_config_resource(const aws::Caller& caller, const RecursionConfigInput& in);
base::Task<RecursionConfig> get_function_recursion_config(Lambda& lambda, aws::Caller caller, FunctionInput in);
std::string get_function_recursion_config_resource(const aws::Caller& caller, const FunctionInput& in);

// provisioned_concurrency.cc
/// Throws what AWS answers when an alias with provisioned concurrency is to point at `alias`'s version.
void require_provisionable(Lambda& lambda, const store::Alias& alias);
/// Allocates what the settings ask for, after a change of the function's aliases or versions.
void follow_provisioned(Lambda& lambda, const store::FunctionKey& function);
base::Task<ProvisionedConcurrencyConfig> put_provisioned_concurrency(Lambda& lambda, aws::Caller caller,
                                                                     PutProvisionedConcurrencyInput in);
std::string put_provisioned_concurrency_resource(const aws::Caller& caller, const PutProvisionedConcurrencyInput& in);
base::Task<ProvisionedConcurrencyConfig> get_provisioned_concurrency(Lambda& lambda, aws::Caller caller,
                                                                     ProvisionedConcurrencyInput in);
std::string get_provisioned_concurrency_resource(const aws::Caller& caller, const ProvisionedConcurrencyInput& in);
base::Task<ListProvisionedConcurrencyOutput> list_provisioned_concurrency(Lambda& lambda, aws::Caller caller,
                                                                          ListOfFunctionInput in);
std::string list_provisioned_concurrency_resource(const aws::Caller& caller, const ListOfFunctionInput& in);
base::Task<NoOutput> delete_provisioned_concurrency(Lambda& lambda, aws::Caller caller, ProvisionedConcurrencyInput in);
std::string delete_provisioned_concurrency_resource(const aws::Caller& caller, const ProvisionedConcurrencyInput& in);

}  // namespace lambent::lambda
