// CloudWatch Logs' refusals in its words, and the tokens that it pages with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/error.h"
#include "store/segments/search.h"

namespace lambent::logs {

aws::Error no_such_group();
aws::Error no_such_stream();
aws::Error group_exists();
aws::Error stream_exists();
aws::Error invalid_parameter(std::string message);
aws::Error invalid_token();

/// 56 digits, as AWS's event ids and the tokens of GetLogEvents have.
std::string position_text(const store::segments::Position& position);
std::optional<store::segments::Position> read_position(std::string_view digits);

/// An opaque token that carries `text`. read_token throws invalid_token() for one that this operation did not make.
std::string make_token(std::string_view operation, std::string_view text);
std::string read_token(std::string_view operation, const std::string& token);

}  // namespace lambent::logs
