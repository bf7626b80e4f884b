#include "services/iam/pages.h"

#include "base/bytes.h"
#include "services/iam/words.h"

namespace lambent::iam {

std::string marker_after(std::string_view operation, std::string_view last) {
  return base::base64url(std::string(operation) + ':' + std::string(last));
}

PageRequest page_request(std::string_view operation, const std::optional<std::string>& marker,
                         const std::optional<std::int32_t>& max_items) {
  PageRequest request;
  request.operation = operation;
  if (max_items) request.size = static_cast<std::size_t>(*max_items);
  if (!marker) return request;
  const auto plain = base::unbase64url(*marker);
  const std::string prefix = std::string(operation) + ':';
  if (!plain || !plain->starts_with(prefix) || plain->size() == prefix.size())
    throw validation_error("Invalid Marker.");
  request.after = plain->substr(prefix.size());
  return request;
}

}  // namespace lambent::iam
