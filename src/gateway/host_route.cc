// Requests that are sent to a host of their own and to no service of AWS's: function URLs.
#include "base/ids.h"
#include "gateway/gateway.h"

namespace lambent::gateway {

using base::Task;
using base::http::BodyStatus;
using base::http::Exchange;
using base::http::Response;

namespace {

/// The same for whoever cannot resolve the host: /_lambent/url/ID/the/path.
constexpr std::string_view kPathForm = "/_lambent/url/";

Response say(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = "{\"Message\":\"" + std::string(text) + "\"}";
  return response;
}

}  // namespace

std::optional<std::string> Gateway::hosted(Exchange& exchange) const {
  if (!host_route_.id_of) return std::nullopt;
  const auto& request = exchange.request();
  if (!request.path.starts_with(kPathForm)) return host_route_.id_of(request.headers.get("Host"));
  const auto rest = std::string_view(request.path).substr(kPathForm.size());
  return std::string(rest.substr(0, rest.find('/')));
}

Task<void> Gateway::serve_hosted(Exchange& exchange, std::string id) {
  const std::string request_id = base::uuid();
  aws::Answer answer;
  const auto declared = exchange.declared_length();
  auto share = budget_.take(static_cast<std::size_t>(declared.value_or(host_route_.max_body)));
  if (declared && *declared > host_route_.max_body) {
    answer.response = say(413, "Request Entity Too Large");
  } else if (!share) {
    answer.response = say(503, "Service Unavailable");
  } else if (const BodyStatus status = co_await exchange.read_body(host_route_.max_body);
             status != BodyStatus::complete) {
    const bool too_large = status == BodyStatus::too_large;
    answer.response = too_large ? say(413, "Request Entity Too Large") : say(400, "Bad Request");
  } else {
    const auto& signed_request = exchange.request();
    auto request = signed_request;
    if (request.path.starts_with(kPathForm)) {
      request.path.erase(0, kPathForm.size() + id.size());
      if (request.path.empty()) request.path = "/";
    }
    auto verify = [this, &signed_request] { return verified(signed_request, "lambda"); };
    auto task = host_route_.answer(request, id, request_id, verify);
    answer = co_await std::move(task);
  }
  share = {};
  if (answer.response.headers.get("x-amzn-RequestId").empty())
    answer.response.headers.add("x-amzn-RequestId", request_id);
  requests_.at({"function-url", "none", std::to_string(answer.response.status)}).add();
  auto sent = send(exchange, request_id, std::move(answer));
  co_await std::move(sent);
}

aws::Caller Gateway::verified(const base::http::Request& request, std::string_view signing_name) const {
  if (options_.verify_signatures) {
    const auto claim = authenticator_.check_head(request, signing_name);
    auto caller = authenticator_.verify(claim, request);
    describe(caller, request);
    return caller;
  }
  aws::Caller caller;
  describe(caller, request);
  caller.account = options_.account;
  caller.region = "us-east-1";
  caller.arn = caller.identity_arn = "arn:aws:iam::" + options_.account + ":root";
  caller.user_id = options_.account;
  return caller;
}

}  // namespace lambent::gateway
