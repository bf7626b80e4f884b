#include "services/lambda/url_response.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/bytes.h"

namespace lambent::lambda {
namespace {

namespace json = boost::json;
using base::http::Response;

constexpr std::string_view kDelimiter("\0\0\0\0\0\0\0\0", 8);

/// What Lambda makes of a value that is not a response of its own: a string as it is, everything else as JSON.
Response plain(const json::value& value, const std::string& payload) {
  Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = value.is_string() ? std::string(std::string_view(value.get_string())) : payload;
  return response;
}

std::string header_text(const json::value& value) {
  return value.is_string() ? std::string(std::string_view(value.get_string())) : json::serialize(value);
}

/// A header that a function may not smuggle anything with.
bool is_header(std::string_view name, std::string_view value) {
  const auto ok = [](char c) { return c > ' ' && c < 127 && c != ':'; };
  return !name.empty() && std::all_of(name.begin(), name.end(), ok) &&
         value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto lower = base::lower(name);
  return std::find(names.begin(), names.end(), lower) != names.end();
}

/// The server writes these itself. AWS passes what the function said of them under another name (cargo-lambda issue 862).
constexpr std::array<std::string_view, 3> kRemapped{"connection", "content-length", "date"};
constexpr std::array<std::string_view, 3> kDropped{"keep-alive", "transfer-encoding", "upgrade"};

void add_header(std::string_view name, std::string text, base::http::Headers& headers) {
  if (!is_header(name, text) || is_one_of(kDropped, name)) return;
  auto shown = is_one_of(kRemapped, name) ? "x-amzn-remapped-" + base::lower(name) : std::string(name);
  headers.add(std::move(shown), std::move(text));
}

std::optional<int> status_of(const json::value& value) {
  const auto number = value.is_string() ? base::parse_decimal(std::string_view(value.get_string()))
                      : value.is_int64() && value.get_int64() > 0
                          ? std::optional(static_cast<std::uint64_t>(value.get_int64()))
                          : std::nullopt;
  // Below 200 stands no answer yet, or one of another protocol (RFC 9110, section 15.2).
  if (!number || *number < 200 || *number > 599) return std::nullopt;
  return static_cast<int>(*number);
}

/// False when the status is none.
bool read_head(const json::object& object, std::string_view default_type, Response& response) {
  if (const auto* status = object.if_contains("statusCode")) {
    const auto number = status_of(*status);
    if (!number) return false;
    response.status = *number;
  }
  const auto* headers = object.if_contains("headers");
  if (headers && headers->is_object())
    for (const auto& [name, item] : headers->get_object())
      add_header({name.data(), name.size()}, header_text(item), response.headers);
  const auto* cookies = object.if_contains("cookies");
  if (cookies && cookies->is_array())
    for (const auto& cookie : cookies->get_array()) add_header("Set-Cookie", header_text(cookie), response.headers);
  if (response.headers.get("Content-Type").empty()) response.headers.add("Content-Type", std::string(default_type));
  return true;
}

std::optional<Response> with_metadata(const std::string& payload) {
  ResponseMetadata metadata;
  const auto state = metadata.take(payload);
  if (state == ResponseMetadata::State::malformed) return std::nullopt;
  // Nothing at all was written, not even the metadata, which goes ahead of the first byte.
  if (payload.empty()) metadata.head.headers.add("Content-Type", "application/octet-stream");
  if (state == ResponseMetadata::State::incomplete && !payload.empty()) return std::nullopt;
  metadata.head.body = std::move(metadata.body);
  return std::move(metadata.head);
}

}  // namespace

ResponseMetadata::State ResponseMetadata::take(std::string_view part) {
  const std::size_t from = taken_.size() < kDelimiter.size() ? 0 : taken_.size() - kDelimiter.size() + 1;
  taken_ += part;
  const auto end = taken_.find(kDelimiter, from);
  if (end == std::string::npos)
    return taken_.size() < kMaxBytes + kDelimiter.size() ? State::incomplete : State::malformed;
  if (end > kMaxBytes) return State::malformed;
  boost::system::error_code error;
  const auto value = json::parse({taken_.data(), end}, error);
  const auto* object = error ? nullptr : value.if_object();
  if (!object || !read_head(*object, "application/octet-stream", head)) return State::malformed;
  body = taken_.substr(end + kDelimiter.size());
  return State::complete;
}

Response bad_gateway() {
  Response response;
  response.status = 502;
  response.headers.add("Content-Type", "application/json");
  response.body = "Internal Server Error";
  return response;
}

std::optional<Response> url_response(const std::string& payload, std::string_view content_type) {
  if (content_type == kMetadataType) return with_metadata(payload);
  boost::system::error_code error;
  const auto value = json::parse(payload, error);
  const auto* object = error ? nullptr : value.if_object();
  if (!object || !object->contains("statusCode")) return plain(value, payload);
  Response response;
  if (!read_head(*object, "application/json", response)) return std::nullopt;
  if (const auto* body = object->if_contains("body"); body && !body->is_null()) response.body = header_text(*body);
  const auto* encoded = object->if_contains("isBase64Encoded");
  if (encoded && encoded->is_bool() && encoded->get_bool()) {
    auto bytes = base::unbase64(response.body);
    if (!bytes) return std::nullopt;
    response.body = std::move(*bytes);
  }
  return response;
}

}  // namespace lambent::lambda
