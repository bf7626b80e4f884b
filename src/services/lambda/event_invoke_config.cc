// How asynchronous invocations of a function, version or alias are retried, and where their records go.
#include "aws/arn.h"
#include "services/lambda/async_operations.h"
#include "services/lambda/asynchronous.h"
#include "services/lambda/errors.h"
#include "services/lambda/paging.h"

namespace lambent::lambda {
namespace {

std::string qualifier_of(const FunctionName& name) { return name.qualifier.empty() ? "$LATEST" : name.qualifier; }

FunctionName qualified(FunctionName name) {
  name.qualifier = qualifier_of(name);
  return name;
}

FunctionEventInvokeConfig shown(const store::EventInvokeConfig& config) {
  FunctionEventInvokeConfig out;
  out.LastModified.ms = config.last_modified_ms;
  out.FunctionArn = FunctionName{config.function, config.qualifier}.arn();
  out.MaximumRetryAttempts = config.maximum_retry_attempts;
  out.MaximumEventAgeInSeconds = config.maximum_event_age_s;
  out.DestinationConfig.OnSuccess = OnSuccess{config.on_success};
  out.DestinationConfig.OnFailure = OnFailure{config.on_failure};
  return out;
}

/// In the words that AWS has here in place of "Function not found" (LocalStack, test_lambda_eventinvokeconfig_exceptions).
store::FunctionSnapshot function_of(const Lambda& lambda, const FunctionName& name) {
  try {
    return lambda.existing(name);
  } catch (const aws::Error&) {
    throw aws::Error("ResourceNotFoundException", "The function doesn't exist.", 404);
  }
}

aws::Error no_config(const FunctionName& name) {
  return {"ResourceNotFoundException",
          fmt::format("The function {} doesn't have an EventInvokeConfig", qualified(name).arn()), 404};
}

OptionalText destination_in(const std::optional<DestinationConfig>& config, bool success) {
  if (!config) return std::nullopt;
  if (success) return config->OnSuccess ? config->OnSuccess->Destination : std::nullopt;
  return config->OnFailure ? config->OnFailure->Destination : std::nullopt;
}

std::string part_of_message(std::string_view member, const OptionalText& destination) {
  return destination && !destination->empty() ? fmt::format("{}(destination={})", member, *destination) : "null";
}

aws::Error invalid_destinations(const OptionalText& success, const OptionalText& failure) {
  return invalid_parameter(
      fmt::format("The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
                  part_of_message("OnSuccess", success), part_of_message("OnFailure", failure)));
}

/// Whether a record can go there at all; false for what is no destination.
bool is_destination(const aws::Arn& target, bool success) {
  if (target.service == "sqs" || target.service == "sns") return !target.resource.ends_with(".fifo");
  // "An Amazon S3 bucket (on failure only)" (Developer Guide).
  if (target.service == "s3") return !success;
  return target.service == "lambda" || target.service == "events";
}

void check_destination(Lambda& lambda, const store::FunctionVersion& function, const OptionalText& destination,
                       bool success, const aws::Error& invalid) {
  if (!destination || destination->empty()) return;
  const auto target = aws::Arn::parse(*destination);
  if (!target || !is_destination(*target, success)) throw invalid;
  if (target->service == "lambda") {
    const std::string own = "function:" + function.key.name;
    const bool itself = target->account == function.key.account && target->region == function.key.region &&
                        (target->resource == own || target->resource.starts_with(own + ":"));
    if (itself) throw invalid_parameter("You can't specify the function as a destination for itself.");
  }
  const aws::Targets& targets = lambda.asynchronous().targets;
  if (const auto why = targets.why_unreachable(*destination); !why.empty()) {
    if (target->service == "lambda")
      throw invalid_parameter(fmt::format("The destination ARN {} is invalid.", *destination));
    throw invalid_parameter(fmt::format("The destination ARN {} cannot be reached: {}.", *destination, why));
  }
  const aws::Sender sender{function.role, function.arn(), function.key.account, function.key.region};
  const auto lacking = targets.lacking_permission(sender, *destination);
  if (!lacking.empty())
    throw invalid_parameter(fmt::format("The function's execution role does not have permissions to call {} on {}",
                                        lacking.substr(lacking.find(':') + 1), *destination));
}

void check(Lambda& lambda, const store::FunctionVersion& function, const EventInvokeConfigInput& in) {
  const auto success = destination_in(in.DestinationConfig, true);
  const auto failure = destination_in(in.DestinationConfig, false);
  const auto invalid = invalid_destinations(success, failure);
  check_destination(lambda, function, failure, false, invalid);
  check_destination(lambda, function, success, true, invalid);
}

void require_something(const EventInvokeConfigInput& in) {
  if (!in.MaximumRetryAttempts && !in.MaximumEventAgeInSeconds && !in.DestinationConfig)
    throw invalid_parameter("You must specify at least one of error handling or destination setting.");
}

}  // namespace

base::Task<FunctionEventInvokeConfig> put_event_invoke_config(Lambda& lambda, aws::Caller caller,
                                                              EventInvokeConfigInput in) {
  const auto name = resolve_function(NamedBy::put_event_config, caller, in.FunctionName, in.Qualifier);
  require_something(in);
  const auto function = function_of(lambda, name);
  check(lambda, *function, in);
  store::EventInvokeConfig config;
  config.function = name.key;
  config.qualifier = qualifier_of(name);
  config.maximum_retry_attempts = in.MaximumRetryAttempts;
  config.maximum_event_age_s = in.MaximumEventAgeInSeconds;
  config.on_success = destination_in(in.DestinationConfig, true);
  config.on_failure = destination_in(in.DestinationConfig, false);
  config.last_modified_ms = lambda.parts().clock.now_ms();
  auto stored = lambda.asynchronous().configs.put(config);
  co_await std::move(stored);
  co_return shown(config);
}

std::string put_event_invoke_config_resource(const aws::Caller& caller, const EventInvokeConfigInput& in) {
  return resolve_function(NamedBy::put_event_config, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<FunctionEventInvokeConfig> update_event_invoke_config(Lambda& lambda, aws::Caller caller,
                                                                 EventInvokeConfigInput in) {
  const auto name = resolve_function(NamedBy::update_event_config, caller, in.FunctionName, in.Qualifier);
  require_something(in);
  const auto function = function_of(lambda, name);
  check(lambda, *function, in);
  auto change = [in, now_ms = lambda.parts().clock.now_ms()](store::EventInvokeConfig& config) {
    if (in.MaximumRetryAttempts) config.maximum_retry_attempts = in.MaximumRetryAttempts;
    if (in.MaximumEventAgeInSeconds) config.maximum_event_age_s = in.MaximumEventAgeInSeconds;
    if (const auto success = destination_in(in.DestinationConfig, true)) config.on_success = success;
    if (const auto failure = destination_in(in.DestinationConfig, false)) config.on_failure = failure;
    config.last_modified_ms = now_ms;
  };
  auto edited = lambda.asynchronous().configs.edit(name.key, qualifier_of(name), std::move(change));
  const auto config = co_await std::move(edited);
  if (!config) throw no_config(name);
  co_return shown(*config);
}

std::string update_event_invoke_config_resource(const aws::Caller& caller, const EventInvokeConfigInput& in) {
  return resolve_function(NamedBy::update_event_config, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<FunctionEventInvokeConfig> get_event_invoke_config(Lambda& lambda, aws::Caller caller,
                                                              QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::get_event_config, caller, in.FunctionName, in.Qualifier);
  const auto config = lambda.asynchronous().configs.find(name.key, qualifier_of(name));
  if (!config) throw no_config(name);
  co_return shown(*config);
}

std::string get_event_invoke_config_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::get_event_config, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<NoOutput> delete_event_invoke_config(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::remove_event_config, caller, in.FunctionName, in.Qualifier);
  auto removal = lambda.asynchronous().configs.remove(name.key, qualifier_of(name));
  const bool removed = co_await std::move(removal);
  if (!removed) throw no_config(name);
  co_return NoOutput{};
}

std::string delete_event_invoke_config_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::remove_event_config, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<ListFunctionEventInvokeConfigsOutput> list_event_invoke_configs(Lambda& lambda, aws::Caller caller,
                                                                           ListOfFunctionInput in) {
  const auto name = resolve_function(NamedBy::list_event_configs, caller, in.FunctionName);
  function_of(lambda, name);
  const auto after = item_of_marker("ListFunctionEventInvokeConfigs", in.Marker);
  const auto page = page_size(in.MaxItems);
  auto found = lambda.asynchronous().configs.list(name.key, after, page + 1);
  ListFunctionEventInvokeConfigsOutput out;
  if (cut_page(found, page)) out.NextMarker = marker_after(found.back().qualifier);
  for (const auto& config : found) out.FunctionEventInvokeConfigs.push_back(shown(config));
  co_return out;
}

std::string list_event_invoke_configs_resource(const aws::Caller& caller, const ListOfFunctionInput& in) {
  return resolve_function(NamedBy::list_event_configs, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
