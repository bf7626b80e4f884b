// What kinds of sources there are, and what a mapping of each may say ("Event source mapping parameters"). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "services/lambda/mapping_shapes.h"

namespace lambent::lambda {

/// How a source refuses members that are wrong or not its own. Queues and streams: "Unsupported ParallelizationFactor parameter for
/// ..." (serverless issue 7049); Kafka and MQ: "Unsupported 'maximumRetryAttempts' parameter for ..." (aws-cdk issue 17934);
/// DocumentDB names all of them: "Invalid parameters: documentDBEventSourceConfig, databaseName" (recorded: mapping_source.cc).
enum class Wording { plain, quoted, listed };

struct SourceKind {
  /// For messages: "Amazon SQS".
  std::string_view name;
  Wording wording = Wording::plain;
  std::int32_t default_batch = 100;
  std::int32_t max_batch = 10'000;
  bool has_window = true;
  bool has_filters = true;
  bool needs_position = false;
  bool takes_timestamp = false;
  /// BisectBatchOnFunctionError, MaximumRecordAgeInSeconds, MaximumRetryAttempts.
  bool has_retries = false;
  /// ParallelizationFactor, TumblingWindowInSeconds.
  bool has_shards = false;
  bool has_failure_destination = false;
  bool has_partial_batches = false;
  bool has_scaling = false;
  bool has_provisioned_pollers = false;
  bool needs_topics = false;
  bool needs_queues = false;
  bool needs_access = false;
  /// A secret to log in with, whatever else its access is.
  bool needs_login = false;
  /// The types of SourceAccessConfigurations; a source without any has no such member.
  std::span<const std::string_view> access = {};
  /// Which of the configurations of one source's own it has.
  bool has_msk_config = false;
  bool has_kafka_config = false;
  bool has_document_config = false;
  /// SQS and self-managed Kafka tell state changes in other words than streams.
  bool user_initiated = false;
  /// Streams and Kafka say how their last batch went.
  bool has_result = false;
};

/// By the ARN, where there is one. Throws InvalidParameterValueException "Unrecognized event source.", with the ARN.
const SourceKind& source_kind(const MappingSettings& settings);

/// What identifies the source: its ARN, or the bootstrap servers.
std::string source_of(const MappingSettings& settings);

/// Fills what is not set with the source's own values. Of a new mapping.
void add_defaults(const SourceKind& kind, MappingSettings& settings);

/// Members of `changes` that are there replace those of `settings`; what an update cannot name stays as it was.
void apply_changes(const SourceKind& kind, const MappingChanges& changes, MappingSettings& settings);

// Each check throws InvalidParameterValueException in AWS's words, where they are known.

/// What may only be said at creation, and must be: where to start, and what to read.
void check_new_mapping(const SourceKind& kind, const MappingSettings& settings, std::int64_t now_ms);

/// What an update says: neither members of other sources, nor what is fixed at creation, even unchanged.
void check_changes(const SourceKind& kind, const MappingChanges& changes);

/// All of a mapping as it is to be stored: ranges, and members that must fit each other.
void check_mapping(const SourceKind& kind, const MappingSettings& settings);

}  // namespace lambent::lambda
