#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
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

std::string zone_lines(const LauncherOptions& options) {
  std::string lines;
  const auto add = [&lines](const std::string& head, const std::vector<std::string>& cidrs) {
    lines += head;
    for (const std::string& cidr : cidrs) lines += " " + cidr;
    lines += "\n";
  };
  for (const Subnet& subnet : options.subnets)
    add("subnet " + subnet.id + (subnet.internet ? " internet" : ""), subnet.cidrs);
  for (const SecurityGroup& group : options.security_groups) add("group " + group.id, group.cidrs);
  return lines;
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
  if (options.zygote_files.size() > wire::kMaxZygoteFiles) throw std::runtime_error("too many files for zygotes");
  configure.zygote_forks = options.zygote_forks;
  configure.zygote_files = static_cast<std::uint32_t>(options.zygote_files.size());
  if (options.file_systems.size() > kMaxFileSystems) throw std::runtime_error("too many file systems");
  configure.file_systems = static_cast<std::uint32_t>(options.file_systems.size());
  configure.network = options.network;
  std::string cidrs;
  for (const std::string& cidr : options.allowed_cidrs) cidrs += cidr + " ";
  if (cidrs.size() >= sizeof configure.allowed_cidrs) throw std::runtime_error("too many networks are allowed");
  wire::put_text(configure.allowed_cidrs, cidrs);
  const std::string zones = zone_lines(options);
  if (zones.size() >= sizeof configure.zones) throw std::runtime_error("too many subnets and security groups");
  wire::put_text(configure.zones, zones);
  return configure;
}

/// The directory by its real path: what a link on the way leads to later is not asked again.
wire::FileSystem message_of(const SharedDirectory& shared) {
  wire::FileSystem message{};
  message.header.kind = wire::Kind::file_system;
  std::error_code unknown;
  const std::string directory = std::filesystem::canonical(shared.directory, unknown).string();
  if (unknown) throw std::runtime_error("there is no directory " + shared.directory.string());
  if (shared.arn.size() >= sizeof message.arn || directory.size() >= sizeof message.directory)
    throw std::runtime_error("too long a name of a file system: " + shared.arn);
  wire::put_text(message.arn, shared.arn);
  wire::put_text(message.directory, directory);
  return message;
}

/// As far as the launcher takes them.
void send_file_systems(int socket, const std::vector<wire::FileSystem>& messages) {
  for (const wire::FileSystem& message : messages)
    if (launcher::send_message(socket, launcher::bytes_of(message)) != 0) return;
}

void send_zygote_files(int socket, const std::vector<TrustedFile>& files) {
  for (const TrustedFile& file : files) {
    wire::ZygoteFile head{};
    head.header.kind = wire::Kind::zygote_file;
    if (file.name.size() >= sizeof head.name || file.content.size() > wire::kMaxZygoteFile)
      throw std::runtime_error("too long a file for zygotes: " + file.name);
    wire::put_text(head.name, file.name);
    std::string message(reinterpret_cast<const char*>(&head), sizeof head);
    message += file.content;
    if (launcher::send_message(socket, message) != 0) return;
  }
}

IsolationReport await_report(int socket, NetworkReport& network) {
  pollfd answer{socket, POLLIN, 0};
  if (::poll(&answer, 1, kStartMs) <= 0) return {Isolation::none, "the launcher does not answer"};
  wire::Report report{};
  const auto receive = [&] {
    return launcher::receive_message(socket, {reinterpret_cast<char*>(&report), sizeof report}, 0);
  };
  launcher::Received received = receive();
  // Said once when it ended before it had read everything; its report lies behind that.
  if (received.length == -ECONNRESET) received = receive();
  if (received.length != sizeof report || report.header.kind != wire::Kind::report)
    return {Isolation::none, "the launcher ended while it started"};
  network = {report.network, std::string(wire::get_text(report.network_reason))};
  return {report.full != 0 ? Isolation::full : Isolation::none, std::string(wire::get_text(report.reason))};
}

}  // namespace

LauncherProcess spawn_launcher(const LauncherOptions& options) {
  const wire::Configure configure = make_configure(options);
  std::vector<wire::FileSystem> file_systems;
  for (const SharedDirectory& shared : options.file_systems) file_systems.push_back(message_of(shared));
  int ends[2];
  base::check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
  LauncherProcess process;
  process.socket = base::Fd(ends[0]);
  base::Fd theirs(ends[1]);
  process.pid = base::check(::fork(), "fork");
  if (process.pid == 0) become_launcher(theirs.get());
  // Or its end would never be seen.
  theirs.reset();
  // One that has ended already says so by saying nothing: see await_launcher.
  if (launcher::send_message(process.socket.get(), launcher::bytes_of(configure)) == 0) {
    send_file_systems(process.socket.get(), file_systems);
    send_zygote_files(process.socket.get(), options.zygote_files);
  }
  return process;
}

void await_launcher(LauncherProcess& process) {
  process.isolation = await_report(process.socket.get(), process.network);
}

LauncherProcess start_launcher(const LauncherOptions& options) {
  LauncherProcess process = spawn_launcher(options);
  await_launcher(process);
  return process;
}

}  // namespace lambent::sandbox
