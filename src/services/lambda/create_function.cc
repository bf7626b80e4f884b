#include "services/lambda/async_operations.h"
#include "services/lambda/code_signing.h"
#include "services/lambda/code_source.h"
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

/// Gives the new function its code, when it may have it.
base::Task<store::FunctionVersion> with_code(Lambda& lambda, aws::Caller caller, store::FunctionVersion function,
                                             CodeSource source, store::CodeSigningConfigSnapshot signing) {
  auto fetch = take_archive(lambda, std::move(caller), std::move(source));
  auto archive = co_await std::move(fetch);
  CodeOwner owner{function.key.account, function.key.region};
  auto take = take_code(lambda, std::move(archive), std::move(owner), Keep::yes);
  const auto code = co_await std::move(take);
  set_code(function, code);
  check_unzipped_size(function);
  if (signing) {
    require_signature(lambda, *signing, code.signature, function.key.name);
    auto layers = require_layer_signatures(lambda, signing, function.layers, function.key.name);
    co_await std::move(layers);
  }
  co_return function;
}

/// False when there is one of that name.
base::Task<bool> store_new(Lambda& lambda, store::FunctionVersion function,
                           std::optional<store::FunctionVersion> version, store::CodeSigningConfigSnapshot signing) {
  std::function<void(store::Transaction&)> attach;
  if (signing) attach = lambda.parts().signing->configs.attach(function.key, signing->id);
  auto task = lambda.functions().create(std::move(function), std::move(version), std::move(attach));
  bool gone = false;
  bool created = false;
  try {
    created = co_await std::move(task);
  } catch (const store::NoSuchCodeSigningConfig&) {
    gone = true;
  }
  if (gone) throw config_not_found(signing->arn());
  co_return created;
}

/// AWS's wording (recorded in aws-cdk's pull request 28045). A level that is not named is INFO, and stays when the format does.
void apply_logging(const LoggingConfig& in, store::FunctionVersion& function) {
  if (in.LogGroup) function.log_group = *in.LogGroup;
  if (in.LogFormat) function.log_format = *in.LogFormat;
  if (function.log_format == "Text") {
    if (in.ApplicationLogLevel || in.SystemLogLevel)
      throw invalid_parameter(
          "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change "
          "the "
          "LogFormat to \"Json\" and try again.");
    function.application_log_level.clear();
    function.system_log_level.clear();
    return;
  }
  const auto set = [](std::string& level, const OptionalText& wanted) {
    if (wanted) level = *wanted;
    if (level.empty()) level = "INFO";
  };
  set(function.application_log_level, in.ApplicationLogLevel);
  set(function.system_log_level, in.SystemLogLevel);
}

}  // namespace

void apply_settings(const Lambda& lambda, const aws::Caller& caller, const FunctionSettings& in,
                    store::FunctionVersion& function) {
  if (in.Role) {
    if (lambda.parts().require_pass_role) lambda.parts().require_pass_role(caller, *in.Role);
    lambda.require_role(*in.Role, function.key);
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
  apply_surroundings(lambda.parts().surroundings, in, function);
  if (in.Layers) function.layers = find_layers(lambda, caller, function.key, *in.Layers);
  if (in.Handler) function.handler = *in.Handler;
  if (in.Description) function.description = *in.Description;
  if (in.Timeout) function.timeout_s = *in.Timeout;
  if (in.MemorySize) function.memory_mib = *in.MemorySize;
  if (in.EphemeralStorage) function.ephemeral_mib = in.EphemeralStorage->Size;
  if (in.LoggingConfig) apply_logging(*in.LoggingConfig, function);
  if (in.TracingConfig) function.tracing_mode = in.TracingConfig->Mode.value_or("PassThrough");
  if (in.DeadLetterConfig)
    function.dead_letter_arn = checked_dead_letter(lambda, function, in.DeadLetterConfig->TargetArn.value_or(""));
}

base::Task<FunctionConfiguration> create_function(Lambda& lambda, aws::Caller caller, CreateFunctionInput in) {
  const auto name = resolve_function(NamedBy::create, caller, in.FunctionName);
  refuse_unsupported(in);
  auto looked = lambda.parts().catalog.await_look();
  co_await std::move(looked);
  auto function = new_function(lambda, caller, name, in);
  auto source = source_of(in.Code);
  const auto signing = in.CodeSigningConfigArn ? usable_config(lambda, name.key, *in.CodeSigningConfigArn) : nullptr;
  // Asked again when it is stored; here it saves unpacking.
  if (lambda.functions().find(name.key)) throw already_exists(name);
  auto take = with_code(lambda, caller, std::move(function), std::move(source), signing);
  function = co_await std::move(take);
  lambda.touch(function);
  std::optional<store::FunctionVersion> version;
  if (in.Publish.value_or(false)) version = publish(function, std::nullopt);
  lambda.require_storage(name.key.account, name.key.region, function.code_size * (version ? 2 : 1));
  // With Publish the answer is the version's, yet without the version in its ARN, as AWS answers.
  const auto answer = configuration_of(version ? *version : function);
  const std::string number = version ? version->version : "";
  auto task = store_new(lambda, std::move(function), std::move(version), signing);
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
