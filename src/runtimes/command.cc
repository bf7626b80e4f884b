#include "runtimes/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/fd.h"

namespace lambent::runtimes {
namespace {

using Steady = std::chrono::steady_clock;

pid_t start(const std::vector<std::string>& argv, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? pid : -1;
}

/// False when time or space ran out before the end of the output.
bool read_all(int fd, CommandBounds bounds, std::string& output) {
  const auto until = Steady::now() + bounds.time;
  std::array<char, 1024> bytes;
  while (output.size() <= bounds.output_bytes) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Steady::now()).count();
    pollfd wanted{fd, POLLIN, 0};
    if (left <= 0 || ::poll(&wanted, 1, static_cast<int>(left)) <= 0) return false;
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got <= 0) return got == 0;
    output.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return false;
}

}  // namespace

std::optional<std::string> run_command(const std::vector<std::string>& argv, CommandBounds bounds) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  base::Fd reading(ends[0]), writing(ends[1]);
  const pid_t pid = start(argv, writing.get());
  writing.reset();
  if (pid < 0) return std::nullopt;
  std::string output;
  const bool ended = read_all(reading.get(), bounds, output);
  // Whoever closes its output and stays alive is not waited for.
  if (!ended) ::kill(pid, SIGKILL);
  int status = 0;
  const auto until = Steady::now() + bounds.time;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (Steady::now() >= until) ::kill(pid, SIGKILL);
    ::poll(nullptr, 0, 1);
  }
  if (!ended || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return output;
}

}  // namespace lambent::runtimes
