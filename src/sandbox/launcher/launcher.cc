#include "sandbox/launcher/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <sstream>
#include <string_view>

#include "sandbox/jail/jail.h"
#include "sandbox/launcher/channel.h"
#include "sandbox/launcher/environments.h"
#include "sandbox/launcher/wire.h"
#include "sandbox/launcher/zygotes.h"

namespace lambent::sandbox {
namespace launcher {
namespace {

constexpr int kSweepMs = 3;
/// Without a word from anybody.
constexpr int kCalmMs = 5;
constexpr int kIdleMs = 60'000;
/// Between two looks for crowds.
constexpr std::chrono::milliseconds kLook{500};
constexpr int kEvents = 64;

/// What an epoll event is about: the server's socket, or one of the descriptors of an environment or zygote.
enum class Source : std::uint64_t { socket, notices, end, fork_end, zygote, zygote_end };

std::uint64_t tag(Source source, std::uint32_t number) {
  return std::uint64_t{number} << 3 | static_cast<std::uint64_t>(source);
}

class Loop {
 public:
  Loop(int socket, Environments& environments, std::uint32_t zygote_forks)
      : socket_(socket),
        environments_(environments),
        zygotes_(environments, zygote_forks),
        epoll_(base::check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        buffer_(wire::kMaxMessage + 1, '\0') {
    watch(socket_, Source::socket, 0);
  }

  /// Until the server closes its end.
  void run() {
    bool open = true, may_restock = true, calm = false, busy = false;
    while (open) {
      epoll_event events[kEvents];
      const int rest = !environments_.empty() ? static_cast<int>(kLook.count()) : zygotes_.empty() ? -1 : kIdleMs;
      const int timeout = may_restock ? (calm ? 0 : kCalmMs) : busy ? kSweepMs : rest;
      const int count = ::epoll_wait(epoll_.get(), events, kEvents, timeout);
      if (count < 0 && errno != EINTR) return;
      for (int i = 0; i < count && open; ++i) open = handle(events[i].data.u64);
      look_for_crowds();
      busy = environments_.sweep();
      if (!zygotes_.empty()) zygotes_.retire_idle();
      // Only what is left over of the time: a request waits for nothing that it does not need itself, nor does what is on its
      // way into a sandbox: making a stock takes ten milliseconds in which nobody is heard.
      calm = count == 0 && !environments_.making();
      may_restock = count > 0 || (may_restock && (!calm || environments_.restock()));
    }
  }

 private:
  void watch(int fd, Source source, std::uint32_t number) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag(source, number);
    base::check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void look_for_crowds() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_look_) return;
    environments_.confine_crowds();
    next_look_ = now + kLook;
  }

  bool handle(std::uint64_t event) {
    const auto source = static_cast<Source>(event & 7);
    const auto number = static_cast<std::uint32_t>(event >> 3);
    if (source == Source::socket) return receive();
    if (source == Source::zygote) settle_forks(zygotes_.hear(number));
    if (source == Source::zygote_end) end_zygote(number);
    Environment* const environment = environments_.find(number);
    if (environment == nullptr) return true;
    if (source == Source::notices) hear(*environment);
    if (source == Source::fork_end) end_fork(*environment);
    if (source == Source::end) end(*environment);
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
    try {
      obey(header, message);
    } catch (const LaunchFailure& failure) {
      refuse(header.id, failure);
    } catch (const std::system_error& error) {
      refuse(header.id, {error.what(), error.code().value()});
    } catch (const std::exception& error) {
      refuse(header.id, {error.what()});
    }
    return true;
  }

