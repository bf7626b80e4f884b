#include "services/lambda/layer_name.h"

#include <fmt/format.h>

#include "aws/arn.h"
#include "base/bytes.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {
namespace {

constexpr std::string_view kLayer = "layer:";

}  // namespace

std::string LayerName::arn() const { return version == 0 ? key.arn() : fmt::format("{}:{}", key.arn(), version); }

LayerName layer_name(const aws::Caller& caller, std::string_view text, std::int64_t version) {
  const auto arn = aws::Arn::parse(text);
  if (!arn) return {{caller.account, caller.region, std::string(text)}, version};
  return {{arn->account, arn->region, arn->resource.substr(kLayer.size())}, version};
}

void check_layer_number(std::int64_t version) {
  if (version < 1) throw invalid_parameter("Layer Version Cannot be less than 1");
}

std::optional<LayerName> layer_version_arn(std::string_view text) {
  const auto arn = aws::Arn::parse(text);
  if (!arn || arn->partition != "aws" || arn->service != "lambda" || !arn->resource.starts_with(kLayer))
    return std::nullopt;
  const auto colon = arn->resource.rfind(':');
  if (colon < kLayer.size()) return std::nullopt;
  const auto number = base::parse_decimal(std::string_view(arn->resource).substr(colon + 1));
  if (!number || *number == 0 || *number > INT64_MAX) return std::nullopt;
  return LayerName{{arn->account, arn->region, arn->resource.substr(kLayer.size(), colon - kLayer.size())},
                   static_cast<std::int64_t>(*number)};
}

}  // namespace lambent::lambda
