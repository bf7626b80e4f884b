#include "invoke/log_capture.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

namespace lambent::invoke {

namespace asio = base::asio;

namespace {

constexpr std::size_t kLongestLine = 256 * 1024;
// A pipe holds 64 KiB: what a function writes while it is being drained may wait.
constexpr std::size_t kDrainBytes = 256 * 1024;

/// The head of every frame's type; the last byte has the kind and the level.
constexpr std::string_view kFrameMark("\xa5\x5a\x00", 3);
constexpr std::size_t kFrameHead = 16;

// Others have the lane after so much of a flood.
constexpr std::int64_t kTurnBytes = 256 * 1024;
// With less left reading pauses: else what became allowed meanwhile would be read byte by byte.
constexpr std::int64_t kLeastBytes = 64 * 1024;
constexpr std::chrono::milliseconds kPause{50};

/// How many bytes may be read now.
class Allowance {
 public:
  explicit Allowance(const base::Clock& clock) : clock_(clock), filled_at_(clock.steady()) {}

  /// May be negative.
  std::int64_t left() {
    using Seconds = std::chrono::duration<double>;
    const base::SteadyTime now = clock_.steady();
    left_ += Seconds(now - std::exchange(filled_at_, now)).count() * static_cast<double>(LogCapture::kBytesPerSecond);
    left_ = std::min(left_, static_cast<double>(LogCapture::kBurstBytes));
    return static_cast<std::int64_t>(left_);
  }
  /// What was taken regardless is owed, but no more than can be made up for soon.
  void spend(std::size_t bytes) {
    left_ = std::max(left_ - static_cast<double>(bytes), -static_cast<double>(LogCapture::kBurstBytes));
  }

 private:
  const base::Clock& clock_;
  base::SteadyTime filled_at_;
  double left_ = static_cast<double>(LogCapture::kBurstBytes);
};

enum class Frame { none, unfinished, whole };

/// What begins at `at` of `bytes`, which is a mark; `length` of a record that is whole.
Frame frame_at(std::string_view bytes, std::size_t at, std::size_t& length) {
  if (bytes.size() - at <= kFrameMark.size()) return Frame::unfinished;
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(bytes[at + index]); };
  const unsigned kind = byte(3) & 3U, level = byte(3) >> 2U;
  if (kind < 2 || level > 6) return Frame::none;
  if (bytes.size() - at < kFrameHead) return Frame::unfinished;
  length = 0;
  for (std::size_t index = 4; index < 8; ++index) length = length << 8U | byte(index);
  if (length > LogCapture::kLongestRecord) return Frame::none;
  return bytes.size() - at - kFrameHead < length ? Frame::unfinished : Frame::whole;
}

}  // namespace

struct LogCapture::State : std::enable_shared_from_this<LogCapture::State> {
  struct Pipe {
    asio::posix::stream_descriptor descriptor;
    Source source;
    bool framed;
    std::string line;
    // How far it was searched, so that what comes byte by byte is not searched anew each time: no newline stands before the
    // one, and no frame begins before the other.
    std::size_t no_newline = 0, no_frame = 0;
  };

  State(const base::Clock& clock, Sink to, Printed tells)
      : allowance(clock), sink(std::move(to)), printed(std::move(tells)) {}

  void take(Pipe& pipe, std::string_view bytes) {
    pipe.line += bytes;
    const std::size_t text = pipe.framed ? take_records(pipe) : pipe.line.size();
    pipe.no_frame -= std::min(pipe.no_frame, take_lines(pipe, text));
  }

  /// The whole lines within the first `size` bytes; says how many bytes that were.
  std::size_t take_lines(Pipe& pipe, std::size_t size) {
    const std::string_view text = std::string_view(pipe.line).substr(0, size);
    const std::size_t from = std::min(pipe.no_newline, size);
    const auto end = text.substr(from).rfind('\n');
    if (end == std::string::npos) {
      pipe.no_newline = size;
      if (text.size() <= kLongestLine) return 0;
      write(pipe.source, std::string(text) + '\n');
      return drop(pipe, size);
    }
    pipe.no_newline = size;
    write(pipe.source, text.substr(0, from + end + 1));
    return drop(pipe, from + end + 1);
  }

  static std::size_t drop(Pipe& pipe, std::size_t count) {
    pipe.line.erase(0, count);
    pipe.no_newline -= count;
    return count;
  }

