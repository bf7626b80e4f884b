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

/// Of users and roles the keys are the same whatever their case, of policies they are not (LocalStack, test_policy_tag_operations and
/// test_role_tag_errors, recorded in February 2026).
enum class KeyCase { ignored, exact };

/// Throws InvalidInput for a key that is there twice, or that begins with "aws:".
std::vector<store::Tag> checked_tags(const std::vector<Tag>& tags, KeyCase keys = KeyCase::ignored);
std::vector<Tag> wire_tags(const std::vector<store::Tag>& tags);
/// Nothing when there are none, for answers that leave an empty list out.
std::optional<std::vector<Tag>> wire_tags_if_any(const std::vector<store::Tag>& tags);

}  // namespace lambent::iam
