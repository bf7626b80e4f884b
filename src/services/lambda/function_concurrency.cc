// Reserved concurrency, and what becomes of a function that is invoked in a loop.
#include <algorithm>

#include "services/lambda/async_operations.h"
#include "services/lambda/asynchronous.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {

base::Task<Concurrency> put_function_concurrency(Lambda& lambda, aws::Caller caller, PutFunctionConcurrencyInput in) {
  const auto name = resolve_function(NamedBy::put_concurrency, caller, in.FunctionName);
  lambda.existing(name);
  auto& asynchronous = lambda.asynchronous();
  std::int32_t provisioned = 0;
  for (const auto& config : asynchronous.concurrency.provisioned_of(name.key, "", 1000))
    provisioned += config.requested;
  // Both blanks are AWS's (LocalStack, test_reserved_provisioned_overlap).
  if (in.ReservedConcurrentExecutions < provisioned)
    throw invalid_parameter(fmt::format(
        " ReservedConcurrentExecutions  {} should not be lower than function's total provisioned concurrency [{}].",
        in.ReservedConcurrentExecutions, provisioned));
  const std::int32_t limit = asynchronous.admission.account_limit();
  const std::int32_t minimum = std::min(limit, invoke::kMinimumUnreserved);
  auto reservation = asynchronous.concurrency.reserve(name.key, in.ReservedConcurrentExecutions, limit - minimum);
  const bool reserved = co_await std::move(reservation);
  if (!reserved)
    throw invalid_parameter(
        fmt::format("Specified ReservedConcurrentExecutions for function decreases account's "
                    "UnreservedConcurrentExecution below its minimum value of [{}].",
                    minimum));
  co_return Concurrency{in.ReservedConcurrentExecutions};
}

std::string put_function_concurrency_resource(const aws::Caller& caller, const PutFunctionConcurrencyInput& in) {
  return resolve_function(NamedBy::put_concurrency, caller, in.FunctionName).arn();
}

base::Task<Concurrency> get_function_concurrency(Lambda& lambda, aws::Caller caller, FunctionInput in) {
  const auto name = resolve_function(NamedBy::get_concurrency, caller, in.FunctionName);
  lambda.existing(name);
  co_return Concurrency{lambda.asynchronous().concurrency.limits(name.key).reserved};
}

std::string get_function_concurrency_resource(const aws::Caller& caller, const FunctionInput& in) {
  return resolve_function(NamedBy::get_concurrency, caller, in.FunctionName).arn();
}

base::Task<NoOutput> delete_function_concurrency(Lambda& lambda, aws::Caller caller, FunctionInput in) {
  const auto name = resolve_function(NamedBy::remove_concurrency, caller, in.FunctionName);
  lambda.existing(name);
  auto release = lambda.asynchronous().concurrency.release(name.key);
  co_await std::move(release);
  co_return NoOutput{};
}

std::string delete_function_concurrency_resource(const aws::Caller& caller, const FunctionInput& in) {
  return resolve_function(NamedBy::remove_concurrency, caller, in.FunctionName).arn();
}

base::Task<RecursionConfig> put_function_recursion_config(Lambda& lambda, aws::Caller caller, RecursionConfigInput in) {
  const auto name = resolve_function(NamedBy::put_recursion, caller, in.FunctionName);
  lambda.existing(name);
  auto change = lambda.asynchronous().concurrency.set_recursive_loop(name.key, in.RecursiveLoop);
  co_await std::move(change);
  co_return RecursionConfig{in.RecursiveLoop};
}

std::string put_function_recursion_config_resource(const aws::Caller& caller, const RecursionConfigInput& in) {
  return resolve_function(NamedBy::put_recursion, caller, in.FunctionName).arn();
}

base::Task<RecursionConfig> get_function_recursion_config(Lambda& lambda, aws::Caller caller, FunctionInput in) {
  const auto name = resolve_function(NamedBy::get_recursion, caller, in.FunctionName);
  lambda.existing(name);
  co_return RecursionConfig{lambda.asynchronous().concurrency.limits(name.key).recursive_loop};
}

std::string get_function_recursion_config_resource(const aws::Caller& caller, const FunctionInput& in) {
  return resolve_function(NamedBy::get_recursion, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
