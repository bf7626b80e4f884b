// The wire structs of the operations on function URLs, with AWS's spelling.
#pragma once

#include "services/lambda/shapes.h"

namespace lambent::lambda {

struct Cors {
  OptionalBool AllowCredentials;
  std::optional<Texts> AllowHeaders;
  std::optional<Texts> AllowMethods;
  std::optional<Texts> AllowOrigins;
  std::optional<Texts> ExposeHeaders;
  OptionalInt MaxAge;
};
BOOST_DESCRIBE_STRUCT(Cors, (), (AllowCredentials, AllowHeaders, AllowMethods, AllowOrigins, ExposeHeaders, MaxAge))

struct CreateFunctionUrlInput {
  std::string FunctionName;
  OptionalText Qualifier;
  std::string AuthType;
  std::optional<lambda::Cors> Cors;
  OptionalText InvokeMode;
};
BOOST_DESCRIBE_STRUCT(CreateFunctionUrlInput, (), (FunctionName, Qualifier, AuthType, Cors, InvokeMode))

struct UpdateFunctionUrlInput {
  std::string FunctionName;
  OptionalText Qualifier;
  OptionalText AuthType;
  std::optional<lambda::Cors> Cors;
  OptionalText InvokeMode;
};
BOOST_DESCRIBE_STRUCT(UpdateFunctionUrlInput, (), (FunctionName, Qualifier, AuthType, Cors, InvokeMode))

struct FunctionUrlOutput {
  std::string FunctionUrl;
  std::string FunctionArn;
  std::string AuthType;
  std::optional<lambda::Cors> Cors;
  std::string CreationTime;
  OptionalText InvokeMode;
};
BOOST_DESCRIBE_STRUCT(FunctionUrlOutput, (), (FunctionUrl, FunctionArn, AuthType, Cors, CreationTime, InvokeMode))

struct FunctionUrlConfig : FunctionUrlOutput {
  std::string LastModifiedTime;
};
BOOST_DESCRIBE_STRUCT(FunctionUrlConfig, (FunctionUrlOutput), (LastModifiedTime))

struct ListFunctionUrlsInput {
  std::string FunctionName;
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListFunctionUrlsInput, (), (FunctionName, Marker, MaxItems))

struct ListFunctionUrlsOutput {
  std::vector<FunctionUrlConfig> FunctionUrlConfigs;
  OptionalText NextMarker;
};
BOOST_DESCRIBE_STRUCT(ListFunctionUrlsOutput, (), (FunctionUrlConfigs, NextMarker))

}  // namespace lambent::lambda