  void obey(const wire::Header& header, std::string_view message) {
    const bool makes = header.kind == wire::Kind::launch || header.kind == wire::Kind::prepare;
    Environment* const environment = environments_.find_id(header.id);
    if (makes && environment != nullptr) throw LaunchFailure{"the id is taken"};
    if (makes) return make(parse(message));
    if (environment == nullptr) return;
    switch (header.kind) {
      case wire::Kind::assign:
        return environments_.assign(*environment, parse(message));
      case wire::Kind::restart:
        return environments_.restart(*environment, parse(message));
      case wire::Kind::terminate:
        return environments_.terminate(*environment);
      case wire::Kind::kill:
        return environments_.kill(*environment);
      case wire::Kind::destroy:
        return environments_.destroy(*environment);
      case wire::Kind::limit_cpu:
        return limit_cpu(*environment);
      case wire::Kind::make_socket:
        return answer(*environment, environments_.make_socket(*environment));
      default:
        return;
    }
  }

  static wire::Checked parse(std::string_view message) {
    auto parsed = wire::parse_request(message);
    if (const auto* const wrong = std::get_if<std::string>(&parsed)) throw LaunchFailure{*wrong};
    return std::move(std::get<wire::Checked>(parsed));
  }

  void make(const wire::Checked& request) {
    const Environment& environment = environments_.make(request);
    watch(environment.orders.get(), Source::notices, environment.slot);
    watch(environment.pidfd.get(), Source::end, environment.slot);
  }

  void limit_cpu(Environment& environment) {
    try {
      environments_.limit_cpu(environment);
    } catch (const std::system_error&) {
      // Rather none than one that takes more than its share.
      environments_.kill(environment);
    }
  }

  void hear(Environment& environment) {
    jail::Notice notice{};
    const std::span<char> bytes(reinterpret_cast<char*>(&notice), sizeof notice);
    const Slot slot = environment.slot;
    // One answer may end what is heard of.
    while (environments_.find(slot) != nullptr &&
           receive_message(environment.orders.get(), bytes, MSG_DONTWAIT).length == sizeof notice) {
      switch (notice.kind) {
        case jail::NoticeKind::ready:
          made(environment);
          break;
        case jail::NoticeKind::waiting:
          announce(environment, Phase::idle);
          break;
        case jail::NoticeKind::started:
          started(environment);
          break;
        case jail::NoticeKind::ended:
          ended(environment, notice.first, notice.second);
          break;
        case jail::NoticeKind::failed:
          give_up(environment, {jail::step_name(static_cast<std::uint32_t>(notice.first)), notice.second});
          break;
        default:
          break;
      }
    }
    // Init closes its end only by ending, which the pidfd says.
    if (environments_.find(slot) != nullptr && is_closed(environment.orders.get()))
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, environment.orders.get(), nullptr);
  }

