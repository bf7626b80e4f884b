// A streamed response between the function's lane, where it is written, and the caller's, where it is read.
//
// Shared by both. The writer is the Runtime API (as its ResponseSink) and then whoever awaits the engine (finish or fail); the
// reader is the caller of Invoke. Bounded: a reader that is slow slows the function. A reader that leaves does not stop the
// function; what it still writes is dropped.
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/wakeup.h"
#include "invoke/engine.h"
#include "invoke/stream_pace.h"
#include "runtime_api/runtime_api.h"

namespace lambent::invoke {

class ResponseStream final : public runtime_api::ResponseSink {
 public:
  /// "Lambda quotas": the largest streamed response.
  static constexpr std::size_t kMaxBytes = 200 << 20;
  /// What may wait for the reader.
  static constexpr std::size_t kBufferBytes = 256 * 1024;

  explicit ResponseStream(const base::Clock& clock, std::size_t max_bytes = kMaxBytes)
      : clock_(clock), max_bytes_(max_bytes) {}

  // The writer's side, on one lane at a time.
  void begin(std::string content_type) override;
  base::Task<bool> write(std::string bytes) override;
  /// The invocation is over; its outcome follows what was written. Writes that wait are over too.
  void finish(Outcome outcome);
  /// There is no outcome: the reader gets the exception.
  void fail(std::exception_ptr error);

  // The reader's side, on one lane at a time.
  /// The function's content type once it streams; nothing when the invocation ended without. Throws what fail() was given.
  base::Task<std::optional<std::string>> begun();
  /// What was written next; nothing at the end, when outcome() is there. Throws what fail() was given.
  base::Task<std::optional<std::string>> read();
  /// After the end.
  Outcome& outcome() { return *outcome_; }
  /// Nobody reads any more.
  void abandon();

 private:
  const base::Clock& clock_;
  const std::size_t max_bytes_;
  StreamPace pace_;
  std::size_t written_ = 0;

  std::mutex mutex_;
  // Under the mutex:
  std::optional<std::string> content_type_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::optional<Outcome> outcome_;
  std::exception_ptr error_;
  bool over_ = false;
  bool abandoned_ = false;

  base::Wakeup readable_, writable_;
};

}  // namespace lambent::invoke
