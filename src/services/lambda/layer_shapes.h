// The wire structs of the operations on layers, with AWS's spelling.
#pragma once

#include "services/lambda/shapes.h"

namespace lambent::lambda {

struct LayerContentInput {
  OptionalText S3Bucket;
  OptionalText S3Key;
  OptionalText S3ObjectVersion;
  OptionalText S3ObjectStorageMode;
  std::optional<aws::Blob> ZipFile;
};
BOOST_DESCRIBE_STRUCT(LayerContentInput, (), (S3Bucket, S3Key, S3ObjectVersion, S3ObjectStorageMode, ZipFile))

struct PublishLayerVersionInput {
  std::string LayerName;
  OptionalText Description;
  LayerContentInput Content;
  std::optional<Texts> CompatibleArchitectures;
  std::optional<Texts> CompatibleRuntimes;
  OptionalText LicenseInfo;
};
BOOST_DESCRIBE_STRUCT(PublishLayerVersionInput, (),
                      (LayerName, Description, Content, CompatibleArchitectures, CompatibleRuntimes, LicenseInfo))

struct LayerContentOutput {
  std::string Location;
  std::string CodeSha256;
  std::int64_t CodeSize = 0;
  OptionalText SigningProfileVersionArn;
  OptionalText SigningJobArn;
};
BOOST_DESCRIBE_STRUCT(LayerContentOutput, (), (Location, CodeSha256, CodeSize, SigningProfileVersionArn, SigningJobArn))

/// What lists show of a version.
struct LayerVersionItem {
  std::string LayerVersionArn;
  std::int64_t Version = 0;
  std::string Description;
  std::string CreatedDate;
  std::optional<Texts> CompatibleArchitectures;
  std::optional<Texts> CompatibleRuntimes;
  OptionalText LicenseInfo;
};
BOOST_DESCRIBE_STRUCT(LayerVersionItem, (),
                      (LayerVersionArn, Version, Description, CreatedDate, CompatibleArchitectures, CompatibleRuntimes,
                       LicenseInfo))

/// PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn.
struct LayerVersionOutput : LayerVersionItem {
  LayerContentOutput Content;
  std::string LayerArn;
};
BOOST_DESCRIBE_STRUCT(LayerVersionOutput, (LayerVersionItem), (Content, LayerArn))

/// GetLayerVersion, DeleteLayerVersion, GetLayerVersionPolicy.
struct LayerVersionInput {
  std::string LayerName;
  std::int64_t VersionNumber = 0;
};
BOOST_DESCRIBE_STRUCT(LayerVersionInput, (), (LayerName, VersionNumber))

struct GetLayerVersionByArnInput {
  std::string Arn;
};
BOOST_DESCRIBE_STRUCT(GetLayerVersionByArnInput, (), (Arn))

struct ListLayersInput {
  OptionalText CompatibleArchitecture;
  OptionalText CompatibleRuntime;
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListLayersInput, (), (CompatibleArchitecture, CompatibleRuntime, Marker, MaxItems))

struct LayersListItem {
  std::string LayerName;
  std::string LayerArn;
  LayerVersionItem LatestMatchingVersion;
};
BOOST_DESCRIBE_STRUCT(LayersListItem, (), (LayerName, LayerArn, LatestMatchingVersion))

struct ListLayersOutput {
  OptionalText NextMarker;
  std::vector<LayersListItem> Layers;
};
BOOST_DESCRIBE_STRUCT(ListLayersOutput, (), (NextMarker, Layers))

struct ListLayerVersionsInput : ListLayersInput {
  std::string LayerName;
};
BOOST_DESCRIBE_STRUCT(ListLayerVersionsInput, (ListLayersInput), (LayerName))

struct ListLayerVersionsOutput {
  OptionalText NextMarker;
  std::vector<LayerVersionItem> LayerVersions;
};
BOOST_DESCRIBE_STRUCT(ListLayerVersionsOutput, (), (NextMarker, LayerVersions))

struct AddLayerPermissionInput {
  std::string LayerName;
  std::int64_t VersionNumber = 0;
  std::string StatementId;
  std::string Action;
  std::string Principal;
  OptionalText OrganizationId;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(AddLayerPermissionInput, (),
                      (LayerName, VersionNumber, StatementId, Action, Principal, OrganizationId, RevisionId))

struct AddLayerPermissionOutput {
  std::string Statement;
  std::string RevisionId;
};
BOOST_DESCRIBE_STRUCT(AddLayerPermissionOutput, (), (Statement, RevisionId))

struct RemoveLayerPermissionInput {
  std::string LayerName;
  std::int64_t VersionNumber = 0;
  std::string StatementId;
  OptionalText RevisionId;
};
BOOST_DESCRIBE_STRUCT(RemoveLayerPermissionInput, (), (LayerName, VersionNumber, StatementId, RevisionId))

}  // namespace lambent::lambda
