// What an environment is made of, how it begins and how it ends.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "sandbox/lab_for_tests.h"
#include "sandbox/launcher/launcher.h"
#include "sandbox/leftovers_for_tests.h"

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

TEST_F(Lifecycle, a_signal_that_ends_the_runtime_is_told) {
  const Outcome outcome = lab().shell("kill -SEGV $$");
  EXPECT_FALSE(outcome.exit.status.has_value());
  EXPECT_EQ(outcome.exit.signal, SIGSEGV);
  EXPECT_FALSE(outcome.exit.out_of_memory);
}

TEST_F(Lifecycle, what_the_runtime_started_goes_on_until_the_sandbox_ends) {
  auto running = lab().launch(lab().spec({"/bin/sh", "-c", "sleep 1000 & setsid sleep 1000 & echo started; exit 3"}));
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
  EXPECT_EQ(running->exit->status, 3);
  lab().drive(*running, std::chrono::seconds(5), [&] { return running->out == "started\n"; });
  EXPECT_EQ(running->out, "started\n");
  EXPECT_EQ(lab().processes(), 3U) << "init and the two";
  running.reset();
  EXPECT_TRUE(lab().settle());
}

// Trial 10.
TEST_F(Lifecycle, kill_takes_grandchildren_that_ignore_signals_within_100_ms) {
  auto running = lab().launch(lab().spec(
      {"/bin/sh", "-c",
       "trap '' TERM INT HUP; (trap '' TERM; (setsid sleep 1000 & sleep 1000) & sleep 1000) & echo up; wait"}));
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->out == "up\n"; }));
  const auto begin = std::chrono::steady_clock::now();
  running->sandbox->kill();
  running->sandbox->kill();
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kill_bound());
  EXPECT_EQ(running->exit->signal, SIGKILL);
  EXPECT_TRUE(eventually(kill_bound(), [&] { return lab().processes() <= 1; })) << "more than init";
  running.reset();
  EXPECT_TRUE(lab().settle());
}

TEST_F(Lifecycle, on_exit_runs_once_even_when_it_is_set_after_the_end) {
  const auto running = lab().launch(lab().spec({"/bin/true"}));
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
  int calls = 0;
  running->sandbox->on_exit([&](Exit exit) { calls += exit.status == 0 ? 1 : 100; });
  EXPECT_EQ(calls, 0) << "not from inside the call";
  lab().drive(*running, std::chrono::milliseconds(20), [] { return false; });
  EXPECT_EQ(calls, 1);
}

