#include "invoke/lifecycle_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "runtime_api/subscription.h"

namespace lambent::invoke {

namespace json = boost::json;
using runtime_api::PlatformEvent;
using runtime_api::Telemetry;
using std::chrono::microseconds;

namespace {

const char* name_of(InitPhase phase) { return phase == InitPhase::init ? "init" : "invoke"; }

double milliseconds_of(microseconds took) { return static_cast<double>(took.count()) / 1000; }

/// Two or three decimals, as the platform's own records have them.
double rounded(double ms) { return std::round(ms * 1000) / 1000; }

std::string joined(const std::vector<std::string>& words) { return fmt::format("[{}]", fmt::join(words, ", ")); }

json::array array_of(const std::vector<std::string>& words) { return json::array(words.begin(), words.end()); }

json::object tracing(const std::string& trace_id) { return {{"type", "X-Amzn-Trace-Id"}, {"value", trace_id}}; }

/// The platform's own types pass; of those that functions make up, the ones of AWS's form (aws-lambda-rie, lambda/fatalerror).
std::string known_type(const std::string& type) {
  const auto letters = [](std::string_view text) {
    const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    return text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && std::ranges::all_of(text, letter);
  };
  for (const std::string_view kind : {"Sandbox.", "Extension.", "Runtime.", "Function."})
    if (type.starts_with(kind) && letters(std::string_view(type).substr(kind.size()))) return type;
  return type.starts_with("Function.") ? "Function.Unknown" : "Runtime.Unknown";
}

void add_ending(json::object& record, const Ending& ending) {
  record["status"] = ending.status;
  if (!ending.error_type.empty()) record["errorType"] = known_type(ending.error_type);
}

/// "\tStatus: error\tError Type: X": what follows the figures of a report.
std::string ending_text(const Ending& ending) {
  if (ending.status == "success") return "";
  // What the function reported itself is an error too in the log's words.
  std::string text = fmt::format("\tStatus: {}", ending.status == "timeout" ? "timeout" : "error");
  if (!ending.error_type.empty() && ending.status != "timeout")
    text += fmt::format("\tError Type: {}", ending.error_type);
  return text;
}

}  // namespace

std::string_view name_of(Initialization initialization) {
  return initialization == Initialization::provisioned ? "provisioned-concurrency" : "on-demand";
}

LifecycleLog::LifecycleLog(LogCapture& capture, Telemetry& telemetry, const base::Clock& clock,
                           const store::FunctionVersion& function, std::string log_stream, Purpose purpose)
    : capture_(capture),
      telemetry_(telemetry),
      clock_(clock),
      function_(function),
      log_stream_(std::move(log_stream)),
      purpose_(std::move(purpose)),
      json_(function.log_format == "JSON"),
      level_(level_of(function.system_log_level)) {}

LifecycleLog::Level LifecycleLog::level_of(std::string_view name) {
  if (name == "DEBUG") return Level::debug;
  return name == "WARN" ? Level::warn : Level::info;
}

LifecycleLog::Level LifecycleLog::level_of(const Ending& ending, Level of_success) {
  return ending.status == "success" ? of_success : Level::warn;
}

/// `text` without a newline; empty: not in a text log. In a JSON log the Telemetry API's event is the line, when its level is kept:
/// AWS's page "Log-level filtering" says of which level each is.
void LifecycleLog::say(Level level, const std::string& text, const PlatformEvent& event) {
  telemetry_.platform(event);
  if (kept(level))
    capture_.platform_line(runtime_api::event_text(runtime_api::telemetry_time(clock_), event.type, event.record));
  else if (!json_ && !text.empty())
    capture_.platform_line(text);
}

void LifecycleLog::init_start(InitPhase phase, std::string_view runtime_version) {
  json::object record{{"initializationType", name_of(purpose_.initialization)},
                      {"phase", name_of(phase)},
                      {"runtimeVersion", runtime_version},
                      {"runtimeVersionArn", function_.runtime_version_arn},
                      {"functionName", function_.key.name},
                      {"functionVersion", function_.version},
                      {"instanceId", log_stream_},
                      {"instanceMaxMemory", std::int64_t{function_.memory_mib} << 20}};
  std::string text;
  if (phase == InitPhase::init)
    text = fmt::format("INIT_START Runtime Version: {}\tRuntime Version ARN: {}", runtime_version,
                       function_.runtime_version_arn);
  say(Level::info, text, {"platform.initStart", std::move(record), "", nullptr});
}

void LifecycleLog::init_done(InitPhase phase, const Ending& ending, microseconds took) {
  json::object done{{"initializationType", name_of(purpose_.initialization)}, {"phase", name_of(phase)}};
  add_ending(done, ending);
  json::object report = done;
  report["metrics"] = json::object{{"durationMs", rounded(milliseconds_of(took))}};
  say(level_of(ending, Level::debug), "", {"platform.initRuntimeDone", std::move(done), "", nullptr});
  std::string text;
  if (ending.status == "success" && purpose_.initialization == Initialization::provisioned)
    text = fmt::format("INIT_REPORT Init Duration: {:.2f} ms", milliseconds_of(took));
  if (ending.status != "success")
    text = fmt::format("INIT_REPORT Init Duration: {:.2f} ms\tPhase: {}{}", milliseconds_of(took), name_of(phase),
                       ending_text(ending));
  const bool on_demand = purpose_.initialization == Initialization::on_demand;
  const Level level = level_of(ending, on_demand ? Level::debug : Level::info);
  say(level, text, {"platform.initReport", std::move(report), "", nullptr});
}

void LifecycleLog::extension(const runtime_api::ExtensionReport& report) {
  json::object record{{"name", report.name}, {"state", report.state}, {"events", array_of(report.events)}};
  std::string text =
      fmt::format("EXTENSION\tName: {}\tState: {}\tEvents: {}", report.name, report.state, joined(report.events));
  if (!report.error_type.empty()) {
    text += fmt::format("\tError Type: {}", report.error_type);
    record["errorType"] = report.error_type;
  }
  const Level level = report.error_type.empty() ? Level::info : Level::warn;
  say(level, text, {"platform.extension", record, "platform.extension", record});
}

void LifecycleLog::subscribed(Telemetry::Api api, const std::string& name, const std::vector<std::string>& types) {
  const bool logs = api == Telemetry::Api::logs;
  json::object record{{"name", name}, {"state", "Subscribed"}, {"types", array_of(types)}};
  // The line has the types with a capital: "Types: [Platform, Function]".
  std::vector<std::string> capital = types;
  for (std::string& type : capital) type[0] = static_cast<char>(type[0] - 'a' + 'A');
  const auto text =
      fmt::format("{}\tName: {}\tState: Subscribed\tTypes: {}", logs ? "LOGS" : "TELEMETRY", name, joined(capital));
  const char* type = logs ? "platform.logsSubscription" : "platform.telemetrySubscription";
  say(Level::info, text, {type, record, logs ? type : "", record});
}

void LifecycleLog::start(const std::string& request_id, const std::string& trace_id) {
  // The warm path: nobody listens and the log is text.
  const std::string text = fmt::format("START RequestId: {} Version: {}", request_id, function_.version);
  if (!json_ && !telemetry_.any()) return capture_.platform_line(text);
  json::object record{{"requestId", request_id}, {"version", function_.version}};
  const json::object logs_record = record;
  add_tenant(record);
  if (!trace_id.empty()) record["tracing"] = tracing(trace_id);
  say(Level::info, text, {"platform.start", std::move(record), "platform.start", logs_record});
}

/// "Monitoring Lambda functions with tenant isolation".
void LifecycleLog::add_tenant(json::object& record) const {
  if (!purpose_.tenant_id.empty()) record["tenantId"] = purpose_.tenant_id;
}

bool LifecycleLog::hears_runtime_done(const Ending& ending) const {
  return telemetry_.any() || kept(level_of(ending, Level::debug));
}

/// A part of an invocation, as subscribers see it.
json::object LifecycleLog::span(std::string_view name, base::SteadyTime from, base::SteadyTime to) const {
  const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - from);
  const auto took = std::chrono::duration_cast<microseconds>(std::max(from, to) - from);
  return {{"name", name},
          {"start", runtime_api::telemetry_time(clock_.now() - ago)},
          {"durationMs", rounded(milliseconds_of(took))}};
}

