#include "sandbox/launcher/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "sandbox/jail/jail.h"
#include "sandbox/launcher/channel.h"
#include "sandbox/launcher/environments.h"
#include "sandbox/launcher/wire.h"

namespace lambent::sandbox {
namespace launcher {
namespace {

constexpr int kSweepMs = 3;
constexpr int kEvents = 64;

/// What an epoll event is about: an environment's slot and one of its two descriptors, or the socket.
enum class Source : std::uint64_t { socket, start, end };

std::uint64_t tag(Source source, Slot slot) { return std::uint64_t{slot} << 2 | static_cast<std::uint64_t>(source); }

class Loop {
 public:
  Loop(int socket, Environments& environments)
      : socket_(socket),
        environments_(environments),
        epoll_(base::check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        buffer_(wire::kMaxMessage + 1, '\0') {
    watch(socket_, Source::socket, 0);
  }

  /// Until the server closes its end.
  void run() {
    bool open = true, may_prepare = true, busy = false;
    while (open) {
      epoll_event events[kEvents];
      const int timeout = may_prepare ? 0 : busy ? kSweepMs : -1;
      const int count = ::epoll_wait(epoll_.get(), events, kEvents, timeout);
      if (count < 0 && errno != EINTR) return;
      for (int i = 0; i < count && open; ++i) open = handle(events[i].data.u64);
      busy = environments_.sweep();
      // Only what is left over of the time: a request waits for nothing that it does not need itself.
      may_prepare = count > 0 || (may_prepare && environments_.prepare());
    }
  }

 private:
  void watch(int fd, Source source, Slot slot) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag(source, slot);
    base::check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  bool handle(std::uint64_t event) {
    const auto source = static_cast<Source>(event & 3);
    if (source == Source::socket) return receive();
    Environment* const environment = environments_.find(static_cast<Slot>(event >> 2));
    if (environment == nullptr) return true;
    if (environment->failure_pipe) announce(*environment);
    if (source == Source::end) finish(*environment);
    return true;
  }

  bool receive() {
    const Received received = receive_message(socket_, buffer_, MSG_DONTWAIT);
    if (received.length == 0) return false;
    if (received.length < 0) return received.length == -EAGAIN || received.length == -EMSGSIZE;
    const std::string_view message(buffer_.data(), static_cast<std::size_t>(received.length));
    wire::Header header{};
    if (message.size() < sizeof header) return true;
    std::memcpy(&header, message.data(), sizeof header);
    if (header.kind == wire::Kind::launch) {
      launch(header.id, message);
    } else if (Environment* const environment = environments_.find_id(header.id)) {
      if (header.kind == wire::Kind::kill) environments_.kill(*environment);
      if (header.kind == wire::Kind::limit_cpu) limit_cpu(*environment);
    }
    return true;
  }

  void launch(std::uint64_t id, std::string_view message) {
    auto parsed = wire::parse_launch(message);
    if (const auto* const wrong = std::get_if<std::string>(&parsed)) return refuse(id, {*wrong, 0});
    if (environments_.find_id(id) != nullptr) return refuse(id, {"the id is taken", 0});
    try {
      const Environment& environment = environments_.launch(std::get<wire::LaunchRequest>(parsed));
      watch(environment.failure_pipe.get(), Source::start, environment.slot);
      watch(environment.pidfd.get(), Source::end, environment.slot);
    } catch (const LaunchFailure& failure) {
      refuse(id, failure);
    }
  }

  void limit_cpu(const Environment& environment) {
    try {
      environments_.limit_cpu(environment);
    } catch (const std::system_error& error) {
      // Rather none than one that takes more than its share.
      environments_.kill(environment);
    }
  }

  void announce(Environment& environment) {
    try {
      if (Environments::started(environment) == Environments::Start::pending) return;
    } catch (const LaunchFailure& failure) {
      refuse(environment.id, failure);
      environments_.kill(environment);
      return;
    }
    const wire::Launched launched{{wire::Kind::launched, 0, environment.id}};
    const int descriptors[wire::kLaunchedFds] = {environment.runtime_api.get(), environment.api.get(),
                                                 environment.stdout_pipe.get(), environment.stderr_pipe.get(),
                                                 environment.peak_reader.get()};
    send_message(socket_, bytes_of(launched), descriptors);
    environment.announced = true;
    for (base::Fd* fd : {&environment.runtime_api, &environment.api, &environment.stdout_pipe, &environment.stderr_pipe,
                         &environment.peak_reader})
      fd->reset();
  }

  void finish(Environment& environment) {
    const bool announced = environment.announced;
    const wire::Ended ended = environments_.end(environment.slot);
    if (announced) send_message(socket_, bytes_of(ended));
  }

  void refuse(std::uint64_t id, const LaunchFailure& failure) {
    wire::Refused refused{};
    refused.header = {wire::Kind::refused, 0, id};
    refused.error = failure.error;
    wire::put_text(refused.step, failure.step);
    send_message(socket_, bytes_of(refused));
  }

  int socket_;
  Environments& environments_;
  base::Fd epoll_;
  std::string buffer_;
};

/// The numbers below kFirstFreeFd are the jail's: nothing of ours may have one.
void reserve_descriptors() {
  for (;;) {
    const int fd = base::check(::open("/dev/null", O_RDWR | O_CLOEXEC), "opening /dev/null");
    if (fd < jail::kFirstFreeFd) continue;
    ::close(fd);
    return;
  }
}

void settle_process() {
  // Out of the terminal's group: Ctrl-C is the server's to answer. What ends this process is the end of its socket.
  ::setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) ::signal(number, SIG_IGN);
  ::prctl(PR_SET_NAME, "lambent-launch");
  ::umask(022);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

void report(int socket, bool full, std::string_view reason) {
  wire::Report report{};
  report.header.kind = wire::Kind::report;
  report.full = full ? 1 : 0;
  wire::put_text(report.reason, reason);
  send_message(socket, bytes_of(report));
}

int serve(int socket) {
  wire::Configure configure{};
  const Received received = receive_message(socket, {reinterpret_cast<char*>(&configure), sizeof configure}, 0);
  if (received.length != sizeof configure || configure.header.kind != wire::Kind::configure) return 2;
  try {
    if (::geteuid() != 0) throw std::runtime_error("not started as root");
    Environments environments({wire::get_text(configure.code_dir), wire::get_text(configure.runtimes_dir),
                               wire::get_text(configure.scratch_dir), wire::get_text(configure.roots_dir)},
                              configure.first_uid);
    report(socket, true, environments.description());
    Loop(socket, environments).run();
  } catch (const std::exception& error) {
    report(socket, false, error.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace launcher

std::optional<int> launcher_main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != kLauncherArgument) return std::nullopt;
  const std::string_view number = argv[2];
  int socket = -1;
  std::from_chars(number.data(), number.data() + number.size(), socket);
  struct stat status{};
  if (::fstat(socket, &status) != 0 || !S_ISSOCK(status.st_mode)) return 2;
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  launcher::settle_process();
  launcher::reserve_descriptors();
  return launcher::serve(socket);
}

}  // namespace lambent::sandbox
