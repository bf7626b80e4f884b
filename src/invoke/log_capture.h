// What one execution environment writes: the function's stdout and stderr, what its extensions print, and the platform's own
// lines, in the order seen.
//
// The function's stdout may carry records of several lines beside its text, framed as AWS's runtimes frame them for
// _LAMBDA_TELEMETRY_LOG_FD: type, length and time, big-endian, then the record. Each stays one event.
//
// Lives on the environment's lane. A function that floods is slowed by its own full pipe, not by our memory, and loses nothing:
// reading pauses above kBytesPerSecond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "base/task.h"

namespace lambent::invoke {

class LogCapture {
 public:
  static constexpr std::size_t kTailBytes = 4096;
  /// What is read of all pipes together: so much at once, then so much a second.
  static constexpr std::int64_t kBurstBytes = 1 << 20, kBytesPerSecond = 8 << 20;
  /// A longer frame is none: what CloudWatch Logs takes as one event.
  static constexpr std::size_t kLongestRecord = 256 * 1024;

  enum class Source { function, extension };
  using Sink = std::function<void(std::string_view)>;
  using Printed = std::function<void(Source, std::string_view)>;

  /// What a sandbox hands out, non-blocking; `extensions` may be empty.
  struct Pipes {
    base::Fd out, err, extensions;
  };

  /// `sink` gets whole lines of everything, `printed` those of others than the platform; an unfinished line of over 256 KiB is
  /// cut.
  LogCapture(base::asio::any_io_executor executor, const base::Clock& clock, Pipes pipes, Sink sink,
             Printed printed = nullptr);
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  /// Gets the function's framed records, without a newline at their end. Without it they are lines whose breaks are carriage
  /// returns.
  void on_record(Sink records);
  /// Forgets the tail: a new invocation begins.
  void begin_tail();
  /// A line of the platform's; the newline is added.
  void platform_line(std::string_view line);
  /// Takes what is in the pipes right now, so that what was printed before an answer is seen before its END line. What is above
  /// the rate is made up for afterwards.
  void drain();
  /// The last 4 KB since begin_tail().
  std::string tail() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace lambent::invoke
