// Numbers in files: little-endian, whatever the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace lambent::store::segments {

template <class Number>
void put(std::string& out, Number number) {
  auto bits = static_cast<std::make_unsigned_t<Number>>(number);
  char bytes[sizeof(Number)];
  for (char& byte : bytes) {
    byte = static_cast<char>(bits & 0xff);
    if constexpr (sizeof(Number) > 1) bits >>= 8;
  }
  out.append(bytes, sizeof bytes);
}

/// `bytes` holds at least offset + sizeof(Number).
template <class Number>
Number get(std::string_view bytes, std::size_t offset = 0) {
  std::make_unsigned_t<Number> bits = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;)
    bits = static_cast<std::make_unsigned_t<Number>>((static_cast<std::uint64_t>(bits) << 8) |
                                                     static_cast<unsigned char>(bytes[offset + i]));
  return static_cast<Number>(bits);
}

}  // namespace lambent::store::segments
