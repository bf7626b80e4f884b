// The Runtime API of one execution environment: what functions and bootstraps talk to on 127.0.0.1:9001.
//
// One object per environment, on the environment's lane. It is the protocol and its state machine; it knows neither
// pools nor timeouts nor what an ARN means. Source: AWS Lambda Developer Guide, "Using the Lambda runtime API", and the
// error texts of AWS's runtime interface emulator (facts/runtime.md section 3).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/task.h"

namespace lambent::runtime_api {

/// What /next hands to the runtime. Empty strings are headers that are not sent.
struct Event {
  std::string request_id;
  std::int64_t deadline_ms = 0;
  std::string invoked_function_arn;
  std::string trace_id;
  /// Decoded JSON.
  std::string client_context;
  std::string cognito_identity;
  std::string payload;
};

/// Where a streamed response goes while the function is still writing it. Called on the environment's lane, by one
/// coroutine.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  /// Once, before the first write.
  virtual void begin(std::string content_type) = 0;
  /// Ends when there is room for more, so that a slow reader slows the function. False when the response has grown larger
  /// than it may: no more of it is wanted.
  virtual base::Task<bool> write(std::string bytes) = 0;
};

/// How the runtime answered an event, or failed to start.
struct Answer {
  enum class Kind {
    /// POST .../response
    response,
    /// POST .../error: the function failed; payload is the error document.
    error,
    /// POST /runtime/init/error: the runtime could not start; payload is the error document.
    init_error,
    /// The response was larger than 6 MiB + 100 B, or than the sink takes; payload is empty, `response_size` tells.
    response_too_large,
    /// close() was called (the process ended or was killed) before an answer came.
    closed,
  };
  Kind kind = Kind::closed;
  std::string payload;
  std::string content_type;
  /// Lambda-Runtime-Function-Error-Type as sent.
  std::string error_type;
  std::size_t response_size = 0;
  /// The sink was given the response, or its beginning; payload holds the error document, if any.
  bool streamed = false;
};

class RuntimeApi {
 public:
  virtual ~RuntimeApi() = default;

  /// Ends when init is over: nothing when the runtime asked for its first event, the answer (init_error or closed)
  /// when it did not get that far. Awaited at most once.
  virtual base::Task<std::optional<Answer>> initialized() = 0;
  /// Hands the event to the runtime, as soon as it asks, and waits for its answer. One at a time. An init error that arrives
  /// before the runtime ever asks is the answer too.
  /// A response that the runtime streams goes to `sink` as it arrives; without one it is gathered like any other. The sink is let go of
  /// when this ends, or as soon as a write that waits then has ended.
  virtual base::Task<Answer> invoke(Event event, std::shared_ptr<ResponseSink> sink = nullptr) = 0;
  /// Ends whoever waits with Kind::closed and every connection. Idempotent.
  virtual void close() = 0;
};

/// Serves `listener` (listening, made inside the sandbox's network namespace) on the lane of `executor`.
std::unique_ptr<RuntimeApi> serve_runtime_api(base::asio::any_io_executor executor, base::Fd listener);

}  // namespace lambent::runtime_api
