#include "auth/authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "auth/policy.h"
#include "aws/arn.h"
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

bool is_account(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The account that a resource belongs to; the caller's own where the ARN says none ("*", an AWS managed policy).
std::string owner_of(std::string_view resource, const aws::Caller& caller) {
  const auto arn = aws::Arn::parse(resource);
  return arn && is_account(arn->account) ? arn->account : caller.account;
}

Trust resource_says(const ResourceRequest& request, const AssumePrincipal& principal, const AccessRequest& access) {
  if (request.policy.empty()) return Trust::none;
  const auto policy = compiled_policy(request.policy, PolicyUse::resource);
  if (!policy) return Trust::denied;
  return decide_resource(*policy, principal, access);
}

/// What is known of one request, gathered when the first condition asks for it.
class LazyContext {
 public:
  LazyContext(const KnownKeys& known, const aws::Caller& caller, const ResourceRequest& request)
      : known_(known), caller_(caller), request_(request) {}

  const RequestContext& get() {
    if (gathered_) return *gathered_;
    gathered_ = known_.of(caller_, request_.resource);
    for (const auto& [key, value] : request_.context) gathered_->insert_or_assign(key, value);
    return *gathered_;
  }

 private:
  const KnownKeys& known_;
  const aws::Caller& caller_;
  const ResourceRequest& request_;
  std::optional<RequestContext> gathered_;
};

[[noreturn]] void refuse_with(const aws::Caller& caller, const ResourceRequest& request, const std::string& reason) {
  throw aws::Error(denied_code(request.action),
                   fmt::format("User: {} is not authorized to perform: {} on resource: {} {}", caller.arn,
                               request.action, request.resource, reason),
                   403);
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

Decision Authorizer::decide_for(const aws::Caller& caller, const AccessRequest& request) const {
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
  return decide({.identity = documents}, request);
}

void Authorizer::require(const aws::Caller& caller, std::string_view action, std::string_view resource) const {
  require(caller, ResourceRequest{.action = action, .resource = resource});
}

bool Authorizer::allowed(const aws::Caller& caller, std::string_view action, std::string_view resource) const {
  return allowed(caller, ResourceRequest{.action = action, .resource = resource});
}

void Authorizer::require(const aws::Caller& caller, const ResourceRequest& request) const {
  LazyContext known(known_, caller, request);
  const AccessRequest access{request.action, request.resource,
                             [&known]() -> const RequestContext& { return known.get(); }};
  const AssumePrincipal principal{.account = caller.account, .arn = caller.arn, .identity_arn = caller.identity_arn};
  const Trust trust = resource_says(request, principal, access);
  const bool at_home = owner_of(request.resource, caller) == caller.account;
  // Before the caller's own policies are asked: what they say of another account's tags would tell what these are.
  if (!at_home && trust == Trust::none)
    refuse_with(caller, request, fmt::format("because no resource-based policy allows the {} action", request.action));
  const Decision own = decide_for(caller, access);
  if (own == Decision::explicit_deny) refuse(caller, request.action, request.resource, own);
  if (trust == Trust::denied) refuse_with(caller, request, "with an explicit deny in a resource-based policy");
  // At home the policy's Allow by name is enough; to trust the account is to leave it to the account's own policies.
  if (own == Decision::allow || (at_home && trust == Trust::named)) return;
  refuse(caller, request.action, request.resource, own);
}

bool Authorizer::allowed(const aws::Caller& caller, const ResourceRequest& request) const {
  try {
    require(caller, request);
    return true;
  } catch (const aws::Error&) {
    return false;
  }
}

void Authorizer::require_pass_role(const aws::Caller& caller, std::string_view role_arn,
                                   std::string_view service) const {
  // Of AWS's own words, whatever the caller's policies say.
  if (owner_of(role_arn, caller) != caller.account)
    throw aws::Error("AccessDeniedException", "Cross-account pass role is not allowed.", 403);
  try {
    require(caller, {.action = "iam:PassRole",
                     .resource = role_arn,
                     .context = {{"iam:passedtoservice", std::string(service) + ".amazonaws.com"}}});
  } catch (const aws::Error& error) {
    throw aws::Error("AccessDeniedException", error.message(), 403);
  }
}

bool Authorizer::service_allowed(std::string_view service, const ResourceRequest& request) const {
  RequestContext known = request.context;
  known.merge(service.empty() ? known_.of_anybody(request.resource) : known_.of_service(service, request.resource));
  const AccessRequest access{request.action, request.resource, [&known]() -> const RequestContext& { return known; }};
  return resource_says(request, {.service = service}, access) == Trust::named;
}

bool Authorizer::anybody_allowed(const ResourceRequest& request) const { return service_allowed({}, request); }

bool Authorizer::may_assume(const aws::Caller& caller, const store::Role& role, const RequestContext& asked) const {
  // "Roles may not be assumed by root accounts.", whatever they trust.
  if (caller.kind == aws::Principal::root) return false;
  const auto trust_policy = compiled_policy(role.trust_policy, PolicyUse::trust);
  if (!trust_policy) return false;
  const std::string arn = role.arn();
  const ResourceRequest request{.action = "sts:AssumeRole", .resource = arn, .context = asked};
  LazyContext known(known_, caller, request);
  const AccessRequest access{request.action, request.resource,
                             [&known]() -> const RequestContext& { return known.get(); }};
  const AssumePrincipal principal{.account = caller.account, .arn = caller.arn, .identity_arn = caller.identity_arn};
  const Trust trust = decide_trust(*trust_policy, principal, access.context);
  if (trust == Trust::none || trust == Trust::denied) return false;
  const Decision own = decide_for(caller, access);
  const bool named_here = trust == Trust::named && caller.account == role.account;
  return own == Decision::allow || (named_here && own == Decision::implicit_deny);
}

void Authorizer::require_assume(const aws::Caller& caller, const store::Role& role, const RequestContext& asked) const {
  if (may_assume(caller, role, asked)) return;
  if (caller.kind == aws::Principal::root)
    throw aws::Error("AccessDenied", "Roles may not be assumed by root accounts.", 403);
  throw aws::Error(
      "AccessDenied",
      fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}", caller.arn, role.arn()),
      403);
}

bool Authorizer::service_may_assume(std::string_view service, const store::Role& role,
                                    std::string_view source_arn) const {
  const auto trust_policy = compiled_policy(role.trust_policy, PolicyUse::trust);
  if (!trust_policy) return false;
  RequestContext known;
  const auto gather = [&]() -> const RequestContext& {
    if (!known.empty()) return known;
    known = known_.of_service(service, role.arn());
    const auto source = aws::Arn::parse(source_arn);
    known.insert_or_assign("aws:sourcearn", std::string(source_arn));
    if (source) known.insert_or_assign("aws:sourceaccount", source->account);
    return known;
  };
  return decide_trust(*trust_policy, {.service = service}, gather) == Trust::named;
}

}  // namespace lambent::auth
