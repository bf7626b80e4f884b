#include "auth/claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "auth/amz_time.h"
#include "aws/error.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/query.h"

// Wordings and codes: seen in answers of AWS as quoted in public issues, namely aws/chalice#828 (missing pieces, 403 from a
// REST API), boto/boto3#2280 (missing equal-sign), boto/boto3#1752 (five elements), aws/aws-sdk-php#2469 (host not signed),
// cllunsford/aws-signing-proxy#25 (wrong service; the trailing space is AWS's), aws/aws-sdk-js#573 and s12v/awsbeats#48
// (clock). Where AWS used to echo credentials it now answers their hash, and so do we: an error body must not carry them.
namespace lambent::auth {
namespace {

using base::http::Headers;
using base::http::Request;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";

aws::Error incomplete(std::string message) { return {"IncompleteSignatureException", std::move(message), 403}; }
aws::Error invalid(std::string message) { return {"InvalidSignatureException", std::move(message), 403}; }

std::string hashed(std::string_view secret) { return base::base64(base::sha256(secret)); }

/// Foreign text that a message quotes: short and printable.
std::string clipped(std::string_view text) {
  std::string out(text.substr(0, 64));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

/// The authentication parameters of a query, decoded; `given` tells an empty one from an absent one.
struct QueryParameters {
  enum Name { algorithm, credential, date, expires, signed_headers, signature, token, content_sha256, count };
  static constexpr std::array<std::string_view, count> names = {
      "X-Amz-Algorithm",     "X-Amz-Credential", "X-Amz-Date",           "X-Amz-Expires",
      "X-Amz-SignedHeaders", "X-Amz-Signature",  "X-Amz-Security-Token", "X-Amz-Content-Sha256"};
  std::array<std::optional<std::string>, count> values;
  bool repeated = false;

  bool authenticates() const { return values[algorithm] || values[credential] || values[signature]; }
};

QueryParameters read_query(std::string_view query) {
  QueryParameters found;
  for (base::QueryPair pair; base::next_pair(query, pair);) {
    // Nearly every parameter is somebody else's: seen without a copy.
    if (!pair.name.starts_with("X-Amz-") && pair.name.find('%') == std::string_view::npos) continue;
    const auto name = base::percent_decode(pair.name);
    if (!name) continue;
    const auto it = std::find(found.names.begin(), found.names.end(), *name);
    if (it == found.names.end()) continue;
    auto& value = found.values[static_cast<std::size_t>(it - found.names.begin())];
    found.repeated |= value.has_value();
    value = base::percent_decode(pair.value).value_or(std::string());
  }
  return found;
}

/// The Authorization header's parts, still as sent.
struct HeaderParameters {
  std::string_view algorithm;
  std::optional<std::string_view> credential, signed_headers, signature;
  /// A part without "=", for the refusal.
  std::optional<std::string_view> malformed;
  bool repeated = false;
};

HeaderParameters read_authorization(std::string_view text) {
  HeaderParameters found;
  const auto space = text.find(' ');
  found.algorithm = text.substr(0, space);
  text.remove_prefix(std::min(text.size(), found.algorithm.size()));
  const auto take = [&](std::optional<std::string_view>& slot, std::string_view value) {
    found.repeated |= slot.has_value();
    slot = value;
  };
  // AWS's parser ends a part at a comma and at a space alike (boto/boto3#2280).
  while (true) {
    const auto begin = text.find_first_not_of(" ,\t");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view part = text.substr(0, text.find_first_of(" ,\t"));
    text.remove_prefix(part.size());
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) {
      found.malformed = part;
      continue;
    }
    const std::string_view name = part.substr(0, equals), value = part.substr(equals + 1);
    if (name == "Credential") take(found.credential, value);
    if (name == "SignedHeaders") take(found.signed_headers, value);
    if (name == "Signature") take(found.signature, value);
  }
  return found;
}

bool all_of_set(std::string_view text, bool (*in_set)(char)) { return std::all_of(text.begin(), text.end(), in_set); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-'; }
bool is_key_id(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

void read_credential(std::string_view credential, Claim& claim) {
  if (std::count(credential.begin(), credential.end(), '/') != 4)
    throw incomplete(
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/term, got (hashed with SHA-256 and encoded with Base64): '{}'",
                    hashed(credential)));
  std::array<std::string_view, 5> parts;
  for (std::string_view& part : parts) {
    part = credential.substr(0, credential.find('/'));
    credential.remove_prefix(std::min(credential.size(), part.size() + 1));
  }
  const auto& [key_id, date, region, service, terminator] = parts;
  if (terminator != kTerminator)
    throw invalid(fmt::format("Credential should be scoped with a valid terminator: '{}', not '{}'.", kTerminator,
                              clipped(terminator)));
  if (date.size() != 8 || !all_of_set(date, is_digit))
    throw invalid(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
                    "HTTP: '{}'.",
                    clipped(date)));
  // The region becomes part of ARNs and names of namespaces: nothing but what AWS's regions are made of.
  if (region.empty() || region.size() > 32 || !all_of_set(region, is_name))
    throw invalid(fmt::format("Credential should be scoped to a valid region, not '{}'. ", clipped(region)));
  if (service.empty() || service.size() > 64 || !all_of_set(service, is_name))
    throw invalid("Credential should be scoped to a valid service. ");
  // IAM's type accessKeyIdType has word characters, 128 at most.
  if (key_id.empty() || key_id.size() > 128 || !all_of_set(key_id, is_key_id))
    throw aws::Error("UnrecognizedClientException", "The security token included in the request is invalid.", 403);
  claim.access_key_id = key_id;
  claim.date = date;
  claim.region = region;
  claim.service = service;
}

bool is_header_character(char c) {
  return is_name(c) || std::string_view("!#$%&'*+.^_`|~").find(c) != std::string_view::npos;
}

void read_signed_headers(std::string_view list, Claim& claim) {
  while (true) {
    const auto semicolon = list.find(';');
    const std::string_view name = list.substr(0, semicolon);
    const bool ascending = claim.signed_headers.empty() || claim.signed_headers.back() < name;
    if (name.empty() || !all_of_set(name, is_header_character) || !ascending)
      throw invalid(
          "SignedHeaders must be lower-case header names in ascending order, each once, joined by semicolons.");
    if (claim.signed_headers.size() == kMaxSignedHeaders) throw invalid("SignedHeaders names too many headers.");
    claim.signed_headers.emplace_back(name);
    if (semicolon == std::string_view::npos) return;
    list.remove_prefix(semicolon + 1);
  }
}

void set_time(Claim& claim, std::optional<std::int64_t> seconds, std::string_view as_sent) {
  if (!seconds)
    throw incomplete(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                    "http://en.wikipedia.org/wiki/ISO_8601",
                    clipped(as_sent)));
  claim.signed_at_s = *seconds;
  claim.amz_date = format_amz_date(*seconds);
  if (!std::string_view(claim.amz_date).starts_with(claim.date))
    throw invalid(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
                    "HTTP: '{}' != '{}', from '{}'.",
                    claim.date, claim.amz_date.substr(0, 8), claim.amz_date));
}

