#include "services/logs/resources.h"

#include <algorithm>

#include "aws/arn.h"
#include "services/logs/words.h"

namespace lambent::logs {
namespace {

/// "Log group names can be between 1 and 512 characters long."
constexpr std::ptrdiff_t kMaxName = 512;

}  // namespace

void check_names(std::string_view group, std::string_view stream) {
  const auto characters = [](std::string_view text) {
    return std::ranges::count_if(text, [](unsigned char byte) { return (byte & 0xC0) != 0x80; });
  };
  // Recorded of AWS (LocalStack, test_create_log_group_invalid_name_length, February 2026).
  if (characters(group) > kMaxName || characters(stream) > kMaxName)
    throw invalid_parameter(
        fmt::format("Invalid LogGroup or LogStream, both must have length less than or equal to {}.", kMaxName));
}

std::string group_of_arn(const aws::Caller& caller, const std::string& text) {
  const auto arn = aws::Arn::parse(text);
  constexpr std::string_view kGroup = "log-group:";
  if (!arn || arn->partition != "aws" || arn->service != "logs" || !arn->resource.starts_with(kGroup))
    throw invalid_parameter("The specified ARN is not a log group's: " + text);
  // Nobody else's groups can be seen from here.
  if (arn->account != caller.account || arn->region != caller.region) throw no_such_group();
  std::string name = arn->resource.substr(kGroup.size());
  if (name.ends_with(":*")) name.resize(name.size() - 2);
  return name;
}

std::string group_name(const aws::Caller& caller, const std::optional<std::string>& name,
                       const std::optional<std::string>& identifier) {
  if (name && identifier)
    throw aws::Error("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
  if (name) {
    check_names(*name);
    return *name;
  }
  if (!identifier) throw invalid_parameter("One of logGroupName and logGroupIdentifier must be specified.");
  return identifier->starts_with("arn:") ? group_of_arn(caller, *identifier) : *identifier;
}

std::string identified_stream(const aws::Caller& caller, const std::optional<std::string>& name,
                              const std::optional<std::string>& identifier, std::string_view stream) {
  if (!name && identifier) {
    const auto arn = aws::Arn::parse(*identifier);
    // Groups have no policies that could let another account in: the authorizer says so.
    if (arn && arn->service == "logs" && arn->account != caller.account)
      return fmt::format("{}:log-stream:{}", *identifier, stream);
  }
  return stream_arn(caller, group_name(caller, name, identifier), std::string(stream));
}

std::string tagged_group(const aws::Caller& caller, const std::string& text) {
  const auto arn = aws::Arn::parse(text);
  const bool here = arn && arn->partition == "aws" && arn->account == caller.account && arn->region == caller.region;
  if (!here) return text;
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", caller.region, caller.account, group_of_arn(caller, text));
}

std::string protected_group(const aws::Caller& caller, const PutLogGroupDeletionProtectionInput& in) {
  return identified_stream(caller, std::nullopt, in.logGroupIdentifier, "");
}

std::string read_stream(const aws::Caller& caller, const GetLogEventsInput& in) {
  check_names({}, in.logStreamName);
  return identified_stream(caller, in.logGroupName, in.logGroupIdentifier, in.logStreamName);
}

std::string all_groups(const aws::Caller& caller, const DescribeLogGroupsInput& in) {
  check_names(in.logGroupNamePrefix.value_or(""));
  return stream_arn(caller, "", "");
}

}  // namespace lambent::logs
