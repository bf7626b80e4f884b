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
std::string usual_log_group(const store::FunctionKey& key) { return "/aws/lambda/" + key.name; }

store::FunctionVersion new_function(const Lambda& lambda, const aws::Caller& caller, const FunctionName& name,
                                    const CreateFunctionInput& in) {
  if (!in.Runtime || !in.Handler)
    throw invalid_parameter(
        "Runtime and Handler are mandatory parameters for functions created with deployment packages.");
  refuse_retired(lambda.parts(), *in.Runtime, runtimes::Change::create);
  store::FunctionVersion function;
  function.key = name.key;
  function.log_group = usual_log_group(name.key);
  // The mode has one value, which the codec has seen to.
  function.per_tenant = in.TenancyConfig.has_value();
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

/// What the new function is stored as, and who signed its code.
struct Deployment {
  store::FunctionVersion function;
  CodeSignature signature;
};

/// Gives the new function its code.
base::Task<Deployment> with_code(Lambda& lambda, aws::Caller caller, store::FunctionVersion function,
                                 CodeSource source) {
  auto fetch = take_archive(lambda, std::move(caller), std::move(source));
  auto archive = co_await std::move(fetch);
  CodeOwner owner{function.key.account, function.key.region};
  auto take = take_code(lambda, std::move(archive), std::move(owner), Keep::yes);
  const auto code = co_await std::move(take);
  set_code(function, code);
  check_unzipped_size(function);
  Deployment made{std::move(function), code.signature};
  co_return made;
}

/// Stores it when its configuration lets it. False when there is one of that name, nothing when the configuration has changed since it
/// was asked.
base::Task<std::optional<bool>> judge_and_create(Lambda& lambda, Deployment made,
                                                 std::optional<store::FunctionVersion> version,
                                                 store::CodeSigningConfigSnapshot signing) {
  const store::FunctionKey key = made.function.key;
  std::function<void(store::Transaction&)> attach;
  if (signing) {
    require_signature(lambda, *signing, made.signature, key.name);
    auto layers = require_layer_signatures(lambda, signing, made.function.layers, key.name);
    co_await std::move(layers);
    attach = [give = lambda.parts().signing->configs.attach(key, signing->id),
              still = judged_by(lambda, key, signing)](store::Transaction& transaction) {
      give(transaction);
      still(transaction);
    };
  }
  auto task = lambda.functions().create(std::move(made.function), std::move(version), std::move(attach));
  bool gone = false, changed = false;
  bool created = false;
  try {
    created = co_await std::move(task);
  } catch (const store::NoSuchCodeSigningConfig&) {
    gone = true;
  } catch (const store::CodeSigningConfigChanged&) {
    changed = true;
  }
  if (gone) throw config_not_found(signing->arn());
  co_return changed ? std::nullopt : std::optional(created);
}

/// False when there is one of that name. The configuration that lets it be stored is that of the transaction that stores it.
base::Task<bool> store_new(Lambda& lambda, Deployment made, std::optional<store::FunctionVersion> version,
                           OptionalText config) {
  for (int round = 0; round < kJudgements; ++round) {
    const auto signing = config ? usable_config(lambda, made.function.key, *config) : nullptr;
    auto task = judge_and_create(lambda, made, version, signing);
    const std::optional<bool> created = co_await std::move(task);
    if (created) co_return *created;
  }
  throw conflict("The operation cannot be performed at this time. The code signing configuration is being updated: " +
                 *config);
}

/// AWS's wording (recorded in aws-cdk's pull request 28045). A level that is not named is INFO, and stays when the format does.
/// What the configuration does not name is as if there had been none before.
void apply_logging(const LoggingConfig& in, store::FunctionVersion& function) {
  function.log_group = in.LogGroup.value_or(usual_log_group(function.key));
  function.log_format = in.LogFormat.value_or("Text");
  function.application_log_level.clear();
  function.system_log_level.clear();
  if (function.log_format == "Text") {
    if (in.ApplicationLogLevel || in.SystemLogLevel)
      throw invalid_parameter(
          "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change "
          "the "
          "LogFormat to \"Json\" and try again.");
    return;
  }
  function.application_log_level = in.ApplicationLogLevel.value_or("INFO");
  function.system_log_level = in.SystemLogLevel.value_or("INFO");
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
  // An Environment that names no Variables changes none.
  if (in.Environment && in.Environment->Variables) {
    check_environment(*in.Environment->Variables);
    function.environment = *in.Environment->Variables;
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
  Deployment made{new_function(lambda, caller, name, in), {}};
  auto source = source_of(in.Code);
  if (in.CodeSigningConfigArn) usable_config(lambda, name.key, *in.CodeSigningConfigArn);
  // Asked again when it is stored; here it saves unpacking.
  if (lambda.functions().find(name.key)) throw already_exists(name);
  auto take = with_code(lambda, caller, std::move(made.function), std::move(source));
  made = co_await std::move(take);
  store::FunctionVersion& function = made.function;
  lambda.touch(function);
  std::optional<store::FunctionVersion> version;
  if (in.Publish.value_or(false)) version = publish(function, std::nullopt);
  lambda.require_storage(name.key.account, name.key.region, function.code_size * (version ? 2 : 1));
  // With Publish the answer is the version's, yet without the version in its ARN, as AWS answers.
  const auto answer = configuration_of(version ? *version : function);
  const std::string number = version ? version->version : "";
  auto task = store_new(lambda, std::move(made), std::move(version), in.CodeSigningConfigArn);
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
