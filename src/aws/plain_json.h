// Described structs as JSON of our own, for what is stored as it was sent: members by their names, absent ones left out,
// timestamps in milliseconds. No model is asked; whatever reads it back has the same struct or a later one of it.
#pragma once

#include <string>
#include <string_view>

#include "aws/type.h"

namespace lambent::aws {

namespace detail {
std::string plain_json(const Type& type, const void* object);
void read_plain_json(std::string_view text, const Type& type, void* object);
}  // namespace detail

template <class T>
std::string plain_json(const T& value) {
  return detail::plain_json(type_of<T>(), &value);
}

/// Members that T does not have are skipped. Throws std::exception for text that plain_json() did not write. Blobs are not taken.
template <class T>
T from_plain_json(std::string_view text) {
  T value{};
  detail::read_plain_json(text, type_of<T>(), &value);
  return value;
}

}  // namespace lambent::aws
