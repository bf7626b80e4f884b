#include "services/lambda/mapping_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <type_traits>

#include "aws/arn.h"
#include "base/ids.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {
namespace {

namespace json = boost::json;

constexpr std::string_view kVirtualHost = "VIRTUAL_HOST";
// Which source each type is for: the API reference, SourceAccessConfiguration.
constexpr std::array<std::string_view, 2> kMskAccess{"SASL_SCRAM_512_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH"};
constexpr std::array<std::string_view, 2> kMqAccess{"BASIC_AUTH", kVirtualHost};
constexpr std::array<std::string_view, 1> kDocumentDbAccess{"BASIC_AUTH"};
constexpr std::array<std::string_view, 14> kKafkaAccess{"BASIC_AUTH",
                                                        "VPC_SUBNET",
                                                        "VPC_SECURITY_GROUP",
                                                        "SASL_SCRAM_512_AUTH",
                                                        "SASL_SCRAM_256_AUTH",
                                                        "CLIENT_CERTIFICATE_TLS_AUTH",
                                                        "SERVER_ROOT_CA_CERTIFICATE",
                                                        "OAUTHBEARER_AUTH",
                                                        "OAUTHBEARER_SCOPE",
                                                        "OAUTHBEARER_AUDIENCE",
                                                        "OAUTHBEARER_LOGICAL_CLUSTER",
                                                        "OAUTHBEARER_IDENTITY_POOL",
                                                        "IAM_AUTH",
                                                        "IAM_OAUTHBEARER_AUTH"};

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
                          .access = kMskAccess,
                          .has_msk_config = true,
                          .quotes_members = true,
                          .has_result = true};
constexpr SourceKind kKafka{.name = "self-managed Apache Kafka",
                            .needs_position = true,
                            .has_retries = true,
                            .has_failure_destination = true,
                            .has_partial_batches = true,
                            .has_provisioned_pollers = true,
                            .needs_topics = true,
                            .needs_access = true,
                            .access = kKafkaAccess,
                            .has_kafka_config = true,
                            .quotes_members = true,
                            .user_initiated = true,
                            .has_result = true};
constexpr SourceKind kMq{
    .name = "Amazon MQ", .needs_queues = true, .needs_access = true, .access = kMqAccess, .quotes_members = true};
constexpr SourceKind kDocumentDb{.name = "Amazon DocumentDB",
                                 .needs_position = true,
                                 .needs_access = true,
                                 .access = kDocumentDbAccess,
                                 .has_document_config = true,
                                 .quotes_members = true,
                                 .has_result = true};

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

