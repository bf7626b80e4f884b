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

// What AWS answered to mappings of Kafka, MSK and DocumentDB on 2026-09-28, and of MQ on 2026-10-01, is recorded in radkawar/stackd:
// testdata/aws/lambda/*_admission.json, testdata/aws/cloudformation/lambda_mq_mapping_activemq.json.

constexpr std::string_view kLogin = "BASIC_AUTH";
constexpr std::string_view kVirtualHost = "VIRTUAL_HOST";
// Which source each type is for: the API reference, SourceAccessConfiguration.
constexpr std::array<std::string_view, 2> kMskAccess{"SASL_SCRAM_512_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH"};
constexpr std::array<std::string_view, 2> kMqAccess{kLogin, kVirtualHost};
constexpr std::array<std::string_view, 1> kDocumentDbAccess{kLogin};
constexpr std::array<std::string_view, 14> kKafkaAccess{kLogin,
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
                              .takes_timestamp = true,
                              .has_retries = true,
                              .has_shards = true,
                              .has_failure_destination = true,
                              .has_partial_batches = true,
                              .has_result = true};
constexpr SourceKind kDynamoDb{.name = "Amazon DynamoDB Streams",
                               .needs_position = true,
                               .has_retries = true,
                               .has_shards = true,
                               .has_failure_destination = true,
                               .has_partial_batches = true,
                               .has_result = true};
constexpr SourceKind kMsk{.name = "Amazon MSK",
                          .wording = Wording::quoted,
                          .needs_position = true,
                          .takes_timestamp = true,
                          .has_retries = true,
                          .has_failure_destination = true,
                          .has_partial_batches = true,
                          .has_provisioned_pollers = true,
                          .needs_topics = true,
                          .access = kMskAccess,
                          .has_msk_config = true,
                          .has_result = true};
constexpr SourceKind kKafka{.name = "self-managed Apache Kafka",
                            .wording = Wording::quoted,
                            .needs_position = true,
                            .takes_timestamp = true,
                            .has_retries = true,
                            .has_failure_destination = true,
                            .has_partial_batches = true,
                            .has_provisioned_pollers = true,
                            .needs_topics = true,
                            .needs_access = true,
                            .access = kKafkaAccess,
                            .has_kafka_config = true,
                            .user_initiated = true,
                            .has_result = true};
constexpr SourceKind kMq{.name = "Amazon MQ",
                         .wording = Wording::quoted,
                         .needs_queues = true,
                         .needs_access = true,
                         .needs_login = true,
                         .access = kMqAccess};
constexpr SourceKind kDocumentDb{.name = "Amazon DocumentDB",
                                 .wording = Wording::listed,
                                 .has_filters = false,
                                 .needs_position = true,
                                 .takes_timestamp = true,
                                 .needs_access = true,
                                 .needs_login = true,
                                 .access = kDocumentDbAccess,
                                 .has_document_config = true,
                                 .has_result = true};

struct OwnMember {
  std::string_view name;
  bool SourceKind::* has;
};

/// The members that only some sources have, in the order in which they are refused. SourceAccessConfigurations go by their types.
constexpr std::array kOwnMembers{
    OwnMember{"SelfManagedEventSource", &SourceKind::has_kafka_config},
    OwnMember{"Topics", &SourceKind::needs_topics},
    OwnMember{"Queues", &SourceKind::needs_queues},
    OwnMember{"StartingPosition", &SourceKind::needs_position},
    OwnMember{"StartingPositionTimestamp", &SourceKind::takes_timestamp},
    OwnMember{"ParallelizationFactor", &SourceKind::has_shards},
    OwnMember{"TumblingWindowInSeconds", &SourceKind::has_shards},
    OwnMember{"BisectBatchOnFunctionError", &SourceKind::has_retries},
    OwnMember{"MaximumRecordAgeInSeconds", &SourceKind::has_retries},
    OwnMember{"MaximumRetryAttempts", &SourceKind::has_retries},
    OwnMember{"FilterCriteria", &SourceKind::has_filters},
    OwnMember{"ScalingConfig", &SourceKind::has_scaling},
    OwnMember{"ProvisionedPollerConfig", &SourceKind::has_provisioned_pollers},
    OwnMember{"DestinationConfig", &SourceKind::has_failure_destination},
    OwnMember{"FunctionResponseTypes", &SourceKind::has_partial_batches},
    OwnMember{"AmazonManagedKafkaEventSourceConfig", &SourceKind::has_msk_config},
    OwnMember{"SelfManagedKafkaEventSourceConfig", &SourceKind::has_kafka_config},
    OwnMember{"DocumentDBEventSourceConfig", &SourceKind::has_document_config},
};

