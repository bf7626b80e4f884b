#include "targets/sign.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/amz_time.h"
#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/digest.h"

namespace lambent::targets {

void sign(base::http::Request& request, const Credentials& credentials, std::string_view region,
          std::string_view service, std::int64_t now_s) {
  auth::Claim claim;
  claim.amz_date = auth::format_amz_date(now_s);
  claim.date = claim.amz_date.substr(0, 8);
  claim.region = region;
  claim.service = service;
  const std::string body_hash = base::sha256_hex(request.body);
  request.headers.set("X-Amz-Date", claim.amz_date);
  if (!credentials.session_token.empty()) request.headers.set("X-Amz-Security-Token", credentials.session_token);
  if (service == "s3") request.headers.set("X-Amz-Content-Sha256", body_hash);
  for (const auto& [name, value] : request.headers.all()) claim.signed_headers.push_back(base::lower(name));
  std::sort(claim.signed_headers.begin(), claim.signed_headers.end());
  const std::string canonical = auth::sigv4::canonical_request(claim, request, body_hash);
  const std::string key =
      auth::sigv4::signing_key(credentials.secret_access_key, claim.date, claim.region, claim.service);
  const std::string signature = auth::sigv4::signature(key, auth::sigv4::string_to_sign(claim, canonical));
  std::string names;
  for (const std::string& name : claim.signed_headers) names += (names.empty() ? "" : ";") + name;
  request.headers.set(
      "Authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request, SignedHeaders={}, Signature={}",
                  credentials.access_key_id, claim.date, claim.region, claim.service, names, signature));
}

}  // namespace lambent::targets
