#include "aws/scalar_text.h"

#include <charconv>
#include <cmath>

#include "aws/timestamps.h"
#include "base/bytes.h"

namespace lambent::aws {
namespace {

template <class Number>
std::optional<Number> read_whole(std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string write_real(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[32];
  const auto [end, failed] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

std::string real_in_message(double value) {
  std::string text = write_real(value);
  if (text.find_first_of(".eEn") == std::string::npos) text += ".0";
  return text;
}

std::string scalar_text(const Type& type, const void* object, model::TimestampFormat format) {
  const void* value = type.get(object);
  return value == nullptr ? std::string() : held_scalar_text(type.kind, value, format);
}

std::string held_scalar_text(Kind kind, const void* value, model::TimestampFormat format) {
  switch (kind) {
    case Kind::boolean:
      return *static_cast<const bool*>(value) ? "true" : "false";
    case Kind::integer:
      return std::to_string(*static_cast<const std::int32_t*>(value));
    case Kind::long_integer:
      return std::to_string(*static_cast<const std::int64_t*>(value));
    case Kind::floating:
      return write_real(*static_cast<const double*>(value));
    case Kind::string:
      return *static_cast<const std::string*>(value);
    case Kind::blob:
      return base::base64(static_cast<const Blob*>(value)->bytes);
    case Kind::timestamp:
      return write_timestamp(*static_cast<const Timestamp*>(value), format);
    default:
      return {};
  }
}

std::optional<bool> read_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> read_integer(std::string_view text) { return read_whole<std::int64_t>(text); }

std::optional<double> read_real(std::string_view text) {
  const auto value = read_whole<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

}  // namespace lambent::aws
