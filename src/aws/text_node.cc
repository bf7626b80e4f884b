#include "aws/text_node.h"

#include "aws/scalar_text.h"
#include "aws/timestamps.h"
#include "base/bytes.h"

namespace lambent::aws {

void ScalarReader::refuse(std::string_view message) const { throw Error(std::string(code), std::string(message)); }

bool ScalarReader::boolean(std::string_view text) const {
  const auto value = read_boolean(text);
  if (!value) refuse("STRING_VALUE can not be converted to a Boolean");
  return *value;
}

std::int64_t ScalarReader::integer(std::string_view text, std::int64_t min, std::int64_t max) const {
  const auto value = read_integer(text);
  if (!value || *value < min || *value > max) refuse("STRING_VALUE can not be converted to an Integer");
  return *value;
}

double ScalarReader::real(std::string_view text) const {
  const auto value = read_real(text);
  if (!value) refuse("STRING_VALUE can not be converted to a Double");
  return *value;
}

std::string ScalarReader::bytes(std::string_view text) const {
  auto value = base::unbase64(text);
  if (!value) refuse("Invalid base64 data");
  return *std::move(value);
}

Timestamp ScalarReader::timestamp(std::string_view text, model::TimestampFormat format) const {
  const auto value = read_timestamp(text, format);
  if (!value) refuse("STRING_VALUE can not be converted to a Timestamp");
  return *value;
}

std::string ScalarReader::text(std::string_view text) const {
  if (!base::is_utf8(text)) refuse("Invalid UTF-8 in the request");
  return std::string(text);
}

}  // namespace lambent::aws
