#include "invoke/log_capture.h"

#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <vector>

namespace lambent::invoke {

namespace asio = base::asio;

namespace {

constexpr std::size_t kLongestLine = 256 * 1024;
// A pipe holds 64 KiB: what a function writes while it is being drained may wait.
constexpr std::size_t kDrainBytes = 256 * 1024;

}  // namespace

struct LogCapture::State : std::enable_shared_from_this<LogCapture::State> {
  struct Pipe {
    asio::posix::stream_descriptor descriptor;
    Source source;
    std::string line;
  };

  State(Sink to, Printed tells) : sink(std::move(to)), printed(std::move(tells)) {}

  void take(Pipe& pipe, std::string_view bytes) {
    pipe.line += bytes;
    const auto end = pipe.line.rfind('\n');
    if (end == std::string::npos) {
      if (pipe.line.size() > kLongestLine) flush(pipe);
      return;
    }
    write(pipe.source, std::string_view(pipe.line).substr(0, end + 1));
    pipe.line.erase(0, end + 1);
  }

  void flush(Pipe& pipe) {
    if (pipe.line.empty()) return;
    pipe.line += '\n';
    write(pipe.source, pipe.line);
    pipe.line.clear();
  }

  void write(Source source, std::string_view text) {
    if (printed) printed(source, text);
    write(text);
  }

  void write(std::string_view text) {
    recent += text;
    // Kept at twice the tail so that cutting is rare.
    if (recent.size() > 2 * kTailBytes) recent.erase(0, recent.size() - kTailBytes);
    sink(text);
  }

  /// False at the end of the pipe.
  bool read_some(Pipe& pipe, std::size_t& budget) {
    std::array<char, 16 * 1024> bytes;
    while (budget > 0) {
      const ssize_t got = ::read(pipe.descriptor.native_handle(), bytes.data(), std::min(bytes.size(), budget));
      if (got > 0) {
        budget -= static_cast<std::size_t>(got);
        take(pipe, {bytes.data(), static_cast<std::size_t>(got)});
      } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        return false;
      } else if (errno == EAGAIN) {
        return true;
      }
    }
    return true;
  }

  static base::Task<void> follow(std::shared_ptr<State> self, Pipe* pipe) {
    constexpr std::size_t slice = kBytesPerSecond / 20;
    while (!self->closed) {
      const auto [error] = co_await pipe->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                                                asio::as_tuple(asio::use_awaitable));
      if (error || self->closed) break;
      std::size_t budget = slice;
      if (!self->read_some(*pipe, budget)) break;
      if (budget > 0) continue;
      asio::steady_timer wait(pipe->descriptor.get_executor(), std::chrono::milliseconds(50));
      co_await wait.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (!self->closed) self->flush(*pipe);
  }

  void open(const asio::any_io_executor& executor, Source source, base::Fd end) {
    if (!end) return;
    pipes.emplace_back(new Pipe{asio::posix::stream_descriptor(executor, end.release()), source, {}});
    asio::co_spawn(executor, follow(shared_from_this(), pipes.back().get()), asio::detached);
  }

  Sink sink;
  Printed printed;
  std::string recent;
  std::vector<std::unique_ptr<Pipe>> pipes;
  bool closed = false;
};

LogCapture::LogCapture(asio::any_io_executor executor, Pipes pipes, Sink sink, Printed printed)
    : state_(std::make_shared<State>(std::move(sink), std::move(printed))) {
  state_->open(executor, Source::function, std::move(pipes.out));
  state_->open(executor, Source::function, std::move(pipes.err));
  state_->open(executor, Source::extension, std::move(pipes.extensions));
}

LogCapture::~LogCapture() {
  drain();
  for (const auto& pipe : state_->pipes) state_->flush(*pipe);
  state_->closed = true;
  boost::system::error_code ignored;
  for (const auto& pipe : state_->pipes) pipe->descriptor.close(ignored);
}

void LogCapture::begin_tail() { state_->recent.clear(); }

void LogCapture::platform_line(std::string_view line) { state_->write(std::string(line) + "\n"); }

void LogCapture::drain() {
  for (const auto& pipe : state_->pipes) {
    std::size_t budget = kDrainBytes;
    state_->read_some(*pipe, budget);
  }
}

std::string LogCapture::tail() const {
  const std::string& recent = state_->recent;
  return recent.size() <= kTailBytes ? recent : recent.substr(recent.size() - kTailBytes);
}

}  // namespace lambent::invoke
