#include "store/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace lambent::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kOld(32, 'o'), kNew(32, 'n'), kCustomer(32, 'c');
constexpr std::string_view kArn = "arn:aws:kms:us-east-1:123456789012:key/c";

std::string failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Vault, OpensWhatItSealedForTheSameOwnerOnly) {
  const Vault vault({{kOld}});
  const std::string sealed = vault.seal("secret A", "the value");
  EXPECT_TRUE(Vault::is_sealed(sealed));
  EXPECT_THAT(sealed, Not(HasSubstr("the value")));
  EXPECT_EQ(vault.open("secret A", sealed), "the value");
  EXPECT_THAT(failure_of([&] { vault.open("secret B", sealed); }), HasSubstr("secret B: what is stored was damaged"));
}

TEST(Vault, AfterARotationTheFirstKeySealsAndTheOthersStillOpen) {
  const Vault before({{kOld}}), after({{kNew}, {kOld}}), later({{kNew}});
  const std::string sealed = before.seal("secret A", "value");
  EXPECT_TRUE(before.is_current(sealed));
  EXPECT_FALSE(after.is_current(sealed));
  EXPECT_EQ(after.open("secret A", sealed), "value");
  const std::string again = after.seal("secret A", "value");
  EXPECT_TRUE(after.is_current(again));
  EXPECT_EQ(later.open("secret A", again), "value");
  EXPECT_THAT(failure_of([&] { later.open("secret A", sealed); }),
              HasSubstr("sealed with the key " + Vault::id_of(kOld)));
}

TEST(Vault, ACustomersKeyIsOneOfItsOwn) {
  const Vault vault({{kOld}, {kCustomer, std::string(kArn)}});
  const std::string sealed = vault.seal("secret A", "value", kArn);
  EXPECT_TRUE(vault.is_current(sealed, kArn));
  EXPECT_FALSE(vault.is_current(sealed));
  EXPECT_EQ(vault.open("secret A", sealed), "value");
  const Vault without({{kOld}});
  EXPECT_FALSE(without.knows(kArn));
  EXPECT_THAT(failure_of([&] { without.open("secret A", sealed); }), HasSubstr(Vault::id_of(kCustomer)));
  EXPECT_THAT(failure_of([&] { without.seal("secret A", "value", kArn); }), HasSubstr(kArn));
}

TEST(Vault, TextThatWasNeverSealedIsNotTakenForASecret) {
  const Vault vault({{kOld}});
  for (const char* text : {"", "plain", "sealed1.", "sealed1.0123456789abcdef"})
    EXPECT_THAT(failure_of([&] { vault.open("secret A", text); }), HasSubstr("never sealed")) << text;
  const std::string short_one = "sealed1." + Vault::id_of(kOld) + ".AAAA";
  EXPECT_THAT(failure_of([&] { vault.open("secret A", short_one); }), HasSubstr("damaged"));
}

TEST(Vault, WithoutKeysTextStaysAsItIsAndSealedOnesAreRefused) {
  const Vault none;
  EXPECT_EQ(none.seal("secret A", "value"), "value");
  EXPECT_EQ(none.open("secret A", "value"), "value");
  EXPECT_THROW(none.open("secret A", Vault({{kOld}}).seal("secret A", "value")), std::runtime_error);
}

TEST(Vault, RefusesKeysThatAreNone) {
  EXPECT_THROW(Vault({{std::string(31, 'k')}}), std::invalid_argument);
  EXPECT_THROW(Vault({{kOld}, {kOld}}), std::invalid_argument);
  EXPECT_THROW(Vault({{kCustomer, std::string(kArn)}}), std::invalid_argument);
}

}  // namespace
}  // namespace lambent::store
