#include "auth/wildcard.h"

#include <algorithm>

namespace lambent::auth {

Wildcard::Wildcard(std::string_view pattern) {
  const auto first = pattern.find_first_of("*?");
  const auto needed = pattern.size() - static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
  if (needed > kMaxText) {
    form_ = Form::nothing;
  } else if (first == std::string_view::npos) {
    text_ = pattern;
  } else if (pattern.find_first_not_of('*') == std::string_view::npos) {
    form_ = Form::anything;
  } else if (pattern[first] == '*' && pattern.find_first_not_of('*', first) == std::string_view::npos) {
    form_ = Form::prefix;
    text_ = pattern.substr(0, first);
  } else {
    form_ = Form::general;
    compile(pattern);
  }
}

void Wildcard::compile(std::string_view pattern) {
  length_ = pattern.size() - static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
  words_ = length_ / 64 + 1;
  row_of_.assign(256, 0);
  std::size_t rows = 1;
  // 255 named characters at most: '*' and '?' are never named, so a row number fits in a byte.
  for (const char c : pattern)
    if (auto& row = row_of_[static_cast<unsigned char>(c)]; c != '*' && c != '?' && row == 0)
      row = static_cast<std::uint8_t>(rows++);
  rows_.assign(rows * words_, 0);
  stars_.assign(words_, 0);
  std::size_t position = 0;
  for (const char c : pattern) {
    const std::uint64_t bit = std::uint64_t{1} << position % 64;
    if (c == '*') {
      stars_[position / 64] |= bit;
      continue;
    }
    for (std::size_t row = 0; row < rows; ++row)
      if (c == '?' || row == row_of_[static_cast<unsigned char>(c)]) rows_[row * words_ + position / 64] |= bit;
    ++position;
  }
}

bool Wildcard::matches(std::string_view text) const {
  if (text.size() > kMaxText) return false;
  switch (form_) {
    case Form::exact:
      return text == text_;
    case Form::prefix:
      return text.starts_with(text_);
    case Form::anything:
      return true;
    case Form::nothing:
      return false;
    case Form::general:
      return matches_general(text);
  }
  return false;
}

bool Wildcard::matches_general(std::string_view text) const {
  // Bit j of `state`: what was read so far can be taken by the first j characters of the pattern.
  std::array<std::uint64_t, kMaxText / 64 + 1> state{};
  state[0] = 1;
  for (const char c : text) {
    const std::uint64_t* row = &rows_[row_of_[static_cast<unsigned char>(c)] * words_];
    std::uint64_t carry = 0;
    std::uint64_t alive = 0;
    for (std::size_t w = 0; w < words_; ++w) {
      const std::uint64_t stepped = state[w] & row[w];
      const std::uint64_t next = (stepped << 1) | carry | (state[w] & stars_[w]);
      carry = stepped >> 63;
      state[w] = next;
      alive |= next;
    }
    if (alive == 0) return false;
  }
  return (state[length_ / 64] >> length_ % 64 & 1) != 0;
}

std::size_t Wildcard::bytes() const {
  return sizeof *this + text_.capacity() + row_of_.capacity() + (rows_.capacity() + stars_.capacity()) * 8;
}

}  // namespace lambent::auth
