#include "services/iam/tags.h"

#include <algorithm>

#include "base/bytes.h"
#include "services/iam/pages.h"
#include "services/iam/policy_versions.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

using store::Change;

template <class Record>
auto same_key(const std::string& key) {
  return [key](const store::Tag& tag) {
    return std::is_same_v<Record, store::Policy> ? tag.key == key : base::equal_ignoring_case(tag.key, key);
  };
}

/// The last spelling of a key stays.
template <class Record>
auto tagging(std::vector<store::Tag> tags) {
  return [tags = std::move(tags)](Record& record) {
    for (const store::Tag& tag : tags) {
      const auto same = std::ranges::find_if(record.tags, same_key<Record>(tag.key));
      if (same == record.tags.end())
        record.tags.push_back(tag);
      else
        *same = tag;
    }
    return record.tags.size() > kTagsPerEntity ? Change::limit : Change::done;
  };
}

template <class Record>
auto untagging(std::vector<std::string> keys) {
  return [keys = std::move(keys)](Record& record) {
    for (const std::string& key : keys) std::erase_if(record.tags, same_key<Record>(key));
    return Change::done;
  };
}

ListTagsOutput list(const std::vector<store::Tag>& tags, const PageRequest& request) {
  auto sorted = wire_tags(tags);
  std::ranges::sort(sorted, {}, &Tag::Key);
  auto page = cut(std::move(sorted), request, [](const Tag& tag) { return tag.Key; });
  ListTagsOutput out;
  out.Tags = std::move(page.items);
  out.IsTruncated = page.marker.has_value();
  out.Marker = std::move(page.marker);
  return out;
}

}  // namespace

base::Task<Nothing> tag_role(Iam& iam, aws::Caller caller, TagRoleInput in) {
  const auto edit = tagging<store::Role>(checked_tags(in.Tags));
  const auto outcome = co_await iam.identities().edit_role(caller.account, in.RoleName, edit);
  if (outcome == Change::missing) throw no_such_role(in.RoleName);
  if (outcome == Change::limit) throw over_quota("TagsPerRole", kTagsPerEntity);
  co_return Nothing();
}

base::Task<Nothing> untag_role(Iam& iam, aws::Caller caller, UntagRoleInput in) {
  const auto edit = untagging<store::Role>(in.TagKeys);
  if (co_await iam.identities().edit_role(caller.account, in.RoleName, edit) == Change::missing)
    throw no_such_role(in.RoleName);
  co_return Nothing();
}

base::Task<ListTagsOutput> list_role_tags(Iam& iam, aws::Caller caller, ListRoleTagsInput in) {
  const auto request = page_request("ListRoleTags", in.Marker, in.MaxItems);
  const auto role = iam.identities().role(caller.account, in.RoleName);
  if (!role) throw no_such_role(in.RoleName);
  co_return list(role->tags, request);
}

base::Task<Nothing> tag_user(Iam& iam, aws::Caller caller, TagUserInput in) {
  const auto edit = tagging<store::User>(checked_tags(in.Tags));
  const auto outcome = co_await iam.identities().edit_user(caller.account, in.UserName, edit);
  if (outcome == Change::missing) throw no_such_user(in.UserName);
  if (outcome == Change::limit) throw over_quota("TagsPerUser", kTagsPerEntity);
  co_return Nothing();
}

base::Task<Nothing> untag_user(Iam& iam, aws::Caller caller, UntagUserInput in) {
  const auto edit = untagging<store::User>(in.TagKeys);
  if (co_await iam.identities().edit_user(caller.account, in.UserName, edit) == Change::missing)
    throw no_such_user(in.UserName);
  co_return Nothing();
}

base::Task<ListTagsOutput> list_user_tags(Iam& iam, aws::Caller caller, ListUserTagsInput in) {
  const auto request = page_request("ListUserTags", in.Marker, in.MaxItems);
  const auto user = iam.identities().user(caller.account, in.UserName);
  if (!user) throw no_such_user(in.UserName);
  co_return list(user->tags, request);
}

base::Task<Nothing> tag_policy(Iam& iam, aws::Caller caller, TagPolicyInput in) {
  const auto policy = own_policy(iam, caller, in.PolicyArn);
  const auto edit = tagging<store::Policy>(checked_tags(in.Tags, KeyCase::exact));
  const auto outcome = co_await iam.identities().edit_policy(caller.account, policy->name, edit);
  if (outcome == Change::missing) throw no_such_policy(in.PolicyArn);
  if (outcome == Change::limit) throw over_quota("TagsPerPolicy", kTagsPerEntity);
  co_return Nothing();
}

base::Task<Nothing> untag_policy(Iam& iam, aws::Caller caller, UntagPolicyInput in) {
  const auto policy = own_policy(iam, caller, in.PolicyArn);
  const auto edit = untagging<store::Policy>(in.TagKeys);
  if (co_await iam.identities().edit_policy(caller.account, policy->name, edit) == Change::missing)
    throw no_such_policy(in.PolicyArn);
  co_return Nothing();
}

base::Task<ListTagsOutput> list_policy_tags(Iam& iam, aws::Caller caller, ListPolicyTagsInput in) {
  const auto request = page_request("ListPolicyTags", in.Marker, in.MaxItems);
  const auto policy = visible_policy(iam, caller, in.PolicyArn);
  if (!policy) throw no_such_policy(in.PolicyArn);
  co_return list(policy->tags, request);
}

}  // namespace lambent::iam
