#include "services/lambda/paging.h"

#include "base/bytes.h"

namespace lambent::lambda {
namespace {

/// Says how the rest is to be read, should that ever change.
constexpr std::string_view kForm = "1:";

}  // namespace

std::string marker_after(std::string_view last) { return base::base64url(std::string(kForm) + std::string(last)); }

std::string item_of_marker(std::string_view operation, const OptionalText& marker) {
  if (!marker) return {};
  const auto text = base::unbase64url(*marker);
  if (!text || !text->starts_with(kForm))
    throw invalid_parameter(fmt::format("The provided Marker is not one that {} gave.", operation));
  return text->substr(kForm.size());
}

}  // namespace lambent::lambda
