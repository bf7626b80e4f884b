// The system call list: what the program that the kernel runs says about every number, and what the kernel then does.
#include "sandbox/jail/filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "sandbox/lab_for_tests.h"

namespace lambent::sandbox::testing {
namespace {

constexpr int kNumbers = 600;

std::uint32_t word_at(const seccomp_data& data, std::uint32_t offset) {
  std::uint32_t word = 0;
  EXPECT_LE(offset + sizeof word, sizeof data);
  std::memcpy(&word, reinterpret_cast<const char*>(&data) + offset, sizeof word);
  return word;
}

/// The part of classic BPF that our programs use, as the kernel defines it.
std::uint32_t run_filter(const std::vector<sock_filter>& program, const seccomp_data& data) {
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& in = program[at];
    switch (in.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        a = word_at(data, in.k);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= in.k;
        break;
      case BPF_JMP | BPF_JA:
        at += in.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == in.k ? in.jt : in.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += a >= in.k ? in.jt : in.jf;
        break;
      case BPF_RET | BPF_K:
        return in.k;
      default:
        ADD_FAILURE() << "instruction " << in.code;
        return 0;
    }
  }
  ADD_FAILURE() << "it runs off its end";
  return 0;
}

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

std::uint32_t answer(int number, const std::vector<std::uint64_t>& arguments = {}) {
  static const std::vector<sock_filter> program = jail::make_filter();
  seccomp_data data{};
  data.nr = number;
  data.arch = kArchitecture;
  std::copy(arguments.begin(), arguments.end(), data.args);
  return run_filter(program, data);
}

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

/// "41 socket limited": one line for each number that is not simply unknown.
std::string describe_filter() {
  std::map<int, std::string> lines;
  const auto line = [](const jail::Call& call, const char* verdict) {
    return std::to_string(call.number) + " " + call.name + " " + verdict + "\n";
  };
  for (const jail::Call& call : jail::allowed_calls()) lines[call.number] = line(call, "allowed");
  for (const jail::Call& call : jail::refused_calls()) lines[call.number] = line(call, "refused");
  for (const jail::LimitedCall& call : jail::limited_calls()) lines[call.call.number] = line(call.call, "limited");
  std::string text;
  for (const auto& [number, words] : lines) text += words;
  return text;
}

TEST(Filter, answers_every_number_as_the_lists_say) {
  std::map<int, std::uint32_t> said;
  for (const jail::Call& call : jail::allowed_calls()) said[call.number] = kAllow;
  for (const jail::Call& call : jail::refused_calls()) said[call.number] = kRefuse;
  std::set<int> limited;
  for (const jail::LimitedCall& call : jail::limited_calls()) limited.insert(call.call.number);
  for (int number = -1; number < kNumbers; ++number) {
    if (limited.contains(number)) continue;
    const auto found = said.find(number);
    EXPECT_EQ(answer(number), found == said.end() ? kUnknown : found->second) << number;
  }
  for (const int number : {0x40000000, 0x40000000 | 59, 0x7fffffff, static_cast<int>(0x80000000)})
    EXPECT_EQ(answer(number), kUnknown) << number;
}

TEST(Filter, answers_no_other_architecture) {
  const std::vector<sock_filter> program = jail::make_filter();
  seccomp_data data{};
  data.nr = SYS_read;
  for (const std::uint32_t arch : {std::uint32_t{AUDIT_ARCH_I386}, std::uint32_t{AUDIT_ARCH_ARM}, 0U}) {
    data.arch = arch;
    EXPECT_EQ(run_filter(program, data), kUnknown) << arch;
  }
}

TEST(Filter, looks_at_the_arguments_of_limited_calls) {
  constexpr std::uint64_t high = std::uint64_t{1} << 32;
  const struct {
    const char* what;
    long number;
    std::vector<std::uint64_t> arguments;
    bool allowed;
  } cases[] = {
      {"fork", SYS_clone, {17}, true},
      {"a thread", SYS_clone, {0x3d0f00}, true},
      {"a user namespace", SYS_clone, {0x10000011}, false},
      {"a network among other flags", SYS_clone, {0x403d0f00}, false},
      {"files", SYS_unshare, {0x400}, true},
      {"a time namespace", SYS_unshare, {0x80}, false},
      {"a cgroup namespace", SYS_unshare, {0x2000000}, false},
      {"a unix stream", SYS_socket, {1, 1, 0}, true},
      {"a unix packet socket, close-on-exec", SYS_socket, {1, 5 | 02000000, 0}, true},
      {"tcp, non-blocking", SYS_socket, {2, 1 | 04000, 6}, true},
      {"udp over IPv6", SYS_socket, {10, 2, 17}, true},
      {"no family", SYS_socket, {0, 1, 0}, false},
      {"netlink", SYS_socket, {16, 3, 0}, false},
      {"netlink with high bits", SYS_socket, {high | 16, 3, 0}, false},
      {"raw", SYS_socket, {2, 3, 6}, false},
      {"raw, close-on-exec", SYS_socket, {2, 3 | 02000000, 6}, false},
      {"sctp", SYS_socket, {2, 1, 132}, false},
      {"mptcp", SYS_socket, {2, 1, 262}, false},
      {"a pair", SYS_socketpair, {1, 1, 0}, true},
      {"a pair of tipc", SYS_socketpair, {30, 1, 0}, false},
      {"asking for the personality", SYS_personality, {0xffffffff}, true},
      {"no randomisation", SYS_personality, {0x40000}, false},
      {"how much can be read", SYS_ioctl, {0, 0x541b}, true},
      {"typing", SYS_ioctl, {0, 0x5412}, false},
      {"typing with high bits", SYS_ioctl, {0, high | 0x5412}, false},
      {"pasting", SYS_ioctl, {0, 0x541c}, false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(answer(static_cast<int>(one.number), one.arguments), one.allowed ? kAllow : kRefuse) << one.what;
  }
}

TEST(Filter, is_what_its_snapshot_says) {
#if defined(__x86_64__)
  std::ifstream file(LAMBENT_JAIL_DIR "/calls_x86_64.snapshot");
  std::string snapshot(std::istreambuf_iterator<char>(file), {});
  std::string without_comments;
  std::istringstream lines(snapshot);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("#")) without_comments += line + "\n";
  EXPECT_EQ(without_comments, describe_filter())
      << "calls.cc has changed: read the difference as a reviewer would, then change calls_x86_64.snapshot too";
#else
  GTEST_SKIP() << "the snapshot is of x86_64";
#endif
}

using Sweep = SandboxTest;

// Trial 26: every number from 0 to 460, in the kernel. What is not allowed is called with arguments that do nothing.
TEST_F(Sweep, the_kernel_refuses_every_call_that_the_snapshot_does_not_allow) {
  std::set<int> reachable;
  for (const jail::Call& call : jail::allowed_calls()) reachable.insert(call.number);
  for (const jail::LimitedCall& call : jail::limited_calls()) reachable.insert(call.call.number);
  // uretprobe and uprobe: the kernel asks no filter and ends whoever calls them by hand with SIGILL.
  reachable.insert({335, 336});
  std::string script = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nREACHABLE = {";
  for (const int number : reachable) script += std::to_string(number) + ",";
  script += R"(}
for number in range(0, 461):
    if number in REACHABLE: continue
    ctypes.set_errno(0)
    answer = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
    print(number, answer, ctypes.get_errno(), flush=True)
)";
  const Outcome outcome = lab().python(script);
  ASSERT_EQ(outcome.exit.status, 0) << outcome.out << outcome.err << outcome.exit.signal;
  std::set<int> refused;
  for (const jail::Call& call : jail::refused_calls()) refused.insert(call.number);
  std::istringstream lines(outcome.out);
  int count = 0, number = 0, result = 0, error = 0;
  for (; lines >> number >> result >> error; ++count) {
    EXPECT_EQ(result, -1) << number;
    EXPECT_EQ(error, refused.contains(number) ? EPERM : ENOSYS) << number;
  }
  EXPECT_EQ(static_cast<std::size_t>(count),
            461 - static_cast<std::size_t>(std::distance(reachable.begin(), reachable.lower_bound(461))));
}

}  // namespace
}  // namespace lambent::sandbox::testing