/// The spans are those of AWS's emulator (aws-lambda-rie, lambda/rapid) and of records from AWS.
void LifecycleLog::runtime_done(const RuntimeDone& done) {
  if (!hears_runtime_done(done.ending)) return;
  json::object record{{"requestId", done.request_id}};
  add_ending(record, done.ending);
  const json::object logs_record = record;
  add_tenant(record);
  if (!done.trace_id.empty()) record["tracing"] = tracing(done.trace_id);
  json::array spans;
  if (done.response_ended != base::SteadyTime{}) {
    spans.push_back(span("responseLatency", done.begin, done.response_began));
    spans.push_back(span("responseDuration", done.response_began, done.response_ended));
  }
  if (done.asked != base::SteadyTime{}) spans.push_back(span("runtimeOverhead", done.answer_ended, done.asked));
  if (!spans.empty()) record["spans"] = std::move(spans);
  record["metrics"] =
      json::object{{"durationMs", rounded(milliseconds_of(done.took))}, {"producedBytes", done.produced_bytes}};
  // In a text log an invocation's end is said by END.
  const Level level = level_of(done.ending, Level::debug);
  say(level, "", {"platform.runtimeDone", std::move(record), "platform.runtimeDone", logs_record});
}

void LifecycleLog::report(const InvocationReport& report) {
  const double duration_ms = milliseconds_of(report.took);
  // The first invocation says how long its init took, and pays for it when it caused it. That of a provisioned environment
  // says so too, as on AWS, but pays nothing for it.
  const double init_ms = report.init_took ? milliseconds_of(*report.init_took) : 0;
  const bool pays = purpose_.initialization == Initialization::on_demand;
  const double billed_ms = std::ceil(duration_ms + (pays ? init_ms : 0));
  const std::int32_t peak_mib = std::min(report.peak_memory_mib, function_.memory_mib);
  if (!json_) {
    capture_.platform_line(fmt::format("END RequestId: {}", report.request_id));
    std::string init;
    if (report.init_took) init = fmt::format("Init Duration: {:.2f} ms\t", init_ms);
    std::string ending = ending_text(report.ending);
    if (!ending.empty()) ending = ending.substr(1) + "\t";
    capture_.platform_line(fmt::format(
        "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {:.0f} ms\tMemory Size: {} MB\tMax Memory Used: "
        "{} MB\t{}{}",
        report.request_id, duration_ms, billed_ms, function_.memory_mib, peak_mib, init, ending));
  }
  const Level level = level_of(report.ending, Level::info);
  if (!kept(level) && !telemetry_.any()) return;
  json::object metrics{{"durationMs", rounded(duration_ms)},
                       {"billedDurationMs", static_cast<std::int64_t>(billed_ms)},
                       {"memorySizeMB", function_.memory_mib},
                       {"maxMemoryUsedMB", peak_mib}};
  if (report.init_took) metrics["initDurationMs"] = rounded(init_ms);
  json::object record{{"requestId", report.request_id}, {"metrics", metrics}};
  const json::object logs_record = record;
  add_tenant(record);
  add_ending(record, report.ending);
  if (report.extensions_ended != base::SteadyTime{})
    record["spans"] = json::array{span("extensionOverhead", report.extensions_began, report.extensions_ended)};
  const PlatformEvent end{"", nullptr, "platform.end", json::object{{"requestId", report.request_id}}};
  telemetry_.platform(end);
  say(level, "", {"platform.report", std::move(record), "platform.report", logs_record});
}

void LifecycleLog::fault(std::string_view line) {
  const PlatformEvent event{"", nullptr, "platform.fault", json::string_view(line.data(), line.size())};
  telemetry_.platform(event);
  if (!json_) capture_.platform_line(line);
}

}  // namespace lambent::invoke
