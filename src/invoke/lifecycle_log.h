// What the platform says of an environment's life: INIT_START to REPORT in the function's log, as text or as JSON, and the same
// as events for those who subscribed through the Telemetry or the Logs API.
//
// Part of an Environment, on its lane. Formats: AWS Lambda Developer Guide, "Lambda Telemetry API Event schema reference", and
// lines recorded from AWS's logs (facts/runtime.md sections 7 and 8).
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "invoke/log_capture.h"
#include "runtime_api/extensions.h"
#include "runtime_api/telemetry.h"
#include "store/functions.h"

namespace lambent::invoke {

/// "init" is the phase of its own; "invoke" the init that is tried again as a part of an invocation.
enum class InitPhase { init, invoke };

/// What made an environment begin its init: an invocation, or provisioned concurrency.
enum class Initialization { on_demand, provisioned };

/// What an environment is made for, besides its function.
struct Purpose {
  Initialization initialization = Initialization::on_demand;
  /// Whom it serves alone; empty where the function does not isolate its tenants.
  std::string tenant_id = {};
};

/// "on-demand", "provisioned-concurrency": AWS_LAMBDA_INITIALIZATION_TYPE and initializationType.
std::string_view name_of(Initialization initialization);

/// How something ended: "success", "failure" (it said so itself), "error" (it broke), "timeout"; with the type of the error.
struct Ending {
  std::string_view status = "success";
  std::string error_type;
};

/// What REPORT tells.
struct InvocationReport {
  std::string request_id;
  std::chrono::microseconds took{0};
  /// Of the init phase that this invocation caused.
  std::optional<std::chrono::microseconds> init_took;
  std::int32_t peak_memory_mib = 0;
  Ending ending;
  /// What the extensions still needed when the runtime had asked for its next event; equal to their default without extensions.
  base::SteadyTime extensions_began = {}, extensions_ended = {};
};

/// How the runtime dealt with an event.
struct RuntimeDone {
  std::string request_id;
  std::string trace_id;
  Ending ending;
  std::chrono::microseconds took{0};
  std::size_t produced_bytes = 0;
  base::SteadyTime begin = {};
  /// When the response began and ended; equal to their default when there was none, but perhaps an error.
  base::SteadyTime response_began = {}, response_ended = {};
  /// When the answer, of either kind, was complete and when the runtime asked for its next event; equal to their default when it
  /// did not.
  base::SteadyTime answer_ended = {}, asked = {};
};

class LifecycleLog {
 public:
  /// All of it outlives this object; `capture` and `telemetry` belong to the same environment.
  LifecycleLog(LogCapture& capture, runtime_api::Telemetry& telemetry, const base::Clock& clock,
               const store::FunctionVersion& function, std::string log_stream, Purpose purpose = {});

  void init_start(InitPhase phase, std::string_view runtime_version);
  /// Subscribers are told of every end, and so is the log of an environment that is provisioned; else the log hears of
  /// what was no success ("SnapStart and provisioned concurrency functions always emit INIT_REPORT").
  void init_done(InitPhase phase, const Ending& ending, std::chrono::microseconds took);
  void extension(const runtime_api::ExtensionReport& report);
  void subscribed(runtime_api::Telemetry::Api api, const std::string& name, const std::vector<std::string>& types);

  void start(const std::string& request_id, const std::string& trace_id);
  /// The runtime has answered and asked for its next event, or never will.
  void runtime_done(const RuntimeDone& done);
  /// Whether runtime_done() says anything to anybody.
  bool hears_runtime_done(const Ending& ending) const;
  void report(const InvocationReport& report);
  /// Why an invocation failed, in the platform's words. Text logs only, as on AWS.
  void fault(std::string_view line);
  /// A remark of ours.
  void remark(std::string_view line) { capture_.platform_line(line); }

 private:
  /// As LoggingConfig.SystemLogLevel has them.
  enum class Level { debug, info, warn };
  static Level level_of(std::string_view name);
  static Level level_of(const Ending& ending, Level of_success);
  bool kept(Level level) const { return json_ && level >= level_; }
  void add_tenant(boost::json::object& record) const;
  boost::json::object span(std::string_view name, base::SteadyTime from, base::SteadyTime to) const;
  void say(Level level, const std::string& text, const runtime_api::PlatformEvent& event);

  LogCapture& capture_;
  runtime_api::Telemetry& telemetry_;
  const base::Clock& clock_;
  const store::FunctionVersion& function_;
  const std::string log_stream_;
  const Purpose purpose_;
  const bool json_;
  /// Of a JSON log. A text log has its own lines, whatever their level.
  const Level level_;
};

}  // namespace lambent::invoke
