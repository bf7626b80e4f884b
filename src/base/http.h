// HTTP messages as the rest of Lambent sees them: plain values, no parser's types.
//
// Made by base/http_server.cc (one of the two files that know Beast's neighbours), read by the gateway and the
// Runtime API. Header names keep the sender's spelling and order, because signatures care; look-ups ignore case.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lambent::base::http {

class Headers {
 public:
  using Entry = std::pair<std::string, std::string>;

  /// The first value of that name, or null. Names compare without case.
  const std::string* find(std::string_view name) const;
  /// The first value or an empty string.
  std::string_view get(std::string_view name) const;
  /// How often the name occurs.
  std::size_t count(std::string_view name) const;
  void add(std::string name, std::string value) { entries_.emplace_back(std::move(name), std::move(value)); }
  /// Replaces every earlier value of that name.
  void set(std::string_view name, std::string value);
  const std::vector<Entry>& all() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

struct Request {
  std::string method;
  /// As sent, still percent-encoded: the part before and the part after the first '?'.
  std::string path;
  std::string query;
  Headers headers;
  std::string body;
  /// The peer's address without its port; empty for a function's API socket.
  std::string peer;
  bool tls = false;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

/// The query's pairs in the order sent, percent-decoded ('+' stays a plus, as AWS's clients mean it).
/// Nothing when an escape is malformed.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

}  // namespace lambent::base::http
