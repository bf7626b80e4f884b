// Signature Version 4 as arithmetic: canonical request, string to sign, signing key, signature. Pure. Any thread.
// Source: AWS, "Create a signed AWS API request"; where it is silent, what botocore signs is what is verified.
#pragma once

#include <string>
#include <string_view>

#include "auth/claim.h"
#include "base/http.h"

namespace lambent::auth::sigv4 {

/// S3 signs the path encoded once and as sent; every other service signs it normalised (dot segments and repeated slashes
/// resolved) and encoded twice, that is, the path as sent encoded once more.
std::string canonical_path(std::string_view path, bool s3);

/// Dot segments and repeated slashes resolved as signatures outside S3 see them: what is matched must be what was signed.
std::string normalised_path(std::string_view path);

/// Pairs by encoded name, then value; repeats stay, a name alone gets "=", X-Amz-Signature is left out.
std::string canonical_query(std::string_view query);

/// Trimmed, runs of white space folded to one space.
std::string canonical_header_value(std::string_view value);

/// What stands for the body in the canonical request. Throws InvalidSignatureException when X-Amz-Content-Sha256 disagrees
/// with the body, for UNSIGNED-PAYLOAD outside S3 with a body and for the STREAMING- forms outside S3; NotImplemented
/// (501) for the STREAMING- forms in S3, whose chunks nobody here verifies.
std::string payload_hash(const Claim& claim, std::string_view body);

std::string canonical_request(const Claim& claim, const base::http::Request& request, std::string_view payload_hash);
std::string string_to_sign(const Claim& claim, std::string_view canonical_request);

/// 32 raw bytes. `date` is yyyymmdd.
std::string signing_key(std::string_view secret, std::string_view date, std::string_view region,
                        std::string_view service);
/// 64 lower-case hex digits.
std::string signature(std::string_view signing_key, std::string_view string_to_sign);

/// "The request signature we calculated does not match ...": InvalidSignatureException, 403.
[[noreturn]] void throw_mismatch();

}  // namespace lambent::auth::sigv4
