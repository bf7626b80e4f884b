#include "auth/authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "auth/policy.h"
#include "aws/error.h"

namespace lambent::auth {
namespace {

using Documents = std::vector<std::shared_ptr<const PolicyDocument>>;

/// Inline and attached policies of a user or a role as they are now.
template <class Identity>
void collect(const store::Identities& identities, const Identity& identity, PolicyUse inline_use, Documents& out) {
  for (const auto& [name, document] : identity.inline_policies) out.push_back(compiled_policy(document, inline_use));
  for (const std::string& arn : identity.attached_policies) {
    const auto policy = identities.policy(arn);
    // An attached policy that is gone may have denied.
    out.push_back(policy ? compiled_policy(policy->document, PolicyUse::managed) : nullptr);
  }
}

/// IAM, STS and the other services with XML answers leave out the suffix.
std::string denied_code(std::string_view action) {
  const std::string_view service = action.substr(0, action.find(':'));
  static constexpr std::string_view xml[] = {"iam", "sts", "s3"};
  return std::find(std::begin(xml), std::end(xml), service) != std::end(xml) ? "AccessDenied" : "AccessDeniedException";
}

// The wording as Lambda's answers show it (feast-dev/feast#2800, nficano/python-lambda#715) and IAM User Guide,
// "Troubleshoot access denied error messages".
[[noreturn]] void refuse(const aws::Caller& caller, std::string_view action, std::string_view resource,
                         Decision decision) {
  const std::string reason = decision == Decision::explicit_deny
                                 ? "with an explicit deny in an identity-based policy"
                                 : fmt::format("because no identity-based policy allows the {} action", action);
  throw aws::Error(
      denied_code(action),
      fmt::format("User: {} is not authorized to perform: {} on resource: {} {}", caller.arn, action, resource, reason),
      403);
}

}  // namespace

Decision Authorizer::decide_for(const aws::Caller& caller, std::string_view action, std::string_view resource) const {
  Documents documents;
  switch (caller.kind) {
    case aws::Principal::root:
      return Decision::allow;
    case aws::Principal::user: {
      const auto slash = caller.identity_arn.rfind('/');
      const auto user = identities_.user(
          caller.account, std::string_view(caller.identity_arn).substr(slash == std::string::npos ? 0 : slash + 1));
      // A namesake made since the request was signed is somebody else.
      if (!user || user->id != caller.user_id) return Decision::implicit_deny;
      collect(identities_, *user, PolicyUse::inline_user, documents);
      break;
    }
    case aws::Principal::assumed_role: {
      const auto role = identities_.role_by_arn(caller.identity_arn);
      if (!role || !caller.user_id.starts_with(role->id + ":")) return Decision::implicit_deny;
      collect(identities_, *role, PolicyUse::inline_role, documents);
      break;
    }
  }
  return decide({.identity = documents}, {.action = action, .resource = resource});
}

void Authorizer::require(const aws::Caller& caller, std::string_view action, std::string_view resource) const {
  const Decision decision = decide_for(caller, action, resource);
  if (decision != Decision::allow) refuse(caller, action, resource, decision);
}

bool Authorizer::allowed(const aws::Caller& caller, std::string_view action, std::string_view resource) const {
  return decide_for(caller, action, resource) == Decision::allow;
}

bool Authorizer::may_assume(const aws::Caller& caller, const store::Role& role) const {
  // "Roles may not be assumed by root accounts.", whatever they trust.
  if (caller.kind == aws::Principal::root) return false;
  const auto trust_policy = compiled_policy(role.trust_policy, PolicyUse::trust);
  if (!trust_policy) return false;
  const Trust trust =
      decide_trust(*trust_policy, {.account = caller.account, .arn = caller.arn, .identity_arn = caller.identity_arn});
  if (trust == Trust::none || trust == Trust::denied) return false;
  const Decision own = decide_for(caller, "sts:AssumeRole", role.arn());
  const bool named_here = trust == Trust::named && caller.account == role.account;
  return own == Decision::allow || (named_here && own == Decision::implicit_deny);
}

void Authorizer::require_assume(const aws::Caller& caller, const store::Role& role) const {
  if (may_assume(caller, role)) return;
  if (caller.kind == aws::Principal::root)
    throw aws::Error("AccessDenied", "Roles may not be assumed by root accounts.", 403);
  throw aws::Error(
      "AccessDenied",
      fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}", caller.arn, role.arn()),
      403);
}

bool Authorizer::service_may_assume(std::string_view service, const store::Role& role) {
  const auto trust_policy = compiled_policy(role.trust_policy, PolicyUse::trust);
  return trust_policy && decide_trust(*trust_policy, {.service = service}) == Trust::named;
}

}  // namespace lambent::auth
