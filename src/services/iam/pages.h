// IAM's pagination: MaxItems and an opaque Marker that names the last item given and the operation it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lambent::iam {

struct PageRequest {
  /// The operation's name: a marker is good for its own operation only.
  std::string_view operation;
  /// The last key of the page before; empty at the start.
  std::string after;
  std::size_t size = 100;
};

/// Throws ValidationError for a marker that this server did not make for this operation.
PageRequest page_request(std::string_view operation, const std::optional<std::string>& marker,
                         const std::optional<std::int32_t>& max_items);

/// The marker of the page after the one that ends with `last`.
std::string marker_after(std::string_view operation, std::string_view last);

template <class Item>
struct Page {
  std::vector<Item> items;
  std::optional<std::string> marker;
};

/// The page out of `items` in the order of their keys, of which those up to `after` may be left out already. Keys are never empty.
template <class Item, class KeyOf>
Page<Item> cut(std::vector<Item> items, const PageRequest& request, KeyOf key_of) {
  Page<Item> page;
  for (Item& item : items) {
    if (!request.after.empty() && key_of(item) <= request.after) continue;
    if (page.items.size() == request.size) {
      page.marker = marker_after(request.operation, key_of(page.items.back()));
      break;
    }
    page.items.push_back(std::move(item));
  }
  return page;
}

/// Those of `fetch(after, limit)` whose path begins with `prefix`, one more than the page holds: the most that cut() needs.
template <class Fetch>
auto with_path(const PageRequest& request, std::string_view prefix, Fetch fetch) {
  constexpr std::size_t kChunk = 256;
  decltype(fetch(std::string_view(), kChunk)) found;
  std::string after = request.after;
  while (found.size() <= request.size) {
    const auto chunk = fetch(std::string_view(after), kChunk);
    for (const auto& record : chunk)
      if (record->path.starts_with(prefix)) found.push_back(record);
    if (chunk.size() < kChunk) break;
    after = chunk.back()->name;
  }
  return found;
}

}  // namespace lambent::iam