Claim claim_from_header(std::string_view authorization, const Headers& headers) {
  if (authorization.size() > kMaxAuthorizationBytes) throw incomplete("The Authorization header is too long.");
  const HeaderParameters given = read_authorization(authorization);
  if (given.malformed)
    throw incomplete(
        fmt::format("Invalid key=value pair (missing equal-sign) in Authorization header (hashed with "
                    "SHA-256 and encoded with Base64): '{}'.",
                    hashed(authorization)));
  const std::string* amz_date = headers.find("x-amz-date");
  const std::string* http_date = headers.find("date");
  std::string missing;
  if (!given.credential) missing += "Authorization header requires 'Credential' parameter. ";
  if (!given.signature) missing += "Authorization header requires 'Signature' parameter. ";
  if (!given.signed_headers) missing += "Authorization header requires 'SignedHeaders' parameter. ";
  if (!amz_date && !http_date)
    missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  if (!missing.empty())
    throw incomplete(missing + "(Hashed with SHA-256 and encoded with Base64) Authorization=" + hashed(authorization));
  if (given.algorithm != kAlgorithm)
    throw incomplete(fmt::format("Unsupported AWS 'algorithm': '{}'.", clipped(given.algorithm)));
  if (given.repeated) throw incomplete("Authorization header has a parameter twice.");

  Claim claim;
  read_credential(*given.credential, claim);
  read_signed_headers(*given.signed_headers, claim);
  claim.signature = *given.signature;
  const std::string_view date = base::trim(amz_date ? *amz_date : *http_date);
  set_time(claim, amz_date ? parse_amz_date(date) : parse_date_header(date), date);
  claim.session_token = base::trim(headers.get("x-amz-security-token"));
  claim.content_sha256 = base::trim(headers.get("x-amz-content-sha256"));
  return claim;
}

std::int64_t read_expires(std::string_view text) {
  const auto seconds = base::parse_decimal(text);
  if (!seconds) throw invalid("X-Amz-Expires should be a number");
  if (*seconds < 1) throw invalid("X-Amz-Expires must be positive");
  if (*seconds > static_cast<std::uint64_t>(kMaxExpires_s))
    throw invalid(
        fmt::format("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
                    "must be less than {} seconds",
                    kMaxExpires_s));
  return static_cast<std::int64_t>(*seconds);
}

