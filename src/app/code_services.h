// Where functions' code comes from and who may have signed it, put together: the S3 endpoint, signing profiles and configurations.
//
// Owned by the Composition, made after the functions and the identities and before the Lambda service, destroyed after it.
#pragma once

#include <memory>

#include "app/options.h"
#include "auth/session_tokens.h"
#include "aws/objects.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "services/lambda/code_signing.h"
#include "services/lambda/signing_profiles.h"
#include "store/code_signing_configs.h"
#include "store/functions.h"
#include "store/identities.h"

namespace lambent::app {

/// All of it outlives the services.
struct CodeServicesParts {
  const ServeOptions& options;
  store::Database& database;
  store::Functions& functions;
  const store::Identities& identities;
  const auth::SessionTokens& tokens;
  const base::Clock& clock;
  base::Metrics& metrics;
};

class CodeServices {
 public:
  /// Throws std::invalid_argument for a --signing-profile that is none.
  explicit CodeServices(CodeServicesParts parts);
  CodeServices(const CodeServices&) = delete;

  /// Null without an S3 endpoint.
  aws::Objects* objects() { return objects_.get(); }
  const lambda::Signing* signing() const { return &signing_; }
  const store::CodeSigningConfigs& configs() const { return configs_; }

 private:
  std::unique_ptr<aws::Objects> make_objects(const CodeServicesParts& parts);

  lambda::SigningProfiles profiles_;
  store::CodeSigningConfigs configs_;
  lambda::Signing signing_;
  std::unique_ptr<aws::Objects> objects_;
};

}  // namespace lambent::app
