// May they: the one place where permission is decided. Any thread.
//
// Identity-based policies of users and roles (managed and inline) with Allow and Deny, wildcards in actions and resources,
// conditions on what is known of a request (known_keys.h); root may do all; explicit Deny wins (IAM User Guide, "Policy evaluation
// logic"). A resource's own policy is weighed with them: within an account an Allow of either is enough, across accounts both must
// allow. So is a role's trust policy when somebody assumes it. Boundaries and session policies have their place in evaluate.cc and
// come with a later issue; until then requests that bring them are refused.
#pragma once

#include <string>
#include <string_view>

#include "auth/evaluate.h"
#include "auth/known_keys.h"
#include "aws/caller.h"
#include "store/identities.h"

namespace lambent::auth {

/// What is asked of a resource that has, or may have, a policy of its own.
struct ResourceRequest {
  std::string_view action;
  std::string_view resource;
  /// The resource's policy as JSON; empty for none. One that cannot be read denies.
  std::string_view policy = {};
  /// Keys for conditions, beside those that are known of every request: what this operation was asked.
  RequestContext context = {};
};

class Authorizer {
 public:
  /// `tags_of` knows the tags of the other services' resources; what is referred to must outlive this.
  Authorizer(const store::Identities& identities, const base::Clock& clock, TagsOf tags_of = nullptr)
      : identities_(identities), known_{identities, clock, std::move(tags_of)} {}

  /// Throws aws::Error AccessDeniedException / AccessDenied (403) in AWS's words: "User: ARN is not authorized to
  /// perform: lambda:GetFunction on resource: ARN because no identity-based policy allows the lambda:GetFunction action" or
  /// "... with an explicit deny in an identity-based policy". The code is per protocol: query services say AccessDenied.
  void require(const aws::Caller& caller, std::string_view action, std::string_view resource) const;
  bool allowed(const aws::Caller& caller, std::string_view action, std::string_view resource) const;

  /// The same for a resource with a policy. Refusals may also be "... because no resource-based policy allows the ACTION action"
  /// (of another account) and "... with an explicit deny in a resource-based policy".
  void require(const aws::Caller& caller, const ResourceRequest& request) const;
  bool allowed(const aws::Caller& caller, const ResourceRequest& request) const;
  /// May the caller hand the role to a service ("lambda")? Throws what that service says of it: AccessDeniedException of
  /// iam:PassRole, which policies may bind to the service by iam:PassedToService.
  void require_pass_role(const aws::Caller& caller, std::string_view role_arn, std::string_view service) const;
  /// May the service ("s3.amazonaws.com") do it? Its own right is what the resource's policy says.
  bool service_allowed(std::string_view service, const ResourceRequest& request) const;
  /// May somebody who did not sign? Where the resource's policy lets everybody.
  bool anybody_allowed(const ResourceRequest& request) const;

  /// May this caller assume the role? The trust policy names the caller, or it trusts the caller's account and the caller's own
  /// policies allow sts:AssumeRole on the role; across accounts both are needed. Root may not (as on AWS). `asked` are the keys of the
  /// request: sts:ExternalId, sts:RoleSessionName.
  bool may_assume(const aws::Caller& caller, const store::Role& role, const RequestContext& asked = {}) const;
  /// The same as a refusal: AccessDenied (403), "User: ARN is not authorized to perform: sts:AssumeRole on resource: ROLE" or, for
  /// the root account, "Roles may not be assumed by root accounts.".
  void require_assume(const aws::Caller& caller, const store::Role& role, const RequestContext& asked = {}) const;
  /// Does the trust policy let a service ("lambda.amazonaws.com") assume it for the sake of a resource of some account (the
  /// function: aws:SourceArn, aws:SourceAccount)?
  bool service_may_assume(std::string_view service, const store::Role& role, std::string_view source_arn) const;

 private:
  Decision decide_for(const aws::Caller& caller, const AccessRequest& request) const;

  const store::Identities& identities_;
  const KnownKeys known_;
};

}  // namespace lambent::auth
