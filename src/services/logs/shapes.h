// Inputs and outputs of CloudWatch Logs' operations, in AWS's spelling.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lambent::logs {

using Tags = std::map<std::string, std::string>;

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct CreateLogGroupInput {
  std::string logGroupName;
  std::optional<Tags> tags;
  std::optional<std::string> logGroupClass;
  std::optional<bool> deletionProtectionEnabled;
};
BOOST_DESCRIBE_STRUCT(CreateLogGroupInput, (), (logGroupName, tags, logGroupClass, deletionProtectionEnabled))

struct LogGroupInput {
  std::string logGroupName;
};
BOOST_DESCRIBE_STRUCT(LogGroupInput, (), (logGroupName))

struct DescribeLogGroupsInput {
  std::optional<std::string> logGroupNamePrefix;
  std::optional<std::string> logGroupNamePattern;
  std::optional<std::string> nextToken;
  std::optional<std::int32_t> limit;
  std::optional<bool> includeLinkedAccounts;
  std::optional<std::string> logGroupClass;
  std::optional<std::vector<std::string>> logGroupIdentifiers;
};
BOOST_DESCRIBE_STRUCT(DescribeLogGroupsInput, (),
                      (logGroupNamePrefix, logGroupNamePattern, nextToken, limit, includeLinkedAccounts, logGroupClass,
                       logGroupIdentifiers))
struct LogGroup {
  std::string logGroupName;
  std::int64_t creationTime = 0;
  std::optional<std::int32_t> retentionInDays;
  std::int32_t metricFilterCount = 0;
  std::string arn;
  std::int64_t storedBytes = 0;
  std::string logGroupClass = "STANDARD";
  std::string logGroupArn;
  bool deletionProtectionEnabled = false;
};
BOOST_DESCRIBE_STRUCT(LogGroup, (),
                      (logGroupName, creationTime, retentionInDays, metricFilterCount, arn, storedBytes, logGroupClass,
                       logGroupArn, deletionProtectionEnabled))
struct DescribeLogGroupsOutput {
  std::vector<LogGroup> logGroups;
  std::optional<std::string> nextToken;
};
BOOST_DESCRIBE_STRUCT(DescribeLogGroupsOutput, (), (logGroups, nextToken))

struct PutRetentionPolicyInput {
  std::string logGroupName;
  std::int32_t retentionInDays = 0;
};
BOOST_DESCRIBE_STRUCT(PutRetentionPolicyInput, (), (logGroupName, retentionInDays))

struct PutLogGroupDeletionProtectionInput {
  std::string logGroupIdentifier;
  bool deletionProtectionEnabled = false;
};
BOOST_DESCRIBE_STRUCT(PutLogGroupDeletionProtectionInput, (), (logGroupIdentifier, deletionProtectionEnabled))

struct LogStreamInput {
  std::string logGroupName;
  std::string logStreamName;
};
BOOST_DESCRIBE_STRUCT(LogStreamInput, (), (logGroupName, logStreamName))

struct DescribeLogStreamsInput {
  std::optional<std::string> logGroupName;
  std::optional<std::string> logGroupIdentifier;
  std::optional<std::string> logStreamNamePrefix;
  std::optional<std::string> orderBy;
  std::optional<bool> descending;
  std::optional<std::string> nextToken;
  std::optional<std::int32_t> limit;
};
BOOST_DESCRIBE_STRUCT(DescribeLogStreamsInput, (),
                      (logGroupName, logGroupIdentifier, logStreamNamePrefix, orderBy, descending, nextToken, limit))
struct LogStream {
  std::string logStreamName;
  std::int64_t creationTime = 0;
  std::optional<std::int64_t> firstEventTimestamp;
  std::optional<std::int64_t> lastEventTimestamp;
  std::optional<std::int64_t> lastIngestionTime;
  std::optional<std::string> uploadSequenceToken;
  std::string arn;
  std::int64_t storedBytes = 0;
};
BOOST_DESCRIBE_STRUCT(LogStream, (),
                      (logStreamName, creationTime, firstEventTimestamp, lastEventTimestamp, lastIngestionTime,
                       uploadSequenceToken, arn, storedBytes))
struct DescribeLogStreamsOutput {
  std::vector<LogStream> logStreams;
  std::optional<std::string> nextToken;
};
BOOST_DESCRIBE_STRUCT(DescribeLogStreamsOutput, (), (logStreams, nextToken))

