// Code signing at deployment: who must have signed what a function is given, and what comes of it if they did not.
//
// AWS, "Using code signing to verify code integrity with Lambda": an archive that was changed since it was signed is always refused; one
// that is unsigned, expired or signed by somebody else is refused by Enforce, and by Warn let through with a warning, which
// here is a line in the server's log. Each failure counts, as AWS's metric SignatureValidationErrors does.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "aws/error.h"
#include "base/metrics.h"
#include "services/lambda/lambda.h"
#include "services/lambda/signing_profiles.h"
#include "store/code_signing_configs.h"

namespace lambent::lambda {

/// All of it outlives the service.
struct Signing {
  store::CodeSigningConfigs& configs;
  const SigningProfiles& profiles;
  /// By "policy" and "reason".
  base::Family<base::Counter>& errors;

  /// Signatures are looked at when somebody could have made them.
  CodeSignature judge(std::string_view zip, const CodeOwner& owner, std::int64_t now_s) const {
    return profiles.judge(zip, owner, now_s);
  }
};

/// Throws CodeSigningConfigNotFoundException for an ARN of none of the function's account and region.
store::CodeSigningConfigSnapshot usable_config(const Lambda& lambda, const store::FunctionKey& function,
                                               const std::string& arn);
aws::Error config_not_found(const std::string& arn);

/// The configuration that the function uses; null for none.
store::CodeSigningConfigSnapshot config_of(const Lambda& lambda, const store::FunctionKey& function);

/// Throws InvalidCodeSignatureException or CodeVerificationFailedException for an archive that may not be deployed; `deployed` is
/// the function as the refusal names it.
void require_signature(const Lambda& lambda, const store::CodeSigningConfig& config, const CodeSignature& signature,
                       const std::string& deployed);

/// How often a deployment is judged anew because its configuration changed before it was stored; then it is refused.
inline constexpr int kJudgements = 4;

/// For the transaction that stores what was judged by `config` (null: by none): throws store::CodeSigningConfigChanged there when
/// the function is held to another one by then. Nothing where there is no code signing.
std::function<void(store::Transaction&)> judged_by(const Lambda& lambda, const store::FunctionKey& function,
                                                   store::CodeSigningConfigSnapshot config);

/// The same for the archives of layers, judged anew: a layer may have been published before its signer had a profile.
base::Task<void> require_layer_signatures(Lambda& lambda, store::CodeSigningConfigSnapshot config,
                                          std::vector<store::LayerUse> layers, std::string deployed);

}  // namespace lambent::lambda
