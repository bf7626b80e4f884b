// What a request to CloudWatch Logs says of tags, for conditions of policies (Service Authorization Reference, "Condition keys for
// Amazon CloudWatch Logs"). A key that the request does not have is absent. For with_keys().
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/caller.h"
#include "aws/condition_keys.h"
#include "base/bytes.h"
#include "services/logs/shapes.h"

namespace lambent::logs {

class Logs;

inline const Tags& given_tags(const Tags& tags) { return tags; }
inline const Tags& given_tags(const std::optional<Tags>& tags) {
  static const Tags kNone;
  return tags ? *tags : kNone;
}

inline aws::ConditionKeys names_of_tags(std::vector<std::string> names) {
  if (names.empty()) return {};
  return {{"aws:tagkeys", std::move(names)}};
}

/// aws:RequestTag/KEY and aws:TagKeys of what brings tags.
template <class In>
aws::ConditionKeys tags_asked(Logs&, const aws::Caller&, const In& in) {
  std::vector<std::string> names;
  for (const auto& [name, value] : given_tags(in.tags)) names.push_back(name);
  aws::ConditionKeys keys = names_of_tags(std::move(names));
  for (const auto& [name, value] : given_tags(in.tags))
    keys.insert_or_assign("aws:requesttag/" + base::lower(name), value);
  return keys;
}

/// aws:TagKeys of what takes tags away.
inline aws::ConditionKeys tag_keys_asked(Logs&, const aws::Caller&, const UntagResourceInput& in) {
  return names_of_tags(in.tagKeys);
}
inline aws::ConditionKeys tags_of_group_asked(Logs&, const aws::Caller&, const UntagLogGroupInput& in) {
  return names_of_tags(in.tags);
}

}  // namespace lambent::logs
