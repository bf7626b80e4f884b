#include "runtime_api/subscription.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace lambent::runtime_api {

namespace json = boost::json;

namespace {

/// Ports inside the sandbox that are the platform's own.
constexpr std::uint16_t kRuntimeApiPort = 9001, kApiPort = 4566;
constexpr std::size_t kLongestPath = 2048;

/// Of the first character; 0 when it is none (Unicode, table 3-7).
std::size_t character_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  const auto follows = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool fine = !(first == 0xE0 && at(1) < 0xA0) && !(first == 0xED && at(1) >= 0xA0);
    return fine && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool fine = !(first == 0xF0 && at(1) < 0x90) && !(first == 0xF4 && at(1) >= 0x90);
    return fine && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// As AWS writes it: 2.345, where Boost.JSON says 2.345E0.
void append(std::string& out, const json::value& value) {
  char comma = 0;
  const auto separate = [&](char open) { out += std::exchange(comma, ',') == 0 ? open : ','; };
  if (value.is_double()) {
    out += fmt::format("{}", value.as_double());
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.as_object()) {
      separate('{');
      out += json::serialize(json::string(name)) + ':';
      append(out, member);
    }
    out += comma == 0 ? "{}" : "}";
  } else if (value.is_array()) {
    for (const json::value& element : value.as_array()) {
      separate('[');
      append(out, element);
    }
    out += comma == 0 ? "[]" : "]";
  } else {
    out += json::serialize(value);
  }
}

void complain(std::string& wrong, std::string_view text) {
  if (!wrong.empty()) wrong += "; ";
  wrong += text;
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}

void read_types(const json::object& object, Subscription& found, std::string& wrong) {
  const auto* types = object.if_contains("types");
  if (types == nullptr || !types->is_array() || types->as_array().empty()) {
    complain(wrong, "types should not be empty");
    return;
  }
  for (const json::value& type : types->as_array()) {
    const std::string_view name = type.is_string() ? std::string_view(type.as_string()) : "";
    if (name != "platform" && name != "function" && name != "extension")
      complain(wrong, fmt::format("type '{}' is not valid", name.substr(0, 100)));
    else if (!found.wants(name))
      found.types.emplace_back(name);
  }
}

/// http://sandbox.localdomain:8080/path
void read_uri(std::string_view uri, Subscription& found, std::string& wrong) {
  if (!uri.starts_with("http://")) return complain(wrong, "URI scheme should be http");
  uri.remove_prefix(7);
  const auto slash = uri.find('/');
  const std::string_view authority = uri.substr(0, slash);
  if (slash != std::string_view::npos) found.path = uri.substr(slash);
  const auto colon = authority.rfind(':');
  const std::string_view host = authority.substr(0, colon);
  found.host = authority;
  if (host != "sandbox.localdomain" && host != "sandbox") complain(wrong, "URI host should be sandbox.localdomain");
  const bool plain = std::ranges::all_of(found.path, [](char c) { return c > 0x20 && c < 0x7F; });
  if (!plain || found.path.size() > kLongestPath) complain(wrong, "URI path is not valid");
  if (colon == std::string_view::npos) return complain(wrong, "URI port is not provided");
  const std::string_view port = authority.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), found.port);
  if (error != std::errc() || end != port.data() + port.size() || found.port == 0)
    return complain(wrong, "URI port is not valid");
  if (found.port == kRuntimeApiPort || found.port == kApiPort) complain(wrong, "URI port is reserved");
}

void read_destination(const json::object& object, Subscription& found, std::string& wrong) {
  const auto* destination = object.if_contains("destination");
  if (destination == nullptr || !destination->is_object()) return complain(wrong, "destination should not be empty");
  const json::object& members = destination->as_object();
  const std::string_view protocol = text_of(members, "protocol");
  if (members.contains("method")) found.method = text_of(members, "method");
  if (found.method != "POST" && found.method != "PUT") complain(wrong, "method should be POST or PUT");
  if (members.contains("encoding") && text_of(members, "encoding") != "JSON")
    complain(wrong, "encoding should be JSON");
  found.http = protocol == "HTTP";
  if (found.http) return read_uri(text_of(members, "URI"), found, wrong);
  if (protocol != "TCP") return complain(wrong, "protocol should be HTTP or TCP");
  const auto* port = members.if_contains("port");
  if (port == nullptr) return read_uri(text_of(members, "URI"), found, wrong);
  const std::int64_t number = port->is_int64() ? port->as_int64() : 0;
  if (number < 1 || number > 65535) return complain(wrong, "port is not valid");
  found.port = static_cast<std::uint16_t>(number);
  if (found.port == kRuntimeApiPort || found.port == kApiPort) complain(wrong, "port is reserved");
}

std::int64_t read_limit(const json::object& object, std::string_view name, std::int64_t otherwise, std::int64_t least,
                        std::int64_t most, std::string& wrong) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return otherwise;
  const std::int64_t number = value->is_int64() ? value->as_int64() : -1;
  if (number < least || number > most)
    complain(wrong, fmt::format("buffering.{} should be between {} and {}", name, least, most));
  return number;
}

/// The same limits in both APIs.
void read_buffering(const json::object& object, Subscription& found, std::string& wrong) {
  const auto* buffering = object.if_contains("buffering");
  if (buffering == nullptr || buffering->is_null()) return;
  if (!buffering->is_object()) return complain(wrong, "buffering should be an object");
  const json::object& limits = buffering->as_object();
  found.max_items = static_cast<std::size_t>(read_limit(limits, "maxItems", 10'000, 1'000, 10'000, wrong));
  found.max_bytes = static_cast<std::size_t>(read_limit(limits, "maxBytes", 262'144, 262'144, 1'048'576, wrong));
  found.timeout = std::chrono::milliseconds(read_limit(limits, "timeoutMs", 1'000, 25, 30'000, wrong));
}

}  // namespace

bool Subscription::wants(std::string_view type) const { return std::ranges::find(types, type) != types.end(); }

std::string Subscription::framed(const std::vector<std::string>& events) const {
  std::string body;
  for (const std::string& event : events) {
    if (http) body += body.empty() ? '[' : ',';
    body += event;
    if (!http) body += '\n';
  }
  if (!http) return body;
  body += ']';
  return fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: "
      "close\r\n\r\n{}",
      method, path, host, body.size(), body);
}

Subscription read_subscription(const std::string& body, bool logs_api, std::string& wrong) {
  Subscription found;
  found.logs_api = logs_api;
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  if (error || !document.is_object()) {
    complain(wrong, "the body is not a JSON object");
    return found;
  }
  const json::object& object = document.as_object();
  const std::string_view schema = text_of(object, "schemaVersion");
  const bool known = logs_api ? schema.empty() || schema == "2020-08-15" || schema == "2021-03-18"
                              : schema == "2022-07-01" || schema == "2022-12-13" || schema == "2025-01-29";
  if (!known) complain(wrong, "schemaVersion is not valid");
  found.runtime_done = schema == "2021-03-18";
  read_types(object, found, wrong);
  read_destination(object, found, wrong);
  read_buffering(object, found, wrong);
  return found;
}

std::string as_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0)
      out += "\xef\xbf\xbd";
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out;
}

std::string event_text(std::string_view time, std::string_view type, const json::value& record) {
  std::string text = fmt::format("{{\"time\":\"{}\",\"type\":\"{}\",\"record\":", time, type);
  append(text, record);
  text += '}';
  return text;
}

}  // namespace lambent::runtime_api
