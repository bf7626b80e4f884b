// What a request to IAM says, for conditions of policies (Service Authorization Reference, "Condition keys for AWS Identity and
// Access Management" and the global keys on tags). A key that the request does not have is absent. For with_keys().
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/caller.h"
#include "aws/condition_keys.h"
#include "base/bytes.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

class Iam;

inline const std::vector<Tag>& given_tags(const std::vector<Tag>& tags) { return tags; }
inline const std::vector<Tag>& given_tags(const std::optional<std::vector<Tag>>& tags) {
  static const std::vector<Tag> kNone;
  return tags ? *tags : kNone;
}

/// aws:RequestTag/KEY and aws:TagKeys of what brings tags.
template <class In>
aws::ConditionKeys tags_asked(Iam&, const aws::Caller&, const In& in) {
  aws::ConditionKeys keys;
  std::vector<std::string> names;
  for (const Tag& tag : given_tags(in.Tags)) {
    keys.insert_or_assign("aws:requesttag/" + base::lower(tag.Key), tag.Value);
    names.push_back(tag.Key);
  }
  if (!names.empty()) keys.emplace("aws:tagkeys", std::move(names));
  return keys;
}

template <class In>
aws::ConditionKeys tag_keys_asked(Iam&, const aws::Caller&, const In& in) {
  if (in.TagKeys.empty()) return {};
  return {{"aws:tagkeys", in.TagKeys}};
}

/// iam:PolicyARN of what attaches or detaches one.
template <class In>
aws::ConditionKeys policy_asked(Iam&, const aws::Caller&, const In& in) {
  return {{"iam:policyarn", in.PolicyArn}};
}

}  // namespace lambent::iam
