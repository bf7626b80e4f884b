// What is known of a request for the conditions of policies: values by key, in lower case ("aws:sourcearn"). A key that is not
// known is absent, as on AWS: what a condition makes of that is its operator's business.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace lambent::aws {

/// Nearly every key has one value; aws:TagKeys and lambda:Layer may have several, or none although they are known.
struct ConditionValue {
  ConditionValue(std::string one) : values{std::move(one)} {}
  ConditionValue(const char* one) : values{one} {}
  ConditionValue(std::vector<std::string> several) : values(std::move(several)), multivalued(true) {}

  std::vector<std::string> values;
  /// Of a key that may have several, however many it has now.
  bool multivalued = false;
};

using ConditionKeys = std::map<std::string, ConditionValue, std::less<>>;

}  // namespace lambent::aws
