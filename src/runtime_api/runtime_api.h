// The Runtime API of one execution environment: what functions and bootstraps talk to on 127.0.0.1:9001.
//
// One object per environment, on the environment's lane. It is the protocol and its state machine; it knows neither
// pools nor timeouts nor what an ARN means. Source: AWS Lambda Developer Guide, "Using the Lambda runtime API", and the
// error texts of AWS's runtime interface emulator (facts/runtime.md section 3).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/task.h"
#include "runtime_api/extensions.h"
#include "runtime_api/telemetry.h"

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
  std::string tenant_id;
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
    /// close() or runtime_ended() was called (the process ended or was killed) before an answer came.
    closed,
    /// An extension failed: error_type and, as payload, how ("exit status 1").
    extension_failed,
  };
  Kind kind = Kind::closed;
  std::string payload;
  std::string content_type;
  /// Lambda-Runtime-Function-Error-Type as sent.
  std::string error_type;
  std::size_t response_size = 0;
  /// When the runtime began to answer and when its answer was complete.
  base::SteadyTime began = {}, ended = {};
  /// The sink was given the response, or its beginning; payload holds the error document, if any.
  bool streamed = false;
};

class RuntimeApi {
 public:
  virtual ~RuntimeApi() = default;

  /// A runtime and these external extensions begin now, the first time or after close(): what was before is forgotten.
  virtual void start(std::vector<std::string> external_extensions) = 0;
  /// Ends when init is over: nothing when the runtime and every extension asked for their first event, the answer
  /// (init_error, closed, extension_failed) when they did not get that far. Awaited at most once for each start.
  virtual base::Task<std::optional<Answer>> initialized() = 0;
  /// Hands the event to the runtime, as soon as it asks, and waits for its answer. One at a time. An init error that arrives
  /// before the runtime ever asks is the answer too.
  /// A response that the runtime streams goes to `sink` as it arrives; without one it is gathered like any other. The sink is let go of
  /// when this ends, or as soon as a write that waits then has ended.
  virtual base::Task<Answer> invoke(Event event, std::shared_ptr<ResponseSink> sink = nullptr) = 0;
  /// The runtime and every extension wait for their next events.
  virtual bool idle() const = 0;
  /// Ends when idle(), or when it will not be any more: closed, or an extension has failed. One waiter.
  virtual base::Task<void> settled() = 0;
  /// Called whenever the runtime has asked for its next event.
  virtual void on_next(std::function<void()> observer) = 0;
  /// The runtime's process is gone: whoever waits for it gets Kind::closed. The extensions go on.
  virtual void runtime_ended() = 0;
  /// Ends whoever waits with Kind::closed and every connection. Idempotent.
  virtual void close() = 0;

  virtual Extensions& extensions() = 0;
  virtual Telemetry& telemetry() = 0;
};

struct ApiParts {
  FunctionFacts facts = {};
  /// Outlives the API.
  const base::Clock* clock = nullptr;
  Telemetry::MakeSocket make_socket = nullptr;
};

/// Started, without external extensions. Serves `listener` (listening, made inside the sandbox's network namespace) on the lane of `executor`.
std::unique_ptr<RuntimeApi> serve_runtime_api(base::asio::any_io_executor executor, base::Fd listener,
                                              ApiParts parts = {});

}  // namespace lambent::runtime_api
