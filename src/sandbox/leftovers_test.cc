// Environments that come and go by the thousand leave nothing behind (trial 12), whatever becomes of them.
//
// LAMBENT_CHAOS_ENVIRONMENTS says how many; `make chaos` takes 10,000.
#include <linux/netlink.h>
#include <malloc.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>

#include "sandbox/launcher/links.h"
#include "sandbox/launcher/rules.h"
#include "sandbox/launcher/spaces.h"
#include "sandbox/leftovers_for_tests.h"

namespace lambent::sandbox::testing {
namespace {

namespace asio = base::asio;
using base::Task;

constexpr std::chrono::seconds kBound{60};
/// So few that zygotes come and go too.
constexpr std::uint32_t kForksOfAZygote = 16;
/// What the server's side keeps in its heap may vary by so much.
constexpr std::size_t kHeapBytes = 128 << 10;

std::size_t heap_bytes() { return ::mallinfo2().uordblks; }

std::vector<std::string> shell(const char* script) { return {"/bin/sh", "-c", script}; }

Task<Exit> end_of(Sandbox& sandbox) {
  asio::steady_timer ended(co_await asio::this_coro::executor, kBound);
  std::optional<Exit> exit;
  sandbox.on_exit([&](Exit how) {
    exit = how;
    ended.cancel();
  });
  boost::system::error_code cancelled;
  if (!exit) co_await ended.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  sandbox.on_exit(nullptr);
  EXPECT_TRUE(exit.has_value()) << "it never ended";
  co_return exit.value_or(Exit{});
}

/// Waits until it prints something.
Task<void> hear(Sandbox& sandbox) {
  asio::posix::stream_descriptor pipe(co_await asio::this_coro::executor, sandbox.take_stdout().release());
  co_await pipe.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

// What may become of an environment. Each ends with its sandbox's destructor.

Task<void> runs_to_its_end(Lab& lab) {
  Spec spec = lab.spec({"/bin/true"});
  const auto sandbox = co_await lab.launcher().launch(std::move(spec));
  const Exit exit = co_await end_of(*sandbox);
  EXPECT_EQ(exit.status, 0);
}

Task<void> is_destroyed_while_it_runs(Lab& lab) {
  Spec spec = lab.spec(shell("sleep 1000 & setsid sleep 1000 & sleep 1000"));
  co_await lab.launcher().launch(std::move(spec));
}

Task<void> is_destroyed_frozen(Lab& lab) {
  Spec spec = lab.spec(shell("while :; do :; done"));
  const auto sandbox = co_await lab.launcher().launch(std::move(spec));
  sandbox->freeze();
}

Task<void> is_restarted(Lab& lab) {
  Spec spec = lab.spec(shell("(sleep 1000 &); setsid sleep 1000 & exit 3"));
  const auto sandbox = co_await lab.launcher().launch(std::move(spec));
  const Exit exit = co_await end_of(*sandbox);
  EXPECT_EQ(exit.status, 3);
  std::vector<std::string> again = shell("sleep 1000"), variables{"PATH=/usr/bin:/bin"};
  co_await sandbox->restart(std::move(again), std::move(variables));
}

Task<void> expect_failure(Lab& lab, Spec spec, std::string step) {
  std::string failure = "it was launched";
  try {
    co_await lab.launcher().launch(std::move(spec));
  } catch (const std::runtime_error& error) {
    failure = error.what();
  }
  EXPECT_NE(failure.find(step), std::string::npos) << failure;
}

Task<void> has_no_program(Lab& lab) { return expect_failure(lab, lab.spec({"/var/task/nothing"}), "exec: No such"); }

Task<void> has_no_code(Lab& lab) {
  Spec spec = lab.spec({"/bin/true"});
  spec.code_hash = std::string(64, 'b');
  return expect_failure(lab, std::move(spec), "No such file");
}

Task<void> is_prepared_in_vain(Lab& lab) {
  SpareSpec spec = lab.spare_spec(Way::prepared);
  co_await lab.launcher().prepare(std::move(spec));
}

Task<void> is_killed_while_it_waits(Lab& lab) {
  SpareSpec spec = lab.spare_spec(Way::forked);
  const auto sandbox = co_await lab.launcher().prepare(std::move(spec));
  sandbox->kill();
  const Exit exit = co_await end_of(*sandbox);
  EXPECT_EQ(exit.signal, SIGKILL);
}

Task<void> connects_and_ends(Lab& lab) {
  SpareSpec spare = lab.spare_spec(Way::forked);
  const auto sandbox = co_await lab.launcher().prepare(std::move(spare));
  Spec spec = lab.spec({"/usr/bin/python3", "-I", "/var/task/connects.py"});
  co_await sandbox->assign(std::move(spec));
  const Exit exit = co_await end_of(*sandbox);
  EXPECT_EQ(exit.status, 0);
}

Task<void> is_destroyed_while_it_is_connected(Lab& lab) {
  SpareSpec spare = lab.spare_spec(Way::forked);
  const auto sandbox = co_await lab.launcher().prepare(std::move(spare));
  Spec spec = lab.spec({"/usr/bin/python3", "-I", "/var/task/stays.py"});
  co_await sandbox->assign(std::move(spec));
  co_await hear(*sandbox);
}

using Life = Task<void> (*)(Lab&);
constexpr Life kLives[] = {runs_to_its_end,     is_destroyed_while_it_runs,
                           is_destroyed_frozen, is_restarted,
                           has_no_program,      has_no_code,
                           is_prepared_in_vain, is_killed_while_it_waits,
                           connects_and_ends,   is_destroyed_while_it_is_connected};

/// On a host of the test's own, where functions have a network.
class Environments : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "the sandbox needs root, and this is user " << ::geteuid();
    home_ = launcher::open_space();
    in_host_.emplace(home_);
    launcher::Netlink route(NETLINK_ROUTE);
    launcher::LinkRequests requests;
    requests.raise(launcher::link_index("lo"));
    route.send(requests);
    lab_.emplace(kForksOfAZygote, FunctionNetwork::egress);
    ASSERT_EQ(lab_->isolation().level, Isolation::full) << lab_->isolation().reason;
    ASSERT_EQ(lab_->network().mode, FunctionNetwork::egress) << lab_->network().reason;
    // The name relay listens there.
    const std::string connect =
        "import socket\nopen('/tmp/file', 'w').write('x' * 100000)\n"
        "connection = socket.create_connection(('169.254.0.1', 53), 30)\n";
    lab_->write_code("connects.py", connect);
    lab_->write_code("stays.py", connect + "import time\nprint('up', flush=True)\ntime.sleep(1000)\n");
  }

