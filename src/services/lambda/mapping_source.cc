#include "services/lambda/mapping_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "aws/arn.h"
#include "base/ids.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {
namespace {

namespace json = boost::json;

constexpr SourceKind kSqs{.name = "Amazon SQS",
                          .default_batch = 10,
                          .has_partial_batches = true,
                          .has_scaling = true,
                          .has_provisioned_pollers = true,
                          .user_initiated = true};
constexpr SourceKind kSqsFifo{.name = "Amazon SQS FIFO",
                              .default_batch = 10,
                              .max_batch = 10,
                              .has_window = false,
                              .has_partial_batches = true,
                              .has_scaling = true,
                              .has_provisioned_pollers = true,
                              .user_initiated = true};
constexpr SourceKind kKinesis{.name = "Amazon Kinesis",
                              .needs_position = true,
                              .has_retries = true,
                              .has_shards = true,
                              .has_failure_destination = true,
                              .has_partial_batches = true,
                              .has_result = true};
constexpr SourceKind kDynamoDb{.name = "Amazon DynamoDB Streams",
                               .needs_position = true,
                               .takes_timestamp = false,
                               .has_retries = true,
                               .has_shards = true,
                               .has_failure_destination = true,
                               .has_partial_batches = true,
                               .has_result = true};
constexpr SourceKind kMsk{.name = "Amazon MSK",
                          .needs_position = true,
                          .has_retries = true,
                          .has_failure_destination = true,
                          .has_partial_batches = true,
                          .has_provisioned_pollers = true,
                          .needs_topics = true,
                          .has_result = true};
constexpr SourceKind kKafka{.name = "self-managed Apache Kafka",
                            .needs_position = true,
                            .has_retries = true,
                            .has_failure_destination = true,
                            .has_partial_batches = true,
                            .has_provisioned_pollers = true,
                            .needs_topics = true,
                            .needs_access = true,
                            .user_initiated = true,
                            .has_result = true};
constexpr SourceKind kMq{.name = "Amazon MQ", .needs_queues = true, .needs_access = true};
constexpr SourceKind kDocumentDb{
    .name = "Amazon DocumentDB", .needs_position = true, .needs_access = true, .has_result = true};

/// The same depth as events may have; a pattern has at most 4,096 characters.
constexpr std::size_t kMaxPatternDepth = 64;
/// "5 by default".
constexpr std::size_t kMaxFilters = 5;

bool is_pattern(const Filter& filter) {
  if (!filter.Pattern) return false;
  json::parse_options options;
  options.max_depth = kMaxPatternDepth;
  boost::system::error_code error;
  const auto value = json::parse(*filter.Pattern, error, json::storage_ptr(), options);
  return !error && value.is_object();
}

void check_filters(const std::optional<FilterCriteria>& criteria) {
  if (!criteria || !criteria->Filters) return;
  if (criteria->Filters->size() > kMaxFilters)
    throw invalid_parameter(fmt::format("FilterCriteria can have at most {} filters.", kMaxFilters));
  for (const Filter& filter : *criteria->Filters)
    if (!is_pattern(filter)) throw invalid_parameter("Invalid filter pattern definition.");
}

/// Members that only some sources have.
void refuse_foreign(const SourceKind& kind, const MappingSettings& in) {
  const auto refuse = [&](bool given, std::string_view member) {
    if (given)
      throw invalid_parameter(fmt::format("{} is not supported for {} event source mappings.", member, kind.name));
  };
  refuse(in.ParallelizationFactor && !kind.has_shards, "ParallelizationFactor");
  refuse(in.TumblingWindowInSeconds && !kind.has_shards, "TumblingWindowInSeconds");
  refuse(in.BisectBatchOnFunctionError && !kind.has_retries, "BisectBatchOnFunctionError");
  refuse(in.MaximumRecordAgeInSeconds && !kind.has_retries, "MaximumRecordAgeInSeconds");
  refuse(in.MaximumRetryAttempts && !kind.has_retries, "MaximumRetryAttempts");
  refuse(in.StartingPosition && !kind.needs_position, "StartingPosition");
  refuse(in.ScalingConfig && in.ScalingConfig->MaximumConcurrency && !kind.has_scaling, "ScalingConfig");
  refuse(in.ProvisionedPollerConfig && !kind.has_provisioned_pollers, "ProvisionedPollerConfig");
  refuse(in.Topics && !kind.needs_topics, "Topics");
  refuse(in.Queues && !kind.needs_queues, "Queues");
  refuse(in.FunctionResponseTypes && !in.FunctionResponseTypes->empty() && !kind.has_partial_batches,
         "FunctionResponseTypes");
  refuse(in.MaximumBatchingWindowInSeconds.value_or(0) > 0 && !kind.has_window, "MaximumBatchingWindowInSeconds");
}

void check_position(const SourceKind& kind, const MappingSettings& in) {
  if (!kind.needs_position) return;
  if (!in.StartingPosition)
    throw invalid_parameter(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not "
        "be "
        "null.");
  if (*in.StartingPosition == "AT_TIMESTAMP" && !kind.takes_timestamp)
    throw invalid_parameter(fmt::format("Unsupported starting position for arn type: {}", source_of(in)));
  if ((*in.StartingPosition == "AT_TIMESTAMP") != in.StartingPositionTimestamp.has_value())
    throw invalid_parameter("StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP, and only with it.");
}

void check_destinations(const SourceKind& kind, const MappingSettings& in) {
  const auto& to = in.DestinationConfig;
  if (!to) return;
  const bool success = to->OnSuccess && to->OnSuccess->Destination && !to->OnSuccess->Destination->empty();
  if (success || !kind.has_failure_destination)
    throw invalid_parameter("Unsupported DestinationConfig parameter for given event source mapping type.");
}

void check_batching(const SourceKind& kind, const MappingSettings& in) {
  const auto batch = in.BatchSize.value_or(kind.default_batch);
  if (batch > kind.max_batch)
    throw invalid_parameter(fmt::format("Batch size must be at most {} for {}.", kind.max_batch, kind.name));
  if (kind.has_scaling && kind.has_window && batch > 10 && in.MaximumBatchingWindowInSeconds.value_or(0) == 0)
    throw invalid_parameter(
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10");
  const auto age = in.MaximumRecordAgeInSeconds.value_or(-1);
  if (age != -1 && age < 60) throw invalid_parameter("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.");
}

void check_pollers(const SourceKind& kind, const MappingSettings& in) {
  const auto& pollers = in.ProvisionedPollerConfig;
  if (!pollers) return;
  if (in.ScalingConfig && in.ScalingConfig->MaximumConcurrency)
    throw invalid_parameter("ScalingConfig and ProvisionedPollerConfig cannot be used together.");
  const auto least = pollers->MinimumPollers.value_or(kind.has_scaling ? 2 : 1);
  if (kind.has_scaling && least < 2) throw invalid_parameter("MinimumPollers must be at least 2 for Amazon SQS.");
  if (pollers->MaximumPollers.value_or(200) < least)
    throw invalid_parameter("MaximumPollers must not be less than MinimumPollers.");
  throw unsupported("ProvisionedPollerConfig", "provisioned polling");
}

}  // namespace

const SourceKind& source_kind(const MappingSettings& settings) {
  if (settings.SelfManagedEventSource) return kKafka;
  const auto arn = settings.EventSourceArn ? aws::Arn::parse(*settings.EventSourceArn) : std::nullopt;
  if (!arn) throw invalid_parameter("Unrecognized event source.");
  if (arn->service == "sqs") return arn->resource.ends_with(".fifo") ? kSqsFifo : kSqs;
  if (arn->service == "kinesis") return kKinesis;
  if (arn->service == "dynamodb" && arn->resource.find("/stream/") != std::string::npos) return kDynamoDb;
  if (arn->service == "kafka") return kMsk;
  if (arn->service == "mq") return kMq;
  if (arn->service == "rds" && arn->resource.starts_with("cluster:")) return kDocumentDb;
  throw invalid_parameter("Unrecognized event source.");
}

std::string source_of(const MappingSettings& settings) {
  if (settings.EventSourceArn) return *settings.EventSourceArn;
  std::vector<std::string> servers;
  if (settings.SelfManagedEventSource && settings.SelfManagedEventSource->Endpoints)
    for (const auto& [type, list] : *settings.SelfManagedEventSource->Endpoints)
      servers.insert(servers.end(), list.begin(), list.end());
  return fmt::format("{}", fmt::join(servers, ","));
}

void add_defaults(const SourceKind& kind, MappingSettings& settings) {
  if (!settings.BatchSize) settings.BatchSize = kind.default_batch;
  const bool streams = kind.has_shards;
  if (!settings.MaximumBatchingWindowInSeconds && (kind.has_scaling || streams))
    settings.MaximumBatchingWindowInSeconds = 0;
  if (!settings.FunctionResponseTypes && (kind.has_scaling || streams)) settings.FunctionResponseTypes = Texts{};
  if (streams) {
    if (!settings.ParallelizationFactor) settings.ParallelizationFactor = 1;
    if (!settings.TumblingWindowInSeconds) settings.TumblingWindowInSeconds = 0;
    if (!settings.BisectBatchOnFunctionError) settings.BisectBatchOnFunctionError = false;
    if (!settings.MaximumRecordAgeInSeconds) settings.MaximumRecordAgeInSeconds = -1;
    if (!settings.MaximumRetryAttempts) settings.MaximumRetryAttempts = -1;
    if (!settings.DestinationConfig) settings.DestinationConfig.emplace();
    if (!settings.DestinationConfig->OnFailure) settings.DestinationConfig->OnFailure.emplace();
  }
  if (settings.SelfManagedEventSource) {
    auto& consumer = settings.SelfManagedKafkaEventSourceConfig;
    if (!consumer) consumer.emplace();
    if (!consumer->ConsumerGroupId) consumer->ConsumerGroupId = base::uuid();
  }
}

void check_mapping(const SourceKind& kind, const MappingSettings& settings) {
  check_position(kind, settings);
  refuse_foreign(kind, settings);
  check_destinations(kind, settings);
  check_batching(kind, settings);
  check_pollers(kind, settings);
  check_filters(settings.FilterCriteria);
  if (kind.needs_access && !settings.SourceAccessConfigurations)
    throw invalid_parameter("Required 'sourceAccessConfigurations' parameter is missing.");
  if (kind.needs_topics && !settings.Topics) throw invalid_parameter("Required 'topics' parameter is missing.");
  if (kind.needs_queues && !settings.Queues) throw invalid_parameter("Required 'queues' parameter is missing.");
}

}  // namespace lambent::lambda
