#include "services/lambda/cors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/bytes.h"

namespace lambent::lambda {
namespace {

namespace json = boost::json;

void put(json::object& object, std::string_view name, const std::optional<Texts>& list) {
  if (!list) return;
  json::array array;
  for (const auto& item : *list) array.emplace_back(item);
  object[name] = std::move(array);
}

std::optional<Texts> list_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value) return std::nullopt;
  Texts list;
  for (const auto& item : value->as_array()) list.emplace_back(std::string_view(item.as_string()));
  return list;
}

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

void set_list(base::http::Headers& headers, std::string_view name, const std::optional<Texts>& list) {
  if (list && !list->empty()) headers.set(name, fmt::format("{}", fmt::join(*list, ",")));
}

}  // namespace

std::string cors_text(const Cors& cors) {
  json::object object;
  if (cors.AllowCredentials) object["AllowCredentials"] = *cors.AllowCredentials;
  put(object, "AllowHeaders", cors.AllowHeaders);
  put(object, "AllowMethods", cors.AllowMethods);
  put(object, "AllowOrigins", cors.AllowOrigins);
  put(object, "ExposeHeaders", cors.ExposeHeaders);
  if (cors.MaxAge) object["MaxAge"] = *cors.MaxAge;
  return json::serialize(object);
}

Cors cors_of(const std::string& text) {
  const auto value = json::parse(text);
  const auto& object = value.as_object();
  Cors cors;
  if (const auto* credentials = object.if_contains("AllowCredentials")) cors.AllowCredentials = credentials->as_bool();
  cors.AllowHeaders = list_in(object, "AllowHeaders");
  cors.AllowMethods = list_in(object, "AllowMethods");
  cors.AllowOrigins = list_in(object, "AllowOrigins");
  cors.ExposeHeaders = list_in(object, "ExposeHeaders");
  if (const auto* age = object.if_contains("MaxAge")) cors.MaxAge = age->to_number<std::int32_t>();
  return cors;
}

std::optional<base::http::Response> preflight(const Cors& cors, const base::http::Request& request) {
  if (request.method != "OPTIONS" || !request.headers.find("Origin") ||
      !request.headers.find("Access-Control-Request-Method"))
    return std::nullopt;
  base::http::Response response;
  if (!is_allowed_origin(cors, request.headers.get("Origin"))) return response;
  add_cors(cors, request, response);
  set_list(response.headers, "Access-Control-Allow-Methods", cors.AllowMethods);
  set_list(response.headers, "Access-Control-Allow-Headers", cors.AllowHeaders);
  if (cors.MaxAge) response.headers.set("Access-Control-Max-Age", std::to_string(*cors.MaxAge));
  return response;
}

void add_cors(const Cors& cors, const base::http::Request& request, base::http::Response& response) {
  const auto origin = request.headers.get("Origin");
  if (origin.empty() || !is_allowed_origin(cors, origin)) return;
  response.headers.set("Access-Control-Allow-Origin", answered_origin(cors, origin));
  response.headers.set("Vary", "Origin");
  if (cors.AllowCredentials.value_or(false)) response.headers.set("Access-Control-Allow-Credentials", "true");
  set_list(response.headers, "Access-Control-Expose-Headers", cors.ExposeHeaders);
}

}  // namespace lambent::lambda
