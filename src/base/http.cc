#include "base/http.h"

#include "base/bytes.h"
#include "base/query.h"

namespace lambent::base::http {

const std::string* Headers::find(std::string_view name) const {
  for (const auto& [key, value] : entries_)
    if (equal_ignoring_case(key, name)) return &value;
  return nullptr;
}

std::string_view Headers::get(std::string_view name) const {
  const std::string* value = find(name);
  return value ? std::string_view(*value) : std::string_view();
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t n = 0;
  for (const auto& [key, value] : entries_) n += equal_ignoring_case(key, name);
  return n;
}

void Headers::set(std::string_view name, std::string value) {
  std::erase_if(entries_, [&](const Entry& entry) { return equal_ignoring_case(entry.first, name); });
  entries_.emplace_back(std::string(name), std::move(value));
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (QueryPair pair; next_pair(query, pair);) {
    auto key = percent_decode(pair.name);
    auto value = percent_decode(pair.value);
    if (!key || !value) return std::nullopt;
    pairs.emplace_back(std::move(*key), std::move(*value));
  }
  return pairs;
}

}  // namespace lambent::base::http
