// The ARNs that the operations are authorized on. AWS weighs and names a group with ":log-stream:" behind it, so that the
// usual policies on "log-group:NAME:*" fit (seen in its refusals); tags are weighed on the group's own ARN.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "aws/caller.h"
#include "services/logs/shapes.h"

namespace lambent::logs {

/// Throws InvalidParameterException for names that are longer than AWS has them; the model's other constraints are the codec's.
void check_names(std::string_view group, std::string_view stream = {});

/// The group that a request names by its name or by its identifier, a name or an ARN without ":*". Throws
/// ValidationException for both, InvalidParameterException for neither and for what is no group of the caller's account and region.
std::string group_name(const aws::Caller& caller, const std::optional<std::string>& name,
                       const std::optional<std::string>& identifier);
/// What a request is about that names a group as group_name() has it; of another account the ARN as it was given.
std::string identified_stream(const aws::Caller& caller, const std::optional<std::string>& name,
                              const std::optional<std::string>& identifier, std::string_view stream);
/// arn:aws:logs:REGION:ACCOUNT:log-group:NAME, with or without ":*", of the caller's account and region: its name.
std::string group_of_arn(const aws::Caller& caller, const std::string& arn);

inline std::string stream_arn(const aws::Caller& caller, const std::string& group, const std::string& stream) {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}:log-stream:{}", caller.region, caller.account, group, stream);
}

template <class In>
std::string named_group(const aws::Caller& caller, const In& in) {
  check_names(in.logGroupName);
  return stream_arn(caller, in.logGroupName, "");
}
template <class In>
std::string identified_group(const aws::Caller& caller, const In& in) {
  return identified_stream(caller, in.logGroupName, in.logGroupIdentifier, "");
}
template <class In>
std::string named_stream(const aws::Caller& caller, const In& in) {
  check_names(in.logGroupName, in.logStreamName);
  return stream_arn(caller, in.logGroupName, in.logStreamName);
}
/// The ARN of a group without ":*", so that one group has one spelling in policies; what is not of the caller's account and region as
/// it was given. Throws InvalidParameterException as group_of_arn() does.
std::string tagged_group(const aws::Caller& caller, const std::string& arn);
template <class In>
std::string tagged(const aws::Caller& caller, const In& in) {
  return tagged_group(caller, in.resourceArn);
}
std::string protected_group(const aws::Caller& caller, const PutLogGroupDeletionProtectionInput& in);
std::string read_stream(const aws::Caller& caller, const GetLogEventsInput& in);
std::string all_groups(const aws::Caller& caller, const DescribeLogGroupsInput& in);

}  // namespace lambent::logs
