// What an extension asks of the Telemetry API or the Logs API, read and bounded; and how events look on the wire. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lambent::runtime_api {

struct Subscription {
  std::string extension;
  /// Of the older Logs API.
  bool logs_api = false;
  /// A Logs API schema that has platform.runtimeDone (2021-03-18).
  bool runtime_done = false;
  /// "platform", "function", "extension"
  std::vector<std::string> types;
  /// HTTP POSTs of arrays, or else lines over one TCP connection.
  bool http = true;
  std::uint16_t port = 0;
  std::string path = "/";
  std::string host;
  /// "POST" or "PUT"
  std::string method = "POST";
  /// What AWS documents for both APIs ("Configuring memory usage and buffering", "Buffering configuration").
  std::size_t max_items = 10'000;
  std::size_t max_bytes = 262'144;
  std::chrono::milliseconds timeout{1000};

  bool wants(std::string_view type) const;
  /// The bytes that deliver these events.
  std::string framed(const std::vector<std::string>& events) const;
};

/// `wrong` says all that is wrong with it, if anything.
Subscription read_subscription(const std::string& body, bool logs_api, std::string& wrong);

/// Bytes that are no text become U+FFFD.
std::string as_utf8(std::string_view text);

/// {"time":..,"type":..,"record":..}
std::string event_text(std::string_view time, std::string_view type, const boost::json::value& record);

}  // namespace lambent::runtime_api
