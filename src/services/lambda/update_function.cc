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

/// The function as it is, when it may be changed now.
store::FunctionSnapshot changeable(const Lambda& lambda, const FunctionName& name, const OptionalText& revision) {
  auto function = lambda.existing(name);
  Lambda::require_revision(revision, function->revision_id);
  Lambda::require_settled(*function);
  return function;
}

/// Stores the changed function in place of `base`, which it was made from, and a version of it if it is to be published.
base::Task<FunctionConfiguration> store_change(Lambda& lambda, store::FunctionSnapshot base,
                                               store::FunctionVersion changed, bool published = false) {
  changed.update_status = "InProgress";
  // AWS says "created" of updates too (the CLI's published example answers show it).
  changed.update_status_reason = "The function is being created.";
  changed.update_status_reason_code = "Creating";
  lambda.touch(changed);
  std::optional<store::FunctionVersion> version;
  if (published) version = publish(changed, std::nullopt);
  lambda.require_storage(base->key.account, base->key.region,
                         (published ? 2 : 1) * changed.code_size - base->code_size);
  const auto answer = version ? configuration_of(*version, version->version) : configuration_of(changed);
  const std::string number = version ? version->version : "";
  auto task = lambda.functions().replace(std::move(changed), base->revision_id, std::move(version));
  const bool stored = co_await std::move(task);
  if (!stored) {
    // Somebody was faster: it is gone, or being updated.
    if (!lambda.functions().find(base->key)) throw function_not_found(base->arn());
    throw conflict(fmt::format(
        "The operation cannot be performed at this time. An update is in progress for resource: {}", base->arn()));
  }
  lambda.engine().retire(base->key, base->version);
  const auto executor = co_await base::asio::this_coro::executor;
  lambda.settle_later(executor, base->key);
  if (!number.empty()) lambda.settle_later(executor, base->key, number);
  co_return answer;
}

}  // namespace

base::Task<FunctionConfiguration> update_function_code(Lambda& lambda, aws::Caller caller, UpdateFunctionCodeInput in) {
  const auto name = resolve_function(NamedBy::update_code, caller, in.FunctionName);
  refuse_unsupported(in);
  const auto before = changeable(lambda, name, in.RevisionId);
  auto source = source_of(in);
  refuse_retired(lambda.parts(), before->runtime, runtimes::Change::update);
  const bool dry_run = in.DryRun.value_or(false);
  auto fetch = take_archive(lambda, caller, std::move(source));
  auto archive = co_await std::move(fetch);
  CodeOwner owner{name.key.account, name.key.region};
  auto take = take_code(lambda, std::move(archive), std::move(owner), dry_run ? Keep::no : Keep::yes);
  const auto code = co_await std::move(take);
  if (const auto config = config_of(lambda, name.key))
    require_signature(lambda, *config, code.signature, before->arn());
  auto changed = *before;
  set_code(changed, code);
  check_unzipped_size(changed);
  if (in.Architectures) changed.architecture = in.Architectures->front();
  if (dry_run) co_return configuration_of(changed);
  auto change = store_change(lambda, before, std::move(changed), in.Publish.value_or(false));
  co_return co_await std::move(change);
}

std::string update_function_code_resource(const aws::Caller& caller, const UpdateFunctionCodeInput& in) {
  return resolve_function(NamedBy::update_code, caller, in.FunctionName).arn();
}

base::Task<FunctionConfiguration> update_function_configuration(Lambda& lambda, aws::Caller caller,
                                                                UpdateFunctionConfigurationInput in) {
  const auto name = resolve_function(NamedBy::update_configuration, caller, in.FunctionName);
  refuse_unsupported(in);
  auto looked = lambda.parts().catalog.await_look();
  co_await std::move(looked);
  const auto before = changeable(lambda, name, in.RevisionId);
  auto changed = *before;
  apply_settings(lambda, caller, in, changed);
  check_unzipped_size(changed);
  if (const auto config = in.Layers ? config_of(lambda, name.key) : nullptr) {
    auto judge = require_layer_signatures(lambda, config, changed.layers, before->arn());
    co_await std::move(judge);
  }
  refuse_retired(lambda.parts(), changed.runtime, runtimes::Change::update);
  auto change = store_change(lambda, before, std::move(changed));
  co_return co_await std::move(change);
}

std::string update_function_configuration_resource(const aws::Caller& caller,
                                                   const UpdateFunctionConfigurationInput& in) {
  return resolve_function(NamedBy::update_configuration, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
