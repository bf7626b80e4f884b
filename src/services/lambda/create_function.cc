#include "services/lambda/async_operations.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_configuration.h"
#include "services/lambda/function_layers.h"
#include "services/lambda/operations.h"
#include "services/lambda/publish_version.h"
#include "services/lambda/validation.h"

namespace lambent::lambda {
namespace {

/// "Function already exist" is how AWS writes it.
aws::Error already_exists(const FunctionName& name) {
  return conflict(fmt::format("Function already exist: {}", name.key.name));
}

/// The function as asked for, without its code.
store::FunctionVersion new_function(const Lambda& lambda, const aws::Caller& caller, const FunctionName& name,
                                    const CreateFunctionInput& in) {
  if (!in.Runtime || !in.Handler)
    throw invalid_parameter(
        "Runtime and Handler are mandatory parameters for functions created with deployment packages.");
  refuse_retired(lambda.parts(), *in.Runtime, runtimes::Change::create);
  store::FunctionVersion function;
  function.key = name.key;
  function.log_group = "/aws/lambda/" + name.key.name;
  if (in.Architectures) function.architecture = in.Architectures->front();
  if (in.Tags) {
    check_tags(*in.Tags);
    function.tags = *in.Tags;
  }
  apply_settings(lambda, caller, in, function);
  function.state = "Pending";
  function.state_reason = "The function is being created.";
  function.state_reason_code = "Creating";
  return function;
}

}  // namespace

void apply_settings(const Lambda& lambda, const aws::Caller& caller, const FunctionSettings& in,
                    store::FunctionVersion& function) {
  if (in.Role) {
    lambda.require_role(*in.Role, function.key.account);
    function.role = *in.Role;
  }
  if (in.Runtime) {
    const auto& parts = lambda.parts();
    const auto runtime = find_runtime(parts.catalog, *in.Runtime, parts.strict_runtimes);
    function.runtime = *in.Runtime;
    function.runtime_version_arn = runtime_version_arn(runtime, function.key.region);
  }
  if (in.Environment) {
    const auto variables = in.Environment->Variables.value_or(TextMap{});
    check_environment(variables);
    function.environment = variables;
    function.has_environment = true;
  }
  if (in.Layers) function.layers = find_layers(lambda, caller, function.key, *in.Layers);
  if (in.Handler) function.handler = *in.Handler;
  if (in.Description) function.description = *in.Description;
  if (in.Timeout) function.timeout_s = *in.Timeout;
  if (in.MemorySize) function.memory_mib = *in.MemorySize;
  if (in.EphemeralStorage) function.ephemeral_mib = in.EphemeralStorage->Size;
  if (in.LoggingConfig && in.LoggingConfig->LogGroup) function.log_group = *in.LoggingConfig->LogGroup;
  if (in.TracingConfig) function.tracing_mode = in.TracingConfig->Mode.value_or("PassThrough");
  if (in.DeadLetterConfig)
    function.dead_letter_arn = checked_dead_letter(lambda, function, in.DeadLetterConfig->TargetArn.value_or(""));
}

base::Task<FunctionConfiguration> create_function(Lambda& lambda, aws::Caller caller, CreateFunctionInput in) {
  const auto name = resolve_function(NamedBy::create, caller, in.FunctionName);
  refuse_unsupported(in);
  auto function = new_function(lambda, caller, name, in);
  if (!in.Code.ZipFile) throw invalid_parameter("Please provide a source for function code.");
  // Asked again when it is stored; here it saves unpacking.
  if (lambda.functions().find(name.key)) throw already_exists(name);
  const auto code = co_await lambda.add_code(std::move(in.Code.ZipFile->bytes));
  Lambda::set_code(function, code);
  check_unzipped_size(function);
  lambda.touch(function);
  std::optional<store::FunctionVersion> version;
  if (in.Publish.value_or(false)) version = publish(function, std::nullopt);
  lambda.require_storage(name.key.account, name.key.region, code.size * (version ? 2 : 1));
  // With Publish the answer is the version's, yet without the version in its ARN, as AWS answers.
  const auto answer = configuration_of(version ? *version : function);
  const std::string number = version ? version->version : "";
  auto task = lambda.functions().create(std::move(function), std::move(version));
  const bool created = co_await std::move(task);
  if (!created) throw already_exists(name);
  const auto executor = co_await base::asio::this_coro::executor;
  lambda.settle_later(executor, name.key);
  if (!number.empty()) lambda.settle_later(executor, name.key, number);
  co_return answer;
}

std::string create_function_resource(const aws::Caller& caller, const CreateFunctionInput& in) {
  return resolve_function(NamedBy::create, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
