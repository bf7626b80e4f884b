// Identifiers and randomness from the kernel's generator.
#pragma once

#include <cstddef>
#include <string>

namespace lambent::base {

/// Cryptographically strong; aborts when the system has no randomness to give.
std::string random_bytes(std::size_t count);
/// A random UUID (version 4, RFC 9562), lower case with hyphens.
std::string uuid();
/// Lower-case hex of `bytes` random bytes.
std::string random_hex(std::size_t bytes);
/// `length` characters of A-Z and 2-7, as AWS writes unique ids after their prefix.
std::string random_base32(std::size_t length);

}  // namespace lambent::base
