// Conditions of a policy's statement: what a request must be like for the statement to apply. Pure. Any thread.
//
// Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multi-valued context keys". All
// operators are known: on strings, numbers, dates, booleans, addresses and ARNs, Null, each but Null with IfExists, each with
// ForAllValues: and ForAnyValue:.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/condition_value.h"
#include "auth/variable_text.h"
#include "aws/condition_keys.h"

namespace lambent::auth {

using RequestContext = aws::ConditionKeys;

struct Condition {
  /// How many of the request's values must hold: one of them as it happens (for keys that have one), every one, any one.
  enum class Set { single, all, any };

  std::string key;  // lower case
  Set set = Set::single;
  bool negated = false;
  bool if_exists = false;
  /// Of Null: the key must be absent, or must not be.
  std::optional<bool> absent;
  std::vector<ComparedValue> values;
  /// Values with policy variables: those of the request take their places. One without a value equals nothing and is like nothing.
  std::vector<VariableText> variable_values;
  Comparison comparison = Comparison::text;

  /// For a key that the request does not have, negated operators and ForAllValues hold, the others do not (but for IfExists).
  bool holds(const RequestContext& context) const;
  std::size_t bytes() const;
};

/// Reads the Condition element of a statement, with `variables` in its values (those of version 2012-10-17). Nothing when it has an
/// operator that is not known; throws MalformedPolicyDocument for what is malformed.
std::optional<std::vector<Condition>> read_conditions(const boost::json::object& element, bool variables = false);

}  // namespace lambent::auth
