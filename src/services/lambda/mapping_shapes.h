// The wire structs of the operations on event source mappings, with AWS's spelling.
#pragma once

#include "services/lambda/shapes.h"

namespace lambent::lambda {

struct Filter {
  OptionalText Pattern;
};
BOOST_DESCRIBE_STRUCT(Filter, (), (Pattern))

struct FilterCriteria {
  std::optional<std::vector<Filter>> Filters;
};
BOOST_DESCRIBE_STRUCT(FilterCriteria, (), (Filters))

struct MappingScaling {
  OptionalInt MaximumConcurrency;
};
BOOST_DESCRIBE_STRUCT(MappingScaling, (), (MaximumConcurrency))

struct MappingDestination {
  OptionalText Destination;
};
BOOST_DESCRIBE_STRUCT(MappingDestination, (), (Destination))

struct MappingDestinations {
  std::optional<MappingDestination> OnSuccess;
  std::optional<MappingDestination> OnFailure;
};
BOOST_DESCRIBE_STRUCT(MappingDestinations, (), (OnSuccess, OnFailure))

struct SourceAccess {
  OptionalText Type;
  OptionalText URI;
};
BOOST_DESCRIBE_STRUCT(SourceAccess, (), (Type, URI))

struct SelfManagedSource {
  std::optional<std::map<std::string, Texts>> Endpoints;
};
BOOST_DESCRIBE_STRUCT(SelfManagedSource, (), (Endpoints))

struct KafkaConsumer {
  OptionalText ConsumerGroupId;
};
BOOST_DESCRIBE_STRUCT(KafkaConsumer, (), (ConsumerGroupId))

struct DocumentDbSource {
  OptionalText DatabaseName;
  OptionalText CollectionName;
  OptionalText FullDocument;
};
BOOST_DESCRIBE_STRUCT(DocumentDbSource, (), (DatabaseName, CollectionName, FullDocument))

struct ProvisionedPollers {
  OptionalInt MinimumPollers;
  OptionalInt MaximumPollers;
  OptionalText PollerGroupName;
};
BOOST_DESCRIBE_STRUCT(ProvisionedPollers, (), (MinimumPollers, MaximumPollers, PollerGroupName))

/// What an update may change.
struct MappingChanges {
  OptionalInt BatchSize;
  std::optional<lambda::FilterCriteria> FilterCriteria;
  std::optional<MappingScaling> ScalingConfig;
  OptionalInt MaximumBatchingWindowInSeconds;
  OptionalInt ParallelizationFactor;
  std::optional<MappingDestinations> DestinationConfig;
  OptionalInt MaximumRecordAgeInSeconds;
  OptionalBool BisectBatchOnFunctionError;
  OptionalInt MaximumRetryAttempts;
  OptionalInt TumblingWindowInSeconds;
  std::optional<std::vector<SourceAccess>> SourceAccessConfigurations;
  std::optional<Texts> FunctionResponseTypes;
  std::optional<DocumentDbSource> DocumentDBEventSourceConfig;
  std::optional<ProvisionedPollers> ProvisionedPollerConfig;
  std::optional<KafkaConsumer> AmazonManagedKafkaEventSourceConfig;
  std::optional<KafkaConsumer> SelfManagedKafkaEventSourceConfig;
};
BOOST_DESCRIBE_STRUCT(MappingChanges, (),
                      (BatchSize, FilterCriteria, ScalingConfig, MaximumBatchingWindowInSeconds, ParallelizationFactor,
                       DestinationConfig, MaximumRecordAgeInSeconds, BisectBatchOnFunctionError, MaximumRetryAttempts,
                       TumblingWindowInSeconds, SourceAccessConfigurations, FunctionResponseTypes,
                       DocumentDBEventSourceConfig, ProvisionedPollerConfig, AmazonManagedKafkaEventSourceConfig,
                       SelfManagedKafkaEventSourceConfig))

/// All of a mapping that its owner says: what is stored.
struct MappingSettings : MappingChanges {
  OptionalText EventSourceArn;
  OptionalText StartingPosition;
  std::optional<aws::Timestamp> StartingPositionTimestamp;
  std::optional<Texts> Topics;
  std::optional<Texts> Queues;
  std::optional<SelfManagedSource> SelfManagedEventSource;
};
BOOST_DESCRIBE_STRUCT(MappingSettings, (MappingChanges),
                      (EventSourceArn, StartingPosition, StartingPositionTimestamp, Topics, Queues,
                       SelfManagedEventSource))

struct CreateMappingInput : MappingSettings {
  std::string FunctionName;
  OptionalBool Enabled;
  OptionalText KMSKeyArn;
  std::optional<TextMap> Tags;
};
BOOST_DESCRIBE_STRUCT(CreateMappingInput, (MappingSettings), (FunctionName, Enabled, KMSKeyArn, Tags))

struct UpdateMappingInput : MappingChanges {
  std::string UUID;
  OptionalText FunctionName;
  OptionalBool Enabled;
  OptionalText KMSKeyArn;
};
BOOST_DESCRIBE_STRUCT(UpdateMappingInput, (MappingChanges), (UUID, FunctionName, Enabled, KMSKeyArn))

struct MappingInput {
  std::string UUID;
};
BOOST_DESCRIBE_STRUCT(MappingInput, (), (UUID))

struct ListMappingsInput {
  OptionalText EventSourceArn;
  OptionalText FunctionName;
  OptionalText Marker;
  OptionalInt MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListMappingsInput, (), (EventSourceArn, FunctionName, Marker, MaxItems))

struct MappingOutput : MappingSettings {
  std::string UUID;
  std::string FunctionArn;
  std::string EventSourceMappingArn;
  aws::Timestamp LastModified;
  OptionalText LastProcessingResult;
  std::string State;
  std::string StateTransitionReason;
};
BOOST_DESCRIBE_STRUCT(MappingOutput, (MappingSettings),
                      (UUID, FunctionArn, EventSourceMappingArn, LastModified, LastProcessingResult, State,
                       StateTransitionReason))

struct ListMappingsOutput {
  OptionalText NextMarker;
  std::vector<MappingOutput> EventSourceMappings;
};
BOOST_DESCRIBE_STRUCT(ListMappingsOutput, (), (NextMarker, EventSourceMappings))

}  // namespace lambent::lambda
