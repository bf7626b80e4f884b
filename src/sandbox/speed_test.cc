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

/// Rows of an assignment: what is ready, until the program that was assigned has said something.
TEST_F(Speed, of_an_assignment_as_the_server_sees_it) {
  lab().write_code("script.py", "import os\nos.write(1, b'here')\n");
  const Spec spec = lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"});
  Spec shell = lab().spec({"/bin/sh", "-c", "echo here"});
  for (const Way way : {Way::launched, Way::prepared, Way::spare, Way::forked}) {
    Samples made, assigned, heard;
    if (way == Way::forked) lab().prepare(lab().spare_spec(way));  // the zygote starts
    for (int i = 0; i < 40; ++i) {
      std::unique_ptr<Running> running;
      std::int64_t begin = now_ns();
      if (way != Way::launched) {
        running = lab().prepare(lab().spare_spec(way));
        made.add(now_ns() - begin);
        ::poll(nullptr, 0, 10);
        begin = now_ns();
        lab().assign(*running, way == Way::prepared ? shell : spec);
      } else {
        running = lab().launch(shell);
      }
      assigned.add(now_ns() - begin);
      ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->out.starts_with("here"); }));
      heard.add(now_ns() - begin);
      running.reset();
      ::poll(nullptr, 0, 10);
    }
    const std::string name = name_of(way);
    made.print((name + ": made ready").c_str());
    assigned.print((name + ": assigned").c_str());
    heard.print((name + ": heard of").c_str());
  }
}

TEST_F(Speed, of_freezing_and_thawing) {
  const auto running = lab().launch(lab().spec({"/bin/sleep", "1000"}));
  Samples freeze, thaw;
  for (int i = 0; i < 200; ++i) {
    const std::int64_t begin = now_ns();
    running->sandbox->freeze();
    const std::int64_t frozen = now_ns();
    running->sandbox->thaw();
    freeze.add(frozen - begin);
    thaw.add(now_ns() - frozen);
  }
  freeze.print("freeze");
  thaw.print("thaw");
}

/// A launch's strings and counts, as the wire would have checked them; each of a shape for which nothing was made beforehand.
wire::Checked true_request(std::uint64_t id) {
  wire::Checked request;
  request.id = id;
  request.code_hash = std::string(64, 'a');
  request.root = "host";
  request.runtime_dir = "python";
  request.memory_mib = 256;
  request.ephemeral_mib = 512;
  request.max_processes = 100 + static_cast<std::int32_t>(id);
  request.argument_count = 1;
  request.argv = {"/bin/true"};
  request.strings = std::string_view("/bin/true", 10);
  return request;
}

/// Until init has said `kind`; false when it says that something failed.
bool await_notice(const launcher::Environment& environment, jail::NoticeKind kind) {
  jail::Notice notice{};
  pollfd orders{environment.orders.get(), POLLIN, 0};
  while (::poll(&orders, 1, 5000) > 0 && ::read(orders.fd, &notice, sizeof notice) == sizeof notice)
    if (notice.kind == kind || notice.kind == jail::NoticeKind::failed) return notice.kind == kind;
  return false;
}

/// In a process of its own: it becomes a launcher without a socket.
void measure_steps(const std::filesystem::path& directory, std::int64_t* times) {
  const std::int64_t begin = now_ns();
  launcher::Environments environments({directory / "code", directory / "runtimes", directory / "scratch"},
                                      2'000'100'000);
  std::printf("  %-45s %8.1f us\n", "starting the launcher", static_cast<double>(now_ns() - begin) / 1000);
  Samples stock, before, exec, after;
  std::map<unsigned, Samples> steps;
  jail::time_steps(times);
  for (int i = 0; i < 60; ++i) {
    const std::int64_t first = now_ns();
    if (environments.restock() && i > 2) stock.add(now_ns() - first);
    while (environments.restock()) continue;
    const wire::Checked request = true_request(static_cast<std::uint64_t>(i) + 1);
    std::fill_n(times, jail::kMaxSteps, 0);
    const std::int64_t start = now_ns();
    launcher::Environment& environment = environments.make(request);
    const std::int64_t cloned = now_ns();
    if (!await_notice(environment, jail::NoticeKind::started)) throw std::runtime_error("it was not started");
    exec.add(now_ns() - start);
    before.add(cloned - start);
    await_notice(environment, jail::NoticeKind::ended);
    environments.destroy(environment);
    pollfd ended{environment.pidfd.get(), POLLIN, 0};
    ::poll(&ended, 1, 5000);
    const std::int64_t over = now_ns();
    environments.end(environment.slot);
    after.add(now_ns() - over);
    for (unsigned step = 1; step < jail::step_count(); ++step)
      if (times[step] != 0 && times[step - 1] != 0) steps[step].add(times[step] - times[step - 1]);
  }
  stock.print("network, cgroups and /tmp, made beforehand");
  before.print("launcher, until cloned and ordered");
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
  // Exec does not come back, and steps of other lists were not taken.
  unsigned taken = 0;
  for (unsigned step = 0; step < jail::step_count(); ++step) taken += times[step] != 0 ? 1 : 0;
  EXPECT_GE(taken, 25U);
  ::munmap(times, 4096);
}

}  // namespace
}  // namespace lambent::sandbox::testing