  /// Every whole frame, and the lines before it; text that is unfinished where a frame begins goes on after it. Says where the
  /// text ends: at a frame that is not whole yet, or at the end.
  std::size_t take_records(Pipe& pipe) {
    std::size_t length = 0;
    for (auto at = pipe.line.find(kFrameMark, pipe.no_frame); at != std::string::npos;
         at = pipe.line.find(kFrameMark, at)) {
      const Frame frame = frame_at(pipe.line, at, length);
      if (frame == Frame::unfinished) return pipe.no_frame = at;
      if (frame == Frame::none) {
        at += kFrameMark.size();
        continue;
      }
      at -= take_lines(pipe, at);
      record(std::string_view(pipe.line).substr(at + kFrameHead, length));
      pipe.line.erase(at, kFrameHead + length);
    }
    // A mark may have begun.
    pipe.no_frame = pipe.line.size() - std::min(pipe.line.size(), kFrameMark.size() - 1);
    return pipe.line.size();
  }

  void record(std::string_view text) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    if (!records) {
      std::string line(text);
      std::ranges::replace(line, '\n', '\r');
      return write(Source::function, line += '\n');
    }
    remember(text);
    remember("\n");
    records(text);
  }

  void flush(Pipe& pipe) {
    if (pipe.line.empty()) return;
    pipe.line += '\n';
    write(pipe.source, pipe.line);
    pipe.line.clear();
    pipe.no_newline = pipe.no_frame = 0;
  }

  void write(Source source, std::string_view text) {
    if (printed) printed(source, text);
    write(text);
  }

  void write(std::string_view text) {
    remember(text);
    sink(text);
  }

  void remember(std::string_view text) {
    recent += text;
    // Kept at twice the tail so that cutting is rare.
    if (recent.size() > 2 * kTailBytes) recent.erase(0, recent.size() - kTailBytes);
  }

  /// At most `budget` bytes; false at the end of the pipe.
  bool read_some(Pipe& pipe, std::size_t budget) {
    std::array<char, 16 * 1024> bytes;
    while (budget > 0) {
      const ssize_t got = ::read(pipe.descriptor.native_handle(), bytes.data(), std::min(bytes.size(), budget));
      if (got > 0) {
        budget -= static_cast<std::size_t>(got);
        allowance.spend(static_cast<std::size_t>(got));
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
    while (!self->closed) {
      const auto [error] = co_await pipe->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                                                asio::as_tuple(asio::use_awaitable));
      if (error || self->closed) break;
      const std::int64_t left = self->allowance.left();
      if (left >= kLeastBytes) {
        if (!self->read_some(*pipe, static_cast<std::size_t>(std::min(left, kTurnBytes)))) break;
        continue;
      }
      asio::steady_timer wait(pipe->descriptor.get_executor(), kPause);
      co_await wait.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (!self->closed) self->flush(*pipe);
  }

  void open(const asio::any_io_executor& executor, Source source, base::Fd end, bool framed) {
    if (!end) return;
    pipes.emplace_back(new Pipe{asio::posix::stream_descriptor(executor, end.release()), source, framed, {}});
    asio::co_spawn(executor, follow(shared_from_this(), pipes.back().get()), asio::detached);
  }

  Allowance allowance;
  Sink sink;
  Printed printed;
  Sink records;
  std::string recent;
  std::vector<std::unique_ptr<Pipe>> pipes;
  bool closed = false;
};

LogCapture::LogCapture(asio::any_io_executor executor, const base::Clock& clock, Pipes pipes, Sink sink,
                       Printed printed)
    : state_(std::make_shared<State>(clock, std::move(sink), std::move(printed))) {
  state_->open(executor, Source::function, std::move(pipes.out), true);
  state_->open(executor, Source::function, std::move(pipes.err), false);
  state_->open(executor, Source::extension, std::move(pipes.extensions), false);
}

void LogCapture::on_record(Sink records) { state_->records = std::move(records); }

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
  for (const auto& pipe : state_->pipes) state_->read_some(*pipe, kDrainBytes);
}

std::string LogCapture::tail() const {
  const std::string& recent = state_->recent;
  return recent.size() <= kTailBytes ? recent : recent.substr(recent.size() - kTailBytes);
}

}  // namespace lambent::invoke
