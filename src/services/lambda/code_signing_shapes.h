// The wire structs of the operations on code signing configurations, with AWS's spelling.
#pragma once

#include "services/lambda/shapes.h"

namespace lambent::lambda {

struct AllowedPublishers {
  Texts SigningProfileVersionArns;
};
BOOST_DESCRIBE_STRUCT(AllowedPublishers, (), (SigningProfileVersionArns))

struct CodeSigningPolicies {
  OptionalText UntrustedArtifactOnDeployment;
};
BOOST_DESCRIBE_STRUCT(CodeSigningPolicies, (), (UntrustedArtifactOnDeployment))

struct CreateCodeSigningConfigInput {
  OptionalText Description;
  lambda::AllowedPublishers AllowedPublishers;
  std::optional<lambda::CodeSigningPolicies> CodeSigningPolicies;
  std::optional<TextMap> Tags;
};
BOOST_DESCRIBE_STRUCT(CreateCodeSigningConfigInput, (), (Description, AllowedPublishers, CodeSigningPolicies, Tags))

struct UpdateCodeSigningConfigInput {
  std::string CodeSigningConfigArn;
  OptionalText Description;
  std::optional<lambda::AllowedPublishers> AllowedPublishers;
  std::optional<lambda::CodeSigningPolicies> CodeSigningPolicies;
};
BOOST_DESCRIBE_STRUCT(UpdateCodeSigningConfigInput, (),
                      (CodeSigningConfigArn, Description, AllowedPublishers, CodeSigningPolicies))

/// GetCodeSigningConfig, DeleteCodeSigningConfig.
struct CodeSigningConfigInput {
  std::string CodeSigningConfigArn;
};
BOOST_DESCRIBE_STRUCT(CodeSigningConfigInput, (), (CodeSigningConfigArn))

struct ListCodeSigningConfigsInput {
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListCodeSigningConfigsInput, (), (Marker, MaxItems))

struct ListFunctionsByCodeSigningConfigInput {
  std::string CodeSigningConfigArn;
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListFunctionsByCodeSigningConfigInput, (), (CodeSigningConfigArn, Marker, MaxItems))

struct CodeSigningConfigShape {
  std::string CodeSigningConfigId;
  std::string CodeSigningConfigArn;
  OptionalText Description;
  lambda::AllowedPublishers AllowedPublishers;
  lambda::CodeSigningPolicies CodeSigningPolicies;
  std::string LastModified;
};
BOOST_DESCRIBE_STRUCT(CodeSigningConfigShape, (),
                      (CodeSigningConfigId, CodeSigningConfigArn, Description, AllowedPublishers, CodeSigningPolicies,
                       LastModified))

/// CreateCodeSigningConfig, GetCodeSigningConfig, UpdateCodeSigningConfig.
struct CodeSigningConfigOutput {
  CodeSigningConfigShape CodeSigningConfig;
};
BOOST_DESCRIBE_STRUCT(CodeSigningConfigOutput, (), (CodeSigningConfig))

struct ListCodeSigningConfigsOutput {
  OptionalText NextMarker;
  std::vector<CodeSigningConfigShape> CodeSigningConfigs;
};
BOOST_DESCRIBE_STRUCT(ListCodeSigningConfigsOutput, (), (NextMarker, CodeSigningConfigs))

struct ListFunctionsByCodeSigningConfigOutput {
  OptionalText NextMarker;
  Texts FunctionArns;
};
BOOST_DESCRIBE_STRUCT(ListFunctionsByCodeSigningConfigOutput, (), (NextMarker, FunctionArns))

struct PutFunctionCodeSigningConfigInput {
  std::string CodeSigningConfigArn;
  std::string FunctionName;
};
BOOST_DESCRIBE_STRUCT(PutFunctionCodeSigningConfigInput, (), (CodeSigningConfigArn, FunctionName))

/// GetFunctionCodeSigningConfig, DeleteFunctionCodeSigningConfig.
struct FunctionCodeSigningConfigInput {
  std::string FunctionName;
};
BOOST_DESCRIBE_STRUCT(FunctionCodeSigningConfigInput, (), (FunctionName))

/// Both are absent for a function without a configuration, whatever the model says: AWS answers "{}".
struct FunctionCodeSigningConfigOutput {
  OptionalText CodeSigningConfigArn;
  OptionalText FunctionName;
};
BOOST_DESCRIBE_STRUCT(FunctionCodeSigningConfigOutput, (), (CodeSigningConfigArn, FunctionName))

}  // namespace lambent::lambda
