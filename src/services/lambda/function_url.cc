#include "services/lambda/function_url.h"

#include <boost/json.hpp>

#include "aws/plain_json.h"
#include "base/bytes.h"
#include "base/log.h"
#include "services/lambda/cors.h"
#include "services/lambda/errors.h"
#include "services/lambda/invocation.h"
#include "services/lambda/operations.h"
#include "services/lambda/url_event.h"
#include "services/lambda/url_response.h"
#include "services/lambda/url_stream.h"

namespace lambent::lambda {
namespace {

using base::http::Response;

constexpr std::string_view kMark = ".lambda-url.";
constexpr std::size_t kIdLength = 32;

Response message(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = boost::json::serialize(boost::json::object{{"Message", text}});
  return response;
}

FunctionName name_of(const store::FunctionUrl& url) { return {url.function, url.qualifier}; }

/// A URL needs lambda:InvokeFunctionUrl, and since October 2025 lambda:InvokeFunction too ("Control access to Lambda function
/// URLs").
bool may_use(Lambda& lambda, const store::FunctionUrl& url, const UrlRequest& request) {
  const auto name = name_of(url);
  const auto policy = policy_of(lambda, name);
  const auto& allowed = lambda.parts().allowed_by_url;
  const auto* caller = request.caller ? &*request.caller : nullptr;
  // The same of whoever did not sign.
  aws::ConditionKeys of_url{{"aws:securetransport", request.http.tls ? "true" : "false"}};
  if (!request.http.peer.empty()) of_url.emplace("aws:sourceip", request.http.peer);
  if (const auto* agent = request.http.headers.find("User-Agent")) of_url.emplace("aws:useragent", *agent);
  if (const auto* referer = request.http.headers.find("Referer")) of_url.emplace("aws:referer", *referer);
  auto of_invoke = of_url;
  of_url.emplace("lambda:functionurlauthtype", url.auth_type);
  of_invoke.emplace("lambda:invokedviafunctionurl", "true");
  return allowed(caller, "lambda:InvokeFunctionUrl", name.arn(), policy, of_url) &&
         allowed(caller, "lambda:InvokeFunction", name.arn(), policy, of_invoke);
}

base::Task<Response> invoke(Lambda& lambda, invoke::Invocation invocation) {
  auto task = lambda.engine().invoke(std::move(invocation));
  const auto outcome = co_await std::move(task);
  if (!outcome.function_error.empty()) co_return bad_gateway();
  auto response = url_response(outcome.payload, outcome.content_type);
  co_return response ? std::move(*response) : bad_gateway();
}

base::Task<aws::Answer> run(Lambda& lambda, const store::FunctionUrl& url, const UrlRequest& request) {
  auto payload = aws::Blob{url_event(request)};
  auto prepared = prepare_invocation(lambda, name_of(url), {.request_id = request.request_id}, std::move(payload));
  auto invocation = co_await std::move(prepared);
  invocation.trace_id = request.trace_id;
  aws::Answer answer;
  if (url.invoke_mode == "RESPONSE_STREAM") {
    auto task = stream_to_url(lambda, std::move(invocation));
    answer = co_await std::move(task);
  } else {
    auto task = invoke(lambda, std::move(invocation));
    answer.response = co_await std::move(task);
  }
  co_return answer;
}

base::Task<aws::Answer> answer(Lambda& lambda, const store::FunctionUrl& url, UrlRequest request,
                               std::function<aws::Caller()> verify) {
  const auto cors = url.cors ? std::optional(aws::from_plain_json<Cors>(*url.cors)) : std::nullopt;
  aws::Answer answer;
  if (cors) {
    if (auto preflighted = preflight(*cors, request.http)) {
      answer.response = std::move(*preflighted);
      co_return answer;
    }
  }
  try {
    if (url.auth_type == "AWS_IAM") request.caller = verify();
    if (!may_use(lambda, url, request)) {
      answer.response = message(403, "Forbidden");
      co_return answer;
    }
    auto task = run(lambda, url, request);
    answer = co_await std::move(task);
  } catch (const aws::Error& error) {
    answer.response = message(error.status(), error.status() == 403 ? "Forbidden" : error.message());
    co_return answer;
  }
  if (cors) add_cors(*cors, request.http, answer.response);
  co_return answer;
}

}  // namespace

std::string function_url_text(const store::FunctionUrl& url, std::string_view endpoint) {
  const auto scheme_end = endpoint.find("://");
  const auto scheme = endpoint.substr(0, scheme_end);
  const auto authority = scheme_end == std::string_view::npos ? std::string_view() : endpoint.substr(scheme_end + 3);
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  return fmt::format("{}://{}{}{}.localhost{}/", scheme.empty() ? "http" : scheme, url.url_id, kMark,
                     url.function.region, has_port ? authority.substr(colon) : std::string_view());
}

std::optional<std::string> function_url_id(std::string_view host) {
  if (host.size() < kIdLength + kMark.size() || host.substr(kIdLength, kMark.size()) != kMark) return std::nullopt;
  auto id = base::lower(host.substr(0, kIdLength));
  if (id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != std::string::npos) return std::nullopt;
  return id;
}

base::Task<aws::Answer> answer_function_url(Lambda& lambda, const base::http::Request& request, std::string url_id,
                                            std::string request_id, std::function<aws::Caller()> verify) {
  const auto url = lambda.urls().by_id(url_id);
  aws::Answer answered;
  if (!url) {
    answered.response = message(403, "Forbidden");
  } else {
    UrlRequest asked{request, url_id, std::string(request.headers.get("Host")), request_id, {}, 0, std::nullopt};
    asked.now_ms = lambda.parts().clock.now_ms();
    asked.trace_id = request.headers.get("X-Amzn-Trace-Id");
    auto task = answer(lambda, *url, std::move(asked), std::move(verify));
    answered = co_await std::move(task);
  }
  answered.response.headers.set("x-amzn-RequestId", request_id);
  co_return answered;
}

}  // namespace lambent::lambda
