// Conditions of a policy's statement: what a request must be like for the statement to apply. Pure. Any thread.
//
// Source: IAM User Guide, "IAM JSON policy elements: Condition operators". Of the operators those on strings, ARNs and booleans
// are known, each with IfExists; a statement with another one is not evaluated (policy.h).
#pragma once

#include <boost/json/fwd.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/wildcard.h"

namespace lambent::auth {

/// What is known of a request, by lower-case key: "aws:sourcearn".
using RequestContext = std::map<std::string, std::string, std::less<>>;

struct Condition {
  std::string key;  // lower case
  bool negated = false;
  bool if_exists = false;
  bool ignore_case = false;
  /// Without wildcards in it where the operator takes none.
  std::vector<Wildcard> patterns;
  std::vector<std::string> values;

  /// Negated operators hold for a key that the request does not have, the others do not (but for IfExists).
  bool holds(const RequestContext& context) const;
  std::size_t bytes() const;
};

/// Reads the Condition element of a statement. Nothing when it has an operator that is not known; throws
/// MalformedPolicyDocument for what is malformed.
std::optional<std::vector<Condition>> read_conditions(const boost::json::object& element);

}  // namespace lambent::auth