  static bool is_closed(int socket) {
    char byte;
    return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  void made(Environment& environment) {
    if (environment.phase != Phase::preparing) return;
    if (!environment.waits) return announce(environment, Phase::idle);
    if (!environment.zygote) return;
    try {
      const auto id = zygotes_.want(environment);
      if (!id) return;
      const Zygote& zygote = *zygotes_.find(*id);
      watch(zygote.socket.get(), Source::zygote, *id);
      watch(zygote.pidfd.get(), Source::zygote_end, *id);
    } catch (const LaunchFailure& failure) {
      give_up(environment, failure);
    }
  }

  void started(Environment& environment) {
    if (environment.phase == Phase::launching) return announce(environment, Phase::running);
    if (environment.phase != Phase::assigning && environment.phase != Phase::restarting) return;
    environment.phase = Phase::running;
    answer(environment, std::move(environment.extensions_output));
  }

  void ended(Environment& environment, std::int32_t which, std::int32_t wait_status) {
    if (environment.phase == Phase::preparing)
      return give_up(environment, {"it ended before it waited, with the wait status " + std::to_string(wait_status)});
    const wire::Ended ended = environments_.ended(environment, which, wait_status);
    // A spare without its process is no spare.
    if (environment.phase == Phase::idle) environments_.destroy(environment);
    send_message(socket_, bytes_of(ended));
  }

  /// The answer to launch and prepare.
  void announce(Environment& environment, Phase phase) {
    if (environment.phase != Phase::preparing && environment.phase != Phase::launching) return;
    environment.phase = phase;
    wire::Launched launched{};
    launched.header = {wire::Kind::launched, 0, environment.id};
    launched.freezer_of_version_1 = environments_.freezer_of_version_1() ? 1 : 0;
    base::Fd* const handed[] = {&environment.runtime_api,      &environment.api,         &environment.stdout_pipe,
                                &environment.stderr_pipe,      &environment.peak_reader, &environment.freezer,
                                &environment.extensions_output};
    std::vector<int> descriptors;
    for (const base::Fd* fd : handed)
      if (*fd) descriptors.push_back(fd->get());
    send_message(socket_, bytes_of(launched), descriptors);
    for (base::Fd* fd : handed) fd->reset();
  }

  void answer(const Environment& environment, base::Fd descriptor) {
    const wire::Done done{{wire::Kind::done, 0, environment.id}};
    const int number = descriptor.get();
    send_message(socket_, bytes_of(done), descriptor ? std::span(&number, 1) : std::span<const int>());
  }

  /// The environment is of no use; whoever waits for it is told why.
  void give_up(Environment& environment, const LaunchFailure& failure) {
    const bool awaited =
        environment.phase != Phase::running && environment.phase != Phase::idle && environment.phase != Phase::doomed;
    if (awaited) refuse(environment.id, failure);
    environments_.destroy(environment);
  }

  void settle_forks(const std::vector<Zygotes::Event>& events) {
    for (const Zygotes::Event& event : events) {
      Environment* const environment = environments_.find(event.slot);
      if (environment == nullptr) continue;
      if (event.again)
        made(*environment);
      else if (event.failure)
        give_up(*environment, *event.failure);
      else if (environment->zygote)
        ended(*environment, wire::kRuntime, event.wait_status);
    }
  }

  void end_zygote(ZygoteId id) {
    const std::vector<Zygotes::Event> events = zygotes_.end(id);
    for (const auto& [slot, environment] : environments_.all()) {
      // Watched already, those of an earlier one.
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = tag(Source::fork_end, slot);
      if (environment.fork_pidfd) ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, environment.fork_pidfd.get(), &event);
    }
    settle_forks(events);
  }

  /// A fork whose zygote ended before it.
  void end_fork(Environment& environment) {
    siginfo_t reaped{};
    const bool ours = ::waitid(P_PIDFD, static_cast<id_t>(environment.fork_pidfd.get()), &reaped, WEXITED) == 0;
    environment.fork_pidfd.reset();
    const int status = reaped.si_code == CLD_EXITED ? reaped.si_status << 8 : reaped.si_status;
    if (environment.zygote) ended(environment, wire::kRuntime, ours ? status : SIGKILL);
  }

