// The server's end: requests out, answers in, one lane.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>
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

Exit exit_of(std::int32_t wait_status, bool out_of_memory) {
  Exit exit;
  if (WIFEXITED(wait_status))
    exit.status = WEXITSTATUS(wait_status);
  else
    exit.signal = WTERMSIG(wait_status);
  // Who was killed for want of memory ends so, or as its shell tells of it; another process may have been killed before, and this one
  // have ended by itself.
  exit.out_of_memory = out_of_memory && (exit.signal == SIGKILL || exit.status == 128 + SIGKILL);
  return exit;
}

/// One environment as the answers describe it; shared by the link and its Sandbox.
struct Remote {
  explicit Remote(asio::io_context& context) : changed(context) {
    changed.expires_at(asio::steady_timer::time_point::max());
  }
  asio::steady_timer changed;  // cancelled when the request is decided
  bool decided = false;
  std::string failure;
  base::Fd runtime_api, api, stdout_pipe, stderr_pipe, peak_reader, freezer, extensions_output, made_socket;
  bool freezer_of_version_1 = false;
  /// It was there once, so that its end will be told.
  bool launched = false;
  /// Between restart() and its answer: what ends is of the run before.
  bool restarting = false;
  bool asks_socket = false;
  std::optional<Exit> exit;
  bool gone = false;
  std::int64_t peak_bytes = 0;
  std::function<void(Exit)> observer;
  std::function<void(std::size_t, Exit)> extension_observer;
  /// Before there was an observer.
  std::vector<std::pair<std::size_t, Exit>> unseen_extension_exits;
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
    switch (header.kind) {
      case wire::Kind::launched:
        return take_launched(*remote, message, descriptors);
      case wire::Kind::done:
        if (!descriptors.empty())
          (remote->asks_socket ? remote->made_socket : remote->extensions_output) = std::move(descriptors[0]);
        return decide(*remote, "");
      case wire::Kind::refused:
        if (!remote->launched) remotes_.erase(found);
        return take_refused(*remote, message);
      case wire::Kind::ended:
        return take_ended(*remote, message);
      case wire::Kind::gone:
        remotes_.erase(found);
        return take_gone(*remote, message);
      default:
        return;
    }
  }

  void take_launched(Remote& remote, std::string_view message, std::vector<base::Fd>& descriptors) {
    wire::Launched launched;
    if (message.size() != sizeof launched) return;
    std::memcpy(&launched, message.data(), sizeof launched);
    remote.launched = true;
    if (descriptors.size() < wire::kLaunchedFds) {
      // It runs, but nobody could ever speak with it.
      command(wire::Kind::destroy, launched.header.id);
      return decide(remote, "sandbox: this process has no descriptors left");
    }
    base::Fd* const into[] = {&remote.runtime_api, &remote.api,     &remote.stdout_pipe,      &remote.stderr_pipe,
                              &remote.peak_reader, &remote.freezer, &remote.extensions_output};
    for (std::size_t i = 0; i < std::min(descriptors.size(), std::size(into)); ++i)
      *into[i] = std::move(descriptors[i]);
    remote.freezer_of_version_1 = launched.freezer_of_version_1 != 0;
    decide(remote, "");
  }

  static void take_refused(Remote& remote, std::string_view message) {
    wire::Refused refused;
    if (message.size() != sizeof refused) return;
    std::memcpy(&refused, message.data(), sizeof refused);
    const std::string reason = refused.error == 0 ? "" : std::string(": ") + std::strerror(refused.error);
    decide(remote, "sandbox: " + std::string(wire::get_text(refused.step)) + reason);
  }

  static void take_ended(Remote& remote, std::string_view message) {
    wire::Ended ended;
    if (message.size() != sizeof ended) return;
    std::memcpy(&ended, message.data(), sizeof ended);
    remote.peak_bytes = std::max(remote.peak_bytes, ended.peak_bytes);
    if (remote.restarting) return;
    const Exit exit = exit_of(ended.wait_status, ended.out_of_memory != 0);
    if (ended.which == wire::kRuntime) return finish(remote, exit);
    if (ended.which < 0) return;
    // A copy: it may set another.
    const auto observer = remote.extension_observer;
    if (observer)
      observer(static_cast<std::size_t>(ended.which), exit);
    else
      remote.unseen_extension_exits.emplace_back(static_cast<std::size_t>(ended.which), exit);
  }

  static void take_gone(Remote& remote, std::string_view message) {
    wire::Gone gone;
    if (message.size() != sizeof gone) return;
    std::memcpy(&gone, message.data(), sizeof gone);
    remote.peak_bytes = std::max(remote.peak_bytes, gone.peak_bytes);
    remote.gone = true;
    if (!remote.decided) decide(remote, "sandbox: it ended");
    if (!remote.exit) finish(remote, exit_of(SIGKILL, gone.out_of_memory != 0));
  }

  static void decide(Remote& remote, std::string failure) {
    remote.decided = true;
    // Here and not where restart() goes on: the new run may have ended by then.
    remote.restarting = false;
    remote.failure = std::move(failure);
    remote.changed.cancel();
  }

  static void finish(Remote& remote, Exit exit) {
    if (remote.exit) return;
    remote.exit = exit;
    // A copy, which stays for the run after a restart: it may destroy the sandbox.
    const auto observer = remote.observer;
    if (observer) observer(exit);
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
      remote->gone = true;
      asio::post(context_, [remote = remote] { finish(*remote, exit_of(SIGKILL, false)); });
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

/// Sends a request and waits for its answer. Throws std::runtime_error with the reason of a refusal. By value: the
/// sandbox may be destroyed meanwhile.
base::Task<void> ask(std::shared_ptr<Link> link, std::shared_ptr<Remote> remote, std::string message) {
  if (!link->open() || remote->gone) throw std::runtime_error("sandbox: it ended");
  remote->decided = false;
  remote->failure.clear();
  link->send(std::move(message));
  boost::system::error_code cancelled;
  while (!remote->decided) co_await remote->changed.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  if (!remote->failure.empty()) throw std::runtime_error(remote->failure);
}

std::string text_of(std::variant<std::string, std::runtime_error> message) {
  if (const auto* const wrong = std::get_if<std::runtime_error>(&message)) throw *wrong;
  return std::move(std::get<std::string>(message));
}

class RemoteSandbox : public Sandbox {
 public:
  RemoteSandbox(std::shared_ptr<Link> link, std::uint64_t id, std::shared_ptr<Remote> remote, Spec spec)
      : link_(std::move(link)), id_(id), remote_(std::move(remote)), spec_(std::move(spec)) {}
  RemoteSandbox(const RemoteSandbox&) = delete;
  RemoteSandbox& operator=(const RemoteSandbox&) = delete;
  ~RemoteSandbox() override {
    remote_->observer = nullptr;
    remote_->extension_observer = nullptr;
    if (!remote_->gone) link_->command(wire::Kind::destroy, id_);
  }

  const std::shared_ptr<Remote>& remote() const { return remote_; }

  base::Task<void> assign(Spec spec) override {
    std::string message = text_of(wire::format_request(wire::Kind::assign, id_, spec));
    spec_ = std::move(spec);
    return ask(link_, remote_, std::move(message));
  }

  base::Fd take_runtime_api_listener() override { return std::move(remote_->runtime_api); }
  base::Fd take_api_listener() override { return std::move(remote_->api); }
  base::Fd take_stdout() override { return std::move(remote_->stdout_pipe); }
  base::Fd take_stderr() override { return std::move(remote_->stderr_pipe); }
  base::Fd take_extensions_output() override { return std::move(remote_->extensions_output); }

  base::Task<base::Fd> make_socket() override {
    const std::shared_ptr<Remote> remote = remote_;
    const wire::Header header{wire::Kind::make_socket, 0, id_};
    std::string message(reinterpret_cast<const char*>(&header), sizeof header);
    remote->asks_socket = true;
    co_await ask(link_, remote, std::move(message));
    remote->asks_socket = false;
    if (!remote->made_socket) throw std::runtime_error("sandbox: this process has no descriptors left");
    co_return std::move(remote->made_socket);
  }

  void on_exit(std::function<void(Exit)> observer) override {
    remote_->observer = std::move(observer);
    if (!remote_->exit) return;
    // Looked up again when its turn comes: by then this sandbox, and whoever observes it, may be gone.
    asio::post(link_->context(), [remote = remote_] {
      const auto call = remote->observer;
      if (call && remote->exit) call(*remote->exit);
    });
  }

  void on_extension_exit(std::function<void(std::size_t, Exit)> observer) override {
    remote_->extension_observer = std::move(observer);
    if (remote_->unseen_extension_exits.empty()) return;
    asio::post(link_->context(), [remote = remote_] {
      for (const auto& [index, exit] : std::exchange(remote->unseen_extension_exits, {}))
        if (const auto present = remote->extension_observer) present(index, exit);
    });
  }

  void kill() override {
    if (!remote_->gone) link_->command(wire::Kind::kill, id_);
  }

  void terminate() override {
    if (!remote_->exit) link_->command(wire::Kind::terminate, id_);
  }

  base::Task<void> restart(std::vector<std::string> argv, std::vector<std::string> environment) override {
    const std::shared_ptr<Remote> remote = remote_;
    Spec spec = spec_;
    spec.argv = std::move(argv);
    spec.environment = std::move(environment);
    std::string message = text_of(wire::format_request(wire::Kind::restart, id_, spec));
    remote->restarting = true;
    remote->exit.reset();
    remote->unseen_extension_exits.clear();
    struct Over {
      Remote& remote;
      ~Over() { remote.restarting = false; }
    } const over{*remote};
    co_await ask(link_, remote, std::move(message));
  }

  void freeze() override { write_freezer(remote_->freezer_of_version_1 ? "FROZEN" : "1"); }
  void thaw() override { write_freezer(remote_->freezer_of_version_1 ? "THAWED" : "0"); }

  void limit_cpu() override {
    if (!remote_->gone) link_->command(wire::Kind::limit_cpu, id_);
  }

  std::int32_t peak_memory_mib() const override {
    char text[32] = {};
    // The group is gone soon after the end, which brings the last value.
    if (!remote_->gone && ::pread(remote_->peak_reader.get(), text, sizeof text - 1, 0) > 0)
      remote_->peak_bytes = std::max<std::int64_t>(remote_->peak_bytes, std::strtoll(text, nullptr, 10));
    return mib_rounded_up(remote_->peak_bytes);
  }

 private:
  void write_freezer(std::string_view word) const {
    if (remote_->gone || !remote_->freezer) return;
    if (::pwrite(remote_->freezer.get(), word.data(), word.size(), 0) < 0 && errno != ENODEV)
      base::log::warn("an environment's freezer does not answer", {{"error", std::strerror(errno)}});
  }

  std::shared_ptr<Link> link_;
  std::uint64_t id_;
  std::shared_ptr<Remote> remote_;
  /// What it runs, for restart().
  Spec spec_;
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
    const std::uint64_t id = link_->next_id();
    std::string message = text_of(wire::format_request(wire::Kind::launch, id, spec));
    return make(link_, id, std::move(message), std::move(spec));
  }

  base::Task<std::unique_ptr<Sandbox>> prepare(SpareSpec spec) override {
    const std::uint64_t id = link_->next_id();
    std::string message = text_of(wire::format_prepare(id, spec));
    return make(link_, id, std::move(message), Spec{});
  }

  const IsolationReport& isolation() const override { return isolation_; }

 private:
  static base::Task<std::unique_ptr<Sandbox>> make(std::shared_ptr<Link> link, std::uint64_t id, std::string message,
                                                   Spec spec) {
    if (!link->open()) throw std::runtime_error("sandbox: the launcher ended");
    // From here on it is ours to end, also when the caller goes away while it waits.
    auto sandbox = std::make_unique<RemoteSandbox>(link, id, link->add(id), std::move(spec));
    co_await ask(link, sandbox->remote(), std::move(message));
    std::unique_ptr<Sandbox> result = std::move(sandbox);
    co_return result;
  }

  IsolationReport isolation_;
  std::shared_ptr<Link> link_;
};

}  // namespace

std::unique_ptr<Launcher> attach_launcher(asio::io_context& context, LauncherProcess process) {
  return std::make_unique<RemoteLauncher>(context, std::move(process));
}

}  // namespace lambent::sandbox
