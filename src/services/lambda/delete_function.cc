#include <fmt/ranges.h>

#include "services/lambda/async_operations.h"
#include "services/lambda/errors.h"
#include "services/lambda/operations.h"

namespace lambent::lambda {
namespace {

base::Task<DeleteFunctionOutput> delete_version(Lambda& lambda, FunctionName name) {
  auto task = lambda.functions().remove_version(name.key, name.qualifier);
  const auto removal = co_await std::move(task);
  if (!removal.aliases.empty())
    throw conflict(fmt::format("Unable to delete version because the following aliases reference it: [{}]",
                               fmt::join(removal.aliases, ", ")));
  // A version that is not there is deleted already, as on AWS.
  if (removal.removed) lambda.engine().retire(name.key, name.qualifier);
  follow_provisioned(lambda, name.key);
  co_return DeleteFunctionOutput{};
}

}  // namespace

base::Task<DeleteFunctionOutput> delete_function(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::remove, caller, in.FunctionName, in.Qualifier);
  if (!lambda.functions().find(name.key)) throw function_not_found(name.arn());
  if (!name.qualifier.empty()) {
    auto task = delete_version(lambda, name);
    co_return co_await std::move(task);
  }
  const bool removed = co_await lambda.functions().remove(name.key);
  if (!removed) throw function_not_found(name.arn());
  lambda.engine().retire(name.key, "");
  follow_provisioned(lambda, name.key);
  co_return DeleteFunctionOutput{};
}

std::string delete_function_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::remove, caller, in.FunctionName, in.Qualifier).arn();
}

}  // namespace lambent::lambda
