// When a function gets the next build of its runtime. Here it runs on the interpreter that the machine has, so there is one
// answer: Auto. What would hold a function on an older build is refused, not stored.
#include "services/lambda/errors.h"
#include "services/lambda/operations.h"

namespace lambent::lambda {

base::Task<RuntimeManagementOutput> get_runtime_management(Lambda& lambda, aws::Caller caller,
                                                           QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::get_runtime_management, caller, in.FunctionName, in.Qualifier);
  lambda.existing(name);
  co_return RuntimeManagementOutput{"Auto", name.arn()};
}

std::string get_runtime_management_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::get_runtime_management, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<RuntimeManagementOutput> put_runtime_management(Lambda& lambda, aws::Caller caller,
                                                           PutRuntimeManagementInput in) {
  const auto name = resolve_function(NamedBy::put_runtime_management, caller, in.FunctionName, in.Qualifier);
  lambda.existing(name);
  if (in.UpdateRuntimeOn != "Auto") throw unsupported("UpdateRuntimeOn", in.UpdateRuntimeOn);
  if (in.RuntimeVersionArn) throw unsupported("RuntimeVersionArn", "a chosen build of a runtime");
  co_return RuntimeManagementOutput{"Auto", name.arn()};
}

std::string put_runtime_management_resource(const aws::Caller& caller, const PutRuntimeManagementInput& in) {
  return resolve_function(NamedBy::put_runtime_management, caller, in.FunctionName, in.Qualifier).arn();
}

}  // namespace lambent::lambda
