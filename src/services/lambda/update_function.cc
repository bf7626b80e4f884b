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

/// Somebody was faster: it is gone, or being updated.
aws::Error too_late(const Lambda& lambda, const store::FunctionVersion& base) {
  if (!lambda.parts().functions.find(base.key)) return function_not_found(base.arn());
  return conflict(fmt::format(
      "The operation cannot be performed at this time. An update is in progress for resource: {}", base.arn()));
}

/// Looks at the signatures of what is deployed by what the function is held to; nothing for an update that deploys nothing.
using Judgement = std::function<base::Task<void>(store::CodeSigningConfigSnapshot)>;

/// Stores the changed function in place of `base`, which it was made from, and a version of it if it is to be published. What it is
/// held to is what holds in the transaction that stores it: when that has changed since it was judged, it is judged anew.
base::Task<bool> judge_and_replace(Lambda& lambda, store::FunctionSnapshot base, store::FunctionVersion changed,
                                   std::optional<store::FunctionVersion> version, Judgement judge) {
  for (int round = 0; round < kJudgements; ++round) {
    std::function<void(store::Transaction&)> still;
    if (judge) {
      auto config = config_of(lambda, base->key);
      still = judged_by(lambda, base->key, config);
      auto judged = judge(std::move(config));
      co_await std::move(judged);
    }
    auto task = lambda.functions().replace(changed, base->revision_id, version, std::move(still));
    bool stored = false, held_to_another = false;
    try {
      stored = co_await std::move(task);
    } catch (const store::CodeSigningConfigChanged&) {
      held_to_another = true;
    }
    if (!held_to_another) co_return stored;
  }
  co_return false;
}

base::Task<FunctionConfiguration> store_change(Lambda& lambda, store::FunctionSnapshot base,
                                               store::FunctionVersion changed, Judgement judge,
                                               bool published = false) {
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
  auto task = judge_and_replace(lambda, base, std::move(changed), std::move(version), std::move(judge));
  const bool stored = co_await std::move(task);
  if (!stored) throw too_late(lambda, *base);
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
  const Judgement judge = [&](store::CodeSigningConfigSnapshot config) -> base::Task<void> {
    if (config) require_signature(lambda, *config, code.signature, before->arn());
    co_return;
  };
  if (dry_run) {
    auto judged = judge(config_of(lambda, name.key));
    co_await std::move(judged);
  }
  auto changed = *before;
  set_code(changed, code);
  check_unzipped_size(changed);
  if (in.Architectures) changed.architecture = in.Architectures->front();
  if (dry_run) co_return configuration_of(changed);
  auto change = store_change(lambda, before, std::move(changed), judge, in.Publish.value_or(false));
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
  refuse_retired(lambda.parts(), changed.runtime, runtimes::Change::update);
  Judgement judge;
  if (in.Layers)
    judge = [&lambda, layers = changed.layers, before](store::CodeSigningConfigSnapshot config) -> base::Task<void> {
      if (!config) co_return;
      auto work = require_layer_signatures(lambda, std::move(config), layers, before->arn());
      co_await std::move(work);
    };
  auto change = store_change(lambda, before, std::move(changed), judge);
  co_return co_await std::move(change);
}

std::string update_function_configuration_resource(const aws::Caller& caller,
                                                   const UpdateFunctionConfigurationInput& in) {
  return resolve_function(NamedBy::update_configuration, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
