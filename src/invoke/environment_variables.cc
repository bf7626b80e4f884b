#include "invoke/environment_variables.h"

#include <map>

#include "invoke/engine.h"

namespace lambent::invoke {

namespace {

/// AWS starts these through a shell, which leaves two variables of its own (recorded on AWS: python, nodejs, ruby, dotnet).
bool is_started_by_a_shell(runtimes::Family family) {
  using enum runtimes::Family;
  return family == python || family == nodejs || family == ruby || family == dotnet;
}

}  // namespace

std::vector<std::string> environment_variables(const store::FunctionVersion& function, const runtimes::Runtime& runtime,
                                               const RoleCredentials& credentials, const std::string& log_stream,
                                               std::string_view initialization) {
  std::map<std::string, std::string> variables{
      {"LANG", "en_US.UTF-8"},
      {"TZ", ":UTC"},
      {"PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
      {"LD_LIBRARY_PATH",
       "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"},
      {"AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"},
      {"AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129:2000"},
      {"_AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129"},
      {"_AWS_XRAY_DAEMON_PORT", "2000"},
      // The function's only way to the API, whatever network it has: the socket inside its own namespace.
      {"AWS_ENDPOINT_URL", "http://127.0.0.1:4566"},
  };
  if (runtime.family == runtimes::Family::provided) {
    // An operating system without a language.
    variables["PATH"] = "/usr/local/bin:/usr/bin/:/bin:/opt/bin";
    variables["LD_LIBRARY_PATH"] = "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib";
  }
  if (is_started_by_a_shell(runtime.family)) variables["SHLVL"] = "0";
  const auto put = [&](std::string_view pair) {
    const auto equals = pair.find('=');
    variables[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
  };
  for (const std::string& pair : runtime.environment) put(pair);
  for (const auto& [name, value] : function.environment) variables[name] = value;

  variables["AWS_ACCESS_KEY_ID"] = credentials.access_key_id;
  variables["AWS_SECRET_ACCESS_KEY"] = credentials.secret_access_key;
  variables["AWS_SESSION_TOKEN"] = credentials.session_token;
  variables["AWS_REGION"] = variables["AWS_DEFAULT_REGION"] = function.key.region;
  variables["AWS_LAMBDA_FUNCTION_NAME"] = function.key.name;
  variables["AWS_LAMBDA_FUNCTION_VERSION"] = function.version;
  variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = std::to_string(function.memory_mib);
  variables["AWS_LAMBDA_INITIALIZATION_TYPE"] = initialization;
  variables["AWS_LAMBDA_LOG_GROUP_NAME"] = function.log_group;
  variables["AWS_LAMBDA_LOG_STREAM_NAME"] = log_stream;
  // Text is what a runtime does that is told nothing (recorded on AWS).
  if (function.log_format == "JSON") {
    variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON";
    variables["AWS_LAMBDA_LOG_LEVEL"] = function.application_log_level;
  }
  variables["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:9001";
  variables["LAMBDA_TASK_ROOT"] = "/var/task";
  variables["LAMBDA_RUNTIME_DIR"] = "/var/runtime";
  variables["_HANDLER"] = function.handler;
  if (is_started_by_a_shell(runtime.family)) variables["PWD"] = "/var/task";
  // Our own bootstraps take it away, as AWS's do. Their records go the way of stdout, so that they keep their place in it.
  if (runtime.bootstrap_dir == "python" || runtime.bootstrap_dir == "nodejs" || runtime.bootstrap_dir == "ruby")
    variables["_LAMBDA_TELEMETRY_LOG_FD"] = "1";

  std::vector<std::string> pairs;
  pairs.reserve(variables.size());
  for (const auto& [name, value] : variables) pairs.push_back(name + "=" + value);
  return pairs;
}

}  // namespace lambent::invoke
