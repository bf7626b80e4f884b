// What an environment is made of, how it begins and how it ends.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "sandbox/lab_for_tests.h"
#include "sandbox/launcher/launcher.h"

// The launcher is this program run again, so the test has a main of its own.
int main(int argc, char** argv) {
  if (const auto status = lambent::sandbox::launcher_main(argc, argv)) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

namespace lambent::sandbox::testing {
namespace {

using Lifecycle = SandboxTest;

TEST_F(Lifecycle, a_script_runs_and_its_streams_and_status_come_back) {
  const Outcome outcome = lab().shell("pwd; echo to stderr >&2; exit 7");
  EXPECT_EQ(outcome.out, "/var/task\n");
  EXPECT_EQ(outcome.err, "to stderr\n");
  EXPECT_EQ(outcome.exit.status, 7);
  EXPECT_FALSE(outcome.exit.out_of_memory);
}

}  // namespace
}  // namespace lambent::sandbox::testing
