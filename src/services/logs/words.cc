#include "services/logs/words.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace lambent::logs {
namespace {

constexpr std::size_t kHalf = 28;

}  // namespace

aws::Error no_such_group() { return {"ResourceNotFoundException", "The specified log group does not exist."}; }
aws::Error no_such_stream() { return {"ResourceNotFoundException", "The specified log stream does not exist."}; }
aws::Error group_exists() { return {"ResourceAlreadyExistsException", "The specified log group already exists"}; }
aws::Error stream_exists() { return {"ResourceAlreadyExistsException", "The specified log stream already exists"}; }
aws::Error invalid_parameter(std::string message) { return {"InvalidParameterException", std::move(message)}; }
aws::Error invalid_token() { return invalid_parameter("The specified nextToken is invalid."); }

std::string position_text(const store::segments::Position& position) {
  return fmt::format("{:028d}{:028d}", std::max<std::int64_t>(position.time_ms, 0), position.sequence);
}

std::optional<store::segments::Position> read_position(std::string_view digits) {
  if (digits.size() != 2 * kHalf) return std::nullopt;
  const auto number = [](std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size() - 1));
    return base::parse_decimal(text);
  };
  const auto time_ms = number(digits.substr(0, kHalf)), sequence = number(digits.substr(kHalf));
  if (!time_ms || !sequence || *time_ms > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return store::segments::Position{static_cast<std::int64_t>(*time_ms), *sequence};
}

std::string make_token(std::string_view operation, std::string_view text) {
  return base::base64url(fmt::format("{}\n{}", operation, text));
}

std::string read_token(std::string_view operation, const std::string& token) {
  auto text = base::unbase64url(token);
  const std::string begin = fmt::format("{}\n", operation);
  if (!text || !text->starts_with(begin)) throw invalid_token();
  return text->substr(begin.size());
}

}  // namespace lambent::logs
