// The server's end: requests out, answers in, one lane.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>

#include "base/log.h"
#include "sandbox/launcher/channel.h"
#include "sandbox/launcher/wire.h"
#include "sandbox/sandbox.h"

namespace lambent::sandbox {
namespace {

namespace asio = base::asio;

/// What a launcher has at most to take down its environments when its socket closes.
constexpr int kEndMs = 10'000;

std::int32_t mib_rounded_up(std::int64_t bytes) { return static_cast<std::int32_t>((bytes + (1 << 20) - 1) >> 20); }

/// One environment as the answers describe it; shared by the link and its Sandbox.
struct Remote {
  explicit Remote(asio::io_context& context) : changed(context) {
    changed.expires_at(asio::steady_timer::time_point::max());
  }
  asio::steady_timer changed;  // cancelled when the launch is decided
  bool decided = false;
  std::string failure;
  base::Fd runtime_api, api, stdout_pipe, stderr_pipe, peak_reader;
  std::optional<Exit> exit;
  std::int64_t peak_bytes = 0;
  std::function<void(Exit)> observer;
};

/// The socket with everything that waits for it. Sandboxes keep it alive; the launcher's owner closes it.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(asio::io_context& context, LauncherProcess process)
      : context_(context),
        socket_(context, process.socket.release()),
        pid_(process.pid),
        buffer_(wire::kMaxMessage, '\0') {
    ::fcntl(socket_.native_handle(), F_SETFL, O_NONBLOCK);
  }

  asio::io_context& context() { return context_; }
  bool open() const { return socket_.is_open(); }

  void read() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (!error && self->receive_all()) self->read();
                       });
  }

  std::shared_ptr<Remote> add(std::uint64_t id) {
    auto remote = std::make_shared<Remote>(context_);
    remotes_.emplace(id, remote);
    return remote;
  }

  std::uint64_t next_id() { return next_id_++; }

  void send(std::string message) {
    if (!open()) return;
    outgoing_.push_back(std::move(message));
    if (outgoing_.size() == 1) flush();
  }

  void command(wire::Kind kind, std::uint64_t id) {
    const wire::Header header{kind, 0, id};
    send(std::string(reinterpret_cast<const char*>(&header), sizeof header));
  }

  /// The launcher sees end of file and takes everything down; waits for it, so that nothing is left afterwards.
  void close() {
    if (open()) lose("the launcher was closed");
    reap();
  }

 private:
  bool receive_all() {
    for (;;) {
      launcher::Received received = launcher::receive_message(socket_.native_handle(), buffer_, MSG_DONTWAIT);
      if (received.length == -EAGAIN) return true;
      if (received.length < static_cast<long>(sizeof(wire::Header))) {
        base::log::error("the sandbox launcher ended: every environment is gone");
        lose("the launcher ended");
        return false;
      }
      take({buffer_.data(), static_cast<std::size_t>(received.length)}, received.descriptors);
    }
  }

  void take(std::string_view message, std::vector<base::Fd>& descriptors) {
    wire::Header header;
    std::memcpy(&header, message.data(), sizeof header);
    const auto found = remotes_.find(header.id);
    if (found == remotes_.end()) return;
    const std::shared_ptr<Remote> remote = found->second;
    if (header.kind == wire::Kind::launched && descriptors.size() != wire::kLaunchedFds) {
      // It runs, but nobody could ever speak with it.
      command(wire::Kind::kill, header.id);
      decide(*remote, "sandbox: this process has no descriptors left");
    } else if (header.kind == wire::Kind::launched) {
      remote->runtime_api = std::move(descriptors[0]);
      remote->api = std::move(descriptors[1]);
      remote->stdout_pipe = std::move(descriptors[2]);
      remote->stderr_pipe = std::move(descriptors[3]);
      remote->peak_reader = std::move(descriptors[4]);
      decide(*remote, "");
    } else if (header.kind == wire::Kind::refused && message.size() == sizeof(wire::Refused)) {
      wire::Refused refused;
      std::memcpy(&refused, message.data(), sizeof refused);
      const std::string reason = refused.error == 0 ? "" : std::string(": ") + std::strerror(refused.error);
      remotes_.erase(found);
      decide(*remote, "sandbox: " + std::string(wire::get_text(refused.step)) + reason);
    } else if (header.kind == wire::Kind::ended && message.size() == sizeof(wire::Ended)) {
      wire::Ended ended;
      std::memcpy(&ended, message.data(), sizeof ended);
      remotes_.erase(found);
      remote->peak_bytes = ended.peak_bytes;
      Exit exit;
      exit.out_of_memory = ended.out_of_memory != 0;
      if (WIFEXITED(ended.wait_status))
        exit.status = WEXITSTATUS(ended.wait_status);
      else
        exit.signal = WTERMSIG(ended.wait_status);
      finish(*remote, exit);
    }
  }

  static void decide(Remote& remote, std::string failure) {
    remote.decided = true;
    remote.failure = std::move(failure);
    remote.changed.cancel();
  }

  static void finish(Remote& remote, Exit exit) {
    remote.exit = exit;
    if (const auto observer = std::exchange(remote.observer, nullptr)) observer(exit);
  }

  void flush() {
    while (!outgoing_.empty()) {
      const int error = launcher::send_message(socket_.native_handle(), outgoing_.front(), {}, MSG_DONTWAIT);
      if (error == EAGAIN) {
        socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this()](const boost::system::error_code& failed) {
                             if (!failed) self->flush();
                           });
        return;
      }
      // A launcher that is gone is found by the reader.
      outgoing_.pop_front();
    }
  }

  /// Nothing more will be heard: whoever waits is told so.
  void lose(const std::string& why) {
    socket_.close();
    outgoing_.clear();
    const auto remotes = std::exchange(remotes_, {});
    for (const auto& [id, remote] : remotes) {
      if (!remote->decided) decide(*remote, "sandbox: " + why);
      Exit killed;
      killed.signal = SIGKILL;
      asio::post(context_, [remote = remote, killed] { finish(*remote, killed); });
    }
  }

  void reap() const {
    for (int waited_ms = 0; waited_ms < kEndMs; ++waited_ms) {
      if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;
      ::poll(nullptr, 0, 1);
    }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  asio::io_context& context_;
  asio::posix::stream_descriptor socket_;
  int pid_;
  std::string buffer_;
  std::deque<std::string> outgoing_;
  std::map<std::uint64_t, std::shared_ptr<Remote>> remotes_;
  std::uint64_t next_id_ = 1;
};

