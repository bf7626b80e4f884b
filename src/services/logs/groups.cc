#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ids.h"
#include "services/logs/operations.h"
#include "services/logs/resources.h"
#include "services/logs/words.h"

namespace lambent::logs {
namespace {

// "Possible values" of PutRetentionPolicy's API reference.
constexpr std::array kRetention{1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};
// "1,000,000 log groups per account per Region"; here of all together.
constexpr std::size_t kGroups = 1'000'000;

LogGroup describe(const store::LogGroup& group, std::uint64_t stored_bytes) {
  LogGroup out;
  out.logGroupName = group.key.name;
  out.creationTime = group.created_ms;
  if (group.retention_days > 0) out.retentionInDays = group.retention_days;
  out.arn = group.arn() + ":*";
  out.logGroupArn = group.arn();
  out.storedBytes = static_cast<std::int64_t>(stored_bytes);
  out.deletionProtectionEnabled = group.deletion_protected;
  return out;
}

std::function<bool(const store::LogGroup&)> wanted(const aws::Caller& caller, const DescribeLogGroupsInput& in) {
  if (in.logGroupNamePrefix && in.logGroupNamePattern)
    throw invalid_parameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  if (in.includeLinkedAccounts.value_or(false))
    throw invalid_parameter("includeLinkedAccounts is not supported: there are no linked accounts here.");
  std::optional<std::vector<std::string>> names;
  if (in.logGroupIdentifiers) {
    names.emplace();
    for (const std::string& identifier : *in.logGroupIdentifiers)
      names->push_back(group_name(caller, std::nullopt, identifier));
  }
  const bool standard = in.logGroupClass.value_or("STANDARD") == "STANDARD";
  return [names = std::move(names), standard, prefix = in.logGroupNamePrefix.value_or(""),
          pattern = in.logGroupNamePattern.value_or("")](const store::LogGroup& group) {
    const std::string& name = group.key.name;
    return standard && name.starts_with(prefix) && name.find(pattern) != std::string::npos &&
           (!names || std::ranges::find(*names, name) != names->end());
  };
}

base::Task<void> edit(Logs& logs, store::LogGroupKey key, std::function<void(store::LogGroup&)> change) {
  if (!co_await logs.groups().edit(std::move(key), std::move(change))) throw no_such_group();
}

}  // namespace

base::Task<Nothing> create_log_group(Logs& logs, aws::Caller caller, CreateLogGroupInput in) {
  if (in.logGroupClass.value_or("STANDARD") != "STANDARD")
    throw invalid_parameter("logGroupClass " + *in.logGroupClass + " is not supported: every group is STANDARD here.");
  if (in.logGroupName.starts_with("aws/"))
    throw invalid_parameter("Log groups starting with AWS/ are reserved for AWS.");
  if (logs.groups().count() >= kGroups) throw aws::Error("LimitExceededException", "Resource limit exceeded.");
  store::LogGroup group;
  group.key = {caller.account, caller.region, in.logGroupName};
  group.directory = base::random_hex(16);
  group.created_ms = logs.clock().now_ms();
  group.deletion_protected = in.deletionProtectionEnabled.value_or(false);
  group.tags = in.tags.value_or(Tags());
  if (!co_await logs.groups().create(std::move(group))) throw group_exists();
  co_return Nothing();
}

base::Task<Nothing> delete_log_group(Logs& logs, aws::Caller caller, LogGroupInput in) {
  store::LogGroupKey key{caller.account, caller.region, in.logGroupName};
  auto check = [](const store::LogGroup& group) {
    if (group.deletion_protected)
      throw aws::Error("ValidationException", "The log group cannot be deleted: its deletion protection is enabled.");
  };
  const auto removed = co_await logs.groups().remove(std::move(key), check);
  if (!removed) throw no_such_group();
  logs.store().forget(*removed);
  co_return Nothing();
}

base::Task<DescribeLogGroupsOutput> describe_log_groups(Logs& logs, aws::Caller caller, DescribeLogGroupsInput in) {
  constexpr std::int32_t kPage = 50;
  const auto wants = wanted(caller, in);
  const std::string after = in.nextToken ? read_token("DescribeLogGroups", *in.nextToken) : "";
  const auto limit = static_cast<std::size_t>(in.limit.value_or(kPage));
  auto found = logs.groups().list(caller.account, caller.region, after, wants, limit + 1);
  DescribeLogGroupsOutput out;
  if (found.size() > limit) {
    found.pop_back();
    out.nextToken = make_token("DescribeLogGroups", found.back()->key.name);
  }
  auto work = [&logs, &found] {
    std::vector<LogGroup> groups;
    for (const auto& group : found) groups.push_back(describe(*group, logs.store().stored_bytes(*group)));
    return groups;
  };
  out.logGroups = co_await logs.cpu().run(std::move(work));
  co_return out;
}

base::Task<Nothing> put_retention_policy(Logs& logs, aws::Caller caller, PutRetentionPolicyInput in) {
  const std::int32_t days = in.retentionInDays;
  if (std::ranges::find(kRetention, days) == kRetention.end())
    throw invalid_parameter(
        fmt::format("1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member "
                    "must satisfy "
                    "enum value set: [{}]",
                    days, fmt::join(kRetention, ", ")));
  store::LogGroupKey key{caller.account, caller.region, in.logGroupName};
  co_await edit(logs, std::move(key), [days](store::LogGroup& group) { group.retention_days = days; });
  co_return Nothing();
}

base::Task<Nothing> delete_retention_policy(Logs& logs, aws::Caller caller, LogGroupInput in) {
  store::LogGroupKey key{caller.account, caller.region, in.logGroupName};
  co_await edit(logs, std::move(key), [](store::LogGroup& group) { group.retention_days = 0; });
  co_return Nothing();
}

base::Task<Nothing> put_deletion_protection(Logs& logs, aws::Caller caller, PutLogGroupDeletionProtectionInput in) {
  store::LogGroupKey key{caller.account, caller.region, group_name(caller, std::nullopt, in.logGroupIdentifier)};
  const bool enabled = in.deletionProtectionEnabled;
  co_await edit(logs, std::move(key), [enabled](store::LogGroup& group) { group.deletion_protected = enabled; });
  co_return Nothing();
}

}  // namespace lambent::logs
