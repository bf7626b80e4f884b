#include "auth/wildcard.h"

#include <algorithm>

namespace lambent::auth {

namespace {

char16_t character(char c) { return static_cast<unsigned char>(c); }

std::size_t runs_in(std::u16string_view pattern) {
  return static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), kAnyRun));
}

}  // namespace

Pattern read_pattern(std::string_view text) {
  Pattern pattern = literal_pattern(text);
  std::replace(pattern.begin(), pattern.end(), u'*', kAnyRun);
  std::replace(pattern.begin(), pattern.end(), u'?', kAnyOne);
  return pattern;
}

Pattern literal_pattern(std::string_view text) {
  Pattern pattern(text.size(), u' ');
  std::transform(text.begin(), text.end(), pattern.begin(), character);
  return pattern;
}

std::string pattern_text(std::u16string_view pattern) {
  std::string text(pattern.size(), ' ');
  std::transform(pattern.begin(), pattern.end(), text.begin(), [](char16_t c) {
    if (c == kAnyRun) return '*';
    return c == kAnyOne ? '?' : static_cast<char>(c);
  });
  return text;
}

Wildcard::Wildcard(std::u16string_view pattern) {
  static constexpr char16_t kWildcards[] = {kAnyRun, kAnyOne, 0};
  const auto first = pattern.find_first_of(kWildcards);
  if (pattern.size() - runs_in(pattern) > kMaxText) {
    form_ = Form::nothing;
  } else if (first == std::u16string_view::npos) {
    text_ = pattern_text(pattern);
  } else if (pattern.find_first_not_of(kAnyRun) == std::u16string_view::npos) {
    form_ = Form::anything;
  } else if (pattern[first] == kAnyRun && pattern.find_first_not_of(kAnyRun, first) == std::u16string_view::npos) {
    form_ = Form::prefix;
    text_ = pattern_text(pattern.substr(0, first));
  } else {
    form_ = Form::general;
    compile(pattern);
  }
}

void Wildcard::compile(std::u16string_view pattern) {
  length_ = pattern.size() - runs_in(pattern);
  words_ = length_ / 64 + 1;
  row_of_.assign(256, 0);
  std::size_t rows = 1;
  for (const char16_t c : pattern)
    if (c < row_of_.size() && row_of_[c] == 0) row_of_[c] = static_cast<std::uint16_t>(rows++);
  rows_.assign(rows * words_, 0);
  stars_.assign(words_, 0);
  std::vector<std::uint64_t> any_one(words_, 0);
  std::size_t position = 0;
  for (const char16_t c : pattern) {
    const std::uint64_t bit = std::uint64_t{1} << position % 64;
    const std::size_t word = position / 64;
    if (c == kAnyRun) {
      stars_[word] |= bit;
      continue;
    }
    if (c == kAnyOne)
      any_one[word] |= bit;
    else
      rows_[row_of_[c] * words_ + word] |= bit;
    ++position;
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] |= any_one[i % words_];
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
  if (text.size() < length_) return false;
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
  return sizeof *this + text_.capacity() + row_of_.capacity() * 2 + (rows_.capacity() + stars_.capacity()) * 8;
}

}  // namespace lambent::auth