class RemoteSandbox : public Sandbox {
 public:
  RemoteSandbox(std::shared_ptr<Link> link, std::uint64_t id, std::shared_ptr<Remote> remote)
      : link_(std::move(link)), id_(id), remote_(std::move(remote)) {}
  RemoteSandbox(const RemoteSandbox&) = delete;
  RemoteSandbox& operator=(const RemoteSandbox&) = delete;
  ~RemoteSandbox() override {
    remote_->observer = nullptr;
    kill();
  }

  const std::shared_ptr<Remote>& remote() const { return remote_; }

  base::Task<void> assign(Spec) override { throw std::runtime_error("sandbox: assign: not prepared"); }
  base::Task<void> restart(std::vector<std::string>, std::vector<std::string>) override {
    throw std::runtime_error("sandbox: restart: this launcher cannot");
  }
  void on_extension_exit(std::function<void(std::size_t, Exit)>) override {}
  base::Fd take_extensions_output() override { return {}; }
  base::Task<base::Fd> make_socket() override {
    throw std::runtime_error("sandbox: make a socket: this launcher cannot");
  }
  void terminate() override { throw std::runtime_error("sandbox: terminate: this launcher cannot"); }
  void freeze() override { throw std::runtime_error("sandbox: freeze: this launcher cannot"); }
  void thaw() override { throw std::runtime_error("sandbox: thaw: this launcher cannot"); }

  base::Fd take_runtime_api_listener() override { return std::move(remote_->runtime_api); }
  base::Fd take_api_listener() override { return std::move(remote_->api); }
  base::Fd take_stdout() override { return std::move(remote_->stdout_pipe); }
  base::Fd take_stderr() override { return std::move(remote_->stderr_pipe); }

  void on_exit(std::function<void(Exit)> observer) override {
    if (!remote_->exit) {
      remote_->observer = std::move(observer);
      return;
    }
    asio::post(link_->context(), [observer = std::move(observer), exit = *remote_->exit] { observer(exit); });
  }

  void kill() override {
    if (!remote_->exit) link_->command(wire::Kind::kill, id_);
  }

  void limit_cpu() override {
    if (!remote_->exit) link_->command(wire::Kind::limit_cpu, id_);
  }

  std::int32_t peak_memory_mib() const override {
    char text[32] = {};
    // The group is gone soon after the exit, which brings the last value.
    if (!remote_->exit && ::pread(remote_->peak_reader.get(), text, sizeof text - 1, 0) > 0)
      remote_->peak_bytes = std::max<std::int64_t>(remote_->peak_bytes, std::strtoll(text, nullptr, 10));
    return mib_rounded_up(remote_->peak_bytes);
  }

 private:
  std::shared_ptr<Link> link_;
  std::uint64_t id_;
  std::shared_ptr<Remote> remote_;
};

class RemoteLauncher : public Launcher {
 public:
  RemoteLauncher(asio::io_context& context, LauncherProcess process) : isolation_(process.isolation) {
    link_ = std::make_shared<Link>(context, std::move(process));
    link_->read();
  }
  RemoteLauncher(const RemoteLauncher&) = delete;
  RemoteLauncher& operator=(const RemoteLauncher&) = delete;
  ~RemoteLauncher() override { link_->close(); }

  base::Task<std::unique_ptr<Sandbox>> launch(Spec spec) override {
    const std::shared_ptr<Link> link = link_;
    if (!link->open()) throw std::runtime_error("sandbox: the launcher ended");
    const std::uint64_t id = link->next_id();
    auto message = wire::format_launch(id, spec);
    if (const auto* const wrong = std::get_if<std::runtime_error>(&message)) throw *wrong;
    // From here on it is ours to kill, also when the caller goes away while it waits.
    auto sandbox = std::make_unique<RemoteSandbox>(link, id, link->add(id));
    const std::shared_ptr<Remote> remote = sandbox->remote();
    link->send(std::move(std::get<std::string>(message)));
    boost::system::error_code cancelled;
    while (!remote->decided) co_await remote->changed.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (!remote->failure.empty()) throw std::runtime_error(remote->failure);
    std::unique_ptr<Sandbox> result = std::move(sandbox);
    co_return result;
  }

  base::Task<std::unique_ptr<Sandbox>> prepare(SpareSpec) override {
    throw std::runtime_error("sandbox: prepare: this launcher cannot");
  }

  const IsolationReport& isolation() const override { return isolation_; }

 private:
  IsolationReport isolation_;
  std::shared_ptr<Link> link_;
};

}  // namespace

std::unique_ptr<Launcher> attach_launcher(asio::io_context& context, LauncherProcess process) {
  return std::make_unique<RemoteLauncher>(context, std::move(process));
}

}  // namespace lambent::sandbox
