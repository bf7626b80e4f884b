// A text of a policy with policy variables: "arn:aws:s3:::photos/${aws:username}/*". Immutable, any thread.
//
// Source: IAM User Guide, "IAM policy elements: Variables and tags". A variable names a condition key, in any case, and may have a
// default: ${aws:PrincipalTag/team, 'nobody'}, where '' is one quote. ${*}, ${?} and ${$} are these characters themselves. Of
// documents of version 2012-10-17 only; in older ones all of it is plain text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/wildcard.h"
#include "aws/condition_keys.h"

namespace lambent::auth {

class VariableText {
 public:
  /// AWS says no bounds beside that of the document.
  static constexpr std::size_t kMaxVariables = 64;
  static constexpr std::size_t kMaxKey = 512;

  /// Throws MalformedPolicyDocument (400) for a variable that has no end, no name or a default without quotes, and beyond the bounds.
  explicit VariableText(std::string_view text);

  static bool has_variables(std::string_view text) { return text.find("${") != std::string_view::npos; }

  /// Has escapes only: the same for every request.
  bool constant() const { return parts_.empty(); }
  /// With values for variables, in which no character is a wildcard. Nothing when a variable has no value and no default ("the
  /// resource that includes a policy variable with no value will not match any resource"): a key that is absent, empty or may have
  /// several values; nor for what becomes longer than Wildcard::kMaxText.
  std::optional<Pattern> resolve(const aws::ConditionKeys& known) const;
  std::size_t bytes() const;

 private:
  struct Part {
    Pattern before;
    std::string key;  // lower case
    std::optional<Pattern> fallback;
  };
  class Reader;

  std::vector<Part> parts_;
  Pattern rest_;
};

}  // namespace lambent::auth
