#include "services/lambda/errors.h"
#include "services/lambda/operations.h"

namespace lambent::lambda {

base::Task<DeleteFunctionOutput> delete_function(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::remove, caller, in.FunctionName, in.Qualifier);
  // With a version's number this finds nothing yet, so what follows is the whole function.
  lambda.existing(name);
  const bool removed = co_await lambda.functions().remove(name.key);
  if (!removed) throw function_not_found(name.arn());
  lambda.engine().retire(name.key);
  co_return DeleteFunctionOutput{};
}

std::string delete_function_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::remove, caller, in.FunctionName, in.Qualifier).arn();
}

}  // namespace lambent::lambda
