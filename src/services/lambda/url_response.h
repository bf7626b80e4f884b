// What a client of a function URL sees of a function's answer: the response payload format 2.0 ("Invoking Lambda function URLs")
// and the HTTP metadata ahead of a streamed one. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/http.h"

namespace lambent::lambda {

/// The content type of an answer that begins with its HTTP metadata: a JSON object {statusCode, headers, cookies}, eight NUL
/// bytes, then the body. awslambda.HttpResponseStream of Node.js writes it.
inline constexpr std::string_view kMetadataType = "application/vnd.awslambda.http-integration-response";

/// Splits an answer of that type while it arrives.
class ResponseMetadata {
 public:
  /// As API Gateway has it ("the delimiter must appear within the first 16 KB of the stream data").
  static constexpr std::size_t kMaxBytes = 16 * 1024;
  enum class State { incomplete, complete, malformed };

  State take(std::string_view part);
  /// Status, headers and cookies; once complete.
  base::http::Response head;
  /// What of the body came with it; once complete.
  std::string body;

 private:
  std::string taken_;
};

/// The response that the function's whole payload asks for; nothing when it has a statusCode that is none, a body that is not
/// base64 though it says so, or metadata that is malformed: 502 then.
std::optional<base::http::Response> url_response(const std::string& payload, std::string_view content_type);

/// 502, what a client gets for whatever a function does wrong.
base::http::Response bad_gateway();

}  // namespace lambent::lambda
