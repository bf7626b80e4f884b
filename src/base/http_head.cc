#include "base/http_head.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace lambent::base::http {
namespace {

bool is_token_char(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool is_target(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && c != '#';
  });
}

/// Splits an absolute target into its authority and the rest; "/x" has no authority.
bool split_target(std::string_view target, std::string_view& authority, std::string_view& rest) {
  if (target.starts_with('/')) {
    rest = target;
    return true;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || !equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto slash = target.find_first_of("/?");
    authority = target.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    return !authority.empty() && rest.starts_with('/');
  }
  return false;
}

std::optional<HeadError> parse_request_line(std::string_view line, Head& head, std::string_view& authority) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return HeadError{400, "malformed request line"};
  const std::string_view method = line.substr(0, first), target = line.substr(first + 1, last - first - 1),
                         version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 32 || target.empty() || !is_target(target))
    return HeadError{400, "malformed request line"};
  if (version == "HTTP/1.0")
    head.http_1_0 = true;
  else if (version != "HTTP/1.1")
    return HeadError{505, "only HTTP/1.1 is spoken here"};
  std::string_view rest;
  if (!split_target(target, authority, rest)) return HeadError{400, "malformed request target"};
  const auto question = rest.find('?');
  head.request.method = method;
  head.request.path = rest.substr(0, question);
  if (question != std::string_view::npos) head.request.query = rest.substr(question + 1);
  return std::nullopt;
}

/// Which of the ways to say how long a body is holds, when exactly one does.
std::optional<HeadError> frame_body(Head& head) {
  const Headers& headers = head.request.headers;
  const std::size_t lengths = headers.count("Content-Length"), codings = headers.count("Transfer-Encoding");
  if (lengths > 1) return HeadError{400, "more than one Content-Length"};
  if (codings > 0) {
    if (codings > 1 || lengths > 0 || head.http_1_0 ||
        !equal_ignoring_case(headers.get("Transfer-Encoding"), "chunked"))
      return HeadError{400, "unusable Transfer-Encoding"};
    head.chunked = true;
    head.content_length = std::nullopt;
  } else if (lengths == 1) {
    head.content_length = parse_decimal(headers.get("Content-Length"));
    if (!head.content_length) return HeadError{400, "malformed Content-Length"};
  }
  return std::nullopt;
}

std::optional<HeadError> read_connection_fields(Head& head, std::string_view authority) {
  const Headers& headers = head.request.headers;
  const std::size_t hosts = headers.count("Host");
  if (hosts > 1 || (hosts == 0 && !head.http_1_0)) return HeadError{400, "exactly one Host is needed"};
  if (!authority.empty() && !equal_ignoring_case(authority, headers.get("Host")))
    return HeadError{400, "target and Host disagree"};
  const std::string connection = lower(headers.get("Connection"));
  head.keep_alive = head.http_1_0 ? connection == "keep-alive" : connection.find("close") == std::string::npos;
  if (const std::string* expect = headers.find("Expect")) {
    if (!equal_ignoring_case(*expect, "100-continue")) return HeadError{417, "unknown expectation"};
    head.expects_continue = !head.http_1_0;
  }
  return std::nullopt;
}

std::optional<HeadError> parse_fields(std::string_view bytes, std::size_t max_fields, Headers& headers) {
  std::size_t count = 0;
  while (!bytes.empty()) {
    const auto end = bytes.find("\r\n");
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 2);
    if (line.empty()) return std::nullopt;
    if (++count > max_fields) return HeadError{431, "too many header fields"};
    const auto colon = line.find(':');
    // A name with anything but token characters covers obs-fold and blanks before the colon too.
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return HeadError{400, "malformed header field"};
    const std::string_view value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) return HeadError{400, "malformed header value"};
    headers.add(std::string(line.substr(0, colon)), std::string(value));
  }
  return HeadError{400, "unfinished header"};
}

}  // namespace

Head parse_head(std::string_view bytes, std::size_t max_fields, std::optional<HeadError>& error) {
  Head head;
  std::string_view authority;
  const auto end = bytes.find("\r\n");
  if (end == std::string_view::npos) {
    error = HeadError{400, "unfinished header"};
    return head;
  }
  error = parse_request_line(bytes.substr(0, end), head, authority);
  if (!error) error = parse_fields(bytes.substr(end + 2), max_fields, head.request.headers);
  if (!error) error = frame_body(head);
  if (!error) error = read_connection_fields(head, authority);
  return head;
}

std::size_t head_length(std::string_view bytes, std::size_t already_seen, bool& broken) {
  for (std::size_t i = already_seen; i < bytes.size(); ++i) {
    if (bytes[i] == '\0' || (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))) {
      broken = true;
      return 0;
    }
    if (bytes[i] == '\n' && i >= 3 && bytes[i - 2] == '\n' && bytes[i - 3] == '\r') return i + 1;
  }
  return 0;
}

}  // namespace lambent::base::http
