#include "auth/wildcard.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace lambent::auth {
namespace {

bool matches(std::string_view pattern, std::string_view text) { return Wildcard(pattern).matches(text); }

TEST(Wildcard, MatchesWholeTexts) {
  EXPECT_TRUE(matches("abc", "abc"));
  EXPECT_FALSE(matches("abc", "abcd"));
  EXPECT_FALSE(matches("abc", "Abc"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("***", "anything:at/all"));
  EXPECT_TRUE(matches("ab*", "ab"));
  EXPECT_TRUE(matches("ab**", "abc"));
  EXPECT_FALSE(matches("ab*", "a"));
  EXPECT_TRUE(matches("*c", "abc"));
  EXPECT_FALSE(matches("*c", "abcd"));
  EXPECT_TRUE(matches("a*c", "ac"));
  EXPECT_TRUE(matches("a*b*c", "axxbyyc"));
  EXPECT_FALSE(matches("a*b*c", "axxcyyb"));
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("a?c", "ac"));
  EXPECT_FALSE(matches("a?", "a"));
  EXPECT_TRUE(matches("?*", "a"));
  EXPECT_FALSE(matches("?*", ""));
  EXPECT_TRUE(
      matches("arn:aws:lambda:*:123456789012:function:x-*", "arn:aws:lambda:eu-west-1:123456789012:function:x-1:2"));
  EXPECT_FALSE(
      matches("arn:aws:lambda:*:123456789012:function:x-*", "arn:aws:lambda:eu-west-1:123456789013:function:x-1"));
}

TEST(Wildcard, CharactersThatStandForThemselvesAreNoWildcards) {
  const Pattern pattern = read_pattern("a/") + literal_pattern("*?") + read_pattern("/*");
  const Wildcard wildcard(pattern);
  EXPECT_TRUE(wildcard.matches("a/*?/b"));
  EXPECT_FALSE(wildcard.matches("a/xy/b"));
  EXPECT_EQ(pattern_text(pattern), "a/*?/*");
  EXPECT_TRUE(Wildcard(literal_pattern("*")).matches("*"));
  EXPECT_FALSE(Wildcard(literal_pattern("*")).matches("x"));
  // Every byte may be named, and each is told from the others.
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  const Wildcard all(literal_pattern(every) + read_pattern("?*"));
  EXPECT_TRUE(all.matches(every + "x"));
  std::swap(every.front(), every.back());
  EXPECT_FALSE(all.matches(every + "x"));
}

/// The textbook recursion, exponential and obviously right.
bool reference(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return reference(pattern.substr(1), text) || (!text.empty() && reference(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) && reference(pattern.substr(1), text.substr(1));
}

TEST(Wildcard, AgreesWithTheTextbookOnRandomPatterns) {
  std::mt19937 random(7);
  const auto text = [&](std::string_view alphabet, std::size_t longest) {
    std::string out(random() % (longest + 1), ' ');
    for (char& c : out) c = alphabet[random() % alphabet.size()];
    return out;
  };
  int matched = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string pattern = text("aab*?", 9), subject = text("ab", 10);
    const bool expected = reference(pattern, subject);
    matched += expected;
    ASSERT_EQ(matches(pattern, subject), expected) << pattern << " " << subject;
  }
  EXPECT_GT(matched, 1000);
}

TEST(Wildcard, WorksAcrossWordBoundaries) {
  for (std::size_t size : {62u, 63u, 64u, 65u, 127u, 128u, 129u, 2047u, 2048u}) {
    const std::string text(size, 'a');
    EXPECT_TRUE(matches("?" + text.substr(1), text)) << size;
    EXPECT_FALSE(matches("?" + text, text)) << size;
    EXPECT_TRUE(matches("*" + text, text)) << size;
    EXPECT_TRUE(matches("*" + text.substr(1) + "*", text)) << size;
    EXPECT_FALSE(matches("*" + text.substr(1) + "b", text)) << size;
  }
}

TEST(Wildcard, TextsAndPatternsLongerThanAnyArnMatchNothing) {
  EXPECT_FALSE(matches("*", std::string(2049, 'a')));
  EXPECT_FALSE(matches(std::string(2049, '?') + "*", std::string(2048, 'a')));
  EXPECT_TRUE(matches("*" + std::string(10'000, '*'), std::string(2048, 'a')));
}

TEST(Wildcard, TakesTimeLinearInTheTextWhateverThePattern) {
  // Trial 34. Backtracking would need about 1000 choose 100 steps for the first and a million for the second.
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "*a?";
  const std::pair<std::string, std::string> hard[] = {{hundred + "b", std::string(2048, 'a')},
                                                      {"*" + std::string(1023, 'a') + "b", std::string(2048, 'a')}};
  for (const auto& [pattern, text] : hard) {
    const Wildcard wildcard(pattern);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) ASSERT_FALSE(wildcard.matches(text));
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    fmt::print("pattern of {}, text of {} characters: {:.0f} us\n", pattern.size(), text.size(), took.count() / 100);
    EXPECT_LT(took.count() / 100, 5000);
  }
}

}  // namespace
}  // namespace lambent::auth
