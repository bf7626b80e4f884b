#include "auth/session_tokens.h"

#include <stdexcept>
#include <utility>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/sealed.h"

// A token is base64url of: version (1 byte), nonce (12), sealed fields, tag (16). The version is authenticated too. With
// random nonces one key is good for 2^32 tokens (NIST SP 800-38D, 8.3).
namespace lambent::auth {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kMaxTokenCharacters = 4096;

std::string_view version_bytes() { return {&kVersion, 1}; }

std::string seal(std::string_view key, std::string_view plain) {
  return kVersion + base::seal(key, plain, version_bytes());
}

std::optional<std::string> unseal(std::string_view key, std::string_view token) {
  if (token.empty() || token.front() != kVersion) return std::nullopt;
  return base::unseal(key, token.substr(1), version_bytes());
}

void append_number(std::string& out, std::uint64_t value, int width) {
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

void append_text(std::string& out, std::string_view text) {
  if (text.size() > 0xffff) throw std::length_error("a session's fields are longer than any AWS name");
  append_number(out, text.size(), 2);
  out += text;
}

/// Takes fields off the front; `ok` turns false and stays so when they run out.
struct Reader {
  std::string_view left;
  bool ok = true;

  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const char c : take(width)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string text() { return std::string(take(number(2))); }

 private:
  std::string_view take(std::size_t count) {
    if (!ok || count > left.size()) {
      ok = false;
      return {};
    }
    const std::string_view taken = left.substr(0, count);
    left.remove_prefix(count);
    return taken;
  }
};

}  // namespace

SessionTokens::SessionTokens(std::string sealing_key, const base::Clock& clock)
    : key_(std::move(sealing_key)), clock_(clock) {
  if (key_.size() != 32) throw std::invalid_argument("the key that seals session tokens must have 32 bytes");
}

SessionCredentials SessionTokens::issue(std::string_view account, std::string_view role_arn, std::string_view role_id,
                                        std::string_view session_name, std::int64_t lifetime_s,
                                        std::string_view function_arn) const {
  SessionCredentials out;
  out.access_key_id = "ASIA" + base::random_base32(16);
  out.secret_access_key = base::base64(base::random_bytes(30));
  const std::int64_t now_ms = clock_.now_ms();
  out.expires_at_ms = now_ms + lifetime_s * 1000;
  std::string plain;
  for (const std::string_view field : {account, role_arn, role_id, session_name, std::string_view(out.access_key_id),
                                       std::string_view(out.secret_access_key)})
    append_text(plain, field);
  append_number(plain, static_cast<std::uint64_t>(out.expires_at_ms), 8);
  append_text(plain, function_arn);
  append_number(plain, static_cast<std::uint64_t>(now_ms), 8);
  out.session_token = base::base64url(seal(key_, plain));
  if (out.session_token.size() > kMaxTokenCharacters)
    throw std::length_error("a session's fields are longer than any AWS name");
  return out;
}

std::optional<Session> SessionTokens::open(std::string_view token) const {
  if (token.size() > kMaxTokenCharacters) return std::nullopt;
  const auto sealed = base::unbase64url(token);
  if (!sealed) return std::nullopt;
  const auto plain = unseal(key_, *sealed);
  if (!plain) return std::nullopt;
  Reader reader{*plain};
  Session out;
  for (std::string* field :
       {&out.account, &out.role_arn, &out.role_id, &out.session_name, &out.access_key_id, &out.secret_access_key})
    *field = reader.text();
  out.expires_at_ms = static_cast<std::int64_t>(reader.number(8));
  // Earlier versions ended here.
  if (!reader.left.empty()) {
    out.function_arn = reader.text();
    out.issued_at_ms = static_cast<std::int64_t>(reader.number(8));
  }
  if (!reader.ok || !reader.left.empty()) return std::nullopt;
  return out;
}

}  // namespace lambent::auth
