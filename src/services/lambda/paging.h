// Pages of lists: a marker is opaque to clients and says after which item the next page begins, so that a list stays in order
// while things come and go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "services/lambda/errors.h"
#include "services/lambda/shapes.h"

namespace lambent::lambda {

/// AWS's own page size, also when MaxItems asks for more ("returns a maximum of 50 items in each response", API reference of
/// ListFunctions and ListVersionsByFunction).
constexpr std::int32_t kPageSize = 50;

/// The marker of a page whose last item is `last`.
std::string marker_after(std::string_view last);

/// What marker_after() was given; empty without a marker. Throws InvalidParameterValueException for any other text.
std::string item_of_marker(std::string_view operation, const OptionalText& marker);

inline std::size_t page_size(const OptionalInt& max_items) {
  return static_cast<std::size_t>(std::min(max_items.value_or(kPageSize), kPageSize));
}

/// Cuts what was read, one item more than the page, to the page; true when there is a next one.
template <class Item>
bool cut_page(std::vector<Item>& items, std::size_t page) {
  if (items.size() <= page) return false;
  items.resize(page);
  return true;
}

}  // namespace lambent::lambda
