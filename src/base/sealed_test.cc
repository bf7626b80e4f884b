#include "base/sealed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lambent::base {
namespace {

const std::string kKey(32, 'k');

TEST(Sealed, OpensWithItsKeyAndWhatItWasBoundToOnly) {
  const std::string sealed = seal(kKey, "the plain text", "row 1");
  EXPECT_EQ(unseal(kKey, sealed, "row 1"), "the plain text");
  EXPECT_EQ(unseal(kKey, sealed, "row 2"), std::nullopt);
  EXPECT_EQ(unseal(std::string(32, 'x'), sealed, "row 1"), std::nullopt);
  EXPECT_THAT(sealed, ::testing::Not(::testing::HasSubstr("plain")));
}

TEST(Sealed, NothingMayBeChangedOrCutOff) {
  const std::string sealed = seal(kKey, "text", "");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(unseal(kKey, changed, ""), std::nullopt) << i;
    EXPECT_EQ(unseal(kKey, sealed.substr(0, i), ""), std::nullopt) << i;
  }
}

TEST(Sealed, TheSameTextNeverLooksTheSame) { EXPECT_NE(seal(kKey, "text", "row"), seal(kKey, "text", "row")); }

TEST(Sealed, NothingIsATextToo) { EXPECT_EQ(unseal(kKey, seal(kKey, "", "row"), "row"), ""); }

}  // namespace
}  // namespace lambent::base
