// The decision: do these policies allow this action on this resource? Pure. Any thread.
//
// Source: IAM User Guide, "Policy evaluation logic". An explicit Deny anywhere wins, then an Allow is needed, else the
// request is denied implicitly.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "auth/policy.h"

namespace lambent::auth {

enum class Decision { allow, implicit_deny, explicit_deny };

/// A null document (one that cannot be read) denies explicitly: it may have been meant to.
using CompiledPolicies = std::span<const std::shared_ptr<const PolicyDocument>>;

/// What is known of a request, asked for when a statement has conditions or policy variables; null: nothing is.
using KnownOfRequest = std::function<const RequestContext&()>;

/// What is asked.
struct AccessRequest {
  std::string_view action;  // "lambda:GetFunction", any case
  std::string_view resource;
  KnownOfRequest context = {};
};

/// The policies that bear on one request, by their kind.
struct ApplicablePolicies {
  CompiledPolicies identity;
  // The issue on IAM adds here, and in decide() at the marked places: the permissions boundary and session policies. A
  // resource's own policy is decided apart (decide_resource), and the Authorizer weighs both.
};

Decision decide(const ApplicablePolicies& policies, const AccessRequest& request);

/// Who asks, for a policy that names principals.
struct AssumePrincipal {
  /// Set for a service, else empty: "lambda.amazonaws.com".
  std::string_view service;
  std::string_view account;
  /// The user's ARN or the assumed-role session's.
  std::string_view arn;
  /// For a session, the ARN of its role; else as `arn`.
  std::string_view identity_arn;
};

/// What a trust policy says to sts:AssumeRole by a principal.
enum class Trust {
  /// Allowed by name: within the account nothing else is needed.
  named,
  /// The principal's account is trusted: its own policies must allow it too.
  account,
  none,
  denied,
};

Trust decide_trust(const PolicyDocument& trust_policy, const AssumePrincipal& principal, const KnownOfRequest& known);

/// What a resource's own policy says to a request of a principal.
Trust decide_resource(const PolicyDocument& policy, const AssumePrincipal& principal, const AccessRequest& request);

}  // namespace lambent::auth