TEST_F(Lifecycle, a_launch_that_fails_names_its_step) {
  const auto failure = [&](const Spec& spec) -> std::string {
    try {
      lab().launch(spec);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it was launched";
  };
  EXPECT_EQ(failure(lab().spec({"/var/task/bootstrap"})), "sandbox: exec: No such file or directory");
  lab().write_code("data.txt", "not a program");
  EXPECT_EQ(failure(lab().spec({"/var/task/data.txt"})), "sandbox: exec: Permission denied");
  Spec spec = lab().spec({"/bin/true"});
  spec.code_hash = std::string(64, 'b');
  EXPECT_NE(failure(spec).find("No such file or directory"), std::string::npos) << failure(spec);
  std::filesystem::create_directory_symlink("/etc", lab().directory() / "code" / std::string(64, 'c'));
  spec.code_hash = std::string(64, 'c');
  EXPECT_NE(failure(spec), "it was launched");
  spec = lab().spec({"/bin/true"});
  spec.runtime_dir = "..";
  EXPECT_EQ(failure(spec), "sandbox: the runtime's directory is not a plain name");
  spec = lab().spec({"/bin/true"});
  spec.memory_mib = 1;
  EXPECT_EQ(failure(spec), "sandbox: memory size is out of range");
  EXPECT_EQ(lab().run(lab().spec({"/bin/true"})).exit.status, 0) << "and the next one works";
}

// Trial 6.
TEST_F(Lifecycle, without_descriptors_a_launch_fails_and_the_next_one_works) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(next);
  // Two more: not enough for the five that a launch brings.
  const rlimit tight{static_cast<rlim_t>(next) + 2, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  std::string failure = "it was launched";
  try {
    lab().launch(lab().spec({"/bin/sleep", "1000"}));
  } catch (const std::runtime_error& error) {
    failure = error.what();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(failure, "sandbox: this process has no descriptors left");
  EXPECT_EQ(lab().run(lab().spec({"/bin/true"})).exit.status, 0);
  EXPECT_TRUE(eventually(std::chrono::seconds(5), [&] { return lab().no_process(); }));
}

TEST_F(Lifecycle, peak_memory_follows_what_was_used) {
  lab().write_code("script.py",
                   "import os, time\nprint('up', flush=True)\nx = bytearray(50 << 20)\nprint('full', flush=True)\n"
                   "del x\ntime.sleep(1000)\n");
  const auto running = lab().launch(lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"}));
  const auto printed = [&](const char* text) {
    return lab().drive(*running, std::chrono::seconds(10),
                       [&] { return running->out.find(text) != std::string::npos; });
  };
  ASSERT_TRUE(printed("up"));
  const std::int32_t before = running->sandbox->peak_memory_mib();
  EXPECT_GE(before, 1);
  ASSERT_TRUE(printed("full"));
  EXPECT_GE(running->sandbox->peak_memory_mib(), 50);
  EXPECT_LE(running->sandbox->peak_memory_mib(), 120);
  running->sandbox->kill();
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
  EXPECT_GE(running->sandbox->peak_memory_mib(), 50) << "also when the group is gone";
}

// Trial 22.
TEST_F(Lifecycle, a_cpu_limit_holds_from_when_it_is_asked_for) {
  lab().write_code("script.py", R"(
import time
def share():
    wall, cpu = time.monotonic(), time.process_time()
    while time.process_time() - cpu < 0.15 and time.monotonic() - wall < 5: pass
    return (time.process_time() - cpu) / (time.monotonic() - wall)
while True: print('share %.3f' % share(), flush=True)
)");
  const auto running =
      lab().launch(Lab::with_memory(lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"}), 177));
  const auto shares = [&] {
    std::istringstream words(running->out);
    std::vector<double> found;
    std::string word;
    for (double share; words >> word >> share;) found.push_back(share);
    return found;
  };
  // On a busy machine it may take a while to get more than the limit to come.
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(30), [&] {
    return !shares().empty() && shares().back() > 0.16;
  })) << running->out;
  running->sandbox->limit_cpu();
  const std::size_t then = shares().size();
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(30), [&] { return shares().size() >= then + 3; }));
  // 177 of 1,769 MB are a tenth of a processor.
  EXPECT_LT(shares().back(), 0.14);
}

TEST_F(Lifecycle, a_function_weighs_what_its_share_is_once_its_init_is_over) {
  const auto running =
      lab().launch(Lab::with_memory(lab().spec({"/bin/sh", "-c", "echo here; read line; sleep 1000"}), 885));
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(10), [&] { return running->out.starts_with("here"); }));
  const int pid = lab().process_ids().back();
  const bool version_1 = said_of_cpu(pid, "cpu.weight").empty();
  const auto becomes = [&](const std::string& weight, const std::string& shares) {
    return eventually(std::chrono::seconds(5), [&] {
      return said_of_cpu(pid, version_1 ? "cpu.shares" : "cpu.weight") == (version_1 ? shares : weight);
    });
  };
  EXPECT_TRUE(becomes("100", "1024"));
  running->sandbox->limit_cpu();
  EXPECT_TRUE(becomes("50", "512"));
  lab().restart(*running, {"/bin/sh", "-c", "echo again; sleep 1000"});
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(10), [&] { return running->out.ends_with("again\n"); }));
  const int next = lab().process_ids().back();
  EXPECT_EQ(said_of_cpu(next, version_1 ? "cpu.shares" : "cpu.weight"), version_1 ? "1024" : "100")
      << "init runs without it";
}

