// Invocations: from an accepted event to its outcome.
//
// The engine owns the execution environments. Environments of a function are pinned to a lane by its ARN; `invoke` crosses
// to that lane and back. Owned by the composition root, stopped before the lanes are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/task.h"
#include "store/functions.h"

namespace lambent::invoke {

struct Invocation {
  store::FunctionSnapshot function;
  std::string request_id;
  /// As the caller named it, with the qualifier when one was given.
  std::string invoked_function_arn;
  std::string payload;
  /// Decoded JSON of X-Amz-Client-Context.
  std::string client_context;
  std::string trace_id;
};

/// What the caller of Invoke sees. A failure of the function is an outcome, not an exception.
struct Outcome {
  std::string payload;
  /// "Unhandled", or empty for success.
  std::string function_error;
  std::string executed_version;
  /// The last 4 KB of the invocation's log, START to REPORT.
  std::string log_tail;
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// Throws aws::Error for what keeps the function from being tried at all (TooManyRequestsException, ServiceException,
  /// InvalidRuntimeException).
  virtual base::Task<Outcome> invoke(Invocation invocation) = 0;
  /// The function's code or configuration changed, or it is gone: environments of older snapshots take no more
  /// invocations and end when idle.
  virtual void retire(const store::FunctionKey& key) = 0;
};

}  // namespace lambent::invoke
