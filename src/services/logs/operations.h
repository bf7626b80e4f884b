// The handlers that service.cc lists, by family: groups.cc, streams.cc, put_events.cc, get_events.cc, tags.cc.
#pragma once

#include "services/logs/logs.h"
#include "services/logs/shapes.h"

namespace lambent::logs {

base::Task<Nothing> create_log_group(Logs& logs, aws::Caller caller, CreateLogGroupInput in);
base::Task<Nothing> delete_log_group(Logs& logs, aws::Caller caller, LogGroupInput in);
base::Task<DescribeLogGroupsOutput> describe_log_groups(Logs& logs, aws::Caller caller, DescribeLogGroupsInput in);
base::Task<Nothing> put_retention_policy(Logs& logs, aws::Caller caller, PutRetentionPolicyInput in);
base::Task<Nothing> delete_retention_policy(Logs& logs, aws::Caller caller, LogGroupInput in);
base::Task<Nothing> put_deletion_protection(Logs& logs, aws::Caller caller, PutLogGroupDeletionProtectionInput in);

base::Task<Nothing> create_log_stream(Logs& logs, aws::Caller caller, LogStreamInput in);
base::Task<Nothing> delete_log_stream(Logs& logs, aws::Caller caller, LogStreamInput in);
base::Task<DescribeLogStreamsOutput> describe_log_streams(Logs& logs, aws::Caller caller, DescribeLogStreamsInput in);

/// What PutLogEvents takes, as the API reference has it.
constexpr std::size_t kBatchBytes = 1'048'576;
constexpr std::size_t kEventBytes = 1'048'576;
constexpr std::size_t kEventOverhead = 26;
base::Task<PutLogEventsOutput> put_log_events(Logs& logs, aws::Caller caller, PutLogEventsInput in);
base::Task<GetLogEventsOutput> get_log_events(Logs& logs, aws::Caller caller, GetLogEventsInput in);
base::Task<FilterLogEventsOutput> filter_log_events(Logs& logs, aws::Caller caller, FilterLogEventsInput in);

/// Of a group ("CloudWatch Logs quotas").
constexpr std::size_t kTags = 50;
base::Task<Nothing> tag_resource(Logs& logs, aws::Caller caller, TagResourceInput in);
base::Task<Nothing> untag_resource(Logs& logs, aws::Caller caller, UntagResourceInput in);
base::Task<ListTagsOutput> list_tags_for_resource(Logs& logs, aws::Caller caller, ListTagsForResourceInput in);
base::Task<Nothing> tag_log_group(Logs& logs, aws::Caller caller, TagLogGroupInput in);
base::Task<Nothing> untag_log_group(Logs& logs, aws::Caller caller, UntagLogGroupInput in);
base::Task<ListTagsOutput> list_tags_log_group(Logs& logs, aws::Caller caller, LogGroupInput in);

}  // namespace lambent::logs
