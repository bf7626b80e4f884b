#include "auth/session_tokens.h"

#include <openssl/evp.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/bytes.h"
#include "base/ids.h"

// A token is base64url of: version (1 byte), nonce (12), sealed fields, tag (16). The version is authenticated too. With
// random nonces one key is good for 2^32 tokens (NIST SP 800-38D, 8.3).
namespace lambent::auth {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kMaxTokenCharacters = 4096;

struct CipherDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter>;

unsigned char* bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// Ready for data: key and nonce set, the version fed as authenticated data.
Cipher start(bool seal, std::string_view key, std::string_view nonce) {
  static EVP_CIPHER* const aes = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  if (!cipher || EVP_CipherInit_ex2(cipher.get(), aes, bytes(key), bytes(nonce), seal ? 1 : 0, nullptr) != 1 ||
      EVP_CipherUpdate(cipher.get(), nullptr, &size, reinterpret_cast<const unsigned char*>(&kVersion), 1) != 1)
    throw std::bad_alloc();
  return cipher;
}

std::string seal(std::string_view key, std::string_view plain) {
  const std::string nonce = base::random_bytes(kNonceBytes);
  const Cipher cipher = start(true, key, nonce);
  std::string sealed(plain.size() + kTagBytes, '\0');
  int size = 0, rest = 0;
  if (EVP_CipherUpdate(cipher.get(), bytes(sealed.data()), &size, bytes(plain), static_cast<int>(plain.size())) != 1 ||
      EVP_CipherFinal_ex(cipher.get(), bytes(sealed.data()) + size, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, sealed.data() + plain.size()) != 1)
    throw std::bad_alloc();
  return kVersion + nonce + sealed;
}

std::optional<std::string> unseal(std::string_view key, std::string_view token) {
  if (token.size() < 1 + kNonceBytes + kTagBytes || token.front() != kVersion) return std::nullopt;
  const std::string_view nonce = token.substr(1, kNonceBytes);
  const std::string_view sealed = token.substr(1 + kNonceBytes, token.size() - 1 - kNonceBytes - kTagBytes);
  std::string tag(token.substr(token.size() - kTagBytes));
  const Cipher cipher = start(false, key, nonce);
  std::string plain(sealed.size() + 1, '\0');
  int size = 0, rest = 0;
  if (EVP_CipherUpdate(cipher.get(), bytes(plain.data()), &size, bytes(sealed), static_cast<int>(sealed.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) != 1 ||
      EVP_CipherFinal_ex(cipher.get(), bytes(plain.data()) + size, &rest) != 1)
    return std::nullopt;
  plain.resize(sealed.size());
  return plain;
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
                                        std::string_view session_name, std::int64_t lifetime_s) const {
  SessionCredentials out;
  out.access_key_id = "ASIA" + base::random_base32(16);
  out.secret_access_key = base::base64(base::random_bytes(30));
  out.expires_at_ms = clock_.now_ms() + lifetime_s * 1000;
  std::string plain;
  for (const std::string_view field : {account, role_arn, role_id, session_name, std::string_view(out.access_key_id),
                                       std::string_view(out.secret_access_key)})
    append_text(plain, field);
  append_number(plain, static_cast<std::uint64_t>(out.expires_at_ms), 8);
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
  if (!reader.ok || !reader.left.empty()) return std::nullopt;
  return out;
}

}  // namespace lambent::auth
