#include "runtime_api/protocol.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/bytes.h"

namespace lambent::runtime_api {

using base::http::Response;

namespace {

constexpr std::string_view kRuntime = "/2018-06-01/runtime/";
constexpr std::string_view kExtension = "/2020-01-01/extension/";
constexpr std::string_view kInvocation = "invocation/";

Response json(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

Response text(int status, std::string_view body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = body;
  return response;
}

/// A line break can only be space between the tokens of a JSON header, where a blank does as well; anywhere else it has no
/// business.
void add(Response& response, const char* name, std::string value) {
  if (value.empty()) return;
  std::ranges::replace_if(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  response.headers.add(name, std::move(value));
}

Call expect(std::string_view method, std::string_view wanted, Call call) {
  return method == wanted ? call : Call::wrong_method;
}

}  // namespace

Route route(std::string_view method, std::string_view path) {
  if (path == "/2018-06-01/ping") return {expect(method, "GET", Call::ping), {}};
  if (path.starts_with(kExtension)) {
    path.remove_prefix(kExtension.size());
    const bool get = path == "event/next";
    if (!get && path != "register" && path != "init/error" && path != "exit/error") return {};
    return {expect(method, get ? "GET" : "POST", Call::extension), path};
  }
  if (path == "/2022-07-01/telemetry" || path == "/2022-07-01/telemetry/")
    return {expect(method, "PUT", Call::telemetry), {}};
  if (path == "/2020-08-15/logs" || path == "/2020-08-15/logs/") return {expect(method, "PUT", Call::logs), {}};
  if (!path.starts_with(kRuntime)) return {};
  path.remove_prefix(kRuntime.size());
  if (path == "init/error") return {expect(method, "POST", Call::init_error), {}};
  if (!path.starts_with(kInvocation)) return {};
  path.remove_prefix(kInvocation.size());
  if (path == "next") return {expect(method, "GET", Call::next), {}};
  const auto slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos) return {};
  const std::string_view id = path.substr(0, slash);
  const std::string_view verb = path.substr(slash + 1);
  if (verb == "response") return {expect(method, "POST", Call::response), id};
  if (verb == "error") return {expect(method, "POST", Call::error), id};
  return {};
}

ResponseMode response_mode(const base::http::Headers& headers) {
  const std::string_view mode = headers.get("Lambda-Runtime-Function-Response-Mode");
  if (mode.empty()) return ResponseMode::buffered;
  return base::equal_ignoring_case(mode, "streaming") ? ResponseMode::streaming : ResponseMode::invalid;
}

Response event_response(const Event& event) {
  Response response;
  add(response, "Lambda-Runtime-Aws-Request-Id", event.request_id);
  add(response, "Lambda-Runtime-Deadline-Ms", std::to_string(event.deadline_ms));
  add(response, "Lambda-Runtime-Invoked-Function-Arn", event.invoked_function_arn);
  add(response, "Lambda-Runtime-Trace-Id", event.trace_id);
  add(response, "Lambda-Runtime-Client-Context", event.client_context);
  add(response, "Lambda-Runtime-Cognito-Identity", event.cognito_identity);
  add(response, "Lambda-Runtime-Aws-Tenant-Id", event.tenant_id);
  response.headers.add("Content-Type", "application/json");
  response.body = event.payload;
  return response;
}

Response accepted() { return json(202, "{\"status\":\"OK\"}\n"); }

std::string error_document(std::string_view type, std::string_view message) {
  boost::json::object document;
  document["errorMessage"] = message;
  document["errorType"] = type;
  return boost::json::serialize(document);
}

Response refusal(int status, std::string_view type, std::string_view message) {
  return json(status, error_document(type, message) + "\n");
}

Response invalid_request_id() { return refusal(400, "InvalidRequestID", "Invalid request ID"); }

Response invalid_transition(std::string_view from, std::string_view to) {
  std::string message = "State transition from ";
  message += from;
  message += " to ";
  message += to;
  message += " failed for runtime. Error: State transition is not allowed";
  return refusal(403, "InvalidStateTransition", message);
}

Response too_large() {
  return refusal(413, "RequestEntityTooLarge",
                 "Exceeded maximum allowed payload size (" + std::to_string(kMaxPayloadBytes) + " bytes).");
}

Response truncated() { return refusal(400, "TruncatedHTTPRequest", "HTTP request detected as truncated"); }

Response invalid_response_mode() {
  return refusal(400, "InvalidFunctionResponseMode", "Invalid function response mode");
}

Response not_found() { return text(404, "404 page not found\n"); }
Response wrong_method() { return text(405, ""); }
Response pong() { return text(200, "pong"); }

}  // namespace lambent::runtime_api
