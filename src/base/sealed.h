// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) over OpenSSL, with random nonces.
//
// With random nonces one key is good for 2^32 messages (SP 800-38D, 8.3). Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lambent::base {

constexpr std::size_t kSealKeyBytes = 32;

/// nonce (12 bytes), ciphertext, tag (16). `key` has 32 bytes; `associated` is authenticated and not kept. Throws std::bad_alloc.
std::string seal(std::string_view key, std::string_view plain, std::string_view associated);
/// Nothing when it was not sealed so: another key, other associated bytes, a changed bit.
std::optional<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view associated);

}  // namespace lambent::base
