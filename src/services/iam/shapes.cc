#include "services/iam/shapes.h"

#include <set>

#include "base/bytes.h"
#include "services/iam/words.h"

namespace lambent::iam {

std::vector<store::Tag> checked_tags(const std::vector<Tag>& tags, KeyCase keys) {
  std::vector<store::Tag> checked;
  std::set<std::string> seen;
  for (const Tag& tag : tags) {
    const std::string key = base::lower(tag.Key);
    if (key.starts_with("aws:")) throw invalid_input("Tag keys starting with aws: are reserved.");
    if (!seen.insert(keys == KeyCase::exact ? tag.Key : key).second)
      throw invalid_input(keys == KeyCase::exact
                              ? "Duplicate tag keys found."
                              : "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    checked.push_back({tag.Key, tag.Value});
  }
  return checked;
}

std::vector<Tag> wire_tags(const std::vector<store::Tag>& tags) {
  std::vector<Tag> wire;
  for (const store::Tag& tag : tags) wire.push_back({tag.key, tag.value});
  return wire;
}

std::optional<std::vector<Tag>> wire_tags_if_any(const std::vector<store::Tag>& tags) {
  if (tags.empty()) return std::nullopt;
  return wire_tags(tags);
}

}  // namespace lambent::iam
