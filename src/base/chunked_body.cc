#include "base/chunked_body.h"

#include <algorithm>

namespace lambent::base::http {
namespace {

constexpr std::size_t kLongestSize = 15;
constexpr std::size_t kMaxTrailers = 100;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  const auto allowed = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           others.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

/// False while the line is unfinished, and when it is malformed, which part_ then says.
bool ChunkedBody::read_size(const std::string& raw, std::size_t& at) {
  std::size_t end = at;
  std::uint64_t size = 0;
  for (int digit; end < raw.size() && (digit = hex_digit(raw[end])) >= 0; ++end)
    size = size << 4 | static_cast<std::uint64_t>(digit);
  const std::size_t digits = end - at;
  const bool spoiled = digits > kLongestSize || (digits == 0 && end < raw.size()) ||
                       (end < raw.size() && raw[end] != '\r') || (end + 1 < raw.size() && raw[end + 1] != '\n');
  if (spoiled) part_ = Part::malformed;
  if (spoiled || end + 1 >= raw.size()) return false;
  at = end + 2;
  left_ = size;
  part_ = size == 0 ? Part::trailers : Part::data;
  return true;
}

bool ChunkedBody::read_trailer(const std::string& raw, std::size_t& at) {
  const auto end = raw.find('\n', at);
  const std::size_t length = (end == std::string::npos ? raw.size() : end + 1) - at;
  if (trailer_size_ + length > trailer_limit_ || trailers_.all().size() > kMaxTrailers) part_ = Part::malformed;
  if (part_ == Part::malformed || end == std::string::npos) return false;
  trailer_size_ += length;
  const std::string_view line(raw.data() + at, length - 1);
  at = end + 1;
  if (line == "\r") {
    part_ = Part::done;
    return true;
  }
  const auto colon = line.find(':');
  const bool fine = line.ends_with('\r') && colon != std::string_view::npos && is_token(line.substr(0, colon)) &&
                    line.substr(0, line.size() - 1).find_first_of(std::string_view("\r\0", 2)) == line.npos;
  if (!fine) {
    part_ = Part::malformed;
    return false;
  }
  trailers_.add(std::string(line.substr(0, colon)),
                std::string(trimmed(line.substr(colon + 1, line.size() - colon - 2))));
  return true;
}

ChunkedBody::State ChunkedBody::take(std::string& raw, std::string& out, std::size_t room) {
  std::size_t at = 0;
  bool going = true;
  while (going && part_ != Part::done && part_ != Part::malformed) {
    if (part_ == Part::size) {
      going = read_size(raw, at);
    } else if (part_ == Part::data) {
      const std::size_t here = std::min({raw.size() - at, room, static_cast<std::size_t>(left_)});
      out.append(raw, at, here);
      at += here;
      room -= here;
      left_ -= here;
      if (left_ == 0) part_ = Part::data_end;
      going = left_ == 0;
    } else if (part_ == Part::data_end) {
      if (raw.size() - at < 2) {
        if (raw.size() - at == 1 && raw[at] != '\r') part_ = Part::malformed;
        going = false;
      } else if (raw.compare(at, 2, "\r\n") != 0) {
        part_ = Part::malformed;
      } else {
        at += 2;
        part_ = Part::size;
      }
    } else {
      going = read_trailer(raw, at);
    }
  }
  raw.erase(0, at);
  if (part_ == Part::done) return State::done;
  return part_ == Part::malformed ? State::malformed : State::more;
}

}  // namespace lambent::base::http
