// What a request claims about its sender, read from its head alone: the Authorization header or the X-Amz-* query
// parameters of a presigned URL (AWS, "Signature Version 4 for API requests"). Pure: no keys, no clock. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "base/http.h"

namespace lambent::auth {

/// The parsed claim of a request: not yet proven. Only `service` and `region` may be used before verify().
struct Claim {
  std::string access_key_id;
  std::string date;  // yyyymmdd of the scope
  std::string region;
  std::string service;
  std::string amz_date;                     // yyyymmddThhmmssZ
  std::vector<std::string> signed_headers;  // lower case, ascending, no name twice
  std::string signature;
  std::string session_token;
  bool presigned = false;
  /// The time that `amz_date` names.
  std::int64_t signed_at_s = 0;
  /// X-Amz-Expires of a presigned URL, 1 to 604,800; 0 otherwise.
  std::int64_t expires_s = 0;
  /// The value of X-Amz-Content-Sha256 (header or query), empty when it was not sent.
  std::string content_sha256;
  /// The credentials that the claim names, looked up once.
  std::string secret_access_key;
  aws::Caller caller;
};

// Bounds on what a claim may hold. The server's own limit on heads is tighter than the first two.
constexpr std::size_t kMaxTargetBytes = 64 * 1024;
constexpr std::size_t kMaxAuthorizationBytes = 8 * 1024;
constexpr std::size_t kMaxSignedHeaders = 100;
constexpr std::size_t kMaxSessionToken = 4096;
/// AWS: "the maximum number of seconds is 604800 (seven days)".
constexpr std::int64_t kMaxExpires_s = 604'800;
/// How far the sender's clock may be off, both ways.
constexpr std::int64_t kClockSkew_s = 300;

/// Throws aws::Error: MissingAuthenticationTokenException, IncompleteSignatureException, InvalidSignatureException; all 403,
/// as AWS's REST services answer them (IncompleteSignature is 400 from query services: error_words.h).
Claim parse_claim(const base::http::Request& head);

/// The service in the credential scope, or nothing when the request carries no readable one. Never throws.
std::optional<std::string> claimed_service(const base::http::Request& head);
/// The region beside it.
std::optional<std::string> claimed_region(const base::http::Request& head);

/// Throws InvalidSignatureException unless the scope names `service`.
void check_service(const Claim& claim, std::string_view service);

/// Throws InvalidSignatureException unless the list holds `host` and every x-amz-* header of the request and every listed
/// header was sent.
void check_signed_headers(const Claim& claim, const base::http::Headers& headers);

/// Throws InvalidSignatureException when the claim is expired or from the future.
void check_time(const Claim& claim, std::int64_t now_s);

}  // namespace lambent::auth
