#include "services/logs/operations.h"
#include "services/logs/resources.h"
#include "services/logs/words.h"

namespace lambent::logs {
namespace {

base::Task<Nothing> add(Logs& logs, store::LogGroupKey key, Tags tags) {
  auto change = [tags = std::move(tags)](store::LogGroup& group) {
    for (const auto& [name, value] : tags) group.tags[name] = value;
    if (group.tags.size() > kTags)
      throw aws::Error("TooManyTagsException",
                       "The maximum number of tags that a resource can have is " + std::to_string(kTags) + ".");
  };
  if (!co_await logs.groups().edit(std::move(key), std::move(change))) throw no_such_group();
  co_return Nothing();
}

base::Task<Nothing> remove(Logs& logs, store::LogGroupKey key, std::vector<std::string> names) {
  auto change = [names = std::move(names)](store::LogGroup& group) {
    for (const std::string& name : names) group.tags.erase(name);
  };
  if (!co_await logs.groups().edit(std::move(key), std::move(change))) throw no_such_group();
  co_return Nothing();
}

}  // namespace

base::Task<Nothing> tag_resource(Logs& logs, aws::Caller caller, TagResourceInput in) {
  store::LogGroupKey key{caller.account, caller.region, group_of_arn(caller, in.resourceArn)};
  co_return co_await add(logs, std::move(key), std::move(in.tags));
}

base::Task<Nothing> untag_resource(Logs& logs, aws::Caller caller, UntagResourceInput in) {
  store::LogGroupKey key{caller.account, caller.region, group_of_arn(caller, in.resourceArn)};
  co_return co_await remove(logs, std::move(key), std::move(in.tagKeys));
}

base::Task<ListTagsOutput> list_tags_for_resource(Logs& logs, aws::Caller caller, ListTagsForResourceInput in) {
  ListTagsOutput out;
  out.tags = logs.existing(caller, group_of_arn(caller, in.resourceArn))->tags;
  co_return out;
}

base::Task<Nothing> tag_log_group(Logs& logs, aws::Caller caller, TagLogGroupInput in) {
  store::LogGroupKey key{caller.account, caller.region, in.logGroupName};
  co_return co_await add(logs, std::move(key), std::move(in.tags));
}

base::Task<Nothing> untag_log_group(Logs& logs, aws::Caller caller, UntagLogGroupInput in) {
  store::LogGroupKey key{caller.account, caller.region, in.logGroupName};
  co_return co_await remove(logs, std::move(key), std::move(in.tags));
}

base::Task<ListTagsOutput> list_tags_log_group(Logs& logs, aws::Caller caller, LogGroupInput in) {
  ListTagsOutput out;
  out.tags = logs.existing(caller, in.logGroupName)->tags;
  co_return out;
}

}  // namespace lambent::logs
