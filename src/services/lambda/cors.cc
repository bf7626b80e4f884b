#include "services/lambda/cors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/bytes.h"

namespace lambent::lambda {
namespace {

bool is_allowed_origin(const Cors& cors, std::string_view origin) {
  const auto origins = cors.AllowOrigins.value_or(Texts{});
  return std::any_of(origins.begin(), origins.end(), [&](const std::string& allowed) {
    return allowed == "*" || base::equal_ignoring_case(allowed, origin);
  });
}

/// "*" is answered as such, unless credentials are allowed, which browsers take for one named origin only.
std::string answered_origin(const Cors& cors, std::string_view origin) {
  const auto origins = cors.AllowOrigins.value_or(Texts{});
  const bool anybody = std::find(origins.begin(), origins.end(), "*") != origins.end();
  return anybody && !cors.AllowCredentials.value_or(false) ? "*" : std::string(origin);
}

void add_list(base::http::Headers& headers, std::string name, const std::optional<Texts>& list) {
  if (list && !list->empty()) headers.add(std::move(name), fmt::format("{}", fmt::join(*list, ",")));
}

}  // namespace

std::optional<base::http::Response> preflight(const Cors& cors, const base::http::Request& request) {
  if (request.method != "OPTIONS" || !request.headers.find("Origin") ||
      !request.headers.find("Access-Control-Request-Method"))
    return std::nullopt;
  base::http::Response response;
  if (!is_allowed_origin(cors, request.headers.get("Origin"))) return response;
  add_cors(cors, request, response);
  add_list(response.headers, "Access-Control-Allow-Methods", cors.AllowMethods);
  add_list(response.headers, "Access-Control-Allow-Headers", cors.AllowHeaders);
  if (cors.MaxAge) response.headers.add("Access-Control-Max-Age", std::to_string(*cors.MaxAge));
  return response;
}

void add_cors(const Cors& cors, const base::http::Request& request, base::http::Response& response) {
  const auto origin = request.headers.get("Origin");
  if (origin.empty() || !is_allowed_origin(cors, origin)) return;
  response.headers.add("Access-Control-Allow-Origin", answered_origin(cors, origin));
  response.headers.add("Vary", "Origin");
  if (cors.AllowCredentials.value_or(false)) response.headers.add("Access-Control-Allow-Credentials", "true");
  add_list(response.headers, "Access-Control-Expose-Headers", cors.ExposeHeaders);
}

}  // namespace lambent::lambda
