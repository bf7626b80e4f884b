#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "sandbox/launcher/channel.h"
#include "sandbox/launcher/launcher.h"
#include "sandbox/launcher/wire.h"
#include "sandbox/sandbox.h"

namespace lambent::sandbox {
namespace {

/// Formatting an image and reading a cold disk included.
constexpr int kStartMs = 30'000;

/// In the child, after fork: this program again, with one descriptor and an empty environment.
[[noreturn]] void become_launcher(int socket) {
  constexpr int kSocket = 20;
  ::dup2(socket, kSocket);
  ::syscall(SYS_close_range, kSocket + 1, UINT_MAX, 0);
  ::syscall(SYS_close_range, 3, kSocket - 1, 0);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  ::dup2(2, 1);
  char name[] = "lambent", argument[32] = {}, number[] = "20";
  std::strncpy(argument, kLauncherArgument, sizeof argument - 1);
  char* const argv[] = {name, argument, number, nullptr};
  char* const environment[] = {nullptr};
  ::execve("/proc/self/exe", argv, environment);
  ::_exit(127);
}

wire::Configure make_configure(const LauncherOptions& options) {
  wire::Configure configure{};
  configure.header.kind = wire::Kind::configure;
  configure.first_uid = options.first_uid;
  const auto put = [](std::span<char> field, const std::filesystem::path& path) {
    const std::string text = std::filesystem::canonical(path).string();
    if (text.size() >= field.size()) throw std::runtime_error("too long a path: " + text);
    wire::put_text(field, text);
  };
  put(configure.code_dir, options.code_dir);
  put(configure.runtimes_dir, options.runtimes_dir);
  put(configure.scratch_dir, options.scratch_dir);
  if (!options.roots_dir.empty()) put(configure.roots_dir, options.roots_dir);
  return configure;
}

IsolationReport await_report(int socket) {
  pollfd answer{socket, POLLIN, 0};
  if (::poll(&answer, 1, kStartMs) <= 0) return {Isolation::none, "the launcher does not answer"};
  wire::Report report{};
  const launcher::Received received =
      launcher::receive_message(socket, {reinterpret_cast<char*>(&report), sizeof report}, 0);
  if (received.length != sizeof report || report.header.kind != wire::Kind::report)
    return {Isolation::none, "the launcher ended while it started"};
  return {report.full != 0 ? Isolation::full : Isolation::none, std::string(wire::get_text(report.reason))};
}

}  // namespace

LauncherProcess start_launcher(const LauncherOptions& options) {
  const wire::Configure configure = make_configure(options);
  int ends[2];
  base::check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
  LauncherProcess process;
  process.socket = base::Fd(ends[0]);
  base::Fd theirs(ends[1]);
  process.pid = base::check(::fork(), "fork");
  if (process.pid == 0) become_launcher(theirs.get());
  // Or its end would never be seen.
  theirs.reset();
  if (launcher::send_message(process.socket.get(), launcher::bytes_of(configure)) == 0)
    process.isolation = await_report(process.socket.get());
  else
    process.isolation = {Isolation::none, "the launcher ended while it started"};
  return process;
}

}  // namespace lambent::sandbox
