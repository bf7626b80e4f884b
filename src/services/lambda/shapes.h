// The wire structs of the operations on functions, with AWS's spelling. Members that only have a harmless meaning so far are
// here too, so that they can be refused by name (validation.h) when a client means something else by them; what is not here the
// codec refuses.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/values.h"

namespace lambent::lambda {

using OptionalText = std::optional<std::string>;
using OptionalInt = std::optional<std::int32_t>;
using OptionalBool = std::optional<bool>;
using Texts = std::vector<std::string>;
using TextMap = std::map<std::string, std::string>;

struct FunctionCode {
  std::optional<aws::Blob> ZipFile;
  OptionalText S3Bucket;
  OptionalText S3Key;
  OptionalText S3ObjectVersion;
  OptionalText S3ObjectStorageMode;
  OptionalText ImageUri;
  OptionalText SourceKMSKeyArn;
};
BOOST_DESCRIBE_STRUCT(FunctionCode, (),
                      (ZipFile, S3Bucket, S3Key, S3ObjectVersion, S3ObjectStorageMode, ImageUri, SourceKMSKeyArn))

struct Environment {
  std::optional<TextMap> Variables;
};
BOOST_DESCRIBE_STRUCT(Environment, (), (Variables))

struct VpcConfig {
  std::optional<Texts> SubnetIds;
  std::optional<Texts> SecurityGroupIds;
  OptionalBool Ipv6AllowedForDualStack;
};
BOOST_DESCRIBE_STRUCT(VpcConfig, (), (SubnetIds, SecurityGroupIds, Ipv6AllowedForDualStack))

struct VpcConfigResponse {
  Texts SubnetIds;
  Texts SecurityGroupIds;
  std::string VpcId;
  bool Ipv6AllowedForDualStack = false;
};
BOOST_DESCRIBE_STRUCT(VpcConfigResponse, (), (SubnetIds, SecurityGroupIds, VpcId, Ipv6AllowedForDualStack))

struct DeadLetterConfig {
  OptionalText TargetArn;
};
BOOST_DESCRIBE_STRUCT(DeadLetterConfig, (), (TargetArn))

struct TracingConfig {
  OptionalText Mode;
};
BOOST_DESCRIBE_STRUCT(TracingConfig, (), (Mode))

struct FileSystemConfig {
  std::string Arn;
  std::string LocalMountPath;
};
BOOST_DESCRIBE_STRUCT(FileSystemConfig, (), (Arn, LocalMountPath))

struct ImageConfig {
  std::optional<Texts> EntryPoint;
  std::optional<Texts> Command;
  OptionalText WorkingDirectory;
};
BOOST_DESCRIBE_STRUCT(ImageConfig, (), (EntryPoint, Command, WorkingDirectory))

struct EphemeralStorage {
  std::int32_t Size = 512;
};
BOOST_DESCRIBE_STRUCT(EphemeralStorage, (), (Size))

struct SnapStart {
  OptionalText ApplyOn;
};
BOOST_DESCRIBE_STRUCT(SnapStart, (), (ApplyOn))

struct LoggingConfig {
  OptionalText LogFormat;
  OptionalText ApplicationLogLevel;
  OptionalText SystemLogLevel;
  OptionalText LogGroup;
};
BOOST_DESCRIBE_STRUCT(LoggingConfig, (), (LogFormat, ApplicationLogLevel, SystemLogLevel, LogGroup))

/// What CreateFunction and UpdateFunctionConfiguration have in common: everything about a function but its name and code.
struct FunctionSettings {
  OptionalText Role;
  OptionalText Handler;
  OptionalText Runtime;
  OptionalText Description;
  OptionalInt Timeout;
  OptionalInt MemorySize;
  std::optional<lambda::Environment> Environment;
  std::optional<lambda::EphemeralStorage> EphemeralStorage;
  std::optional<lambda::LoggingConfig> LoggingConfig;
  std::optional<lambda::TracingConfig> TracingConfig;
  std::optional<lambda::SnapStart> SnapStart;
  std::optional<lambda::VpcConfig> VpcConfig;
  std::optional<lambda::DeadLetterConfig> DeadLetterConfig;
  std::optional<lambda::ImageConfig> ImageConfig;
  std::optional<std::vector<FileSystemConfig>> FileSystemConfigs;
  std::optional<Texts> Layers;
  OptionalText KMSKeyArn;
};
BOOST_DESCRIBE_STRUCT(FunctionSettings, (),
                      (Role, Handler, Runtime, Description, Timeout, MemorySize, Environment, EphemeralStorage,
                       LoggingConfig, TracingConfig, SnapStart, VpcConfig, DeadLetterConfig, ImageConfig,
                       FileSystemConfigs, Layers, KMSKeyArn))

struct TenancyConfig {
  std::string TenantIsolationMode;
};
BOOST_DESCRIBE_STRUCT(TenancyConfig, (), (TenantIsolationMode))

struct CreateFunctionInput : FunctionSettings {
  std::string FunctionName;
  FunctionCode Code;
  OptionalBool Publish;
  OptionalText PackageType;
  std::optional<TextMap> Tags;
  std::optional<Texts> Architectures;
  OptionalText CodeSigningConfigArn;
  std::optional<lambda::TenancyConfig> TenancyConfig;
};
BOOST_DESCRIBE_STRUCT(CreateFunctionInput, (FunctionSettings),
                      (FunctionName, Code, Publish, PackageType, Tags, Architectures, CodeSigningConfigArn,
                       TenancyConfig))

struct UpdateFunctionConfigurationInput : FunctionSettings {
  std::string FunctionName;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(UpdateFunctionConfigurationInput, (FunctionSettings), (FunctionName, RevisionId))

struct UpdateFunctionCodeInput {
  std::string FunctionName;
  std::optional<aws::Blob> ZipFile;
  OptionalText S3Bucket;
  OptionalText S3Key;
  OptionalText S3ObjectVersion;
  OptionalText S3ObjectStorageMode;
  OptionalText ImageUri;
  OptionalText SourceKMSKeyArn;
  std::optional<Texts> Architectures;
  OptionalBool Publish;
  OptionalBool DryRun;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(UpdateFunctionCodeInput, (),
                      (FunctionName, ZipFile, S3Bucket, S3Key, S3ObjectVersion, S3ObjectStorageMode, ImageUri,
                       SourceKMSKeyArn, Architectures, Publish, DryRun, RevisionId))

/// GetFunction, GetFunctionConfiguration, DeleteFunction.
struct QualifiedFunctionInput {
  std::string FunctionName;
  OptionalText Qualifier;
};
BOOST_DESCRIBE_STRUCT(QualifiedFunctionInput, (), (FunctionName, Qualifier))

struct ListFunctionsInput {
  OptionalText MasterRegion;
  OptionalText FunctionVersion;
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListFunctionsInput, (), (MasterRegion, FunctionVersion, Marker, MaxItems))

struct InvokeInput {
  std::string FunctionName;
  OptionalText InvocationType;
  OptionalText LogType;
  OptionalText ClientContext;
  std::optional<aws::Blob> Payload;
  OptionalText Qualifier;
  OptionalText TenantId;
};
BOOST_DESCRIBE_STRUCT(InvokeInput, (),
                      (FunctionName, InvocationType, LogType, ClientContext, Payload, Qualifier, TenantId))

struct InvokeWithResponseStreamInput {
  std::string FunctionName;
  OptionalText InvocationType;
  OptionalText LogType;
  OptionalText ClientContext;
  std::optional<aws::Blob> Payload;
  OptionalText Qualifier;
  OptionalText TenantId;
};
BOOST_DESCRIBE_STRUCT(InvokeWithResponseStreamInput, (),
                      (FunctionName, InvocationType, LogType, ClientContext, Payload, Qualifier, TenantId))

struct InvokeStreamUpdate {
  aws::Blob Payload;
};
BOOST_DESCRIBE_STRUCT(InvokeStreamUpdate, (), (Payload))

struct InvokeStreamComplete {
  OptionalText ErrorCode;
  OptionalText ErrorDetails;
  OptionalText LogResult;
};
BOOST_DESCRIBE_STRUCT(InvokeStreamComplete, (), (ErrorCode, ErrorDetails, LogResult))

struct InvokeStreamEvent {
  std::optional<InvokeStreamUpdate> PayloadChunk;
  std::optional<InvokeStreamComplete> InvokeComplete;
};
BOOST_DESCRIBE_STRUCT(InvokeStreamEvent, (), (PayloadChunk, InvokeComplete))

struct InvokeWithResponseStreamOutput {
  std::int32_t StatusCode = 200;
  OptionalText ExecutedVersion;
  aws::EventStream<InvokeStreamEvent> EventStream;
  OptionalText ResponseStreamContentType;
};
BOOST_DESCRIBE_STRUCT(InvokeWithResponseStreamOutput, (),
                      (StatusCode, ExecutedVersion, EventStream, ResponseStreamContentType))

struct SnapStartResponse {
  std::string ApplyOn;
  std::string OptimizationStatus;
};
BOOST_DESCRIBE_STRUCT(SnapStartResponse, (), (ApplyOn, OptimizationStatus))

struct RuntimeVersionConfig {
  std::string RuntimeVersionArn;
};
BOOST_DESCRIBE_STRUCT(RuntimeVersionConfig, (), (RuntimeVersionArn))

struct Layer {
  std::string Arn;
  std::int64_t CodeSize = 0;
  OptionalText SigningProfileVersionArn = {};
  OptionalText SigningJobArn = {};
};
BOOST_DESCRIBE_STRUCT(Layer, (), (Arn, CodeSize, SigningProfileVersionArn, SigningJobArn))

struct FunctionConfiguration {
  std::string FunctionName;
  std::string FunctionArn;
  std::string Runtime;
  std::string Role;
  std::string Handler;
  std::int64_t CodeSize = 0;
  std::string Description;
  std::int32_t Timeout = 0;
  std::int32_t MemorySize = 0;
  std::string LastModified;
  std::string CodeSha256;
  std::string Version;
  std::optional<lambda::Environment> Environment;
  OptionalText KMSKeyArn;
  std::optional<VpcConfigResponse> VpcConfig;
  std::optional<std::vector<FileSystemConfig>> FileSystemConfigs;
  std::optional<lambda::DeadLetterConfig> DeadLetterConfig;
  lambda::TracingConfig TracingConfig;
  std::string RevisionId;
  std::optional<std::vector<Layer>> Layers;
  OptionalText State;
  OptionalText StateReason;
  OptionalText StateReasonCode;
  OptionalText LastUpdateStatus;
  OptionalText LastUpdateStatusReason;
  OptionalText LastUpdateStatusReasonCode;
  std::string PackageType;
  Texts Architectures;
  lambda::EphemeralStorage EphemeralStorage;
  SnapStartResponse SnapStart;
  std::optional<lambda::RuntimeVersionConfig> RuntimeVersionConfig;
  lambda::LoggingConfig LoggingConfig;
  OptionalText SigningProfileVersionArn;
  OptionalText SigningJobArn;
  std::optional<lambda::TenancyConfig> TenancyConfig;
};
BOOST_DESCRIBE_STRUCT(FunctionConfiguration, (),
                      (FunctionName, FunctionArn, Runtime, Role, Handler, CodeSize, Description, Timeout, MemorySize,
                       LastModified, CodeSha256, Version, Environment, KMSKeyArn, VpcConfig, FileSystemConfigs,
                       DeadLetterConfig, TracingConfig, RevisionId, Layers, State, StateReason, StateReasonCode,
                       LastUpdateStatus, LastUpdateStatusReason, LastUpdateStatusReasonCode, PackageType, Architectures,
                       EphemeralStorage, SnapStart, RuntimeVersionConfig, LoggingConfig, SigningProfileVersionArn,
                       SigningJobArn, TenancyConfig))

struct FunctionCodeLocation {
  std::string RepositoryType;
  std::string Location;
};
BOOST_DESCRIBE_STRUCT(FunctionCodeLocation, (), (RepositoryType, Location))

struct FunctionReservation {
  std::int32_t ReservedConcurrentExecutions = 0;
};
BOOST_DESCRIBE_STRUCT(FunctionReservation, (), (ReservedConcurrentExecutions))

struct GetFunctionOutput {
  FunctionConfiguration Configuration;
  FunctionCodeLocation Code;
  std::optional<TextMap> Tags;
  std::optional<FunctionReservation> Concurrency;
};
BOOST_DESCRIBE_STRUCT(GetFunctionOutput, (), (Configuration, Code, Tags, Concurrency))

struct ListFunctionsOutput {
  OptionalText NextMarker;
  std::vector<FunctionConfiguration> Functions;
};
BOOST_DESCRIBE_STRUCT(ListFunctionsOutput, (), (NextMarker, Functions))

struct DeleteFunctionOutput {
  std::int32_t StatusCode = 204;
};
BOOST_DESCRIBE_STRUCT(DeleteFunctionOutput, (), (StatusCode))

struct InvokeOutput {
  std::int32_t StatusCode = 200;
  OptionalText FunctionError;
  OptionalText LogResult;
  OptionalText ExecutedVersion;
  /// In no model, and in every answer of AWS: our patch of the model has it.
  OptionalText TraceId;
  std::optional<aws::Blob> Payload;
};
BOOST_DESCRIBE_STRUCT(InvokeOutput, (), (StatusCode, FunctionError, LogResult, ExecutedVersion, TraceId, Payload))

}  // namespace lambent::lambda
