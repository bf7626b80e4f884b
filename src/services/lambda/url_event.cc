#include "services/lambda/url_event.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <ctime>
#include <map>

#include "base/bytes.h"
#include "base/query.h"

namespace lambent::lambda {
namespace {

namespace json = boost::json;

/// Content types whose bodies are passed as text, when they are UTF-8.
bool is_text(std::string_view type) {
  const auto lower = base::lower(type.substr(0, type.find(';')));
  static constexpr std::array<std::string_view, 4> kTexts{"application/json", "application/javascript",
                                                          "application/xml", "application/x-www-form-urlencoded"};
  for (const auto text : kTexts)
    if (lower == text) return true;
  return lower.starts_with("text/") || lower.ends_with("+json") || lower.ends_with("+xml") || lower.empty();
}

/// Several headers of one name become one, joined by commas.
json::object headers_of(const UrlRequest& request) {
  std::map<std::string, std::string> joined;
  for (const auto& [name, value] : request.http.headers.all()) {
    auto& place = joined[base::lower(name)];
    place = place.empty() ? value : place + "," + value;
  }
  joined["host"] = request.host;
  joined["x-forwarded-for"] = request.http.peer;
  joined["x-forwarded-proto"] = request.http.tls ? "https" : "http";
  const auto colon = request.host.rfind(':');
  joined["x-forwarded-port"] =
      colon == std::string::npos ? (request.http.tls ? "443" : "80") : request.host.substr(colon + 1);
  if (!request.trace_id.empty()) joined["x-amzn-trace-id"] = request.trace_id;
  json::object headers;
  for (const auto& [name, value] : joined) headers[name] = value;
  return headers;
}

json::array cookies_of(const base::http::Headers& headers) {
  json::array cookies;
  for (const auto& [name, value] : headers.all()) {
    if (!base::equal_ignoring_case(name, "cookie")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const auto end = rest.find(';');
      auto cookie = rest.substr(0, end);
      while (cookie.starts_with(' ')) cookie.remove_prefix(1);
      if (!cookie.empty()) cookies.emplace_back(cookie);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }
  return cookies;
}

json::object parameters_of(std::string_view query) {
  std::map<std::string, std::string> joined;
  const auto decode = [](std::string_view text) {
    return base::percent_decode(text, true).value_or(std::string(text));
  };
  for (base::QueryPair pair; base::next_pair(query, pair);) {
    const auto name = decode(pair.name);
    const auto value = decode(pair.value);
    if (name.empty()) continue;
    const auto [place, first] = joined.emplace(name, value);
    if (!first) place->second += "," + value;
  }
  json::object parameters;
  for (const auto& [name, value] : joined) parameters[name] = value;
  return parameters;
}

json::object context_of(const UrlRequest& request, const std::string& path) {
  const std::time_t seconds = request.now_ms / 1000;
  json::object http;
  http["method"] = request.http.method;
  http["path"] = path;
  http["protocol"] = "HTTP/1.1";
  http["sourceIp"] = request.http.peer;
  http["userAgent"] = request.http.headers.get("User-Agent");
  json::object context;
  context["accountId"] = request.caller ? request.caller->account : "anonymous";
  context["apiId"] = request.url_id;
  if (request.caller) {
    json::object iam;
    iam["accessKey"] = request.caller->access_key_id;
    iam["accountId"] = request.caller->account;
    iam["callerId"] = request.caller->user_id;
    iam["cognitoIdentity"] = nullptr;
    iam["principalOrgId"] = nullptr;
    iam["userArn"] = request.caller->arn;
    iam["userId"] = request.caller->user_id;
    context["authorizer"] = json::object{{"iam", std::move(iam)}};
  }
  context["domainName"] = request.host.substr(0, request.host.rfind(':'));
  context["domainPrefix"] = request.url_id;
  context["http"] = std::move(http);
  context["requestId"] = request.request_id;
  context["routeKey"] = "$default";
  context["stage"] = "$default";
  context["time"] = fmt::format("{:%d/%b/%Y:%H:%M:%S} +0000", fmt::gmtime(seconds));
  context["timeEpoch"] = request.now_ms;
  return context;
}

}  // namespace

std::string url_event(const UrlRequest& request) {
  const auto path = base::percent_decode(request.http.path).value_or(request.http.path);
  json::object event;
  event["version"] = "2.0";
  event["routeKey"] = "$default";
  event["rawPath"] = path;
  event["rawQueryString"] = request.http.query;
  if (auto cookies = cookies_of(request.http.headers); !cookies.empty()) event["cookies"] = std::move(cookies);
  event["headers"] = headers_of(request);
  if (auto parameters = parameters_of(request.http.query); !parameters.empty())
    event["queryStringParameters"] = std::move(parameters);
  event["requestContext"] = context_of(request, path);
  const bool text = is_text(request.http.headers.get("Content-Type")) && base::is_utf8(request.http.body);
  if (!request.http.body.empty()) event["body"] = text ? request.http.body : base::base64(request.http.body);
  event["isBase64Encoded"] = !request.http.body.empty() && !text;
  return json::serialize(event);
}

}  // namespace lambent::lambda
