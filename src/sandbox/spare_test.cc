// Processes that wait for a function, started one by one or forked from a zygote.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <set>

#include "sandbox/lab_for_tests.h"

namespace lambent::sandbox::testing {
namespace {

using std::chrono::seconds;

class Spare : public SandboxTest {
 protected:
  Spec script(const std::string& text) {
    lab().write_code("script.py", text);
    return lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"});
  }
  std::string refusal(const SpareSpec& spec) {
    try {
      lab().prepare(spec);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it was prepared";
  }
  std::deque<std::function<base::Task<void>()>> work_;

  bool ended(Running& running) {
    return lab().drive(running, seconds(10), [&] { return running.exit.has_value(); });
  }
  /// Children of the launcher that run an interpreter: zygotes.
  std::set<pid_t> zygotes() { return zygotes(lab()); }
  static std::set<pid_t> zygotes(const Lab& lab) { return children(lab, "python3"); }
  /// Of environments, of those that nobody has claimed yet among them.
  std::set<pid_t> inits() { return children(lab(), "lambent-launch"); }
  static std::set<pid_t> children(const Lab& lab, std::string_view name) {
    const std::string launcher = std::to_string(lab.launcher_pid());
    std::ifstream children("/proc/" + launcher + "/task/" + launcher + "/children");
    std::set<pid_t> found;
    for (pid_t pid; children >> pid;) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
      std::string comm;
      if (file >> comm && comm.starts_with(name)) found.insert(pid);
    }
    return found;
  }
};

TEST_F(Spare, becomes_what_exec_would_have_made_of_it) {
  for (const Way way : {Way::spare, Way::forked}) {
    const Spec spec =
        script("import os, sys\nprint(os.getcwd(), sys.argv, sorted(os.environ), os.environ['LANG'])\nsys.exit(3)\n");
    const auto running = lab().prepare(lab().spare_spec(way));
    lab().assign(*running, spec);
    const Outcome outcome = lab().finish(*running);
    EXPECT_EQ(outcome.out, "/var/task ['/var/task/script.py'] ['LANG', 'PATH'] C.UTF-8\n") << outcome.err;
    EXPECT_EQ(outcome.exit.status, 3) << name_of(way);
  }
}

TEST_F(Spare, gets_the_processor_when_nobody_else_wants_it_until_it_is_assigned) {
  const Spec spec = script("import time\nprint('here', flush=True)\ntime.sleep(100)\n");
  for (const Way way : {Way::spare, Way::forked}) {
    const auto running = lab().prepare(lab().spare_spec(way));
    const auto waiting = lab().process_ids();
    ASSERT_FALSE(waiting.empty());
    const std::string before = said_of_cpu(waiting.back(), "cpu.idle");
    if (before.empty()) GTEST_SKIP() << "this kernel knows no idle groups";
    // Somebody may be waiting for a fork.
    EXPECT_EQ(before, way == Way::spare ? "1" : "0") << name_of(way);
    lab().assign(*running, spec);
    ASSERT_TRUE(lab().drive(*running, seconds(10), [&] { return running->out.starts_with("here"); }));
    EXPECT_EQ(said_of_cpu(waiting.back(), "cpu.idle"), "0") << name_of(way);
    running->sandbox->kill();
    ASSERT_TRUE(ended(*running));
  }
}

TEST_F(Spare, that_ends_while_it_waits_is_told_and_is_not_to_be_had_any_more) {
  SpareSpec spec = lab().spare_spec(Way::spare);
  spec.argv = {"/usr/bin/python3", "-I", "-c", "import os\nos.write(3, b'.')\nos._exit(7)"};
  const auto running = lab().prepare(spec);
  ASSERT_TRUE(ended(*running));
  EXPECT_EQ(running->exit->status, 7);
  EXPECT_THROW(lab().assign(*running, script("")), std::runtime_error);
  EXPECT_TRUE(lab().settle());
}

TEST_F(Spare, that_is_killed_while_it_waits_is_told) {
  for (const Way way : {Way::prepared, Way::spare, Way::forked}) {
    const auto running = lab().prepare(lab().spare_spec(way));
    running->sandbox->kill();
    ASSERT_TRUE(ended(*running)) << name_of(way);
    EXPECT_EQ(running->exit->signal, SIGKILL);
    EXPECT_THROW(lab().assign(*running, script("")), std::runtime_error);
  }
  EXPECT_TRUE(lab().settle());
}

TEST_F(Spare, that_never_waited_is_a_prepare_that_failed) {
  SpareSpec spec = lab().spare_spec(Way::spare);
  spec.argv = {"/bin/false"};
  EXPECT_EQ(refusal(spec), "sandbox: it ended before it waited, with the wait status 256");
  spec.argv = {"/usr/bin/nothing"};
  EXPECT_EQ(refusal(spec), "sandbox: exec: No such file or directory");
  spec = lab().spare_spec(Way::forked);
  spec.argv.back() = "/var/runtime/nothing.py";
  EXPECT_EQ(refusal(spec), "sandbox: the zygote ended with status 2");
  spec.argv = {"/bin/sh", "/var/runtime/zygote.py"};
  EXPECT_EQ(refusal(spec), "sandbox: a zygote's interpreter is not one of the root file system");
  spec.argv = {"/usr/bin/python3.999", "/var/runtime/zygote.py"};
  EXPECT_NE(refusal(spec), "it was prepared");
  EXPECT_TRUE(lab().settle());
}

TEST_F(Spare, what_was_made_for_the_next_is_for_its_shape_only) {
  // More than are kept, and each twice, the second time from what was kept where it was.
  const std::string text = "import os\nat = os.statvfs('/tmp')\nprint(at.f_frsize * at.f_blocks >> 20)\n";
  std::size_t kept = 0;
  for (int round = 0; round < 2; ++round) {
    for (const std::int32_t mib : {512, 600, 700, 800, 900, 1000}) {
      for (const Way way : {Way::launched, Way::forked}) {
        Spec spec = script(text);
        spec.ephemeral_mib = mib;
        SpareSpec spare = lab().spare_spec(Way::forked);
        spare.ephemeral_mib = mib;
        const auto running = way == Way::launched ? lab().launch(spec) : lab().prepare(spare);
        if (way == Way::forked) lab().assign(*running, spec);
        const Outcome outcome = lab().finish(*running);
        ASSERT_GE(std::atoi(outcome.out.c_str()), mib) << outcome.err;
        ASSERT_LT(std::atoi(outcome.out.c_str()), mib + 60);
      }
      ASSERT_TRUE(lab().settle());
      kept = std::min<std::size_t>(kept + (round == 0 ? 1 : 0), 4);
      ASSERT_TRUE(eventually(seconds(5), [&] { return inits().size() == kept; })) << inits().size() << " of " << kept;
    }
  }
}

TEST_F(Spare, what_was_made_for_the_next_is_taken_by_it) {
  EXPECT_EQ(lab().run(script("print('up')\n")).out, "up\n");
  ASSERT_TRUE(lab().settle());
  ASSERT_TRUE(eventually(seconds(5), [&] { return inits().size() == 1; }));
  const int made = *inits().begin();
  const auto running = lab().launch(script("import time\nprint('up', flush=True)\ntime.sleep(1000)\n"));
  ASSERT_TRUE(lab().drive(*running, seconds(10), [&] { return running->out == "up\n"; }));
  const std::vector<int> found = lab().process_ids();
  EXPECT_TRUE(std::ranges::find(found, made) != found.end());
}

TEST_F(Spare, what_was_made_for_the_next_may_be_killed) {
  const Spec spec = script("print('up')\n");
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(lab().run(spec).out, "up\n");
    ASSERT_TRUE(lab().settle());
    ASSERT_TRUE(eventually(seconds(5), [&] { return inits().size() == 1; }));
    const int made = *inits().begin();
    pollfd ended{static_cast<int>(::syscall(SYS_pidfd_open, made, 0)), POLLIN, 0};
    ASSERT_EQ(::kill(made, SIGKILL), 0);
    ASSERT_EQ(::poll(&ended, 1, 5000), 1);
    ::close(ended.fd);
  }
}

TEST_F(Spare, dropped_before_it_waits_leaves_nothing) {
  SpareSpec spec = lab().spare_spec(Way::spare);
  spec.argv = {"/bin/sleep", "1000"};
  const auto start = [&]() -> base::Task<void> { co_await lab().launcher().prepare(spec); };
  base::asio::co_spawn(lab().context(), start, [](const std::exception_ptr&) {});
  EXPECT_TRUE(eventually(seconds(5), [&] {
    lab().context().restart();
    lab().context().poll();
    return !lab().no_process();
  }));
  lab().end_launcher();
  lab().context().restart();
  lab().context().run_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(lab().settle());
}

TEST_F(Spare, forks_of_one_zygote_draw_different_random_bytes) {
  std::set<std::string> seen;
  const Spec spec = script("import os, uuid\nprint(os.urandom(16).hex(), uuid.uuid4())\n");
  for (int i = 0; i < 5; ++i) {
    const auto running = lab().prepare(lab().spare_spec(Way::forked));
    lab().assign(*running, spec);
    EXPECT_TRUE(seen.insert(lab().finish(*running).out).second);
  }
  EXPECT_EQ(zygotes().size(), 1U);
}

TEST_F(Spare, two_forks_are_two_worlds) {
  const Spec spec = script(
      "import os, time\nopen('/tmp/mine', 'x')\nprint(sorted(int(n) for n in os.listdir('/proc') if n.isdigit()) == "
      "[os.getpid()], os.listdir('/tmp'), flush=True)\ntime.sleep(1000)\n");
  const auto one = lab().prepare(lab().spare_spec(Way::forked)), two = lab().prepare(lab().spare_spec(Way::forked));
  for (Running* running : {one.get(), two.get()}) {
    lab().assign(*running, spec);
    lab().drive(*running, seconds(10), [&] { return !running->out.empty(); });
    EXPECT_EQ(running->out, "True ['mine']\n") << running->err;
  }
  one->sandbox->kill();
  EXPECT_TRUE(ended(*one));
  EXPECT_FALSE(two->exit.has_value());
}

TEST_F(Spare, a_zygote_that_dies_takes_no_environment_along_and_is_replaced) {
  const auto running = lab().prepare(lab().spare_spec(Way::forked));
  lab().assign(*running, script("import time\nprint('up', flush=True)\nopen('/tmp/x', 'w')\ntime.sleep(1000)\n"));
  ASSERT_TRUE(lab().drive(*running, seconds(10), [&] { return running->out == "up\n"; }));
  const std::set<pid_t> before = zygotes();
  ASSERT_EQ(before.size(), 1U);
  ASSERT_EQ(::kill(*before.begin(), SIGKILL), 0);
  ASSERT_TRUE(eventually(seconds(5), [&] { return !zygotes().contains(*before.begin()); }));
  EXPECT_FALSE(running->exit.has_value());
  const auto next = lab().prepare(lab().spare_spec(Way::forked));
  lab().assign(*next, script("print('next')\n"));
  EXPECT_EQ(lab().finish(*next).out, "next\n");
  // Nobody's child any more but the launcher's: its end is told all the same.
  running->sandbox->kill();
  ASSERT_TRUE(ended(*running));
  EXPECT_EQ(running->exit->signal, SIGKILL);
}

TEST_F(Spare, the_end_of_a_fork_that_its_zygote_tells_late_is_not_taken_for_that_of_what_was_started_since) {
  for (const bool zygote_ends : {false, true}) {
    const auto running = lab().prepare(lab().spare_spec(Way::forked));
    lab().assign(*running, script("import time\nprint('up', flush=True)\ntime.sleep(1000)\n"));
    ASSERT_TRUE(lab().drive(*running, seconds(10), [&] { return running->out == "up\n"; }));
    const std::set<pid_t> found = zygotes();
    ASSERT_EQ(found.size(), 1U);
    ASSERT_EQ(::kill(*found.begin(), SIGSTOP), 0);
    running->sandbox->kill();
    lab().restart(*running, {"/bin/sh", "-c", "echo again; sleep 1000"});
    ASSERT_TRUE(lab().drive(*running, seconds(10), [&] { return running->out == "up\nagain\n"; }));
    ASSERT_EQ(::kill(*found.begin(), zygote_ends ? SIGKILL : SIGCONT), 0);
    if (zygote_ends) ASSERT_TRUE(eventually(seconds(5), [&] { return !zygotes().contains(*found.begin()); }));
    // It tells of one thing after the other.
    const auto next = lab().prepare(lab().spare_spec(Way::forked));
    EXPECT_FALSE(running->exit.has_value());
    lab().restart(*running, {"/bin/sh", "-c", "exit 7"});
    ASSERT_TRUE(ended(*running));
    EXPECT_EQ(running->exit->status, 7);
  }
}

TEST_F(Spare, a_zygote_is_replaced_after_so_many_forks_and_lives_as_long_as_they_do) {
  Lab two_forks(2);
  std::vector<std::unique_ptr<Running>> all(5);
  int ready = 0;
  // At once: some of them wait for a zygote that takes no more.
  for (auto& running : all) {
    running = std::make_unique<Running>();
    const auto prepare = [&two_forks, &ready, into = running.get()]() -> base::Task<void> {
      SpareSpec spec = two_forks.spare_spec(Way::forked);
      into->sandbox = co_await two_forks.launcher().prepare(spec);
      ++ready;
    };
    // The coroutine's lambda must live as long as it does.
    work_.push_back(prepare);
    base::asio::co_spawn(two_forks.context(), work_.back(), base::asio::detached);
  }
  EXPECT_TRUE(eventually(seconds(10), [&] {
    two_forks.context().restart();
    two_forks.context().poll();
    return ready == 5;
  })) << ready;
  EXPECT_EQ(zygotes(two_forks).size(), 3U);
  all.clear();
  EXPECT_TRUE(two_forks.settle());
  EXPECT_TRUE(eventually(seconds(5), [&] { return zygotes(two_forks).size() == 1; })) << "the one that is not used up";
}

TEST_F(Spare, a_zygote_has_no_network_no_variables_and_no_file_that_it_could_write) {
  const auto running = lab().prepare(lab().spare_spec(Way::forked));
  const std::set<pid_t> found = zygotes();
  ASSERT_EQ(found.size(), 1U);
  const std::string proc = "/proc/" + std::to_string(*found.begin());
  std::ifstream environ(proc + "/environ");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(environ), {}), "");
  std::ifstream devices(proc + "/net/dev");
  std::string line;
  int interfaces = -2;  // two lines of headings
  while (std::getline(devices, line)) ++interfaces;
  EXPECT_EQ(interfaces, 1) << "the loopback, which is down";
  std::ifstream mounts(proc + "/mountinfo");
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string skip, at, options;
    words >> skip >> skip >> skip >> skip >> at >> options;
    EXPECT_TRUE(options.starts_with("ro")) << at << " " << options;
  }
}