bool has_member(const SourceKind& kind, std::string_view name) {
  if (name == "SourceAccessConfigurations") return !kind.access.empty();
  const auto own =
      std::find_if(kOwnMembers.begin(), kOwnMembers.end(), [&](const auto& row) { return row.name == name; });
  return own == kOwnMembers.end() || kind.*own->has;
}

template <class Members>
using DescribedMembers =
    boost::describe::describe_members<Members, boost::describe::mod_public | boost::describe::mod_inherited>;

// An empty list or structure asks for nothing: the console sends such to every source ("Filter criteria encryption" in Lambda's
// developer guide shows `"sourceAccessConfigurations": [], "scalingConfig": {}` of a queue).
template <class Value>
bool says_something(const std::optional<Value>& value) {
  return value.has_value();
}
template <class Item>
bool says_something(const std::optional<std::vector<Item>>& list) {
  return list && !list->empty();
}
bool says_something(const std::optional<FilterCriteria>& criteria) {
  return criteria && says_something(criteria->Filters);
}
bool says_something(const std::optional<MappingScaling>& scaling) { return scaling && scaling->MaximumConcurrency; }
bool says_something(const std::optional<MappingDestinations>& to) {
  return to && to->OnFailure && to->OnFailure->Destination && !to->OnFailure->Destination->empty();
}

template <class Members>
bool says_member(const Members& in, std::string_view name) {
  bool said = false;
  boost::mp11::mp_for_each<DescribedMembers<Members>>([&](auto member) {
    if (name == member.name) said = says_something(in.*member.pointer);
  });
  return said;
}

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

aws::Error invalid_members(const std::vector<std::string>& members) {
  return invalid_parameter(fmt::format("Invalid parameters: {}", fmt::join(members, ", ")));
}

aws::Error foreign(const SourceKind& kind, std::string_view member) {
  if (kind.has_scaling && member == "StartingPosition")
    return invalid_parameter("StartingPosition is not valid for SQS event sources.");
  const auto name =
      kind.wording == Wording::plain ? std::string(member) : fmt::format("'{}'", spelled(std::string(member)));
  return invalid_parameter(fmt::format("Unsupported {} parameter for given event source mapping type.", name));
}

aws::Error missing(std::string_view member) {
  return invalid_parameter(fmt::format("Required '{}' parameter is missing.", spelled(std::string(member))));
}

/// Members that only some sources have, and what no source has.
template <class Members>
void refuse_foreign(const SourceKind& kind, const Members& in) {
  const auto& to = in.DestinationConfig;
  if (to && to->OnSuccess && to->OnSuccess->Destination && !to->OnSuccess->Destination->empty())
    throw invalid_parameter("Unsupported DestinationConfig parameter for given event source mapping type.");
  if (in.MaximumBatchingWindowInSeconds.value_or(0) > 0 && !kind.has_window)
    throw invalid_parameter("Batching window is not supported for FIFO queues");
  std::vector<std::string> found;
  for (const auto& [member, has] : kOwnMembers) {
    if (kind.*has || !says_member(in, member)) continue;
    if (kind.wording != Wording::listed) throw foreign(kind, member);
    found.push_back(spelled(std::string(member)));
  }
  if (!found.empty()) throw invalid_members(found);
}

void check_access(const SourceKind& kind, const std::optional<std::vector<SourceAccess>>& access) {
  if (!access) return;
  const auto is_known = [&](const SourceAccess& each) {
    return each.Type && std::find(kind.access.begin(), kind.access.end(), *each.Type) != kind.access.end();
  };
  const bool listed = kind.wording == Wording::listed;
  if (!std::all_of(access->begin(), access->end(), is_known))
    throw listed ? invalid_members({"sourceAccessConfigurations"}) : foreign(kind, "SourceAccessConfigurations");
  const bool logs_in =
      std::any_of(access->begin(), access->end(), [](const auto& each) { return each.Type == kLogin; });
  if (kind.needs_login && !logs_in)
    throw listed ? invalid_members({"sourceAccessConfigurations"})
                 : invalid_parameter("BASIC_AUTH source access configuration was not provided");
  // "If your Kafka users access your Apache Kafka brokers over the internet, you must specify a Secrets Manager secret", else the VPC.
  if (kind.needs_access && access->empty()) throw missing("SourceAccessConfigurations");
}

