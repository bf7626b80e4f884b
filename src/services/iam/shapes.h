// Structures that several of IAM's operations share, spelled as on the wire.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "aws/values.h"
#include "store/identities.h"

namespace lambent::iam {

/// The answer of operations that answer nothing but success.
struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct Tag {
  std::string Key;
  std::string Value;
};
BOOST_DESCRIBE_STRUCT(Tag, (), (Key, Value))

/// Throws InvalidInput for keys that are the same but for case or that begin with "aws:".
std::vector<store::Tag> checked_tags(const std::vector<Tag>& tags);
std::vector<Tag> wire_tags(const std::vector<store::Tag>& tags);
/// Nothing when there are none, for answers that leave an empty list out.
std::optional<std::vector<Tag>> wire_tags_if_any(const std::vector<store::Tag>& tags);

}  // namespace lambent::iam
