#include "aws/json_node.h"

#include <fmt/format.h>

#include <cmath>

#include "aws/error.h"
#include "aws/timestamps.h"
#include "base/bytes.h"

namespace lambent::aws {
namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 32;
// A value costs far more memory than the two bytes that can ask for one.
constexpr std::size_t max_values = 200'000;

/// The quote that ends the string that begins at `i`; the body's size when none does.
std::size_t end_of_string(std::string_view body, std::size_t i) {
  for (const auto begin = i;; ++i) {
    i = body.find('"', i);
    if (i == std::string_view::npos) return body.size();
    auto first = i;
    while (first > begin && body[first - 1] == '\\') --first;
    if ((i - first) % 2 == 0) return i;
  }
}

/// How many commas stand outside strings: with the depth, a bound on the number of values.
bool has_too_many_values(std::string_view body) {
  std::size_t commas = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == ',' && ++commas > max_values) return true;
    if (body[i] != '"') continue;
    // Long strings (a base64 zip) are most of a large body, so they are skipped by memchr.
    i = end_of_string(body, i + 1);
  }
  return false;
}

json::value parse(std::string_view body, std::string_view code, json::storage_ptr memory) {
  const auto refuse = [&](std::string_view why) {
    throw Error(std::string(code), fmt::format("Could not parse request body into json: {}", why));
  };
  if (has_too_many_values(body)) refuse("too many values");
  json::parse_options options;
  options.max_depth = max_depth;
  json::error_code failed;
  auto root = json::parse(json::string_view(body.data(), body.size()), failed, std::move(memory), options);
  if (failed) refuse(failed.message());
  if (!root.is_object()) refuse("the body is not an object");
  return root;
}

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::bool_:
      return value.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE";
    case json::kind::int64:
    case json::kind::uint64:
      return "NUMBER_VALUE";
    case json::kind::double_:
      return "DECIMAL_VALUE";
    case json::kind::string:
      return "STRING_VALUE";
    case json::kind::array:
      return "START_ARRAY";
    case json::kind::object:
      return "START_OBJECT";
    default:
      return "NULL_VALUE";
  }
}

}  // namespace

JsonDocument::JsonDocument(std::string_view body, std::string_view code) : root_(parse(body, code, &memory_)) {}

void JsonNode::refuse(std::string_view wanted) const {
  throw Error("SerializationException", fmt::format("{} can not be converted to {}", kind_of(*value_), wanted));
}

void JsonNode::expect_structure() const {
  if (!value_->is_object())
    throw Error("SerializationException", "Unexpected value where a structure or map was expected.");
}

void JsonNode::expect_list() const {
  if (!value_->is_array()) throw Error("SerializationException", "Unexpected value where a list was expected.");
}

JsonNode JsonNode::member(const MemberBinding& member) const {
  const auto name = member.wire_name;
  return JsonNode(value_->get_object().if_contains(json::string_view(name.data(), name.size())));
}

bool JsonNode::boolean() const {
  if (!value_->is_bool()) refuse("a Boolean");
  return value_->get_bool();
}

std::int64_t JsonNode::integer(std::int64_t min, std::int64_t max) const {
  // An unsigned number is one that does not fit a signed one.
  if (!value_->is_int64()) refuse("an Integer");
  const auto number = value_->get_int64();
  if (number < min || number > max) refuse("an Integer");
  return number;
}

double JsonNode::real() const {
  if (!value_->is_number()) refuse("a Double");
  const auto number = value_->to_number<double>();
  if (!std::isfinite(number)) refuse("a Double");
  return number;
}

std::string JsonNode::text() const {
  if (!value_->is_string()) refuse("a String");
  const auto& text = value_->get_string();
  return {text.data(), text.size()};
}

std::string JsonNode::bytes() const {
  if (!value_->is_string()) refuse("a Blob");
  const auto& text = value_->get_string();
  auto bytes = base::unbase64({text.data(), text.size()});
  if (!bytes) throw Error("SerializationException", "Invalid base64 data");
  return *std::move(bytes);
}

Timestamp JsonNode::timestamp(model::TimestampFormat format) const {
  std::optional<Timestamp> time;
  if (value_->is_string() && format != model::TimestampFormat::unspecified) {
    const auto& text = value_->get_string();
    time = read_timestamp({text.data(), text.size()}, format);
  } else if (value_->is_number()) {
    time = from_epoch_seconds(value_->to_number<double>());
  }
  if (!time) refuse("a Timestamp");
  return *time;
}

}  // namespace lambent::aws
