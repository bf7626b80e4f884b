#include "invoke/lifecycle_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace lambent::invoke {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::Not;

class LifecycleLogTest : public ::testing::Test {
 protected:
  LifecycleLogTest() {
    function_.key = {"123456789012", "us-east-1", "f"};
    function_.memory_mib = 128;
    open();
  }
  void open() {
    log_.reset();
    auto sink = [this](std::string_view text) { text_ += text; };
    capture_ = std::make_unique<LogCapture>(lane_.get_executor(), clock_, LogCapture::Pipes{}, sink);
    log_ = std::make_unique<LifecycleLog>(*capture_, telemetry_, clock_, function_, "stream");
  }
  std::string said() { return std::exchange(text_, ""); }

  base::asio::io_context lane_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1'665'532'815'064))};
  store::FunctionVersion function_;
  runtime_api::Telemetry telemetry_{lane_.get_executor(), clock_, nullptr};
  std::string text_;
  std::unique_ptr<LogCapture> capture_;
  std::unique_ptr<LifecycleLog> log_;
};

TEST_F(LifecycleLogTest, WritesTheLinesOfAws) {
  function_.runtime_version_arn = "arn:r";
  log_->init_start(InitPhase::init, "python:3.13.v1");
  EXPECT_EQ(said(), "INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: arn:r\n");
  log_->init_start(InitPhase::invoke, "python:3.13.v1");
  log_->init_done(InitPhase::init, {}, microseconds(1));
  EXPECT_EQ(said(), "");
  log_->init_done(InitPhase::init, {"timeout", "Sandbox.Timedout"}, microseconds(1'236'040));
  EXPECT_EQ(said(), "INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout\n");
  log_->init_done(InitPhase::invoke, {"error", "Extension.Crash"}, microseconds(80'490));
  EXPECT_EQ(said(), "INIT_REPORT Init Duration: 80.49 ms\tPhase: invoke\tStatus: error\tError Type: Extension.Crash\n");
  log_->extension({"agent", "Ready", {"INVOKE", "SHUTDOWN"}, ""});
  EXPECT_EQ(said(), "EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n");
  log_->subscribed(runtime_api::Telemetry::Api::telemetry, "agent", {"platform", "function"});
  EXPECT_EQ(said(), "TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function]\n");
  log_->subscribed(runtime_api::Telemetry::Api::logs, "agent", {"platform"});
  EXPECT_EQ(said(), "LOGS\tName: agent\tState: Subscribed\tTypes: [Platform]\n");
}

TEST_F(LifecycleLogTest, ReportsWhatWasUsedAndHowItEnded) {
  InvocationReport report;
  report.request_id = "id";
  report.took = microseconds(2'345);
  report.init_took = microseconds(100'100);
  report.peak_memory_mib = 500;
  log_->report(report);
  EXPECT_EQ(said(),
            "END RequestId: id\nREPORT RequestId: id\tDuration: 2.35 ms\tBilled Duration: 103 ms\tMemory Size: 128 "
            "MB\tMax Memory Used: 128 MB\tInit Duration: 100.10 ms\t\n");
  report.init_took.reset();
  report.ending = {"error", "Runtime.ExitError"};
  log_->report(report);
  EXPECT_THAT(said(), HasSubstr("Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.ExitError\t\n"));
}

TEST_F(LifecycleLogTest, AJsonLogHasTheRecordsAndNoLines) {
  function_.log_format = "JSON";
  open();
  log_->start("id", "Root=1-2-3");
  EXPECT_EQ(said(),
            "{\"time\":\"2022-10-12T00:00:15.064Z\",\"type\":\"platform.start\",\"record\":{\"requestId\":\"id\","
            "\"version\":\"$LATEST\",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"Root=1-2-3\"}}}\n");
  InvocationReport report;
  report.request_id = "id";
  report.took = microseconds(2'345);
  report.ending = {"failure", "ValueError"};
  log_->fault("not in a JSON log");
  log_->report(report);
  const std::string text = said();
  EXPECT_THAT(text, HasSubstr("\"metrics\":{\"durationMs\":2.345,\"billedDurationMs\":3,\"memorySizeMB\":128,"));
  EXPECT_THAT(text, HasSubstr("\"status\":\"failure\",\"errorType\":\"Runtime.Unknown\"}}\n"));
  EXPECT_THAT(text, Not(HasSubstr("not in")));
}

// The order and the sums are those of a record from AWS: responseLatency, responseDuration, runtimeOverhead.
TEST_F(LifecycleLogTest, SaysWhatTheRuntimeAndTheExtensionsTook) {
  function_.log_format = "JSON";
  function_.system_log_level = "DEBUG";
  open();
  RuntimeDone done;
  done.begin = clock_.steady();
  done.response_began = done.begin + microseconds(1'613);
  done.response_ended = done.answer_ended = done.begin + microseconds(1'677);
  done.asked = done.begin + microseconds(16'923);
  clock_.advance(std::chrono::milliseconds(17));
  log_->runtime_done(done);
  EXPECT_THAT(
      said(),
      HasSubstr("\"spans\":["
                "{\"name\":\"responseLatency\",\"start\":\"2022-10-12T00:00:15.064Z\",\"durationMs\":1.613},"
                "{\"name\":\"responseDuration\",\"start\":\"2022-10-12T00:00:15.066Z\",\"durationMs\":0.064},"
                "{\"name\":\"runtimeOverhead\",\"start\":\"2022-10-12T00:00:15.066Z\",\"durationMs\":15.246}]"));
  InvocationReport report;
  log_->report(report);
  EXPECT_THAT(said(), Not(HasSubstr("spans")));
  report.extensions_began = done.asked;
  report.extensions_ended = done.asked + microseconds(5'000);
  log_->report(report);
  EXPECT_THAT(said(), HasSubstr("\"spans\":[{\"name\":\"extensionOverhead\","));
}

TEST_F(LifecycleLogTest, AnErrorIsNoResponseAndARuntimeThatEndedAsksForNothing) {
  function_.log_format = "JSON";
  function_.system_log_level = "DEBUG";
  open();
  RuntimeDone done;
  done.begin = clock_.steady();
  log_->runtime_done(done);
  EXPECT_THAT(said(), Not(HasSubstr("spans")));
  done.answer_ended = done.begin + microseconds(1'000);
  done.asked = done.begin + microseconds(3'000);
  log_->runtime_done(done);
  EXPECT_THAT(said(), HasSubstr("\"spans\":[{\"name\":\"runtimeOverhead\","));
}

// AWS Lambda Developer Guide, "Log-level filtering", the table of system log levels.
TEST_F(LifecycleLogTest, AJsonLogKeepsWhatItsLevelSays) {
  function_.log_format = "JSON";
  const auto types_at = [this](const char* level, const char* status) {
    function_.system_log_level = level;
    open();
    const Ending ending{status, *status == 's' ? "" : "Runtime.ExitError"};
    log_->init_start(InitPhase::init, "python:3.13.v1");
    log_->init_done(InitPhase::init, ending, microseconds(1));
    log_->start("id", "");
    RuntimeDone done;
    done.ending = ending;
    log_->runtime_done(done);
    InvocationReport report;
    report.ending = ending;
    log_->report(report);
    std::string types;
    const std::string text = said();
    const std::string_view before = "\"type\":\"platform.";
    for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
      at += before.size();
      types += text.substr(at, text.find('"', at) - at) + " ";
    }
    return types;
  };
  EXPECT_EQ(types_at("DEBUG", "success"), "initStart initRuntimeDone initReport start runtimeDone report ");
  EXPECT_EQ(types_at("INFO", "success"), "initStart start report ");
  EXPECT_EQ(types_at("WARN", "success"), "");
  EXPECT_EQ(types_at("INFO", "error"), "initStart initRuntimeDone initReport start runtimeDone report ");
  EXPECT_EQ(types_at("WARN", "timeout"), "initRuntimeDone initReport runtimeDone report ");
}

}  // namespace
}  // namespace lambent::invoke
