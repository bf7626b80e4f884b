// What a function behind a URL sees of a request, and what a client sees of its answer: the payload format 2.0 ("Invoking Lambda
// function URLs"). Pure.
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

/// The response that the function's payload asks for; nothing when it has a statusCode that is none, or a body that is not
/// base64 though it says so: 502 then.
std::optional<base::http::Response> url_response(const std::string& payload);

}  // namespace lambent::lambda
