// One walk over NAME=VALUE pairs joined by '&': query strings and forms, still encoded.
#pragma once

#include <string_view>

namespace lambent::base {

/// One pair as it was sent; both are views of the query. No '=': an empty value.
struct QueryPair {
  std::string_view name, value;
};

/// Takes the first pair off `rest`; false when there is none. Empty pieces ("a=1&&b=2") are passed over.
inline bool next_pair(std::string_view& rest, QueryPair& pair) {
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view piece = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    pair.name = piece.substr(0, equals);
    pair.value = equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1);
    return true;
  }
  return false;
}

}  // namespace lambent::base
