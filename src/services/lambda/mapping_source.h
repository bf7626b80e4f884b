// What kinds of sources there are, and what a mapping of each may say ("Event source mapping parameters"). Pure.
#pragma once

#include <string>
#include <string_view>

#include "services/lambda/mapping_shapes.h"

namespace lambent::lambda {

struct SourceKind {
  /// For messages: "Amazon SQS".
  std::string_view name;
  std::int32_t default_batch = 100;
  std::int32_t max_batch = 10'000;
  bool has_window = true;
  bool needs_position = false;
  bool takes_timestamp = true;
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
  /// SQS and self-managed Kafka tell state changes in other words than streams.
  bool user_initiated = false;
  /// Streams and Kafka say how their last batch went.
  bool has_result = false;
};

/// Throws InvalidParameterValueException "Unrecognized event source.".
const SourceKind& source_kind(const MappingSettings& settings);

/// What identifies the source: its ARN, or the bootstrap servers.
std::string source_of(const MappingSettings& settings);

/// Fills what is not set with the source's own values. Of a new mapping.
void add_defaults(const SourceKind& kind, MappingSettings& settings);

/// Throws InvalidParameterValueException in AWS's words for what the source does not have, and what is out of its range.
void check_mapping(const SourceKind& kind, const MappingSettings& settings);

}  // namespace lambent::lambda
