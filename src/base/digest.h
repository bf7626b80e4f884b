// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104) over OpenSSL, with per-thread reused contexts.
#pragma once

#include <string>
#include <string_view>

namespace lambent::base {

/// 32 raw bytes.
std::string sha256(std::string_view data);
std::string sha256_hex(std::string_view data);
/// 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view data);

/// SHA-256 of what arrives in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view data);
  /// 32 raw bytes; the object is then empty again.
  std::string finish();

 private:
  void* context_;
};

}  // namespace lambent::base