TEST_F(Lifecycle, a_processor_that_two_want_is_shared_in_proportion_to_their_memory) {
  lab().write_code("script.py", R"(
import os, time
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
while True:
    then = time.process_time()
    while time.process_time() - then < 0.05: pass
    print('%.3f' % time.process_time(), flush=True)
)");
  const auto launched = [&](int memory_mib) {
    return lab().launch(Lab::with_memory(lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"}), memory_mib));
  };
  const auto large = launched(1769), small = launched(885);
  const auto used_s = [&](Running& running) {
    lab().drive(running, std::chrono::milliseconds(1), [] { return false; });
    const std::size_t last = running.out.rfind('\n', running.out.size() - 2);
    return last == std::string::npos ? 0.0 : std::stod(running.out.substr(last + 1));
  };
  ASSERT_TRUE(eventually(std::chrono::seconds(30), [&] { return used_s(*large) > 0 && used_s(*small) > 0; }));
  for (Running* running : {large.get(), small.get()}) running->sandbox->limit_cpu();
  // What they have used by then does not count.
  const auto settled = [&, large_s = used_s(*large)](double more_s) {
    return eventually(std::chrono::seconds(60), [&] { return used_s(*large) > large_s + more_s; });
  };
  ASSERT_TRUE(settled(0.5));
  const double large_s = used_s(*large), small_s = used_s(*small);
  ASSERT_TRUE(settled(4.5));
  // Two to one; with their limits alone each would get half.
  const double ratio = (used_s(*large) - large_s) / (used_s(*small) - small_s);
  EXPECT_GT(ratio, 1.6);
  EXPECT_LT(ratio, 2.5);
}

TEST_F(Lifecycle, many_launches_at_once_all_come_back) {
  constexpr int kCount = 24;
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  int ended = 0;
  const auto start = [&]() -> base::Task<void> {
    Spec spec = lab().spec({"/bin/true"});
    auto sandbox = co_await lab().launcher().launch(spec);
    sandbox->on_exit([&](Exit exit) { ended += exit.status == 0 ? 1 : 0; });
    sandboxes.push_back(std::move(sandbox));
  };
  for (int i = 0; i < kCount; ++i) base::asio::co_spawn(lab().context(), start, base::asio::detached);
  EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] {
    lab().context().restart();
    lab().context().run_for(std::chrono::milliseconds(5));
    return ended == kCount;
  })) << ended;
}

TEST_F(Lifecycle, the_end_of_the_launcher_takes_everything_along) {
  const auto running = lab().launch(lab().spec({"/bin/sh", "-c", "sleep 1000 & sleep 1000"}));
  const int pid = lab().launcher_pid();
  EXPECT_GT(count_groups(pid), 0U);
  lab().end_launcher();
  EXPECT_EQ(count_groups(pid), 0U);
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
  EXPECT_EQ(running->exit->signal, SIGKILL);
  EXPECT_TRUE(eventually(std::chrono::seconds(5), [&] { return lab().no_process(); }));
}

TEST_F(Lifecycle, a_launcher_that_is_killed_takes_its_processes_along_and_the_server_is_told) {
  const auto running = lab().launch(lab().spec({"/bin/sh", "-c", "sleep 1000 & sleep 1000"}));
  ASSERT_EQ(::kill(lab().launcher_pid(), SIGKILL), 0);
  EXPECT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
  EXPECT_TRUE(eventually(std::chrono::seconds(5), [&] { return lab().no_process(); }));
  EXPECT_THROW(lab().launch(lab().spec({"/bin/true"})), std::runtime_error);
  const int gone = lab().launcher_pid();
  lab().end_launcher();
  // Nobody was left to remove its groups: the next launcher does, that of another test perhaps, once they are old enough not to
  // be those of one that is just starting.
  EXPECT_TRUE(eventually(std::chrono::seconds(15), [gone] {
    const Lab next;
    EXPECT_EQ(next.isolation().level, Isolation::full) << next.isolation().reason;
    return count_groups(gone) == 0U;
  }));
}

// A launcher in a container of its own cannot see the other's process, only its groups.
TEST_F(Lifecycle, a_launcher_leaves_the_groups_of_one_that_lives_in_another_pid_namespace) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWPID) != 0) ::_exit(3);
    const pid_t inside = ::fork();
    if (inside == 0) {
      ::usleep(2'500'000);  // older than what is taken for just made
      Lab other;
      ::_exit(other.isolation().level == Isolation::full ? 0 : 1);
    }
    int status = 0;
    ::_exit(::waitpid(inside, &status, 0) == inside && WIFEXITED(status) ? WEXITSTATUS(status) : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_GT(count_groups(lab().launcher_pid()), 0U);
  const auto outcome = lab().run(lab().spec({"/bin/echo", "still here"}));
  EXPECT_EQ(outcome.out, "still here\n");
}

TEST(Launcher, says_what_is_missing_when_it_is_not_root) {
  if (::geteuid() != 0) GTEST_SKIP() << "it takes root to become somebody else";
  std::string name = "/tmp/lambent-sandbox-test-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  ASSERT_EQ(::chmod(name.c_str(), 0755), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(3);
    const LauncherProcess process = start_launcher({name, name, name, 2'000'000'000});
    ::_exit(process.isolation.level == Isolation::none && process.isolation.reason == "not started as root" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  std::filesystem::remove(name);
}

}  // namespace
}  // namespace lambent::sandbox::testing
