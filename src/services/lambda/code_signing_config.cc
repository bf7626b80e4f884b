// Code signing configurations: which signers an account trusts, and what happens to what others have signed.
#include "aws/arn.h"
#include "base/ids.h"
#include "services/lambda/code_signing.h"
#include "services/lambda/code_signing_operations.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_configuration.h"
#include "services/lambda/paging.h"
#include "services/lambda/validation.h"

namespace lambent::lambda {
namespace {

constexpr std::string_view kConfig = "code-signing-config:";
/// "A request returns up to 10,000 configurations per call" (API reference, ListCodeSigningConfigs).
constexpr std::int32_t kMaxPage = 10'000;

std::size_t page_of(const OptionalInt& max_items) { return static_cast<std::size_t>(max_items.value_or(kMaxPage)); }

aws::Error not_found(const std::string& arn) {
  return {"ResourceNotFoundException", fmt::format("The Lambda code signing configuration {} can not be found.", arn),
          404};
}

/// What is authorized. Another account's configurations have no policies that could let anybody in.
std::string own_config(const aws::Caller& caller, const std::string& arn, std::string_view action) {
  const auto parsed = aws::Arn::parse(arn);
  if (parsed && parsed->account != caller.account)
    throw aws::Error("AccessDeniedException",
                     fmt::format("User: {} is not authorized to perform: {} on resource: {} because no resource-based "
                                 "policy allows the {} action",
                                 caller.arn, action, arn, action),
                     403);
  return arn;
}

CodeSigningConfigShape shown(const store::CodeSigningConfig& config) {
  CodeSigningConfigShape out;
  out.CodeSigningConfigId = config.id;
  out.CodeSigningConfigArn = config.arn();
  if (!config.description.empty()) out.Description = config.description;
  out.AllowedPublishers.SigningProfileVersionArns = config.publishers;
  out.CodeSigningPolicies.UntrustedArtifactOnDeployment = config.policy;
  out.LastModified = last_modified_text(config.modified_ms);
  return out;
}

/// Every publisher must have a profile here: one that nobody knows could never have signed anything.
void check_publishers(const Lambda& lambda, const Texts& publishers) {
  for (const auto& arn : publishers)
    if (!lambda.parts().signing->profiles.find(arn))
      throw invalid_parameter(fmt::format(
          "The signing profile version {} does not exist. (Lambent's profiles are certificates that it is started "
          "with: --signing-profile NAME=FILE.)",
          arn));
}

/// Whoever is faster has changed it: each further round begins with their work, so this ends.
base::Task<store::CodeSigningConfigSnapshot> amend(Lambda& lambda, aws::Caller caller, std::string arn,
                                                   std::function<void(store::CodeSigningConfig&)> edit) {
  for (;;) {
    auto changed = *existing_code_signing_config(lambda, caller, arn);
    edit(changed);
    ++changed.revision;
    auto made = std::make_shared<const store::CodeSigningConfig>(changed);
    auto task = lambda.parts().signing->configs.replace(std::move(changed));
    const bool stored = co_await std::move(task);
    if (stored) co_return made;
  }
}

}  // namespace

store::CodeSigningConfigSnapshot existing_code_signing_config(const Lambda& lambda, const aws::Caller& caller,
                                                              const std::string& arn) {
  const auto parsed = aws::Arn::parse(arn);
  const bool here = parsed && parsed->account == caller.account && parsed->region == caller.region &&
                    parsed->partition == "aws" && parsed->resource.starts_with(kConfig);
  auto config = here ? lambda.parts().signing->configs.find(caller.account, caller.region,
                                                            parsed->resource.substr(kConfig.size()))
                     : nullptr;
  if (!config) throw not_found(arn);
  return config;
}

base::Task<void> amend_code_signing_tags(Lambda& lambda, aws::Caller caller, std::string arn,
                                         std::function<void(TextMap&)> edit) {
  const auto apply = [edit = std::move(edit)](store::CodeSigningConfig& config) { edit(config.tags); };
  auto task = amend(lambda, std::move(caller), std::move(arn), apply);
  co_await std::move(task);
}

base::Task<CodeSigningConfigOutput> create_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                               CreateCodeSigningConfigInput in) {
  check_publishers(lambda, in.AllowedPublishers.SigningProfileVersionArns);
  store::CodeSigningConfig config;
  if (in.Tags) {
    check_tags(*in.Tags);
    config.tags = *in.Tags;
  }
  config.account = caller.account;
  config.region = caller.region;
  constexpr std::size_t kIdLength = 17;
  config.id = "csc-" + base::random_hex(kIdLength).substr(0, kIdLength);
  config.description = in.Description.value_or("");
  config.publishers = in.AllowedPublishers.SigningProfileVersionArns;
  if (in.CodeSigningPolicies) config.policy = in.CodeSigningPolicies->UntrustedArtifactOnDeployment.value_or("Warn");
  config.modified_ms = lambda.parts().clock.now_ms();
  CodeSigningConfigOutput out{shown(config)};
  auto task = lambda.parts().signing->configs.create(std::move(config));
  co_await std::move(task);
  co_return out;
}