struct InputLogEvent {
  std::int64_t timestamp = 0;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(InputLogEvent, (), (timestamp, message))
struct PutLogEventsInput {
  std::string logGroupName;
  std::string logStreamName;
  std::vector<InputLogEvent> logEvents;
  /// "The sequence token is now ignored."
  std::optional<std::string> sequenceToken;
};
BOOST_DESCRIBE_STRUCT(PutLogEventsInput, (), (logGroupName, logStreamName, logEvents, sequenceToken))
struct RejectedLogEventsInfo {
  std::optional<std::int32_t> tooNewLogEventStartIndex;
  std::optional<std::int32_t> tooOldLogEventEndIndex;
  std::optional<std::int32_t> expiredLogEventEndIndex;
};
BOOST_DESCRIBE_STRUCT(RejectedLogEventsInfo, (),
                      (tooNewLogEventStartIndex, tooOldLogEventEndIndex, expiredLogEventEndIndex))
struct PutLogEventsOutput {
  std::string nextSequenceToken;
  std::optional<logs::RejectedLogEventsInfo> rejectedLogEventsInfo;
};
BOOST_DESCRIBE_STRUCT(PutLogEventsOutput, (), (nextSequenceToken, rejectedLogEventsInfo))

struct GetLogEventsInput {
  std::optional<std::string> logGroupName;
  std::optional<std::string> logGroupIdentifier;
  std::string logStreamName;
  std::optional<std::int64_t> startTime;
  std::optional<std::int64_t> endTime;
  std::optional<std::string> nextToken;
  std::optional<std::int32_t> limit;
  std::optional<bool> startFromHead;
  /// Nothing is ever masked.
  std::optional<bool> unmask;
};
BOOST_DESCRIBE_STRUCT(GetLogEventsInput, (),
                      (logGroupName, logGroupIdentifier, logStreamName, startTime, endTime, nextToken, limit,
                       startFromHead, unmask))
struct OutputLogEvent {
  std::int64_t timestamp = 0;
  std::string message;
  std::int64_t ingestionTime = 0;
};
BOOST_DESCRIBE_STRUCT(OutputLogEvent, (), (timestamp, message, ingestionTime))
struct GetLogEventsOutput {
  std::vector<OutputLogEvent> events;
  std::string nextForwardToken;
  std::string nextBackwardToken;
};
BOOST_DESCRIBE_STRUCT(GetLogEventsOutput, (), (events, nextForwardToken, nextBackwardToken))

struct FilterLogEventsInput {
  std::optional<std::string> logGroupName;
  std::optional<std::string> logGroupIdentifier;
  std::optional<std::vector<std::string>> logStreamNames;
  std::optional<std::string> logStreamNamePrefix;
  std::optional<std::int64_t> startTime;
  std::optional<std::int64_t> endTime;
  std::optional<std::string> filterPattern;
  std::optional<std::string> nextToken;
  std::optional<std::int32_t> limit;
  std::optional<bool> startFromHead;
  /// "This parameter is ignored and the value is assumed to be true."
  std::optional<bool> interleaved;
  std::optional<bool> unmask;
};
BOOST_DESCRIBE_STRUCT(FilterLogEventsInput, (),
                      (logGroupName, logGroupIdentifier, logStreamNames, logStreamNamePrefix, startTime, endTime,
                       filterPattern, nextToken, limit, startFromHead, interleaved, unmask))
struct FilteredLogEvent {
  std::string logStreamName;
  std::int64_t timestamp = 0;
  std::string message;
  std::int64_t ingestionTime = 0;
  std::string eventId;
};
BOOST_DESCRIBE_STRUCT(FilteredLogEvent, (), (logStreamName, timestamp, message, ingestionTime, eventId))
struct SearchedLogStream {
  std::string logStreamName;
  bool searchedCompletely = true;
};
BOOST_DESCRIBE_STRUCT(SearchedLogStream, (), (logStreamName, searchedCompletely))
struct FilterLogEventsOutput {
  std::vector<FilteredLogEvent> events;
  /// Empty, as AWS answers since 2019.
  std::vector<SearchedLogStream> searchedLogStreams;
  std::optional<std::string> nextToken;
};
BOOST_DESCRIBE_STRUCT(FilterLogEventsOutput, (), (events, searchedLogStreams, nextToken))

struct TagResourceInput {
  std::string resourceArn;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(TagResourceInput, (), (resourceArn, tags))
struct UntagResourceInput {
  std::string resourceArn;
  std::vector<std::string> tagKeys;
};
BOOST_DESCRIBE_STRUCT(UntagResourceInput, (), (resourceArn, tagKeys))
struct ListTagsForResourceInput {
  std::string resourceArn;
};
BOOST_DESCRIBE_STRUCT(ListTagsForResourceInput, (), (resourceArn))
struct ListTagsOutput {
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(ListTagsOutput, (), (tags))
struct TagLogGroupInput {
  std::string logGroupName;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(TagLogGroupInput, (), (logGroupName, tags))
struct UntagLogGroupInput {
  std::string logGroupName;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(UntagLogGroupInput, (), (logGroupName, tags))

}  // namespace lambent::logs