  void end(Environment& environment) {
    // What init said last.
    hear(environment);
    const bool awaited = environment.phase == Phase::launching || environment.phase == Phase::preparing ||
                         environment.phase == Phase::assigning || environment.phase == Phase::restarting;
    const std::uint64_t id = environment.id;
    if (environment.fork_pidfd) end_fork(environment);
    const wire::Gone gone = environments_.end(environment.slot);
    if (awaited) refuse(id, {"it was killed before its program started"});
    send_message(socket_, bytes_of(gone));
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
  Zygotes zygotes_;
  base::Fd epoll_;
  std::chrono::steady_clock::time_point next_look_;
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
  // Forks of a zygote that ends before them become this process's children.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::umask(022);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

void report(int socket, bool full, std::string_view reason, const NetworkReport& network = {}) {
  wire::Report report{};
  report.header.kind = wire::Kind::report;
  report.full = full ? 1 : 0;
  wire::put_text(report.reason, reason);
  report.network = network.mode;
  wire::put_text(report.network_reason, network.reason);
  send_message(socket, bytes_of(report));
}

void take_zygote_files(int socket, std::uint32_t count, const Mounts& mounts) {
  std::string buffer(sizeof(wire::ZygoteFile) + wire::kMaxZygoteFile, '\0');
  for (std::uint32_t i = 0; i < count && i < wire::kMaxZygoteFiles; ++i) {
    const Received received = receive_message(socket, buffer, 0);
    wire::ZygoteFile file{};
    if (received.length < static_cast<long>(sizeof file)) throw std::runtime_error("a zygote's file did not arrive");
    std::memcpy(&file, buffer.data(), sizeof file);
    const std::string name(wire::get_text(file.name));
    const auto slash = name.find('/');
    if (slash == std::string::npos || !wire::is_plain_name(name.substr(0, slash)) || name[slash + 1] == '.' ||
        name.find('/', slash + 1) != std::string::npos)
      throw std::runtime_error("a zygote's file has a wrong name");
    mounts.add_zygote_file(
        name, std::string_view(buffer).substr(sizeof file, static_cast<std::size_t>(received.length) - sizeof file));
  }
}

std::vector<SharedDirectory> take_file_systems(int socket, std::uint32_t count) {
  if (count > kMaxFileSystems) throw std::runtime_error("too many file systems");
  std::vector<SharedDirectory> taken;
  for (std::uint32_t i = 0; i < count; ++i) {
    wire::FileSystem one{};
    const Received received = receive_message(socket, {reinterpret_cast<char*>(&one), sizeof one}, 0);
    if (received.length != sizeof one || one.header.kind != wire::Kind::file_system)
      throw std::runtime_error("a file system did not arrive");
    taken.push_back({std::string(wire::get_text(one.arn)), wire::get_text(one.directory)});
  }
  return taken;
}

/// "subnet ID [internet] CIDR..." or "group ID CIDR..."
void add_zone_part(const std::string& line, NetworkOptions& options) {
  std::istringstream words(line);
  std::string kind, id;
  words >> kind >> id;
  std::vector<Cidr> networks;
  bool internet = false;
  for (std::string word; words >> word;) {
    const auto cidr = parse_cidr(word);
    if (cidr)
      networks.push_back(*cidr);
    else if (word == "internet")
      internet = true;
    else
      throw std::runtime_error("no network can be part of " + id + ": " + word);
  }
  const bool is_subnet = kind == "subnet";
  if ((!is_subnet && kind != "group") || id.empty() || id.size() > kMaxZoneId ||
      options.subnets.size() + options.security_groups.size() >= 2 * kMaxZoneParts)
    throw std::runtime_error("a subnet or a security group is wrong: " + line);
  if (is_subnet)
    options.subnets[id] = {networks, internet};
  else
    options.security_groups[id] = networks.empty() ? std::vector<Cidr>{{0, 0}} : networks;
}

NetworkOptions network_of(const wire::Configure& configure) {
  if (configure.network > FunctionNetwork::host) throw std::runtime_error("there is no such network of functions");
  NetworkOptions options{configure.network};
  std::istringstream words{std::string(wire::get_text(configure.allowed_cidrs))};
  for (std::string word; words >> word;) {
    const auto cidr = parse_cidr(word);
    if (!cidr || options.allowed.size() == kMaxAllowedCidrs)
      throw std::runtime_error("no network can be allowed: " + word);
    options.allowed.push_back(*cidr);
  }
  std::istringstream lines{std::string(wire::get_text(configure.zones))};
  for (std::string line; std::getline(lines, line);) add_zone_part(line, options);
  return options;
}

int serve(int socket) {
  wire::Configure configure{};
  const Received received = receive_message(socket, {reinterpret_cast<char*>(&configure), sizeof configure}, 0);
  if (received.length != sizeof configure || configure.header.kind != wire::Kind::configure) return 2;
  try {
    if (::geteuid() != 0) throw std::runtime_error("not started as root");
    Environments environments({wire::get_text(configure.code_dir), wire::get_text(configure.runtimes_dir),
                               wire::get_text(configure.scratch_dir), wire::get_text(configure.roots_dir),
                               take_file_systems(socket, configure.file_systems)},
                              configure.first_uid, network_of(configure));
    take_zygote_files(socket, configure.zygote_files, environments.mounts());
    report(socket, true, environments.description(), environments.network());
    Loop(socket, environments, configure.zygote_forks).run();
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
