// Who is calling: Signature Version 4, from the first header to a verified Caller.
//
// Two steps, so that strangers cannot make us hold bodies: `check_head` needs only the request line and the headers
// (form, known key, date, scope), `verify` needs the body. Source: AWS, "Signature Version 4 for API requests".
// As on AWS nothing remembers signatures: a captured request verifies again until its time is over (five minutes, or the
// life of a presigned URL), so only TLS keeps requests from being captured.
// Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/claim.h"
#include "aws/caller.h"
#include "base/clock.h"
#include "base/http.h"
#include "store/identities.h"

namespace lambent::auth {

class SessionTokens;

class Authenticator {
 public:
  /// All must outlive this.
  Authenticator(const store::Identities& identities, const SessionTokens& tokens, const base::Clock& clock);
  ~Authenticator();

  /// The service named by the credential scope of the request, or nothing when it carries none that can be read: the gateway
  /// chooses the service by it before anything is checked.
  static std::optional<std::string> scope_service(const base::http::Request& head);

  /// The region of that scope, for servers that do not verify.
  static std::optional<std::string> scope_region(const base::http::Request& head);

  /// Throws aws::Error: MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException,
  /// InvalidSignatureException (expired, not yet current, wrong scope), ExpiredTokenException, each 403 (or 400 where AWS says so).
  Claim check_head(const base::http::Request& head, std::string_view expected_service) const;

  /// Throws InvalidSignatureException. `request` has its body now.
  aws::Caller verify(const Claim& claim, const base::http::Request& request) const;

 private:
  struct KeyCache;
  const store::Identities& identities_;
  const SessionTokens& tokens_;
  const base::Clock& clock_;
  std::unique_ptr<KeyCache> keys_;
};

}  // namespace lambent::auth