/// What AWS calls missing, in its order; DocumentDB counts what it needs twice over.
void require_members(const SourceKind& kind, const MappingSettings& in) {
  if (kind.wording != Wording::listed) {
    if (kind.needs_topics && !in.Topics) throw missing("Topics");
    if (kind.needs_queues && !in.Queues) throw missing("Queues");
    if (kind.needs_access && !in.SourceAccessConfigurations) throw missing("SourceAccessConfigurations");
    return;
  }
  std::vector<std::string> found;
  const auto& documents = in.DocumentDBEventSourceConfig;
  if (!documents) found.emplace_back("documentDBEventSourceConfig");
  if (!documents || !documents->DatabaseName) found.emplace_back("databaseName");
  if (!in.SourceAccessConfigurations) found.insert(found.end(), 2, "sourceAccessConfigurations");
  if (!found.empty()) throw invalid_members(found);
}

void check_position(const SourceKind& kind, const MappingSettings& in, std::int64_t now_ms) {
  if (kind.needs_position && !in.StartingPosition)
    throw invalid_parameter(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not "
        "be null.");
  const bool at_timestamp = in.StartingPosition == "AT_TIMESTAMP";
  if (at_timestamp && kind.needs_position && !kind.takes_timestamp)
    throw invalid_parameter(fmt::format("Unsupported starting position for arn type: {}", source_of(in)));
  if (!kind.takes_timestamp) return;
  // Of Kinesis: pull request 334 of aws-cloudformation-user-guide.
  if (at_timestamp && !in.StartingPositionTimestamp)
    throw invalid_parameter(
        kind.wording == Wording::plain
            ? "Need to specify a timestamp"
            : "When the starting position is 'AT_TIMESTAMP', a starting position timestamp must be provided.");
  if (!at_timestamp && in.StartingPositionTimestamp)
    throw invalid_parameter("StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP, and only with it.");
  // The API reference's sentence; what AWS answers is not recorded.
  if (at_timestamp && in.StartingPositionTimestamp->ms > now_ms)
    throw invalid_parameter("StartingPositionTimestamp cannot be in the future.");
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

/// What was said of members that the source does not have was nothing, or it would have been refused: it is not kept.
void drop_foreign(const SourceKind& kind, MappingSettings& settings) {
  boost::mp11::mp_for_each<DescribedMembers<MappingSettings>>([&](auto member) {
    if (!has_member(kind, member.name)) (settings.*member.pointer).reset();
  });
}

}  // namespace

const SourceKind& source_kind(const MappingSettings& settings) {
  if (settings.SelfManagedEventSource && !settings.EventSourceArn) return kKafka;
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
  drop_foreign(kind, settings);
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

void apply_changes(const SourceKind& kind, const MappingChanges& changes, MappingSettings& settings) {
  const auto before = settings.SourceAccessConfigurations;
  overlay<MappingChanges>(changes, settings);
  drop_foreign(kind, settings);
  if (!changes.SourceAccessConfigurations || !before) return;
  for (const SourceAccess& each : *before)
    if (each.Type == kVirtualHost) settings.SourceAccessConfigurations->push_back(each);
}

void check_new_mapping(const SourceKind& kind, const MappingSettings& settings, std::int64_t now_ms) {
  require_members(kind, settings);
  check_position(kind, settings, now_ms);
  refuse_foreign(kind, settings);
  check_access(kind, settings.SourceAccessConfigurations);
}

void check_changes(const SourceKind& kind, const MappingChanges& changes) {
  refuse_foreign(kind, changes);
  // AWS refuses the group even when it is the one that the mapping has (measured by go-to-k/cdkd, 2026-09-27).
  if (const auto& msk = changes.AmazonManagedKafkaEventSourceConfig; msk && msk->ConsumerGroupId)
    throw foreign(kind, "AmazonManagedKafkaEventSourceConfig.ConsumerGroupId");
  if (const auto& kafka = changes.SelfManagedKafkaEventSourceConfig; kafka && kafka->ConsumerGroupId)
    throw foreign(kind, "SelfManagedKafkaEventSourceConfig.ConsumerGroupId");
  // "Invalid parameters: collectionName, databaseName" (aws-cli issue 7756), "... VIRTUAL_HOST" (serverless issue 11733).
  std::vector<std::string> fixed;
  if (const auto& documents = changes.DocumentDBEventSourceConfig) {
    if (documents->CollectionName) fixed.emplace_back("collectionName");
    if (documents->DatabaseName) fixed.emplace_back("databaseName");
  }
  if (const auto& access = changes.SourceAccessConfigurations)
    if (std::any_of(access->begin(), access->end(), [](const auto& each) { return each.Type == kVirtualHost; }))
      fixed.emplace_back(kVirtualHost);
  if (!fixed.empty()) throw invalid_members(fixed);
  check_access(kind, changes.SourceAccessConfigurations);
}

void check_mapping(const SourceKind& kind, const MappingSettings& settings) {
  check_batching(kind, settings);
  check_pollers(kind, settings);
  check_filters(settings.FilterCriteria);
}

}  // namespace lambent::lambda
