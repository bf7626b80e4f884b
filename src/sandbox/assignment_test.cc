// A sandbox that is there before its function: how the function gets in, and what may be done with it afterwards.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/lab_for_tests.h"

namespace lambent::sandbox::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Assignment : public SandboxTest {
 protected:
  Spec shell(const std::string& script) { return lab().spec({"/bin/sh", "-c", script}); }
  bool until(Running& running, const std::function<bool()>& done, milliseconds bound = seconds(10)) {
    return lab().drive(running, bound, done);
  }
  bool printed(Running& running, const std::string& text, milliseconds bound = seconds(10)) {
    return until(running, [&] { return running.out.find(text) != std::string::npos; }, bound);
  }
  std::string refusal(const std::function<void()>& step) {
    try {
      step();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it was done";
  }
};

TEST_F(Assignment, a_prepared_sandbox_runs_what_it_is_given_with_its_code_and_variables) {
  lab().write_code("data.txt", "the code\n");
  const auto running = lab().prepare(lab().spare_spec(Way::prepared));
  Spec spec = shell("pwd; cat data.txt; echo $LANG $0; id -u; exit 5");
  lab().assign(*running, spec);
  const Outcome outcome = lab().finish(*running);
  EXPECT_EQ(outcome.out.substr(0, outcome.out.rfind('\n', outcome.out.size() - 2) + 1),
            "/var/task\nthe code\nC.UTF-8 /bin/sh\n");
  EXPECT_EQ(outcome.exit.status, 5);
}

TEST_F(Assignment, an_assignment_that_fails_names_its_step_and_the_next_sandbox_works) {
  const auto assigned = [&](Spec spec) {
    const auto running = lab().prepare(lab().spare_spec(Way::prepared));
    return refusal([&] { lab().assign(*running, spec); });
  };
  Spec spec = shell("exit 0");
  spec.code_hash = std::string(64, 'b');
  EXPECT_NE(assigned(spec).find("No such file or directory"), std::string::npos) << assigned(spec);
  EXPECT_EQ(assigned(lab().spec({"/var/task/nothing"})), "sandbox: exec: No such file or directory");
  spec = shell("exit 0");
  spec.ephemeral_mib = 600;
  EXPECT_EQ(assigned(spec), "sandbox: assign: it was prepared for another kind of function");
  spec = shell("exit 0");
  spec.layers = {std::string(64, 'd')};
  EXPECT_NE(assigned(spec), "it was done");
  const auto twice = lab().prepare(lab().spare_spec(Way::prepared));
  lab().assign(*twice, shell("sleep 100"));
  EXPECT_EQ(refusal([&] { lab().assign(*twice, shell("sleep 100")); }),
            "sandbox: assign: it is not prepared, or has its function already");
  EXPECT_EQ(assigned(shell("exit 0")), "it was done");
}

TEST_F(Assignment, layers_lie_over_one_another_in_their_order) {
  Spec spec = shell("cat /opt/same /opt/one /opt/two /opt/dir/*; /opt/bin/tool; touch /opt/x 2>/dev/null || echo no");
  spec.layers = {lab().write_tree('1', {{"same", "first\n"}, {"one", "1\n"}, {"dir/a", "a\n"}}),
                 lab().write_tree('2', {{"same", "second\n"}, {"dir/b", "b\n"}}),
                 lab().write_tree('3', {{"same", "third\n"}, {"two", "2\n"}, {"bin/tool", "#!/bin/sh\necho ran\n"}})};
  EXPECT_EQ(lab().run(spec).out, "third\n1\n2\na\nb\nran\nno\n");
  std::swap(spec.layers[0], spec.layers[2]);
  EXPECT_EQ(lab().run(spec).out.substr(0, 6), "first\n");
  spec.layers = {std::string(64, '2')};
  spec.argv.back() = "cat /opt/same; ls /opt";
  EXPECT_EQ(lab().run(spec).out, "second\ndir\nsame\n");
}

TEST_F(Assignment, extensions_start_first_print_to_their_own_pipe_and_their_ends_are_told) {
  Spec spec = shell("echo runtime; while [ ! -e /tmp/over ]; do sleep 0.01; done; exit 0");
  spec.layers = {lab().write_tree('1', {{"extensions/quick", "#!/bin/sh\necho quick $NAME; exit 4\n"},
                                        {"extensions/slow", "#!/bin/sh\necho slow; sleep 1000\n"}})};
  spec.extensions = {"/opt/extensions/quick", "/opt/extensions/slow"};
  spec.extension_environment = {"NAME=value", "PATH=/usr/bin:/bin"};
  for (const Way way : {Way::launched, Way::prepared}) {
    std::unique_ptr<Running> running;
    if (way == Way::launched) {
      running = lab().launch(spec);
    } else {
      running = lab().prepare(lab().spare_spec(way));
      lab().assign(*running, spec);
    }
    ASSERT_TRUE(until(*running, [&] { return running->extension_exits.size() == 1 && !running->out.empty(); }));
    EXPECT_EQ(running->extension_exits[0].first, 0U);
    EXPECT_EQ(running->extension_exits[0].second.status, 4);
    ASSERT_TRUE(until(*running, [&] { return running->extensions_out.size() >= 17; })) << running->extensions_out;
    EXPECT_NE(running->extensions_out.find("quick value\n"), std::string::npos);
    EXPECT_EQ(running->out, "runtime\n");
    running->sandbox->terminate();
    ASSERT_TRUE(until(*running, [&] { return running->exit.has_value(); }));
    EXPECT_EQ(running->exit->signal, SIGTERM);
    EXPECT_EQ(running->extension_exits.size(), 1U) << "the other one is no runtime";
    running->sandbox->kill();
    ASSERT_TRUE(until(*running, [&] { return running->extension_exits.size() == 2; }));
    EXPECT_EQ(running->extension_exits[1].first, 1U);
    EXPECT_EQ(running->extension_exits[1].second.signal, SIGKILL);
  }
}

TEST_F(Assignment, an_extension_that_cannot_be_executed_ends_as_in_a_shell_and_the_runtime_runs) {
  Spec spec = shell("echo runtime; sleep 100");
  spec.layers = {lab().write_tree('1', {{"extensions/no_program", "neither ELF nor a script"}})};
  spec.extensions = {"/opt/extensions/no_program", "/opt/extensions/missing"};
  const auto running = lab().launch(spec);
  ASSERT_TRUE(until(*running, [&] { return running->extension_exits.size() == 2 && !running->out.empty(); }));
  for (const auto& [index, exit] : running->extension_exits) EXPECT_EQ(exit.status, index == 0 ? 126 : 127);
  EXPECT_FALSE(running->exit.has_value());
}

TEST_F(Assignment, the_end_of_a_restarted_run_is_told_however_soon_it_comes) {
  const auto running = lab().launch(shell("exit 1"));
  ASSERT_TRUE(until(*running, [&] { return running->exit.has_value(); }));
  for (int status = 2; status < 22; ++status) {
    lab().restart(*running, {"/bin/sh", "-c", "exit " + std::to_string(status)});
    ASSERT_TRUE(until(*running, [&] { return running->exit.has_value(); })) << status;
    ASSERT_EQ(running->exit->status, status);
  }
}

TEST_F(Assignment, a_tmp_that_cannot_be_formatted_is_refused_and_harms_nobody) {
  const auto running = lab().launch(shell("echo up; sleep 1000"));
  ASSERT_TRUE(printed(*running, "up\n"));
  // Where the launcher sees it.
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string space = "/proc/" + std::to_string(lab().launcher_pid()) + "/ns/mnt";
    const int mounts = ::open(space.c_str(), O_RDONLY);
    const bool hidden = ::setns(mounts, CLONE_NEWNS) == 0 &&
                        ::mount("/dev/null", "/usr/sbin/mkfs.ext4", nullptr, MS_BIND, nullptr) == 0;
    ::_exit(hidden ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  Spec spec = shell("df --output=fstype /tmp | tail -1");
  if (lab().run(spec).out != "ext4\n") GTEST_SKIP() << "/tmp is no image here";
  spec.ephemeral_mib = 777;
  EXPECT_EQ(refusal([&] { lab().launch(spec); }), "sandbox: mkfs.ext4 (e2fsprogs) is missing or failed");
  spec.ephemeral_mib = 512;
  EXPECT_EQ(lab().run(spec).out, "ext4\n");
  EXPECT_FALSE(running->exit.has_value());
}

TEST_F(Assignment, whoever_is_gone_is_not_called_any_more) {
  auto running = lab().launch(shell("exit 1"));
  ASSERT_TRUE(until(*running, [&] { return running->exit.has_value(); }));
  int calls = 0;
  running->sandbox->on_exit([&](Exit) { ++calls; });
  running.reset();
  lab().context().restart();
  lab().context().run_for(milliseconds(20));
  EXPECT_EQ(calls, 0);
}

TEST_F(Assignment, a_restart_keeps_tmp_and_nothing_else_and_tells_the_next_end) {
  for (const Way way : {Way::launched, Way::prepared, Way::spare, Way::forked}) {
    lab().write_code("script.py",
                     "import os, subprocess, time\nopen('/tmp/kept', 'w').write('kept')\n"
                     "subprocess.Popen(['/bin/sleep', '1000'])\nprint('up', flush=True)\ntime.sleep(1000)\n");
    Spec spec = lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"});
    std::unique_ptr<Running> running;
    if (way == Way::launched) {
      running = lab().launch(spec);
    } else {
      running = lab().prepare(lab().spare_spec(way));
      lab().assign(*running, spec);
    }
    ASSERT_TRUE(printed(*running, "up\n")) << name_of(way) << running->err;
    running->sandbox->freeze();
    lab().restart(*running, {"/bin/sh", "-c",
                             "cat /tmp/kept; echo $AGAIN; cat /proc/[0-9]*/comm | grep -cE 'sleep|python'; exit 6"});
    ASSERT_TRUE(until(*running, [&] { return running->exit.has_value(); })) << name_of(way);
    EXPECT_EQ(running->exit->status, 6) << name_of(way);
    // Of the processes of the run before there is none.
    EXPECT_EQ(running->out, "up\nkept1\n0\n") << name_of(way);
    lab().restart(*running, {"/bin/sh", "-c", "exit 8"});
    ASSERT_TRUE(until(*running, [&] { return running->exit.has_value(); }));
    EXPECT_EQ(running->exit->status, 8) << "and once more";
  }
}

TEST_F(Assignment, a_restart_after_the_runtime_has_ended_brings_the_extensions_back_too) {
  Spec spec = shell("exit 1");
  spec.layers = {lab().write_tree('1', {{"extensions/e", "#!/bin/sh\necho extension\nsleep 1000\n"}})};
  spec.extensions = {"/opt/extensions/e"};
  spec.extension_environment = {"PATH=/usr/bin:/bin"};
  const auto running = lab().launch(spec);
  ASSERT_TRUE(until(*running, [&] { return running->exit && running->extensions_out == "extension\n"; }));
  lab().restart(*running, {"/bin/sh", "-c", "echo again; sleep 1000"});
  EXPECT_TRUE(printed(*running, "again\n"));
  EXPECT_TRUE(until(*running, [&] { return running->extensions_out == "extension\nextension\n"; }));
  EXPECT_TRUE(running->extension_exits.empty()) << "what the restart ended is not told";
  EXPECT_FALSE(running->exit.has_value());
}

TEST_F(Assignment, a_frozen_environment_stands_still_and_goes_on_when_it_is_thawed) {
  const auto running = lab().launch(shell("trap '' TERM; while :; do echo tick; sleep 0.001; done"));
  ASSERT_TRUE(printed(*running, "tick\n"));
  running->sandbox->freeze();
  running->sandbox->freeze();
  // What was under way when the word was written is read first.
  lab().drive(*running, milliseconds(60), [] { return false; });
  const std::size_t then = running->out.size();
  lab().drive(*running, milliseconds(100), [] { return false; });
  EXPECT_EQ(running->out.size(), then);
  running->sandbox->thaw();
  running->sandbox->thaw();
  EXPECT_TRUE(until(*running, [&] { return running->out.size() > then; }));
}

TEST_F(Assignment, kill_works_on_a_frozen_environment) {
  // The best of three: other work on the machine may delay one.
  auto best = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 3; ++i) {
    const auto running = lab().launch(shell("trap '' TERM; sleep 1000 & while :; do :; done"));
    running->sandbox->freeze();
    lab().drive(*running, milliseconds(20), [] { return false; });
    const auto begin = std::chrono::steady_clock::now();
    running->sandbox->kill();
    ASSERT_TRUE(until(*running, [&] { return running->exit.has_value(); }));
    best = std::min(best, std::chrono::steady_clock::now() - begin);
    EXPECT_EQ(running->exit->signal, SIGKILL);
  }
  EXPECT_LT(best, kill_bound());
  // Destroyed while it is frozen.
  auto frozen = lab().launch(shell("sleep 1000"));
  frozen->sandbox->freeze();
  frozen.reset();
  EXPECT_TRUE(lab().settle());
}

TEST_F(Assignment, the_server_reaches_what_listens_inside) {
  lab().write_code("script.py",
                   "import socket\ns = socket.create_server(('127.0.0.1', 4243))\nprint('up', flush=True)\n"
                   "c, _ = s.accept()\nprint(c.recv(5).decode(), flush=True)\n");
  const auto running = lab().launch(lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"}));
  ASSERT_TRUE(printed(*running, "up\n"));
  base::Fd socket;
  const auto make = [&]() -> base::Task<void> { socket = co_await running->sandbox->make_socket(); };
  lab().await(make());
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(4243);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    EXPECT_EQ(errno, EINPROGRESS);
  }
  pollfd ready{socket.get(), POLLOUT, 0};
  ASSERT_EQ(::poll(&ready, 1, 5000), 1);
  ASSERT_EQ(::write(socket.get(), "hello", 5), 5);
  EXPECT_TRUE(printed(*running, "hello\n"));
}

TEST_F(Assignment, each_sandbox_has_a_user_of_its_own) {
  std::vector<std::unique_ptr<Running>> all;
  std::vector<std::string> users;
  for (int i = 0; i < 6; ++i) {
    all.push_back(lab().prepare(lab().spare_spec(i % 2 == 0 ? Way::prepared : Way::forked)));
    lab().write_code("script.py", "import os\nprint(os.getuid())\n");
    lab().assign(*all.back(),
                 i % 2 == 0 ? shell("id -u") : lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"}));
    users.push_back(lab().finish(*all.back()).out);
  }
  std::sort(users.begin(), users.end());
  EXPECT_EQ(std::adjacent_find(users.begin(), users.end()), users.end());
  EXPECT_GT(users.front().size(), 5U);
}

TEST_F(Assignment, the_memory_limit_is_that_of_the_function_whatever_it_was_while_waiting) {
  lab().write_code("script.py", "x = bytearray(900 << 20)\nprint(len(x) >> 20)\n");
  for (const Way way : {Way::prepared, Way::spare, Way::forked}) {
    for (const int mib : {1200, 200}) {
      const auto running = lab().prepare(lab().spare_spec(way));
      lab().assign(*running, Lab::with_memory(lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"}), mib));
      const Outcome outcome = lab().finish(*running);
      EXPECT_EQ(outcome.exit.out_of_memory, mib == 200) << name_of(way) << outcome.err;
      EXPECT_EQ(outcome.out, mib == 200 ? "" : "900\n") << name_of(way);
    }
  }
}

/// In a process of its own, from which cgroup v2 was taken: 0 when all is well.
int freeze_with_version_1() {
  Lab lab;
  if (lab.isolation().reason.find("freezer") == std::string::npos) return 10;
  Spec spec = lab.spec({"/bin/sh", "-c", "trap '' TERM; while :; do echo tick; sleep 0.001; done"});
  const auto running = lab.launch(spec);
  const auto more_than = [&](std::size_t size) {
    return lab.drive(*running, seconds(5), [&] { return running->out.size() > size; });
  };
  if (!more_than(0)) return 11;
  running->sandbox->freeze();
  lab.drive(*running, milliseconds(60), [] { return false; });
  const std::size_t then = running->out.size();
  lab.drive(*running, milliseconds(60), [] { return false; });
  if (running->out.size() != then) return 12;
  running->sandbox->thaw();
  if (!more_than(then)) return 13;
  running->sandbox->freeze();
  running->sandbox->kill();
  if (!lab.drive(*running, seconds(5), [&] { return running->exit.has_value(); })) return 14;
  lab.restart(*running, {"/bin/sh", "-c", "echo again; while :; do :; done"});
  if (!lab.drive(*running, seconds(5), [&] { return running->out.ends_with("again\n"); })) return 15;
  running->sandbox->freeze();
  running->sandbox.reset();
  return lab.settle() ? 0 : 16;
}

// Machines without cgroup v2: the freezer of version 1, and kill by init.
TEST_F(Assignment, without_cgroup_v2_the_freezer_of_version_1_does_it) {
  if (!std::filesystem::exists("/sys/fs/cgroup/freezer")) GTEST_SKIP() << "this machine has no freezer of cgroup v1";
  const pid_t child = ::fork();
  if (child == 0) {
    int failure = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                          ::umount2("/sys/fs/cgroup/unified", MNT_DETACH) == 0
                      ? 0
                      : 2;
    try {
      if (failure == 0) failure = freeze_with_version_1();
    } catch (const std::exception& error) {
      std::printf("%s\n", error.what());
      failure = 3;
    }
    std::fflush(stdout);
    ::_exit(failure);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "at " << WEXITSTATUS(status);
}

}  // namespace
}  // namespace lambent::sandbox::testing
