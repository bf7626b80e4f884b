// A pattern of IAM with * (any run) and ? (one character), matched in time linear in the text whatever the pattern: all
// positions in the pattern are followed at once as bits of a word. Immutable, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lambent::auth {

/// The characters of a pattern: bytes that stand for themselves, and the two wildcards, which no byte is. What replaces a policy
/// variable may have stars of its own, and they are none.
using Pattern = std::u16string;
constexpr char16_t kAnyRun = 0x100;
constexpr char16_t kAnyOne = 0x101;

/// With * and ? as wildcards.
Pattern read_pattern(std::string_view text);
/// The bytes of a text without wildcards.
Pattern literal_pattern(std::string_view text);
/// As it is written: the wildcards are * and ? again.
std::string pattern_text(std::u16string_view pattern);

class Wildcard {
 public:
  /// Longer texts match nothing, and a pattern that needs more characters matches nothing: ARNs have at most 2048.
  static constexpr std::size_t kMaxText = 2048;

  explicit Wildcard(std::u16string_view pattern);
  explicit Wildcard(std::string_view pattern) : Wildcard(read_pattern(pattern)) {}

  bool matches(std::string_view text) const;
  std::size_t bytes() const;

 private:
  enum class Form { exact, prefix, anything, nothing, general };

  void compile(std::u16string_view pattern);
  bool matches_general(std::string_view text) const;

  Form form_ = Form::exact;
  std::string text_;  // exact, prefix
  // General form: bit j of a row is set when character j of the pattern (stars not counted) takes the row's character.
  std::size_t length_ = 0;
  std::size_t words_ = 0;
  std::vector<std::uint16_t> row_of_;  // character to row; row 0 is every character that the pattern does not name
  std::vector<std::uint64_t> rows_;    // words_ per row
  std::vector<std::uint64_t> stars_;   // bit j is set when a star stands before character j (j may be length_)
};

}  // namespace lambent::auth