std::string create_code_signing_config_resource(const aws::Caller&, const CreateCodeSigningConfigInput&) { return "*"; }

base::Task<CodeSigningConfigOutput> get_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                            CodeSigningConfigInput in) {
  co_return CodeSigningConfigOutput{shown(*existing_code_signing_config(lambda, caller, in.CodeSigningConfigArn))};
}

std::string get_code_signing_config_resource(const aws::Caller& caller, const CodeSigningConfigInput& in) {
  return own_config(caller, in.CodeSigningConfigArn, "lambda:GetCodeSigningConfig");
}

base::Task<CodeSigningConfigOutput> update_code_signing_config(Lambda& lambda, aws::Caller caller,
                                                               UpdateCodeSigningConfigInput in) {
  existing_code_signing_config(lambda, caller, in.CodeSigningConfigArn);
  if (in.AllowedPublishers) check_publishers(lambda, in.AllowedPublishers->SigningProfileVersionArns);
  const auto change = [&in, now_ms = lambda.parts().clock.now_ms()](store::CodeSigningConfig& config) {
    if (in.Description) config.description = *in.Description;
    if (in.AllowedPublishers) config.publishers = in.AllowedPublishers->SigningProfileVersionArns;
    if (in.CodeSigningPolicies && in.CodeSigningPolicies->UntrustedArtifactOnDeployment)
      config.policy = *in.CodeSigningPolicies->UntrustedArtifactOnDeployment;
    config.modified_ms = now_ms;
  };
  auto task = amend(lambda, caller, in.CodeSigningConfigArn, change);
  const auto changed = co_await std::move(task);
  co_return CodeSigningConfigOutput{shown(*changed)};
}

std::string update_code_signing_config_resource(const aws::Caller& caller, const UpdateCodeSigningConfigInput& in) {
  return own_config(caller, in.CodeSigningConfigArn, "lambda:UpdateCodeSigningConfig");
}

base::Task<NoOutput> delete_code_signing_config(Lambda& lambda, aws::Caller caller, CodeSigningConfigInput in) {
  const auto config = existing_code_signing_config(lambda, caller, in.CodeSigningConfigArn);
  using Removal = store::CodeSigningConfigs::Removal;
  auto task = lambda.parts().signing->configs.remove(config->account, config->region, config->id);
  const auto removal = co_await std::move(task);
  if (removal == Removal::none) throw not_found(in.CodeSigningConfigArn);
  if (removal == Removal::in_use)
    throw conflict(
        fmt::format("The code signing configuration {} is used by functions and cannot be deleted. Remove "
                    "it from them first.",
                    in.CodeSigningConfigArn));
  co_return NoOutput{};
}

std::string delete_code_signing_config_resource(const aws::Caller& caller, const CodeSigningConfigInput& in) {
  return own_config(caller, in.CodeSigningConfigArn, "lambda:DeleteCodeSigningConfig");
}

base::Task<ListCodeSigningConfigsOutput> list_code_signing_configs(Lambda& lambda, aws::Caller caller,
                                                                   ListCodeSigningConfigsInput in) {
  const auto after = item_of_marker("ListCodeSigningConfigs", in.Marker);
  const auto page = page_of(in.MaxItems);
  ListCodeSigningConfigsOutput out;
  auto configs = lambda.parts().signing->configs.list(caller.account, caller.region, after, page + 1);
  if (cut_page(configs, page)) out.NextMarker = marker_after(configs.back()->id);
  for (const auto& config : configs) out.CodeSigningConfigs.push_back(shown(*config));
  co_return out;
}

std::string list_code_signing_configs_resource(const aws::Caller&, const ListCodeSigningConfigsInput&) { return "*"; }

base::Task<ListFunctionsByCodeSigningConfigOutput> list_functions_by_code_signing_config(
    Lambda& lambda, aws::Caller caller, ListFunctionsByCodeSigningConfigInput in) {
  const auto config = existing_code_signing_config(lambda, caller, in.CodeSigningConfigArn);
  const auto after = item_of_marker("ListFunctionsByCodeSigningConfig", in.Marker);
  const auto page = page_of(in.MaxItems);
  ListFunctionsByCodeSigningConfigOutput out;
  auto users = lambda.parts().signing->configs.users(*config, after, page + 1);
  if (cut_page(users, page)) out.NextMarker = marker_after(users.back().name);
  for (const auto& function : users) out.FunctionArns.push_back(function.arn());
  co_return out;
}

std::string list_functions_by_code_signing_config_resource(const aws::Caller& caller,
                                                           const ListFunctionsByCodeSigningConfigInput& in) {
  return own_config(caller, in.CodeSigningConfigArn, "lambda:ListFunctionsByCodeSigningConfig");
}

}  // namespace lambent::lambda
