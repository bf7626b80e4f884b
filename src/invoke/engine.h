// Invocations: from an accepted event to its outcome.
//
// The engine owns the execution environments. Environments of a function are pinned to a lane by its ARN; `invoke` crosses
// to that lane and back. Owned by the composition root, stopped before the lanes are.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/http_server.h"
#include "base/lanes.h"
#include "base/metrics.h"
#include "base/task.h"
#include "invoke/log_stream.h"
#include "runtime_api/runtime_api.h"
#include "runtimes/catalog.h"
#include "sandbox/sandbox.h"
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
  /// X-Amz-Tenant-Id: the environment serves this tenant alone. Empty where the function does not isolate its tenants.
  std::string tenant_id = {};
  std::string trace_id = {};
  /// Where a response goes that the function streams, as it comes; without one it is gathered. Called on the function's lane.
  std::shared_ptr<runtime_api::ResponseSink> sink = {};
  /// Outcome::log_tail is looked at: with extensions, whose work after the response the log's last lines count, the outcome
  /// comes after that.
  bool wants_log = false;
};

/// What has become of Engine::provision().
struct ProvisionStatus {
  enum class State { in_progress, ready, failed };
  State state = State::in_progress;
  /// As it was asked for.
  std::int32_t requested = 0;
  /// Environments that are initialised, idle or busy.
  std::int32_t allocated = 0;
  /// Why it failed, as AWS says it in StatusReason.
  std::string reason = {};
  bool operator==(const ProvisionStatus&) const = default;
};

/// Called on the function's lane.
using ProvisionObserver = std::function<void(ProvisionStatus)>;

/// What the caller of Invoke sees. A failure of the function is an outcome, not an exception.
struct Outcome {
  std::string payload;
  /// "Unhandled", or empty for success.
  std::string function_error;
  std::string executed_version;
  /// As the runtime said it; empty when it answered nothing.
  std::string content_type = {};
  /// The sink has the response, or its beginning; payload is then empty or the error document.
  bool streamed = false;
  /// The last 4 KB of the invocation's log, START to REPORT.
  std::string log_tail;
  /// The trace header that the function had: what it caused carries it on.
  std::string trace_header = {};
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// Throws aws::Error for what keeps the function from being tried at all (ServiceException, InvalidRuntimeException; from
  /// the engine of admission.h TooManyRequestsException too).
  virtual base::Task<Outcome> invoke(Invocation invocation) = 0;
  /// The version's code or configuration changed ("$LATEST"), or it is gone; an empty version: the whole function is.
  /// Environments of older snapshots take no more invocations and end when idle. Any thread.
  virtual void retire(const store::FunctionKey& key, const std::string& version) = 0;
  /// The function exists and will be invoked: something begins to wait for its first invocation. Any thread.
  virtual void expect(const store::FunctionVersion& function) = 0;
  /// From now on keeps `count` environments of this published version initialised, whatever happens to them, and has its
  /// invocations take one of these first; 0 ends it. `observer` hears of each change until the next call for this version.
  /// Any thread; calls are followed in their order.
  virtual void provision(store::FunctionSnapshot function, std::int32_t count, ProvisionObserver observer) = 0;
  /// Takes no more invocations, waits for those that run, at most `grace`, then ends every environment.
  virtual base::Task<void> stop(std::chrono::seconds grace) = 0;
};

/// Short-lived credentials of a function's role.
struct RoleCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
};

struct EngineOptions {
  /// An environment without invocations for so long is ended.
  std::chrono::seconds idle_time{600};
  /// No environment outlives the credentials that it began with.
  std::chrono::seconds lifetime{5 * 3600};
  /// The on-demand init limit ("Lambda execution environment lifecycle").
  std::chrono::milliseconds init_limit{10'000};
  /// That of a provisioned environment, unless the function's Timeout is longer (same page).
  std::chrono::milliseconds provisioned_init_limit{130'000};
  /// What sandboxes that wait for a function may hold together; 0: none waits.
  std::int64_t spare_memory_mib = 256;
  /// Below this much available memory spares go, then idle environments, the coldest first; 0: never.
  std::int64_t keep_free_mib = 0;
  /// How often the lanes look for what has grown old.
  std::chrono::milliseconds sweep_period{5000};
  /// MemAvailable of the machine, in MiB.
  std::function<std::int64_t()> available_memory_mib;
  /// Sandboxes that are made at the same time on each lane for invocations that wait.
  std::size_t starts_at_once = 8;
};

/// What the engine stands on; all of it outlives the engine.
struct EngineParts {
  base::Lanes& lanes;
  /// One per lane, attached to it.
  std::vector<std::unique_ptr<sandbox::Launcher>> launchers;
  const runtimes::Catalog& catalog;
  const base::Clock& clock;
  base::Metrics& metrics;
  /// Credentials good for at least EngineOptions::lifetime. Throws aws::Error when the role is gone.
  std::function<RoleCredentials(const store::FunctionVersion&)> credentials;
  /// Serves the API to one function on the lane of the executor.
  std::function<std::unique_ptr<base::http::Server>(base::asio::any_io_executor, base::Fd)> serve_api;
  /// The log stream of a new environment of this function, in its group, by that name. Null: nothing is kept.
  std::function<base::Task<std::unique_ptr<LogStream>>(const store::FunctionVersion&, std::string)> open_log;
  /// The code store's unpacked trees, where a layer's extensions are looked for.
  std::filesystem::path code_trees = {};
};

std::unique_ptr<Engine> make_engine(EngineOptions options, EngineParts parts);

}  // namespace lambent::invoke
