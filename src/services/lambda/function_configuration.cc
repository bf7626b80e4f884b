#include "services/lambda/function_configuration.h"

#include <fmt/format.h>

#include <ctime>

namespace lambent::lambda {
namespace {

OptionalText unless_empty(const std::string& text) { return text.empty() ? OptionalText{} : OptionalText{text}; }

}  // namespace

std::string last_modified_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+0000", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, ms % 1000);
}

FunctionConfiguration listed(const store::FunctionVersion& function, const std::string& qualifier) {
  FunctionConfiguration out;
  out.FunctionName = function.key.name;
  out.FunctionArn = qualifier.empty() ? function.arn() : function.arn() + ":" + qualifier;
  out.Runtime = function.runtime;
  out.Role = function.role;
  out.Handler = function.handler;
  out.CodeSize = function.code_size;
  out.Description = function.description;
  out.Timeout = function.timeout_s;
  out.MemorySize = function.memory_mib;
  out.LastModified = last_modified_text(function.last_modified_ms);
  out.CodeSha256 = function.code_sha256;
  out.Version = function.version;
  if (!function.environment.empty()) out.Environment = Environment{function.environment};
  out.KMSKeyArn = unless_empty(function.kms_key_arn);
  if (const auto& vpc = function.vpc)
    out.VpcConfig = VpcConfigResponse{vpc->subnet_ids, vpc->security_group_ids, vpc->vpc_id, vpc->ipv6_allowed};
  for (const auto& use : function.file_systems) {
    if (!out.FileSystemConfigs) out.FileSystemConfigs.emplace();
    out.FileSystemConfigs->push_back({use.arn, use.mount_path});
  }
  out.TracingConfig.Mode = function.tracing_mode;
  if (!function.dead_letter_arn.empty()) out.DeadLetterConfig = DeadLetterConfig{function.dead_letter_arn};
  out.RevisionId = function.revision_id;
  if (!function.layers.empty()) {
    auto& layers = out.Layers.emplace();
    for (const auto& layer : function.layers)
      layers.push_back(
          {layer.arn, layer.size, unless_empty(layer.signing_profile_arn), unless_empty(layer.signing_job_arn)});
  }
  out.PackageType = "Zip";
  out.Architectures = {function.architecture};
  out.EphemeralStorage.Size = function.ephemeral_mib;
  out.SnapStart = {.ApplyOn = "None", .OptimizationStatus = "Off"};
  out.LoggingConfig.LogFormat = function.log_format;
  out.LoggingConfig.ApplicationLogLevel = unless_empty(function.application_log_level);
  out.LoggingConfig.SystemLogLevel = unless_empty(function.system_log_level);
  out.LoggingConfig.LogGroup = function.log_group;
  out.SigningProfileVersionArn = unless_empty(function.signing_profile_arn);
  out.SigningJobArn = unless_empty(function.signing_job_arn);
  if (function.per_tenant) out.TenancyConfig = TenancyConfig{"PER_TENANT"};
  return out;
}

FunctionConfiguration configuration_of(const store::FunctionVersion& function, const std::string& qualifier) {
  auto out = listed(function, qualifier);
  out.State = function.state;
  out.StateReason = unless_empty(function.state_reason);
  out.StateReasonCode = unless_empty(function.state_reason_code);
  out.LastUpdateStatus = unless_empty(function.update_status);
  out.LastUpdateStatusReason = unless_empty(function.update_status_reason);
  out.LastUpdateStatusReasonCode = unless_empty(function.update_status_reason_code);
  out.RuntimeVersionConfig = RuntimeVersionConfig{function.runtime_version_arn};
  return out;
}

}  // namespace lambent::lambda
