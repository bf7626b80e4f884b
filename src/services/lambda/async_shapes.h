// The wire structs of the operations on asynchronous invocation and concurrency, with AWS's spelling.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "aws/values.h"
#include "services/lambda/shapes.h"
#include "services/lambda/version_shapes.h"

namespace lambent::lambda {

struct InvokeAsyncInput {
  std::string FunctionName;
  aws::Blob InvokeArgs;
};
BOOST_DESCRIBE_STRUCT(InvokeAsyncInput, (), (FunctionName, InvokeArgs))

struct InvokeAsyncOutput {
  std::int32_t Status = 202;
};
BOOST_DESCRIBE_STRUCT(InvokeAsyncOutput, (), (Status))

struct OnSuccess {
  OptionalText Destination;
};
BOOST_DESCRIBE_STRUCT(OnSuccess, (), (Destination))

struct OnFailure {
  OptionalText Destination;
};
BOOST_DESCRIBE_STRUCT(OnFailure, (), (Destination))

struct DestinationConfig {
  std::optional<lambda::OnSuccess> OnSuccess;
  std::optional<lambda::OnFailure> OnFailure;
};
BOOST_DESCRIBE_STRUCT(DestinationConfig, (), (OnSuccess, OnFailure))

/// Of Put and Update.
struct EventInvokeConfigInput {
  std::string FunctionName;
  OptionalText Qualifier;
  OptionalInt MaximumRetryAttempts;
  OptionalInt MaximumEventAgeInSeconds;
  std::optional<lambda::DestinationConfig> DestinationConfig;
};
BOOST_DESCRIBE_STRUCT(EventInvokeConfigInput, (),
                      (FunctionName, Qualifier, MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig))

struct FunctionEventInvokeConfig {
  aws::Timestamp LastModified;
  std::string FunctionArn;
  OptionalInt MaximumRetryAttempts;
  OptionalInt MaximumEventAgeInSeconds;
  lambda::DestinationConfig DestinationConfig;
};
BOOST_DESCRIBE_STRUCT(FunctionEventInvokeConfig, (),
                      (LastModified, FunctionArn, MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig))

/// Function, page: ListFunctionEventInvokeConfigs, ListProvisionedConcurrencyConfigs.
struct ListOfFunctionInput {
  std::string FunctionName;
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListOfFunctionInput, (), (FunctionName, Marker, MaxItems))

struct ListFunctionEventInvokeConfigsOutput {
  std::vector<FunctionEventInvokeConfig> FunctionEventInvokeConfigs;
  OptionalText NextMarker;
};
BOOST_DESCRIBE_STRUCT(ListFunctionEventInvokeConfigsOutput, (), (FunctionEventInvokeConfigs, NextMarker))

struct FunctionInput {
  std::string FunctionName;
};
BOOST_DESCRIBE_STRUCT(FunctionInput, (), (FunctionName))

struct PutFunctionConcurrencyInput {
  std::string FunctionName;
  std::int32_t ReservedConcurrentExecutions = 0;
};
BOOST_DESCRIBE_STRUCT(PutFunctionConcurrencyInput, (), (FunctionName, ReservedConcurrentExecutions))

struct Concurrency {
  OptionalInt ReservedConcurrentExecutions;
};
BOOST_DESCRIBE_STRUCT(Concurrency, (), (ReservedConcurrentExecutions))

struct PutProvisionedConcurrencyInput {
  std::string FunctionName;
  std::string Qualifier;
  std::int32_t ProvisionedConcurrentExecutions = 0;
};
BOOST_DESCRIBE_STRUCT(PutProvisionedConcurrencyInput, (), (FunctionName, Qualifier, ProvisionedConcurrentExecutions))

/// Of Get and Delete.
struct ProvisionedConcurrencyInput {
  std::string FunctionName;
  std::string Qualifier;
};
BOOST_DESCRIBE_STRUCT(ProvisionedConcurrencyInput, (), (FunctionName, Qualifier))

struct ProvisionedConcurrencyConfig {
  std::int32_t RequestedProvisionedConcurrentExecutions = 0;
  std::int32_t AvailableProvisionedConcurrentExecutions = 0;
  std::int32_t AllocatedProvisionedConcurrentExecutions = 0;
  std::string Status;
  OptionalText StatusReason;
  std::string LastModified;
};
BOOST_DESCRIBE_STRUCT(ProvisionedConcurrencyConfig, (),
                      (RequestedProvisionedConcurrentExecutions, AvailableProvisionedConcurrentExecutions,
                       AllocatedProvisionedConcurrentExecutions, Status, StatusReason, LastModified))

struct ProvisionedConcurrencyListItem {
  std::string FunctionArn;
  std::int32_t RequestedProvisionedConcurrentExecutions = 0;
  std::int32_t AvailableProvisionedConcurrentExecutions = 0;
  std::int32_t AllocatedProvisionedConcurrentExecutions = 0;
  std::string Status;
  OptionalText StatusReason;
  std::string LastModified;
};
BOOST_DESCRIBE_STRUCT(ProvisionedConcurrencyListItem, (),
                      (FunctionArn, RequestedProvisionedConcurrentExecutions, AvailableProvisionedConcurrentExecutions,
                       AllocatedProvisionedConcurrentExecutions, Status, StatusReason, LastModified))

struct ListProvisionedConcurrencyOutput {
  std::vector<ProvisionedConcurrencyListItem> ProvisionedConcurrencyConfigs;
  OptionalText NextMarker;
};
BOOST_DESCRIBE_STRUCT(ListProvisionedConcurrencyOutput, (), (ProvisionedConcurrencyConfigs, NextMarker))

struct RecursionConfigInput {
  std::string FunctionName;
  std::string RecursiveLoop;
};
BOOST_DESCRIBE_STRUCT(RecursionConfigInput, (), (FunctionName, RecursiveLoop))

struct RecursionConfig {
  std::string RecursiveLoop;
};
BOOST_DESCRIBE_STRUCT(RecursionConfig, (), (RecursiveLoop))

}  // namespace lambent::lambda
