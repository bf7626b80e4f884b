#include "sandbox/launcher/user_range.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <stdexcept>

#include "sandbox/launcher/wire.h"

namespace lambent::sandbox::launcher {
namespace {

// Where no server begins, and no other run of this test.
std::uint32_t somewhere() { return 3'000'000'000U + static_cast<std::uint32_t>(::getpid()); }

TEST(UserRange, ids_belong_to_one_launcher_while_it_lives) {
  const UserRange first(somewhere());
  EXPECT_EQ(first.first(), somewhere());
  {
    const UserRange second(somewhere()), third(somewhere());
    EXPECT_EQ(second.first(), somewhere() + wire::kUids);
    EXPECT_EQ(third.first(), somewhere() + 2 * wire::kUids);
  }
  EXPECT_EQ(UserRange(somewhere()).first(), somewhere() + wire::kUids);
}

TEST(UserRange, an_end_is_told) {
  const std::uint32_t last = std::numeric_limits<std::uint32_t>::max() - wire::kUids - 1 -
                             static_cast<std::uint32_t>(::getpid()) % (wire::kUids / 2);
  const UserRange taken(last);
  EXPECT_EQ(taken.first(), last);
  EXPECT_THROW(UserRange{last}, std::runtime_error);
}

}  // namespace
}  // namespace lambent::sandbox::launcher
