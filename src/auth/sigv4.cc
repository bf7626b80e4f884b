#include "auth/sigv4.h"

#include <algorithm>
#include <vector>

#include "aws/error.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/query.h"

namespace lambent::auth::sigv4 {
namespace {

constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_encoded(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (is_unreserved(c)) {
    out += c;
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// Decodes and encodes again, so that each text has one form. A '%' that begins no escape stands for itself.
void append_normalised(std::string& out, std::string_view text, bool keep_slash) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      append_encoded(out, static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2])));
      i += 2;
    } else if (c == '/' && keep_slash) {
      out += c;
    } else {
      append_encoded(out, c);
    }
  }
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void append_header_value(std::string& out, std::string_view value) {
  const std::size_t start = out.size();
  bool pending = false;
  for (const char c : value) {
    if (is_space(c)) {
      pending = out.size() > start;
      continue;
    }
    if (pending) out += ' ';
    pending = false;
    out += c;
  }
}

/// "name:value,value\n" of one signed header, values in the order sent.
void append_header(std::string& out, std::string_view name, const base::http::Headers& headers) {
  out += name;
  out += ':';
  bool first = true;
  for (const auto& [key, value] : headers.all()) {
    if (!base::equal_ignoring_case(key, name)) continue;
    if (!first) out += ',';
    first = false;
    append_header_value(out, value);
  }
  out += '\n';
}

}  // namespace

void throw_mismatch() {
  throw aws::Error("InvalidSignatureException",
                   "The request signature we calculated does not match the signature you provided. Check your AWS "
                   "Secret Access Key and signing method. Consult the service documentation for details.",
                   403);
}

std::string normalised_path(std::string_view path) {
  const bool plain = path.starts_with('/') && path.find("//") == path.npos && path.find("/.") == path.npos;
  if (plain) return std::string(path);
  std::vector<std::string_view> segments;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    if (segment.empty() || segment == ".") continue;
    if (segment != "..")
      segments.push_back(segment);
    else if (!segments.empty())
      segments.pop_back();
  }
  std::string out;
  out.reserve(path.size() + 1);
  for (const std::string_view segment : segments) {
    out += '/';
    out += segment;
  }
  if (segments.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_path(std::string_view path, bool s3) {
  std::string out;
  out.reserve(path.size() + path.size() / 2 + 1);
  if (s3) {
    append_normalised(out, path.empty() ? "/" : path, true);
    return out;
  }
  for (const char c : normalised_path(path)) {
    if (c == '/')
      out += c;
    else
      append_encoded(out, c);
  }
  return out;
}

std::string canonical_query(std::string_view query) {
  struct Pair {
    std::size_t begin, name_size, value_size;
  };
  std::vector<Pair> pairs;
  std::string encoded;
  encoded.reserve(query.size() + 32);
  for (base::QueryPair sent; base::next_pair(query, sent);) {
    const std::size_t begin = encoded.size();
    append_normalised(encoded, sent.name, false);
    const std::size_t name_size = encoded.size() - begin;
    append_normalised(encoded, sent.value, false);
    pairs.push_back({begin, name_size, encoded.size() - begin - name_size});
  }
  const std::string_view text = encoded;
  const auto name = [text](const Pair& p) { return text.substr(p.begin, p.name_size); };
  const auto value = [text](const Pair& p) { return text.substr(p.begin + p.name_size, p.value_size); };
  std::sort(pairs.begin(), pairs.end(), [&](const Pair& a, const Pair& b) {
    const int order = name(a).compare(name(b));
    return order != 0 ? order < 0 : value(a) < value(b);
  });
  std::string out;
  out.reserve(encoded.size() + 2 * pairs.size());
  for (const Pair& pair : pairs) {
    if (name(pair) == "X-Amz-Signature") continue;
    if (!out.empty()) out += '&';
    out += name(pair);
    out += '=';
    out += value(pair);
  }
  return out;
}

std::string canonical_header_value(std::string_view value) {
  std::string out;
  append_header_value(out, value);
  return out;
}

std::string payload_hash(const Claim& claim, std::string_view body) {
  const std::string& sent = claim.content_sha256;
  const bool s3 = claim.service == "s3";
  if (sent.empty() && s3 && claim.presigned) return std::string(kUnsignedPayload);
  if (sent == kUnsignedPayload) {
    if (!s3 && !body.empty()) throw_mismatch();
    return sent;
  }
  if (sent.starts_with("STREAMING-")) {
    if (!s3) throw_mismatch();
    throw aws::Error("NotImplemented", "A header you provided implies functionality that is not implemented", 501);
  }
  std::string actual = body.empty() ? std::string(kEmptySha256) : base::sha256_hex(body);
  if (sent.empty()) return actual;
  if (!base::constant_time_equal(base::lower(sent), actual)) throw_mismatch();
  return sent;
}

std::string canonical_request(const Claim& claim, const base::http::Request& request, std::string_view payload_hash) {
  std::string out;
  out.reserve(1024);
  out += request.method;
  out += '\n';
  out += canonical_path(request.path, claim.service == "s3");
  out += '\n';
  out += canonical_query(request.query);
  out += '\n';
  for (const std::string& name : claim.signed_headers) append_header(out, name, request.headers);
  out += '\n';
  for (const std::string& name : claim.signed_headers) {
    if (&name != &claim.signed_headers.front()) out += ';';
    out += name;
  }
  out += '\n';
  out += payload_hash;
  return out;
}

std::string string_to_sign(const Claim& claim, std::string_view canonical_request) {
  std::string out;
  out.reserve(192);
  out += "AWS4-HMAC-SHA256\n";
  out += claim.amz_date;
  out += '\n';
  for (const std::string* part : {&claim.date, &claim.region, &claim.service}) {
    out += *part;
    out += '/';
  }
  out += "aws4_request\n";
  out += base::sha256_hex(canonical_request);
  return out;
}

std::string signing_key(std::string_view secret, std::string_view date, std::string_view region,
                        std::string_view service) {
  const std::string seed = "AWS4" + std::string(secret);
  return base::hmac_sha256(base::hmac_sha256(base::hmac_sha256(base::hmac_sha256(seed, date), region), service),
                           "aws4_request");
}

std::string signature(std::string_view signing_key, std::string_view string_to_sign) {
  return base::hex(base::hmac_sha256(signing_key, string_to_sign));
}

}  // namespace lambent::auth::sigv4
