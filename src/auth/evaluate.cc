#include "auth/evaluate.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace lambent::auth {
namespace {

bool any_matches(const std::vector<Wildcard>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const Wildcard& p) { return p.matches(text); });
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool applies_to_action(const PolicyStatement& statement, std::string_view lower_action) {
  return any_matches(statement.actions, lower_action) != statement.not_action;
}

const RequestContext& context_of(const KnownOfRequest& known) {
  static const RequestContext kNothing;
  return known ? known() : kNothing;
}

bool names_resource(const PolicyStatement& statement, const AccessRequest& request) {
  if (any_matches(statement.resources, request.resource)) return true;
  return std::any_of(statement.variable_resources.begin(), statement.variable_resources.end(),
                     [&](const VariableText& text) {
                       const auto pattern = text.resolve(context_of(request.context));
                       return pattern && Wildcard(*pattern).matches(request.resource);
                     });
}

bool applies(const PolicyStatement& statement, std::string_view lower_action, const AccessRequest& request) {
  if (!applies_to_action(statement, lower_action)) return false;
  // What is not understood fails closed (policy.h).
  if (statement.unevaluated) return !statement.allow;
  return names_resource(statement, request) != statement.not_resource;
}

bool conditions_hold(const PolicyStatement& statement, const KnownOfRequest& known) {
  if (statement.conditions.empty() || statement.unevaluated) return true;
  const RequestContext& context = context_of(known);
  return std::all_of(statement.conditions.begin(), statement.conditions.end(),
                     [&](const Condition& condition) { return condition.holds(context); });
}

/// One kind of policy, all its documents together.
Decision decide_among(CompiledPolicies policies, std::string_view lower_action, const AccessRequest& request) {
  bool allowed = false;
  for (const auto& policy : policies) {
    if (!policy) return Decision::explicit_deny;
    for (const PolicyStatement& statement : policy->statements) {
      if (!applies(statement, lower_action, request) || !conditions_hold(statement, request.context)) continue;
      if (!statement.allow) return Decision::explicit_deny;
      allowed = true;
    }
  }
  return allowed ? Decision::allow : Decision::implicit_deny;
}

/// How a statement's principals cover a principal.
Trust covers(const Principals& principals, const AssumePrincipal& who) {
  if (!who.service.empty()) return has(principals.services, who.service) ? Trust::named : Trust::none;
  if (has(principals.arns, who.arn) || has(principals.arns, who.identity_arn) || principals.everyone)
    return Trust::named;
  return has(principals.accounts, who.account) ? Trust::account : Trust::none;
}

}  // namespace

Decision decide(const ApplicablePolicies& policies, const AccessRequest& request) {
  const std::string action = base::lower(request.action);
  // Boundary and session policies: each can only take away, so each must allow as well. None of them exists yet.
  return decide_among(policies.identity, action, request);
}

Trust decide_resource(const PolicyDocument& policy, const AssumePrincipal& principal, const AccessRequest& request) {
  const std::string action = base::lower(request.action);
  Trust best = Trust::none;
  for (const PolicyStatement& statement : policy.statements) {
    if (!applies(statement, action, request)) continue;
    // An Allow that is not understood does not apply; a Deny that is not understood does, to everybody.
    if (statement.unevaluated) return Trust::denied;
    const Trust covered = covers(statement.principals, principal);
    if (covered == Trust::none) continue;
    if (!conditions_hold(statement, request.context)) continue;
    if (!statement.allow) return Trust::denied;
    if (best != Trust::named) best = covered;
  }
  return best;
}

Trust decide_trust(const PolicyDocument& trust_policy, const AssumePrincipal& principal, const KnownOfRequest& known) {
  Trust best = Trust::none;
  for (const PolicyStatement& statement : trust_policy.statements) {
    if (!applies_to_action(statement, "sts:assumerole")) continue;
    if (statement.unevaluated && statement.allow) continue;
    if (statement.unevaluated) return Trust::denied;
    const Trust covered = covers(statement.principals, principal);
    if (covered == Trust::none || !conditions_hold(statement, known)) continue;
    if (!statement.allow) return Trust::denied;
    if (best != Trust::named) best = covered;
  }
  return best;
}

}  // namespace lambent::auth