  Lab& lab() { return *lab_; }
  /// One environment of each life, all at once.
  void live() {
    std::size_t living = std::size(kLives);
    for (const Life life : kLives)
      asio::co_spawn(lab().context(), life(lab()), [&living](std::exception_ptr failure) {
        --living;
        if (failure) std::rethrow_exception(failure);
      });
    lab().context().restart();
    const auto end = std::chrono::steady_clock::now() + kBound;
    while (living > 0 && std::chrono::steady_clock::now() < end) lab().context().run_one_for(std::chrono::seconds(1));
    ASSERT_EQ(living, 0U) << "environments that hang";
  }
  Leftovers count() {
    lab().context().restart();
    lab().context().poll();
    return count_leftovers(lab());
  }
  /// What there is when nothing goes on: the launcher makes its next environments ready after the last has ended.
  Leftovers settle() {
    Leftovers last;
    auto since = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually(kBound, [&] {
      const Leftovers now = count();
      const auto time = std::chrono::steady_clock::now();
      if (!is_idle(lab().launcher_pid()) || std::exchange(last, now) != now) since = time;
      return time - since > std::chrono::milliseconds(500);
    }));
    return last;
  }

 private:
  base::Fd home_;
  std::optional<launcher::Visit> in_host_;
  std::optional<Lab> lab_;
};

TEST_F(Environments, leave_nothing_behind) {
  const char* const wanted = std::getenv("LAMBENT_CHAOS_ENVIRONMENTS");
  const int environments = wanted == nullptr ? 200 : std::stoi(wanted);
  live();
  const Leftovers before = settle();
  const std::size_t heap_before = heap_bytes();
  const auto begin = std::chrono::steady_clock::now();
  int lived = 0;
  for (; lived < environments; lived += static_cast<int>(std::size(kLives))) ASSERT_NO_FATAL_FAILURE(live());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::string left = "uncounted";
  EXPECT_TRUE(eventually(kBound, [&] { return (left = what_is_left(before, count())).empty(); })) << left;
  std::printf("%d environments in %.1f s left behind: %s\n", lived, took.count(),
              left.empty() ? "nothing" : left.c_str());
  EXPECT_LT(heap_bytes(), heap_before + kHeapBytes);
  const int pid = lab().launcher_pid();
  lab().end_launcher();
  EXPECT_EQ(count_groups(pid), 0U);
  EXPECT_TRUE(eventually(kBound, [&] { return count_loops(lab().directory()) == 0 && count_links() == 1; }))
      << count_loops(lab().directory()) << " loop devices, " << count_links() << " links";
}

TEST_F(Environments, end_with_a_launcher_whose_name_relay_hangs) {
  // From then on the next one is kept ready.
  lab().prepare(lab().spare_spec(Way::prepared));
  const Leftovers before = settle();
  {
    const auto running = lab().prepare(lab().spare_spec(Way::prepared));
    lab().assign(*running, lab().spec({"/usr/bin/python3", "-I", "/var/task/stays.py"}));
    ASSERT_TRUE(lab().drive(*running, kBound, [&] { return running->out == "up\n"; }));
    const std::vector<int> names = processes_named(lab(), "lambent-names");
    ASSERT_EQ(names.size(), 2U);
    // The relay, not the process that watches it.
    ASSERT_EQ(::kill(names.back(), SIGSTOP), 0);
  }
  EXPECT_TRUE(eventually(kBound, [&] { return what_is_left(before, count()).empty(); }));
  const auto begin = std::chrono::steady_clock::now();
  lab().end_launcher();
  // After ten seconds it would have been killed.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(9));
  EXPECT_TRUE(eventually(kBound, [] { return count_links() == 1; }));
}

TEST_F(Environments, have_no_zombies_of_what_nobody_waits_for) {
  const auto running = lab().launch(
      lab().spec(shell("i=0; while [ $i -lt 100 ]; do (setsid true &); i=$((i+1)); done; echo done; exec sleep 1000")));
  ASSERT_TRUE(lab().drive(*running, kBound, [&] { return running->out == "done\n"; }));
  EXPECT_TRUE(eventually(kBound, [&] { return lab().processes() == 2; }))
      << lab().processes() << ", not init and the last";
  EXPECT_EQ(count().at("zombies"), 0U);
}

}  // namespace
}  // namespace lambent::sandbox::testing
