#include "auth/authenticator.h"

#include "auth/session_tokens.h"
#include "auth/signing_keys.h"
#include "auth/sigv4.h"
#include "aws/arn.h"
#include "aws/error.h"
#include "base/bytes.h"

namespace lambent::auth {
namespace {

/// One answer for every key or token that does not hold, so that it tells nothing about which exist.
[[noreturn]] void throw_unrecognized() {
  throw aws::Error("UnrecognizedClientException", "The security token included in the request is invalid.", 403);
}

void identify_by_key(const store::Identities& identities, Claim& claim) {
  // Long-term keys have no session token.
  if (!claim.session_token.empty()) throw_unrecognized();
  const auto key = identities.access_key(claim.access_key_id);
  if (!key || !key->active) throw_unrecognized();
  aws::Caller& caller = claim.caller;
  caller.account = key->account;
  if (key->user_name.empty()) {
    caller.kind = aws::Principal::root;
    caller.arn = aws::make_arn("iam", "", key->account, "root");
    caller.user_id = key->account;
  } else {
    const auto user = identities.user(key->account, key->user_name);
    if (!user) throw_unrecognized();
    caller.kind = aws::Principal::user;
    caller.arn = user->arn();
    caller.user_id = user->id;
  }
  caller.identity_arn = caller.arn;
  claim.secret_access_key = key->secret;
}

void identify_by_token(const store::Identities& identities, const SessionTokens& tokens, std::int64_t now_ms,
                       Claim& claim) {
  auto session = tokens.open(claim.session_token);
  if (!session || session->access_key_id != claim.access_key_id) throw_unrecognized();
  if (session->expires_at_ms <= now_ms)
    throw aws::Error("ExpiredTokenException", "The security token included in the request is expired", 403);
  // The role as it is now: a session ends with its role, also when another of the same name was made since.
  const auto role = identities.role_by_arn(session->role_arn);
  if (!role || role->id != session->role_id) throw_unrecognized();
  aws::Caller& caller = claim.caller;
  caller.kind = aws::Principal::assumed_role;
  caller.account = session->account;
  caller.arn = aws::make_arn("sts", "", session->account, "assumed-role/" + role->name + "/" + session->session_name);
  caller.identity_arn = role->arn();
  caller.user_id = session->role_id + ":" + session->session_name;
  caller.source_function = std::move(session->function_arn);
  caller.token_issued_ms = session->issued_at_ms;
  claim.secret_access_key = std::move(session->secret_access_key);
}

}  // namespace

struct Authenticator::KeyCache : SigningKeys {};

Authenticator::Authenticator(const store::Identities& identities, const SessionTokens& tokens, const base::Clock& clock)
    : identities_(identities), tokens_(tokens), clock_(clock), keys_(std::make_unique<KeyCache>()) {}

Authenticator::~Authenticator() = default;

std::optional<std::string> Authenticator::scope_service(const base::http::Request& head) {
  return claimed_service(head);
}

std::optional<std::string> Authenticator::scope_region(const base::http::Request& head) { return claimed_region(head); }

Claim Authenticator::check_head(const base::http::Request& head, std::string_view expected_service) const {
  Claim claim = parse_claim(head);
  check_service(claim, expected_service);
  check_signed_headers(claim, head.headers);
  check_time(claim, clock_.now_s());
  if (claim.access_key_id.starts_with("ASIA"))
    identify_by_token(identities_, tokens_, clock_.now_ms(), claim);
  else
    identify_by_key(identities_, claim);
  claim.caller.region = claim.region;
  claim.caller.access_key_id = claim.access_key_id;
  return claim;
}

aws::Caller Authenticator::verify(const Claim& claim, const base::http::Request& request) const {
  const std::string payload = sigv4::payload_hash(claim, request.body);
  const std::string text = sigv4::string_to_sign(claim, sigv4::canonical_request(claim, request, payload));
  const auto known = keys_->find(claim);
  std::string key =
      known ? *known : sigv4::signing_key(claim.secret_access_key, claim.date, claim.region, claim.service);
  if (!base::constant_time_equal(sigv4::signature(key, text), claim.signature)) sigv4::throw_mismatch();
  if (!known) keys_->keep(claim, std::move(key));
  return claim.caller;
}

}  // namespace lambent::auth
