// Which code signing configuration a function's next archives are held to.
#include "services/lambda/code_signing.h"
#include "services/lambda/code_signing_operations.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {

base::Task<FunctionCodeSigningConfigOutput> put_function_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                                             PutFunctionCodeSigningConfigInput in) {
  const auto name = resolve_function(NamedBy::put_code_signing, caller, in.FunctionName);
  // The configuration is looked up before the function, as on AWS.
  const auto config = usable_config(lambda, name.key, in.CodeSigningConfigArn);
  lambda.existing(name);
  auto task = lambda.parts().signing->configs.put(name.key, config->id);
  bool there = false;
  bool config_gone = false;
  try {
    there = co_await std::move(task);
  } catch (const store::NoSuchCodeSigningConfig&) {
    config_gone = true;
  }
  if (config_gone) throw config_not_found(in.CodeSigningConfigArn);
  if (!there) throw function_not_found(name.arn());
  co_return FunctionCodeSigningConfigOutput{config->arn(), name.key.name};
}

std::string put_function_code_signing_config_resource(const aws::Caller& caller,
                                                      const PutFunctionCodeSigningConfigInput& in) {
  return resolve_function(NamedBy::put_code_signing, caller, in.FunctionName).arn();
}

base::Task<FunctionCodeSigningConfigOutput> get_function_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                                             FunctionCodeSigningConfigInput in) {
  const auto name = resolve_function(NamedBy::get_code_signing, caller, in.FunctionName);
  lambda.existing(name);
  FunctionCodeSigningConfigOutput out;
  if (const auto config = config_of(lambda, name.key)) {
    out.CodeSigningConfigArn = config->arn();
    out.FunctionName = name.key.name;
  }
  co_return out;
}

std::string get_function_code_signing_config_resource(const aws::Caller& caller,
                                                      const FunctionCodeSigningConfigInput& in) {
  return resolve_function(NamedBy::get_code_signing, caller, in.FunctionName).arn();
}

base::Task<NoOutput> delete_function_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                         FunctionCodeSigningConfigInput in) {
  const auto name = resolve_function(NamedBy::remove_code_signing, caller, in.FunctionName);
  lambda.existing(name);
  auto task = lambda.parts().signing->configs.detach(name.key);
  // A function without a configuration is as it was asked to be.
  co_await std::move(task);
  co_return NoOutput{};
}

std::string delete_function_code_signing_config_resource(const aws::Caller& caller,
                                                         const FunctionCodeSigningConfigInput& in) {
  return resolve_function(NamedBy::remove_code_signing, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
