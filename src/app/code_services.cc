#include "app/code_services.h"

#include <stdexcept>

#include "app/data_directory.h"
#include "aws/error.h"
#include "base/log.h"
#include "targets/s3_objects.h"
#include "targets/targets.h"

namespace lambent::app {
namespace {

/// Signed, sent and answered within a minute.
constexpr std::int64_t kReadSession_s = 900;

/// What the caller's own request was signed with, as S3 would see the caller on AWS; for a role, whose session token stayed with
/// the caller, a new session of the same name.
targets::Credentials credentials_of(const store::Identities& identities, const auth::SessionTokens& tokens,
                                    const aws::Caller& caller) {
  const auto gone = [] { return aws::Error("AccessDeniedException", "The caller's credentials are gone.", 403); };
  if (caller.kind == aws::Principal::assumed_role) {
    const auto role = identities.role_by_arn(caller.identity_arn);
    if (!role) throw gone();
    const auto colon = caller.user_id.find(':');
    const std::string name = colon == std::string::npos ? "lambda" : caller.user_id.substr(colon + 1);
    const auto session = tokens.issue(caller.account, caller.identity_arn, role->id, name, kReadSession_s);
    return {session.access_key_id, session.secret_access_key, session.session_token};
  }
  auto key = identities.access_key(caller.access_key_id);
  // With --auth=off nobody has to have a key: everybody is root.
  if (const auto root_keys = identities.access_keys(caller.account, "");
      !key && caller.kind == aws::Principal::root && !root_keys.empty())
    key = root_keys.front();
  if (!key) throw gone();
  return {key->id, key->secret, ""};
}

/// "NAME=FILE" or "ARN=FILE": neither names nor ARNs have an equals sign.
void add_profile(lambda::SigningProfiles& profiles, const std::string& text) {
  const auto fail = [&text](const std::string& why) {
    throw std::invalid_argument("--signing-profile wants NAME_OR_ARN=CERTIFICATE.pem, not '" + text + "': " + why);
  };
  const auto equals = text.find('=');
  if (equals == std::string::npos) fail("there is no '='");
  const auto pem = read_small_file(text.substr(equals + 1));
  if (!pem) fail("there is no such file");
  try {
    profiles.add(text.substr(0, equals), *pem);
  } catch (const std::invalid_argument& error) {
    fail(error.what());
  }
}

}  // namespace

CodeServices::CodeServices(CodeServicesParts parts)
    : configs_(parts.database, parts.functions),
      signing_{configs_, profiles_,
               parts.metrics.counter("lambent_signature_validation_errors_total",
                                     "Archives deployed or refused whose signature was not what the function asks for.",
                                     {"policy", "reason"})},
      objects_(make_objects(parts)) {
  for (const std::string& text : parts.options.signing_profiles) add_profile(profiles_, text);
  const lambda::CodeOwner owner{parts.options.account, parts.options.region};
  for (const std::string& arn : profiles_.arns(owner)) base::log::info("signing profile", {{"arn", arn}});
}

std::unique_ptr<aws::Objects> CodeServices::make_objects(const CodeServicesParts& parts) {
  for (const std::string& text : parts.options.target_endpoints) {
    auto [service, endpoint] = targets::parse_target_endpoint(text);
    if (service != "s3") continue;
    auto credentials = [&identities = parts.identities, &tokens = parts.tokens](const aws::Caller& caller) {
      return credentials_of(identities, tokens, caller);
    };
    return targets::make_objects(std::move(endpoint), {parts.clock, std::move(credentials)});
  }
  return nullptr;
}

}  // namespace lambent::app
