// Numbers in files: little-endian, whatever the machine.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace lambent::store::segments {

template <class Number>
Number little(Number number) {
  if constexpr (std::endian::native == std::endian::little) {
    return number;
  } else {
    auto* bytes = reinterpret_cast<unsigned char*>(&number);
    std::reverse(bytes, bytes + sizeof number);
    return number;
  }
}

template <class Number>
void store(char* to, Number number) {
  number = little(number);
  std::memcpy(to, &number, sizeof number);
}

template <class Number>
void put(std::string& out, Number number) {
  char bytes[sizeof(Number)];
  store(bytes, number);
  out.append(bytes, sizeof bytes);
}

/// `bytes` holds at least offset + sizeof(Number).
template <class Number>
Number get(std::string_view bytes, std::size_t offset = 0) {
  Number number;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return little(number);
}

}  // namespace lambent::store::segments
