// Temporary credentials that nobody has to store: the session token is the record, sealed with a key of the server
// (AES-256-GCM), and names its access key id, secret, role, session and expiry. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace lambent::auth {

struct SessionCredentials {
  std::string access_key_id;  // ASIA...
  std::string secret_access_key;
  std::string session_token;
  std::int64_t expires_at_ms = 0;
};

/// What a token proves about its holder.
struct Session {
  std::string account;
  std::string role_arn;
  std::string role_id;  // AROA...
  std::string session_name;
  std::string access_key_id;
  std::string secret_access_key;
  std::int64_t expires_at_ms = 0;
  /// 0 for tokens of versions that did not write it down.
  std::int64_t issued_at_ms = 0;
  /// The function that it was issued to; empty for anybody else.
  std::string function_arn;
};

class SessionTokens {
 public:
  /// `sealing_key`: 32 bytes, kept in the data directory.
  SessionTokens(std::string sealing_key, const base::Clock& clock);

  SessionCredentials issue(std::string_view account, std::string_view role_arn, std::string_view role_id,
                           std::string_view session_name, std::int64_t lifetime_s,
                           std::string_view function_arn = {}) const;
  /// Nothing for anything that this key did not seal, at most 4096 characters. Expiry is the caller's to check.
  std::optional<Session> open(std::string_view token) const;

 private:
  std::string key_;
  const base::Clock& clock_;
};

}  // namespace lambent::auth
