// How long making an environment takes, by step. The numbers are printed, not judged: this is a shared machine; what is
// judged is that every step was taken, in its order.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "sandbox/jail/jail.h"
#include "sandbox/lab_for_tests.h"
#include "sandbox/launcher/environments.h"

namespace lambent::sandbox::testing {
namespace {

using Speed = SandboxTest;

std::int64_t now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

struct Samples {
  std::vector<double> us;
  void add(std::int64_t ns) { us.push_back(static_cast<double>(ns) / 1000); }
  void print(const char* name) {
    std::sort(us.begin(), us.end());
    if (!us.empty())
      std::printf("  %-45s med %8.1f  min %8.1f  p95 %8.1f us\n", name, us[us.size() / 2], us.front(),
                  us[us.size() * 95 / 100]);
  }
};

TEST_F(Speed, of_a_launch_as_the_server_sees_it) {
  Samples launch, whole;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t begin = now_ns();
    const auto running = lab().launch(lab().spec({"/bin/true"}));
    launch.add(now_ns() - begin);
    ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
    whole.add(now_ns() - begin);
    ASSERT_EQ(running->exit->status, 0);
    // The launcher gets the time to make the next one ready, as between two cold starts.
    ::poll(nullptr, 0, 15);
  }
  launch.print("launch until exec, spares ready");
  whole.print("launch until /bin/true was reaped");
  Samples burst;
  const std::int64_t begin = now_ns();
  for (int i = 0; i < 30; ++i) lab().launch(lab().spec({"/bin/true"}));
  burst.add((now_ns() - begin) / 30);
  burst.print("each of 30 in a row");
}

/// In a process of its own: it becomes a launcher without a socket.
void measure_steps(const std::filesystem::path& directory, std::int64_t* times) {
  const std::int64_t begin = now_ns();
  launcher::Environments environments({directory / "code", directory / "runtimes", directory / "scratch"},
                                      2'000'100'000);
  std::printf("  %-45s %8.1f us\n", "starting the launcher", static_cast<double>(now_ns() - begin) / 1000);
  Samples prepare, before, exec, after;
  std::map<unsigned, Samples> steps;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t first = now_ns();
    if (environments.prepare() && i > 2) prepare.add(now_ns() - first);
    while (environments.prepare()) continue;
    environments.time_steps(times);
    wire::LaunchRequest request;
    request.id = static_cast<std::uint64_t>(i) + 1;
    request.code_hash = std::string(64, 'a');
    request.runtime_dir = "python";
    request.memory_mib = 256;
    request.ephemeral_mib = 512;
    request.max_processes = 100;
    request.argv = {"/bin/true", nullptr};
    request.environment = {nullptr};
    const std::int64_t start = now_ns();
    launcher::Environment& environment = environments.launch(request);
    const std::int64_t cloned = now_ns();
    pollfd pipe{environment.failure_pipe.get(), POLLIN, 0};
    do ::poll(&pipe, 1, 5000);
    while (launcher::Environments::started(environment) == launcher::Environments::Start::pending);
    exec.add(now_ns() - start);
    before.add(cloned - start);
    pollfd ended{environment.pidfd.get(), POLLIN, 0};
    ::poll(&ended, 1, 5000);
    const std::int64_t over = now_ns();
    environments.end(environment.slot);
    after.add(now_ns() - over);
    for (unsigned step = 0; step + 1 < jail::step_count(); ++step) {  // exec does not come back
      if (times[step] == 0 || (step > 0 && times[step - 1] == 0)) continue;
      steps[step].add(times[step] - (step == 0 ? cloned : times[step - 1]));
    }
  }
  prepare.print("network, cgroups and /tmp, made beforehand");
  before.print("launcher, until cloned");
  exec.print("launcher, until exec'd");
  for (auto& [step, samples] : steps) samples.print(jail::step_name(step));
  after.print("launcher, taking away");
  std::fflush(stdout);
}

TEST_F(Speed, of_each_step) {
  auto* const times =
      static_cast<std::int64_t*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(times, MAP_FAILED);
  std::fflush(stdout);
  const pid_t pid = ::fork();
  if (pid == 0) {
    int status = 0;
    try {
      while (::open("/dev/null", O_RDWR | O_CLOEXEC) < jail::kFirstFreeFd) continue;
      measure_steps(lab().directory(), times);
    } catch (const std::exception& error) {
      std::printf("%s\n", error.what());
      status = 1;
    } catch (const launcher::LaunchFailure& failure) {
      std::printf("%s %d\n", failure.step.c_str(), failure.error);
      status = 1;
    }
    std::fflush(stdout);
    ::_exit(status);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_EQ(status, 0);
  std::int64_t last = 0;
  for (unsigned step = 0; step + 1 < jail::step_count(); ++step) {
    EXPECT_GT(times[step], last) << jail::step_name(step);
    last = times[step];
  }
  ::munmap(times, 4096);
}

}  // namespace
}  // namespace lambent::sandbox::testing