/// A member, or one inside another, as AWS spells it in a message: "documentDBEventSourceConfig.databaseName".
std::string spelled(std::string member) {
  bool starts = true;
  for (char& letter : member) {
    if (starts && letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    starts = letter == '.';
  }
  return member;
}

aws::Error foreign(const SourceKind& kind, std::string_view member) {
  const auto name = kind.quotes_members ? fmt::format("'{}'", spelled(std::string(member))) : std::string(member);
  return invalid_parameter(fmt::format("Unsupported {} parameter for given event source mapping type.", name));
}

aws::Error missing(std::string_view member) {
  return invalid_parameter(fmt::format("Required '{}' parameter is missing.", spelled(std::string(member))));
}

void check_access(const SourceKind& kind, const std::optional<std::vector<SourceAccess>>& access) {
  if (!access) return;
  const auto is_known = [&](const SourceAccess& each) {
    return each.Type && std::find(kind.access.begin(), kind.access.end(), *each.Type) != kind.access.end();
  };
  if (kind.access.empty() || !std::all_of(access->begin(), access->end(), is_known))
    throw foreign(kind, "SourceAccessConfigurations");
}

/// Members that only some sources have.
void refuse_foreign(const SourceKind& kind, const MappingChanges& in) {
  if (in.MaximumBatchingWindowInSeconds.value_or(0) > 0 && !kind.has_window)
    throw invalid_parameter("Batching window is not supported for FIFO queues");
  const auto refuse = [&](bool given, std::string_view member) {
    if (given) throw foreign(kind, member);
  };
  refuse(in.ParallelizationFactor && !kind.has_shards, "ParallelizationFactor");
  refuse(in.TumblingWindowInSeconds && !kind.has_shards, "TumblingWindowInSeconds");
  refuse(in.BisectBatchOnFunctionError && !kind.has_retries, "BisectBatchOnFunctionError");
  refuse(in.MaximumRecordAgeInSeconds && !kind.has_retries, "MaximumRecordAgeInSeconds");
  refuse(in.MaximumRetryAttempts && !kind.has_retries, "MaximumRetryAttempts");
  refuse(in.ScalingConfig && in.ScalingConfig->MaximumConcurrency && !kind.has_scaling, "ScalingConfig");
  refuse(in.ProvisionedPollerConfig && !kind.has_provisioned_pollers, "ProvisionedPollerConfig");
  refuse(in.FunctionResponseTypes && !in.FunctionResponseTypes->empty() && !kind.has_partial_batches,
         "FunctionResponseTypes");
  refuse(in.AmazonManagedKafkaEventSourceConfig && !kind.has_msk_config, "AmazonManagedKafkaEventSourceConfig");
  refuse(in.SelfManagedKafkaEventSourceConfig && !kind.has_kafka_config, "SelfManagedKafkaEventSourceConfig");
  refuse(in.DocumentDBEventSourceConfig && !kind.has_document_config, "DocumentDBEventSourceConfig");
  check_access(kind, in.SourceAccessConfigurations);
}

void check_position(const SourceKind& kind, const MappingSettings& in, std::int64_t now_ms) {
  if (in.StartingPosition && !kind.needs_position)
    throw kind.has_scaling ? invalid_parameter("StartingPosition is not valid for SQS event sources.")
                           : foreign(kind, "StartingPosition");
  if (kind.needs_position && !in.StartingPosition)
    throw invalid_parameter(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not "
        "be null.");
  const bool at_timestamp = in.StartingPosition == "AT_TIMESTAMP";
  if (at_timestamp && !kind.takes_timestamp)
    throw invalid_parameter(fmt::format("Unsupported starting position for arn type: {}", source_of(in)));
  if (in.StartingPositionTimestamp && (!kind.needs_position || !kind.takes_timestamp))
    throw foreign(kind, "StartingPositionTimestamp");
  // serverless issue 12111.
  if (at_timestamp && !in.StartingPositionTimestamp) throw invalid_parameter("Need to specify a timestamp");
  if (!at_timestamp && in.StartingPositionTimestamp)
    throw invalid_parameter("StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP, and only with it.");
  // The API reference's sentence; what AWS answers is not recorded.
  if (at_timestamp && in.StartingPositionTimestamp->ms > now_ms)
    throw invalid_parameter("StartingPositionTimestamp cannot be in the future.");
}

void check_destinations(const SourceKind& kind, const MappingSettings& in) {
  const auto& to = in.DestinationConfig;
  if (!to) return;
  if (to->OnSuccess && to->OnSuccess->Destination && !to->OnSuccess->Destination->empty())
    throw invalid_parameter("Unsupported DestinationConfig parameter for given event source mapping type.");
  if (!kind.has_failure_destination) throw foreign(kind, "DestinationConfig");
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

/// Members of `said` that are there replace those of `kept`.
template <class Members>
void overlay(const Members& said, Members& kept) {
  using Described = boost::describe::describe_members<Members, boost::describe::mod_public>;
  boost::mp11::mp_for_each<Described>([&](auto member) {
    const auto& value = said.*member.pointer;
    auto& place = kept.*member.pointer;
    using Value = typename std::decay_t<decltype(value)>::value_type;
    // Parts of these cannot be named in an update: it replaces the others alone.
    if constexpr (std::is_same_v<Value, KafkaConsumer> || std::is_same_v<Value, DocumentDbSource>) {
      if (value && place) return overlay(*value, *place);
    }
    if (value) place = value;
  });
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
  // Community issue 2250 of aws-controllers-k8s.
  throw invalid_parameter(
      fmt::format("Unrecognized event source. Unsupported source arn : {}", *settings.EventSourceArn));
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

void apply_changes(const MappingChanges& changes, MappingSettings& settings) {
  const auto before = settings.SourceAccessConfigurations;
  overlay<MappingChanges>(changes, settings);
  if (!changes.SourceAccessConfigurations || !before) return;
  for (const SourceAccess& each : *before)
    if (each.Type == kVirtualHost) settings.SourceAccessConfigurations->push_back(each);
}

void check_new_mapping(const SourceKind& kind, const MappingSettings& settings, std::int64_t now_ms) {
  check_position(kind, settings, now_ms);
  refuse_foreign(kind, settings);
  if (settings.SelfManagedEventSource && settings.EventSourceArn) throw foreign(kind, "EventSourceArn");
  if (settings.Topics && !kind.needs_topics) throw foreign(kind, "Topics");
  if (settings.Queues && !kind.needs_queues) throw foreign(kind, "Queues");
  if (kind.needs_access && !settings.SourceAccessConfigurations) throw missing("SourceAccessConfigurations");
  if (kind.needs_topics && !settings.Topics) throw missing("Topics");
  if (kind.needs_queues && !settings.Queues) throw missing("Queues");
  if (!kind.has_document_config) return;
  if (!settings.DocumentDBEventSourceConfig) throw missing("DocumentDBEventSourceConfig");
  if (!settings.DocumentDBEventSourceConfig->DatabaseName) throw missing("DocumentDBEventSourceConfig.DatabaseName");
}

void check_changes(const SourceKind& kind, const MappingChanges& changes) {
  refuse_foreign(kind, changes);
  // AWS refuses the group even when it is the one that the mapping has (measured by go-to-k/cdkd, 2026-09-27).
  if (const auto& msk = changes.AmazonManagedKafkaEventSourceConfig; msk && msk->ConsumerGroupId)
    throw foreign(kind, "AmazonManagedKafkaEventSourceConfig.ConsumerGroupId");
  if (const auto& kafka = changes.SelfManagedKafkaEventSourceConfig; kafka && kafka->ConsumerGroupId)
    throw foreign(kind, "SelfManagedKafkaEventSourceConfig.ConsumerGroupId");
  // "Invalid parameters: collectionName, databaseName" (aws-cli issue 7756), "... VIRTUAL_HOST" (serverless issue 11733).
  std::vector<std::string_view> fixed;
  if (const auto& documents = changes.DocumentDBEventSourceConfig) {
    if (documents->CollectionName) fixed.push_back("collectionName");
    if (documents->DatabaseName) fixed.push_back("databaseName");
  }
  if (const auto& access = changes.SourceAccessConfigurations)
    if (std::any_of(access->begin(), access->end(), [](const auto& each) { return each.Type == kVirtualHost; }))
      fixed.push_back(kVirtualHost);
  if (!fixed.empty()) throw invalid_parameter(fmt::format("Invalid parameters: {}", fmt::join(fixed, ", ")));
}

void check_mapping(const SourceKind& kind, const MappingSettings& settings) {
  check_destinations(kind, settings);
  check_batching(kind, settings);
  check_pollers(kind, settings);
  check_filters(settings.FilterCriteria);
}

}  // namespace lambent::lambda
