// The wire structs of the operations on versions and aliases, with AWS's spelling.
#pragma once

#include "services/lambda/shapes.h"

namespace lambent::lambda {

/// Of operations that answer with a status alone.
struct NoOutput {};
BOOST_DESCRIBE_STRUCT(NoOutput, (), ())

struct PutRuntimeManagementInput {
  std::string FunctionName;
  OptionalText Qualifier;
  std::string UpdateRuntimeOn;
  OptionalText RuntimeVersionArn;
};
BOOST_DESCRIBE_STRUCT(PutRuntimeManagementInput, (), (FunctionName, Qualifier, UpdateRuntimeOn, RuntimeVersionArn))

struct RuntimeManagementOutput {
  std::string UpdateRuntimeOn;
  std::string FunctionArn;
};
BOOST_DESCRIBE_STRUCT(RuntimeManagementOutput, (), (UpdateRuntimeOn, FunctionArn))

struct PublishVersionInput {
  std::string FunctionName;
  OptionalText CodeSha256;
  OptionalText Description;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(PublishVersionInput, (), (FunctionName, CodeSha256, Description, RevisionId))

struct ListVersionsInput {
  std::string FunctionName;
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListVersionsInput, (), (FunctionName, Marker, MaxItems))

struct ListVersionsOutput {
  OptionalText NextMarker;
  std::vector<FunctionConfiguration> Versions;
};
BOOST_DESCRIBE_STRUCT(ListVersionsOutput, (), (NextMarker, Versions))

struct AliasRoutingConfiguration {
  std::optional<std::map<std::string, double>> AdditionalVersionWeights;
};
BOOST_DESCRIBE_STRUCT(AliasRoutingConfiguration, (), (AdditionalVersionWeights))

struct CreateAliasInput {
  std::string FunctionName;
  std::string Name;
  std::string FunctionVersion;
  OptionalText Description;
  std::optional<AliasRoutingConfiguration> RoutingConfig;
};
BOOST_DESCRIBE_STRUCT(CreateAliasInput, (), (FunctionName, Name, FunctionVersion, Description, RoutingConfig))

/// GetAlias, DeleteAlias.
struct AliasInput {
  std::string FunctionName;
  std::string Name;
};
BOOST_DESCRIBE_STRUCT(AliasInput, (), (FunctionName, Name))

struct UpdateAliasInput {
  std::string FunctionName;
  std::string Name;
  OptionalText FunctionVersion;
  OptionalText Description;
  std::optional<AliasRoutingConfiguration> RoutingConfig;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(UpdateAliasInput, (),
                      (FunctionName, Name, FunctionVersion, Description, RoutingConfig, RevisionId))

struct ListAliasesInput {
  std::string FunctionName;
  OptionalText FunctionVersion;
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListAliasesInput, (), (FunctionName, FunctionVersion, Marker, MaxItems))

struct AliasConfiguration {
  std::string AliasArn;
  std::string Name;
  std::string FunctionVersion;
  std::string Description;
  std::optional<AliasRoutingConfiguration> RoutingConfig;
  std::string RevisionId;
};
BOOST_DESCRIBE_STRUCT(AliasConfiguration, (), (AliasArn, Name, FunctionVersion, Description, RoutingConfig, RevisionId))

struct ListAliasesOutput {
  OptionalText NextMarker;
  std::vector<AliasConfiguration> Aliases;
};
BOOST_DESCRIBE_STRUCT(ListAliasesOutput, (), (NextMarker, Aliases))

}  // namespace lambent::lambda
