#include "services/logs/operations.h"
#include "services/logs/request_keys.h"
#include "services/logs/resources.h"

namespace lambent::logs {

aws::Service logs_service(Logs& logs) {
  using aws::operation;
  // A batch of 1 MiB whose every character is escaped ("\u0001") is six times as long on the wire.
  constexpr std::size_t kBatchBody = 8 << 20;
  return aws::service(
      "logs", logs,
      {
          operation("CreateLogGroup", create_log_group, named_group).with_keys(tags_asked<CreateLogGroupInput>),
          operation("DeleteLogGroup", delete_log_group, named_group),
          operation("DescribeLogGroups", describe_log_groups, all_groups),
          operation("PutRetentionPolicy", put_retention_policy, named_group),
          operation("DeleteRetentionPolicy", delete_retention_policy, named_group),
          operation("PutLogGroupDeletionProtection", put_deletion_protection, protected_group),

          operation("CreateLogStream", create_log_stream, named_stream),
          operation("DeleteLogStream", delete_log_stream, named_stream),
          operation("DescribeLogStreams", describe_log_streams, identified_group),

          operation("PutLogEvents", put_log_events, named_stream).with_body_up_to(kBatchBody),
          operation("GetLogEvents", get_log_events, read_stream),
          operation("FilterLogEvents", filter_log_events, identified_group),

          operation("TagResource", tag_resource, tagged).with_keys(tags_asked<TagResourceInput>),
          operation("UntagResource", untag_resource, tagged).with_keys(tag_keys_asked),
          operation("ListTagsForResource", list_tags_for_resource, tagged),
          operation("TagLogGroup", tag_log_group, named_group).with_keys(tags_asked<TagLogGroupInput>),
          operation("UntagLogGroup", untag_log_group, named_group).with_keys(tags_of_group_asked),
          operation("ListTagsLogGroup", list_tags_log_group, named_group),
      });
}

}  // namespace lambent::logs
