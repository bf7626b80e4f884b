#include "services/lambda/code_signing.h"

#include <algorithm>

#include "aws/arn.h"
#include "base/log.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {
namespace {

using State = CodeSignature::State;

constexpr std::string_view kConfig = "code-signing-config:";

/// Why the signature is none that the configuration asks for; empty when it is.
std::string_view failing(const Lambda& lambda, const store::CodeSigningConfig& config, const CodeSignature& signature) {
  switch (signature.state) {
    case State::missing:
      return "unsigned";
    case State::unknown_signer:
      return "mismatch";
    case State::broken:
      return "integrity";
    default:
      break;
  }
  const auto& profiles = lambda.parts().signing->profiles;
  const bool allowed = std::ranges::any_of(config.publishers, [&](const std::string& arn) {
    const auto profile = profiles.find(arn);
    return profile && std::ranges::find(signature.profiles, *profile) != signature.profiles.end();
  });
  if (!allowed) return "mismatch";
  return signature.state == State::expired ? "expired" : "";
}

}  // namespace

aws::Error config_not_found(const std::string& arn) {
  return {"CodeSigningConfigNotFoundException",
          fmt::format("The code signing configuration cannot be found. Check that the provided configuration is not "
                      "deleted: {}.",
                      arn),
          404};
}

store::CodeSigningConfigSnapshot usable_config(const Lambda& lambda, const store::FunctionKey& function,
                                               const std::string& arn) {
  const auto parsed = aws::Arn::parse(arn);
  const bool here = parsed && parsed->partition == "aws" && parsed->account == function.account &&
                    parsed->region == function.region && parsed->resource.starts_with(kConfig);
  const auto* signing = lambda.parts().signing;
  auto config = here && signing != nullptr
                    ? signing->configs.find(function.account, function.region, parsed->resource.substr(kConfig.size()))
                    : nullptr;
  if (!config) throw config_not_found(arn);
  return config;
}

store::CodeSigningConfigSnapshot config_of(const Lambda& lambda, const store::FunctionKey& function) {
  const auto* signing = lambda.parts().signing;
  return signing != nullptr ? signing->configs.of(function) : nullptr;
}

void require_signature(const Lambda& lambda, const store::CodeSigningConfig& config, const CodeSignature& signature,
                       const std::string& deployed) {
  const auto reason = failing(lambda, config, signature);
  if (reason.empty()) return;
  lambda.parts().signing->errors.at({config.policy, std::string(reason)}).add();
  base::log::warn("a signature was not accepted",
                  {{"deployed", deployed}, {"reason", reason}, {"policy", config.policy}, {"config", config.arn()}});
  if (signature.state == State::broken)
    throw aws::Error("InvalidCodeSignatureException",
                     fmt::format("Lambda cannot deploy the function. The code signature failed the integrity check. "
                                 "Check the provided signature for {}.",
                                 deployed),
                     400);
  if (config.policy == "Enforce")
    throw aws::Error("CodeVerificationFailedException",
                     fmt::format("Lambda cannot deploy the function. The function or layer might be signed using a "
                                 "signature that the client is not configured to accept. Check the provided signature "
                                 "for {}.",
                                 deployed),
                     400);
}

std::function<void(store::Transaction&)> judged_by(const Lambda& lambda, const store::FunctionKey& function,
                                                   store::CodeSigningConfigSnapshot config) {
  if (lambda.parts().signing == nullptr) return {};
  return store::CodeSigningConfigs::unchanged(function, std::move(config));
}

base::Task<void> require_layer_signatures(Lambda& lambda, store::CodeSigningConfigSnapshot config,
                                          std::vector<store::LayerUse> layers, std::string deployed) {
  for (const auto& layer : layers) {
    auto work = [&parts = lambda.parts(), &layer] {
      const auto zip = parts.code.zip(layer.hash);
      // What is no longer there to be looked at is not what was signed.
      if (!zip) return CodeSignature{State::broken, {}, {}, {}};
      return parts.signing->judge(*zip, {}, parts.clock.now_s());
    };
    const auto signature = co_await lambda.parts().cpu.run(std::move(work));
    require_signature(lambda, *config, signature, deployed);
  }
}

}  // namespace lambent::lambda
