// What a function behind a URL sees of a request: the payload format 2.0 ("Invoking Lambda function URLs"). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aws/caller.h"
#include "base/http.h"

namespace lambent::lambda {

struct UrlRequest {
  const base::http::Request& http;
  std::string url_id;
  /// As the client asked for it: "<id>.lambda-url.us-east-1.localhost:4566".
  std::string host;
  std::string request_id;
  std::string trace_id;
  std::int64_t now_ms = 0;
  /// Set for AWS_IAM.
  std::optional<aws::Caller> caller;
};

/// The event as JSON.
std::string url_event(const UrlRequest& request);

}  // namespace lambent::lambda
