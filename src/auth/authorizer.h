// May they: the one place where permission is decided. Any thread.
//
// Identity-based policies of users and roles (managed and inline) with Allow and Deny, wildcards in actions and
// resources; root may do all; explicit Deny wins (IAM User Guide, "Policy evaluation logic"). Conditions, boundaries,
// session and resource policies have their place in evaluate.cc and come with a later issue; until then documents that
// use them are refused when they are stored (policy.h).
#pragma once

#include <string>
#include <string_view>

#include "aws/caller.h"
#include "store/identities.h"

namespace lambent::auth {

class Authorizer {
 public:
  explicit Authorizer(const store::Identities& identities) : identities_(identities) {}

  /// Throws aws::Error AccessDeniedException / AccessDenied (403) in AWS's words: "User: ARN is not authorized to
  /// perform: lambda:GetFunction on resource: ARN because no identity-based policy allows the lambda:GetFunction action" or
  /// "... with an explicit deny in an identity-based policy". The code is per protocol: query services say AccessDenied.
  void require(const aws::Caller& caller, std::string_view action, std::string_view resource) const;
  bool allowed(const aws::Caller& caller, std::string_view action, std::string_view resource) const;

  /// Does the role's trust policy let this principal perform sts:AssumeRole? `principal` is a caller or, as
  /// service_may_assume, a service such as "lambda.amazonaws.com".
  bool may_assume(const aws::Caller& caller, const store::Role& role) const;
  static bool service_may_assume(std::string_view service, const store::Role& role);

 private:
  const store::Identities& identities_;
};

}  // namespace lambent::auth