Claim claim_from_query(const QueryParameters& given, const Headers& headers) {
  using Q = QueryParameters;
  std::string missing;
  for (const Q::Name name : {Q::algorithm, Q::credential, Q::signature, Q::signed_headers, Q::date, Q::expires})
    if (!given.values[name]) missing += fmt::format("AWS query-string parameters must include '{}'. ", Q::names[name]);
  if (!missing.empty()) throw incomplete(missing + "Re-examine the query-string parameters.");
  if (*given.values[Q::algorithm] != kAlgorithm)
    throw incomplete(fmt::format("Unsupported AWS 'algorithm': '{}'.", clipped(*given.values[Q::algorithm])));
  if (given.repeated) throw incomplete("A query-string parameter of the signature is given twice.");
  if (given.values[Q::content_sha256] && headers.find("x-amz-content-sha256"))
    throw invalid("X-Amz-Content-Sha256 is given both in the query string and as a header.");

  Claim claim;
  claim.presigned = true;
  read_credential(*given.values[Q::credential], claim);
  read_signed_headers(*given.values[Q::signed_headers], claim);
  claim.signature = *given.values[Q::signature];
  set_time(claim, parse_amz_date(*given.values[Q::date]), *given.values[Q::date]);
  claim.expires_s = read_expires(*given.values[Q::expires]);
  claim.session_token = given.values[Q::token].value_or("");
  claim.content_sha256 =
      given.values[Q::content_sha256].value_or(std::string(base::trim(headers.get("x-amz-content-sha256"))));
  return claim;
}

}  // namespace

Claim parse_claim(const Request& head) {
  if (head.path.size() + head.query.size() > kMaxTargetBytes) throw invalid("The request target is too long.");
  const QueryParameters query = read_query(head.query);
  const std::string* authorization = head.headers.find("authorization");
  if (!authorization && !query.authenticates())
    throw aws::Error("MissingAuthenticationTokenException", "Missing Authentication Token", 403);
  // S3 words it so (InvalidArgument there); which of two proofs counts must never be a matter of reading order.
  if (authorization && query.authenticates())
    throw invalid(
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
        "parameter or the Authorization header should be specified");
  // A second value of these would be joined into the signed text but not be the one that is obeyed.
  for (const std::string_view once :
       {"authorization", "host", "date", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"})
    if (head.headers.count(once) > 1) throw invalid(fmt::format("The header '{}' is given more than once.", once));
  Claim claim = authorization ? claim_from_header(base::trim(*authorization), head.headers)
                              : claim_from_query(query, head.headers);
  if (claim.session_token.size() > kMaxSessionToken)
    throw aws::Error("UnrecognizedClientException", "The security token included in the request is invalid.", 403);
  return claim;
}

namespace {

/// A part of the credential scope by its place behind the access key id: 1 the region, 2 the service.
std::optional<std::string> scope_part(const Request& head, int place) {
  std::string credential;
  if (const std::string* authorization = head.headers.find("authorization")) {
    if (authorization->size() > kMaxAuthorizationBytes) return std::nullopt;
    credential = read_authorization(base::trim(*authorization)).credential.value_or(std::string_view());
  } else if (head.query.size() <= kMaxTargetBytes) {
    credential = read_query(head.query).values[QueryParameters::credential].value_or("");
  }
  std::string_view rest = credential;
  for (int skipped = 0; skipped <= place; ++skipped) {
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(slash + 1);
  }
  const std::string_view part = rest.substr(0, rest.find('/'));
  if (part.empty() || part.size() > 64 || !all_of_set(part, is_name)) return std::nullopt;
  return std::string(part);
}

}  // namespace

std::optional<std::string> claimed_service(const Request& head) { return scope_part(head, 2); }
std::optional<std::string> claimed_region(const Request& head) { return scope_part(head, 1); }

void check_service(const Claim& claim, std::string_view service) {
  if (claim.service != service)
    throw invalid(fmt::format("Credential should be scoped to correct service: '{}'. ", service));
}

void check_signed_headers(const Claim& claim, const Headers& headers) {
  const auto listed = [&](std::string_view name) {
    return std::binary_search(claim.signed_headers.begin(), claim.signed_headers.end(), name, std::less<>());
  };
  if (!listed("host")) throw invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  // AWS: "you must include the host header and any x-amz-* headers". Content-Type is asked for by the same page but not
  // enforced (aws4fetch never signs it), so it is not required here either.
  for (const auto& [name, value] : headers.all()) {
    if (name.size() < 6 || !base::equal_ignoring_case(std::string_view(name).substr(0, 6), "x-amz-")) continue;
    const std::string lower = base::lower(name);
    if (!listed(lower))
      throw invalid("There were headers present in the request which were not signed: " + clipped(lower));
  }
  for (const std::string& name : claim.signed_headers)
    if (!headers.find(name)) throw invalid("A header named in SignedHeaders was not sent: " + clipped(name));
}

void check_time(const Claim& claim, std::int64_t now_s) {
  if (claim.signed_at_s > now_s + kClockSkew_s)
    throw invalid(fmt::format("Signature not yet current: {} is still later than {} ({} + 5 min.)", claim.amz_date,
                              format_amz_date(now_s + kClockSkew_s), format_amz_date(now_s)));
  const std::int64_t lifetime_s = claim.presigned ? claim.expires_s : kClockSkew_s;
  if (claim.signed_at_s + lifetime_s >= now_s) return;
  const std::string lifetime =
      lifetime_s % 60 == 0 ? fmt::format("{} min.", lifetime_s / 60) : fmt::format("{} sec.", lifetime_s);
  throw invalid(fmt::format("Signature expired: {} is now earlier than {} ({} - {})", claim.amz_date,
                            format_amz_date(now_s - lifetime_s), format_amz_date(now_s), lifetime));
}

}  // namespace lambent::auth
