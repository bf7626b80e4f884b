// Arbitrary request heads through everything that is done before a signature is known to be right: it must end, refuse with
// aws::Error only, and read a request in one way. What is then signed with a key of ours must verify.
#include <cstdlib>

#include "auth/amz_time.h"
#include "auth/claim.h"
#include "auth/session_tokens.h"
#include "auth/sigv4.h"
#include "aws/error.h"
#include "base/http_head.h"

using namespace lambent;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// Encoding what is encoded changes nothing: one canonical form per request.
void check_canonical_forms(const base::http::Request& request) {
  const std::string query = auth::sigv4::canonical_query(request.query);
  require(auth::sigv4::canonical_query(query) == query);
  const std::string path = auth::sigv4::canonical_path(request.path, true);
  require(auth::sigv4::canonical_path(path, true) == path);
  require(auth::sigv4::canonical_path(request.path, false).starts_with('/'));
}

void check_claim(const base::http::Request& request) {
  const auth::Claim claim = auth::parse_claim(request);
  require(auth::claimed_service(request) == claim.service);
  require(auth::parse_amz_date(claim.amz_date) == claim.signed_at_s);
  require(claim.amz_date.substr(0, 8) == claim.date);
  require(!claim.signed_headers.empty() && claim.signed_headers.size() <= auth::kMaxSignedHeaders);
  require(!claim.presigned || (claim.expires_s >= 1 && claim.expires_s <= auth::kMaxExpires_s));
  auth::check_time(claim, claim.signed_at_s);
  auth::check_signed_headers(claim, request.headers);
  const std::string payload = auth::sigv4::payload_hash(claim, request.body);
  const std::string canonical = auth::sigv4::canonical_request(claim, request, payload);
  require(canonical.starts_with(request.method + "\n/"));
  require(canonical.ends_with("\n" + payload));
  require(auth::sigv4::string_to_sign(claim, canonical).size() >= 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const base::SystemClock clock;
  static const auth::SessionTokens tokens(std::string(32, 'k'), clock);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  require(!tokens.open(bytes));
  auth::parse_date_header(bytes);
  bool broken = false;
  const std::size_t length = base::http::head_length(bytes, 0, broken);
  std::optional<base::http::HeadError> error;
  base::http::Head head = base::http::parse_head(bytes.substr(0, length), 100, error);
  if (error) return 0;
  head.request.body = bytes.substr(length);
  check_canonical_forms(head.request);
  try {
    check_claim(head.request);
  } catch (const aws::Error& refusal) {
    require(refusal.status() == 403 || refusal.status() == 501);
  }
  return 0;
}
