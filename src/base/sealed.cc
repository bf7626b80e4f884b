#include "base/sealed.h"

#include <openssl/evp.h>

#include <memory>
#include <new>

#include "base/ids.h"

namespace lambent::base {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

struct CipherDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter>;

unsigned char* bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// Ready for data: key and nonce set, what is authenticated only fed.
Cipher start(bool seal, std::string_view key, std::string_view nonce, std::string_view associated) {
  static EVP_CIPHER* const aes = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  if (!cipher || key.size() != kSealKeyBytes ||
      EVP_CipherInit_ex2(cipher.get(), aes, bytes(key), bytes(nonce), seal ? 1 : 0, nullptr) != 1 ||
      EVP_CipherUpdate(cipher.get(), nullptr, &size, bytes(associated), static_cast<int>(associated.size())) != 1)
    throw std::bad_alloc();
  return cipher;
}

}  // namespace

std::string seal(std::string_view key, std::string_view plain, std::string_view associated) {
  const std::string nonce = random_bytes(kNonceBytes);
  const Cipher cipher = start(true, key, nonce, associated);
  std::string sealed(plain.size() + kTagBytes, '\0');
  int size = 0, rest = 0;
  if (EVP_CipherUpdate(cipher.get(), bytes(sealed.data()), &size, bytes(plain), static_cast<int>(plain.size())) != 1 ||
      EVP_CipherFinal_ex(cipher.get(), bytes(sealed.data()) + size, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, sealed.data() + plain.size()) != 1)
    throw std::bad_alloc();
  return nonce + sealed;
}

std::optional<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view associated) {
  if (sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  const std::string_view hidden = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const Cipher cipher = start(false, key, nonce, associated);
  std::string plain(hidden.size() + 1, '\0');
  int size = 0, rest = 0;
  if (EVP_CipherUpdate(cipher.get(), bytes(plain.data()), &size, bytes(hidden), static_cast<int>(hidden.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) != 1 ||
      EVP_CipherFinal_ex(cipher.get(), bytes(plain.data()) + size, &rest) != 1)
    return std::nullopt;
  plain.resize(hidden.size());
  return plain;
}

}  // namespace lambent::base
