// The signing side of Signature Version 4: what src/auth verifies, made for requests that leave.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/http.h"

namespace lambent::targets {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  /// Empty for long-lived keys.
  std::string session_token;
};

/// Adds X-Amz-Date, X-Amz-Security-Token, X-Amz-Content-Sha256 (S3) and Authorization. `request` must have its Host header and its
/// whole body.
void sign(base::http::Request& request, const Credentials& credentials, std::string_view region,
          std::string_view service, std::int64_t now_s);

}  // namespace lambent::targets
