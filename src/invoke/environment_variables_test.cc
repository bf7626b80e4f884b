// The whole environment of a function, per runtime, as it was recorded on AWS; what Lambent adds is AWS_ENDPOINT_URL.
#include "invoke/environment_variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "invoke/engine.h"
#include "invoke/extension_files.h"

namespace lambent::invoke {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

using Pairs = std::vector<std::string>;

const Pairs kEverywhere{
    "AWS_ACCESS_KEY_ID=ASIAEXAMPLE",
    "AWS_DEFAULT_REGION=eu-west-1",
    "AWS_ENDPOINT_URL=http://127.0.0.1:4566",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024",
    "AWS_LAMBDA_FUNCTION_NAME=f",
    "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f",
    "AWS_LAMBDA_LOG_STREAM_NAME=stream",
    "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001",
    "AWS_REGION=eu-west-1",
    "AWS_SECRET_ACCESS_KEY=secret",
    "AWS_SESSION_TOKEN=token",
    "AWS_XRAY_CONTEXT_MISSING=LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS=169.254.79.129:2000",
    "LAMBDA_RUNTIME_DIR=/var/runtime",
    "LAMBDA_TASK_ROOT=/var/task",
    "LANG=en_US.UTF-8",
    "TEST_KEY=TEST_VAL",
    "TZ=:UTC",
    "_AWS_XRAY_DAEMON_ADDRESS=169.254.79.129",
    "_AWS_XRAY_DAEMON_PORT=2000",
    "_HANDLER=h",
};
const Pairs kLanguage{
    "LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"};
const Pairs kNoLanguage{
    "LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin"};
const Pairs kShell{"PWD=/var/task", "SHLVL=0"};

Pairs all(std::initializer_list<Pairs> parts) {
  Pairs together;
  for (const Pairs& part : parts) together.insert(together.end(), part.begin(), part.end());
  return together;
}

store::FunctionVersion function() {
  store::FunctionVersion made;
  made.key = {"123456789012", "eu-west-1", "f"};
  made.handler = "h";
  made.memory_mib = 1024;
  made.log_group = "/aws/lambda/f";
  made.environment = {{"TEST_KEY", "TEST_VAL"}};
  return made;
}

Pairs variables(runtimes::Family family, const store::FunctionVersion& of = function(), Pairs own = {}) {
  runtimes::Runtime runtime;
  runtime.family = family;
  runtime.environment = std::move(own);
  return environment_variables(of, runtime, {"ASIAEXAMPLE", "secret", "token"}, "stream", "on-demand");
}

TEST(EnvironmentVariables, AreThoseOfAwsInEveryRuntime) {
  using enum runtimes::Family;
  for (const auto family : {python, nodejs, ruby, dotnet})
    EXPECT_THAT(variables(family), UnorderedElementsAreArray(all({kEverywhere, kLanguage, kShell})));
  for (const auto family : {java, go})
    EXPECT_THAT(variables(family), UnorderedElementsAreArray(all({kEverywhere, kLanguage})));
  EXPECT_THAT(variables(provided), UnorderedElementsAreArray(all({kEverywhere, kNoLanguage})));
  EXPECT_THAT(variables(java, function(), {"OF_THE_RUNTIME=1"}),
              UnorderedElementsAreArray(all({kEverywhere, kLanguage, {"OF_THE_RUNTIME=1"}})));
}

TEST(EnvironmentVariables, TellOurBootstrapsWhereRecordsGo) {
  runtimes::Runtime runtime;
  runtime.family = runtimes::Family::nodejs;
  runtime.bootstrap_dir = "nodejs";
  EXPECT_THAT(environment_variables(function(), runtime, {"ASIAEXAMPLE", "secret", "token"}, "stream", "on-demand"),
              UnorderedElementsAreArray(all({kEverywhere, kLanguage, kShell, {"_LAMBDA_TELEMETRY_LOG_FD=1"}})));
}

TEST(EnvironmentVariables, SayTheLogFormatWhenItIsJson) {
  store::FunctionVersion json = function();
  json.log_format = "JSON";
  json.application_log_level = "WARN";
  EXPECT_THAT(variables(runtimes::Family::java, json),
              UnorderedElementsAreArray(
                  all({kEverywhere, kLanguage, {"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=WARN"}})));
}

TEST(EnvironmentVariables, TheOwnerMayChangeTheFreeOnesAndNoOthers) {
  store::FunctionVersion wilful = function();
  wilful.environment = {{"TZ", "Asia/Tokyo"}, {"PATH", "/opt/mine"}, {"SHLVL", "7"},
                        {"PWD", "/tmp"},      {"AWS_REGION", "x"},   {"LAMBDA_TASK_ROOT", "x"}};
  const Pairs seen = variables(runtimes::Family::python, wilful);
  EXPECT_THAT(seen, IsSupersetOf({"TZ=Asia/Tokyo", "PATH=/opt/mine", "SHLVL=7", "PWD=/var/task", "AWS_REGION=eu-west-1",
                                  "LAMBDA_TASK_ROOT=/var/task"}));
}

// "Lambda Extensions API", "Permissions and configuration".
TEST(EnvironmentVariables, ExtensionsHaveAllButTheRuntimesOwn) {
  const Pairs seen =
      extension_environment(variables(runtimes::Family::python, function(), {"AWS_EXECUTION_ENV=AWS_Lambda_x"}));
  EXPECT_THAT(seen, Each(Not(StartsWith("_"))));
  for (const char* name :
       {"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"})
    EXPECT_THAT(seen, Not(Contains(StartsWith(std::string(name) + "="))));
  EXPECT_THAT(seen, IsSupersetOf({"TEST_KEY=TEST_VAL", "AWS_ACCESS_KEY_ID=ASIAEXAMPLE", "AWS_LAMBDA_FUNCTION_NAME=f",
                                  "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001", "LANG=en_US.UTF-8", "TZ=:UTC"}));
}

}  // namespace
}  // namespace lambent::invoke
