// Tags of roles, users and policies: Tag, Untag and List of each.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

/// Of each ("IAM and AWS STS quotas").
constexpr std::size_t kTagsPerEntity = 50;

struct TagRoleInput {
  std::string RoleName;
  std::vector<Tag> Tags;
};
BOOST_DESCRIBE_STRUCT(TagRoleInput, (), (RoleName, Tags))
struct UntagRoleInput {
  std::string RoleName;
  std::vector<std::string> TagKeys;
};
BOOST_DESCRIBE_STRUCT(UntagRoleInput, (), (RoleName, TagKeys))
struct ListRoleTagsInput {
  std::string RoleName;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListRoleTagsInput, (), (RoleName, Marker, MaxItems))

struct TagUserInput {
  std::string UserName;
  std::vector<Tag> Tags;
};
BOOST_DESCRIBE_STRUCT(TagUserInput, (), (UserName, Tags))
struct UntagUserInput {
  std::string UserName;
  std::vector<std::string> TagKeys;
};
BOOST_DESCRIBE_STRUCT(UntagUserInput, (), (UserName, TagKeys))
struct ListUserTagsInput {
  std::string UserName;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListUserTagsInput, (), (UserName, Marker, MaxItems))

struct TagPolicyInput {
  std::string PolicyArn;
  std::vector<Tag> Tags;
};
BOOST_DESCRIBE_STRUCT(TagPolicyInput, (), (PolicyArn, Tags))
struct UntagPolicyInput {
  std::string PolicyArn;
  std::vector<std::string> TagKeys;
};
BOOST_DESCRIBE_STRUCT(UntagPolicyInput, (), (PolicyArn, TagKeys))
struct ListPolicyTagsInput {
  std::string PolicyArn;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListPolicyTagsInput, (), (PolicyArn, Marker, MaxItems))

struct ListTagsOutput {
  std::vector<Tag> Tags;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListTagsOutput, (), (Tags, IsTruncated, Marker))

base::Task<Nothing> tag_role(Iam& iam, aws::Caller caller, TagRoleInput in);
base::Task<Nothing> untag_role(Iam& iam, aws::Caller caller, UntagRoleInput in);
base::Task<ListTagsOutput> list_role_tags(Iam& iam, aws::Caller caller, ListRoleTagsInput in);
base::Task<Nothing> tag_user(Iam& iam, aws::Caller caller, TagUserInput in);
base::Task<Nothing> untag_user(Iam& iam, aws::Caller caller, UntagUserInput in);
base::Task<ListTagsOutput> list_user_tags(Iam& iam, aws::Caller caller, ListUserTagsInput in);
base::Task<Nothing> tag_policy(Iam& iam, aws::Caller caller, TagPolicyInput in);
base::Task<Nothing> untag_policy(Iam& iam, aws::Caller caller, UntagPolicyInput in);
base::Task<ListTagsOutput> list_policy_tags(Iam& iam, aws::Caller caller, ListPolicyTagsInput in);

}  // namespace lambent::iam
