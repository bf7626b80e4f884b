#include "auth/variable_text.h"

#include <gmock/gmock.h>

#include "auth/refusal_matcher.h"

namespace lambent::auth {
namespace {

using ::testing::EndsWith;

const aws::ConditionKeys kKnown{{"aws:username", "ann"},
                                {"aws:principaltag/empty", ""},
                                {"aws:tagkeys", std::vector<std::string>{"one"}},
                                {"aws:useragent", std::string(2000, 'a')}};

std::string resolved(std::string_view text) {
  const auto pattern = VariableText(text).resolve(kKnown);
  return pattern ? pattern_text(*pattern) : "(nothing)";
}

TEST(VariableText, PutsValuesInTheirPlaces) {
  EXPECT_EQ(resolved("home/${aws:username}/${AWS:UserName}*"), "home/ann/ann*");
  EXPECT_EQ(resolved("${aws:username}"), "ann");
  EXPECT_EQ(resolved("$aws:username $ {x} $}"), "$aws:username $ {x} $}");
}

TEST(VariableText, EscapesAreTheCharactersThemselves) {
  const VariableText text("${*}a${?}${$}{x}");
  EXPECT_TRUE(text.constant());
  EXPECT_EQ(*text.resolve({}), literal_pattern("*a?${x}"));
  EXPECT_FALSE(VariableText("${*}${aws:username}").constant());
}

TEST(VariableText, DefaultsStandInForWhatIsNotThere) {
  EXPECT_EQ(resolved("${aws:PrincipalTag/team, 'none'}"), "none");
  EXPECT_EQ(resolved("${aws:PrincipalTag/team,'none' }/x"), "none/x");
  EXPECT_EQ(resolved("${aws:username, 'none'}"), "ann");
  EXPECT_EQ(resolved("${a:b, 'it''s }{ ${*}'}"), "it's }{ ${*}") << "one round of replacement";
  EXPECT_EQ(resolved("${a:b, ''}x"), "x");
  EXPECT_EQ(*VariableText("${a:b, '*'}").resolve({}), literal_pattern("*"));
}

// "the resource that includes a policy variable with no value will not match any resource"; "you cannot use a multivalued context key".
TEST(VariableText, WithoutAValueThereIsNoText) {
  EXPECT_EQ(resolved("x${aws:PrincipalTag/team}"), "(nothing)");
  EXPECT_EQ(resolved("${aws:PrincipalTag/empty}"), "(nothing)");
  EXPECT_EQ(resolved("${aws:PrincipalTag/empty, 'x'}"), "x");
  EXPECT_EQ(resolved("${aws:TagKeys}"), "(nothing)");
  EXPECT_EQ(resolved("${anything at all}"), "(nothing)");
}

TEST(VariableText, WhatBecomesTooLongIsNoText) {
  EXPECT_EQ(resolved("${aws:useragent}" + std::string(48, 'x')).size(), 2048u);
  EXPECT_EQ(resolved("${aws:useragent}" + std::string(49, 'x')), "(nothing)");
  EXPECT_EQ(resolved("${aws:useragent}${aws:useragent}"), "(nothing)");
  EXPECT_FALSE(VariableText("${a:b}").resolve({{"a:b", std::string(1 << 20, 'x')}}));
}

TEST(VariableText, MalformedOnesAreRefused) {
  const auto said = [](const std::string& text) { return refusal([&] { VariableText{text}; }); };
  for (const char* open : {"${", "${aws:username", "x${a:b, 'c'", "${a:b, 'c'x}", "${a:b, 'c','d'}"})
    EXPECT_THAT(said(open), EndsWith(" is missing its closing brace.")) << open;
  for (const char* nameless : {"${}", "${ a:b}", "${a:b }", "${, 'x'}", "${a:${b}}", "${a\nb}"})
    EXPECT_THAT(said(nameless), EndsWith(" does not name a condition key.")) << nameless;
  EXPECT_THAT(said("${a:b, c}"), EndsWith(" is not quoted."));
  EXPECT_THAT(said("${a:b, 'c}"), EndsWith(" is missing its closing quote."));
  EXPECT_THAT(said("${" + std::string(513, 'a') + "}"), EndsWith(" does not name a condition key."));
  std::string many;
  for (std::size_t i = 0; i < VariableText::kMaxVariables; ++i) many += "${a:b}";
  EXPECT_EQ(said(many), "accepted");
  EXPECT_EQ(said(many + "${a:b}"),
            "MalformedPolicyDocument 400: Syntax errors in policy. A text has too many policy variables.");
}

}  // namespace
}  // namespace lambent::auth
