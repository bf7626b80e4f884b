#include "services/logs/resources.h"

#include "aws/arn.h"
#include "services/logs/words.h"

namespace lambent::logs {

std::string group_of_arn(const aws::Caller& caller, const std::string& text) {
  const auto arn = aws::Arn::parse(text);
  constexpr std::string_view kGroup = "log-group:";
  if (!arn || arn->service != "logs" || !arn->resource.starts_with(kGroup))
    throw invalid_parameter("The specified ARN is not a log group's: " + text);
  // Nobody else's groups can be seen from here.
  if (arn->account != caller.account || arn->region != caller.region) throw no_such_group();
  std::string name = arn->resource.substr(kGroup.size());
  if (name.ends_with(":*")) name.resize(name.size() - 2);
  return name;
}

std::string group_name(const aws::Caller& caller, const std::optional<std::string>& name,
                       const std::optional<std::string>& identifier) {
  if (name && identifier) throw invalid_parameter("Only one of logGroupName and logGroupIdentifier can be specified.");
  if (name) return *name;
  if (!identifier) throw invalid_parameter("One of logGroupName and logGroupIdentifier must be specified.");
  return identifier->starts_with("arn:") ? group_of_arn(caller, *identifier) : *identifier;
}

std::string protected_group(const aws::Caller& caller, const PutLogGroupDeletionProtectionInput& in) {
  return stream_arn(caller, group_name(caller, std::nullopt, in.logGroupIdentifier), "");
}

std::string read_stream(const aws::Caller& caller, const GetLogEventsInput& in) {
  return stream_arn(caller, group_name(caller, in.logGroupName, in.logGroupIdentifier), in.logStreamName);
}

std::string all_groups(const aws::Caller& caller, const DescribeLogGroupsInput&) { return stream_arn(caller, "", ""); }

}  // namespace lambent::logs