TEST_F(Spare, the_end_of_the_launcher_takes_zygotes_and_forks_along) {
  auto running = lab().prepare(lab().spare_spec(Way::forked));
  const std::set<pid_t> found = zygotes();
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(::kill(lab().launcher_pid(), SIGKILL), 0);
  ASSERT_TRUE(ended(*running));
  EXPECT_TRUE(eventually(seconds(5), [&] { return ::kill(*found.begin(), 0) != 0 && lab().no_process(); }));
}

/// Of the process that waits in the environment, in KiB.
long proportional_memory(const Lab& lab, const std::set<pid_t>& known, pid_t* found) {
  for (const pid_t pid : lab.process_ids()) {
    if (known.contains(pid)) continue;
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    std::string word;
    long kib = 0;
    while (file >> word)
      if (word == "Pss:" && file >> kib) break;
    *found = pid;
    return kib;
  }
  return -1;
}

// The memory row of the bench, in small: the same imports, six of each side by side.
TEST_F(Spare, forks_share_the_memory_of_their_zygote) {
  const auto total = [&](Way way) {
    std::vector<std::unique_ptr<Running>> all;
    for (int i = 0; i < 6; ++i) all.push_back(lab().prepare(lab().spare_spec(way)));
    std::set<pid_t> known;
    long sum = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      pid_t pid = -1;
      const long kib = proportional_memory(lab(), known, &pid);
      known.insert(pid);
      sum += kib;
    }
    return sum / 6;
  };
  const long executed = total(Way::spare);
  ASSERT_TRUE(lab().settle());
  const long forked = total(Way::forked);
  std::printf("  a waiting Python: %ld KiB executed, %ld KiB forked (PSS)\n", executed, forked);
  EXPECT_GT(forked, 0);
  EXPECT_LT(forked * 10, executed * 5);
}

}  // namespace
}  // namespace lambent::sandbox::testing
