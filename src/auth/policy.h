// A policy document, parsed once into an immutable form that can be evaluated (evaluate.h).
//
// Source: IAM User Guide, "Grammar of the IAM JSON policy language". What this server does not evaluate (Federated principals,
// NotPrincipal, operators of conditions that nobody knows) is refused by check_policy when a document is to be stored. Should such
// a document be found stored all the same, its statements fail closed: an Allow grants nothing, a Deny denies its actions. Any
// condition key is taken: one that a request does not have is absent, as on AWS (docs/decisions/0012-absent-condition-keys.md). Any
// thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/condition.h"
#include "auth/variable_text.h"
#include "auth/wildcard.h"

namespace lambent::auth {

/// What a document is for: decides its grammar and its size.
enum class PolicyUse { managed, inline_user, inline_role, trust, resource };

/// Principals of a statement in a trust policy or a resource's policy.
struct Principals {
  bool everyone = false;              // "*" or {"AWS": "*"}
  std::vector<std::string> accounts;  // 12 digits, also from arn:aws:iam::ACCOUNT:root
  std::vector<std::string> arns;      // users, roles, assumed-role sessions
  std::vector<std::string> services;  // "lambda.amazonaws.com"
};

struct PolicyStatement {
  std::string sid;
  bool allow = false;
  /// Says something that is not evaluated: an Allow never applies, a Deny to every resource and principal.
  bool unevaluated = false;
  bool not_action = false;
  bool not_resource = false;
  std::vector<Wildcard> actions;  // lower case
  std::vector<Wildcard> resources;
  /// Resources with policy variables, which are others for each request.
  std::vector<VariableText> variable_resources;
  Principals principals;
  /// All must hold.
  std::vector<Condition> conditions;
};

struct PolicyDocument {
  std::vector<PolicyStatement> statements;
  /// Why it cannot be stored, if something of it is not evaluated; else empty.
  std::string unevaluated;
  /// About what it occupies.
  std::size_t bytes() const;
};

// Quotas, in characters that are not white space (IAM User Guide, "IAM and AWS STS quotas"). For inline policies
// AWS's bound is on the sum of a user's or role's inline policies: the caller adds up with policy_size().
constexpr std::size_t kManagedPolicySize = 6144;
constexpr std::size_t kUserInlinePolicySize = 2048;
constexpr std::size_t kRoleInlinePolicySize = 10240;
constexpr std::size_t kTrustPolicySize = 2048;
/// A function's ("Lambda quotas", "Function resource-based policy"), in bytes.
constexpr std::size_t kResourcePolicySize = 20480;

/// Characters that count against the quotas.
std::size_t policy_size(std::string_view document);

/// To be called before a document is stored. Throws MalformedPolicyDocument (400) in IAM's words for what is malformed, says a member
/// of an object twice or is not evaluated by this server, LimitExceeded (409) for a document above its quota.
void check_policy(std::string_view document, PolicyUse use);

/// Throws MalformedPolicyDocument (400) for what is malformed only.
PolicyDocument parse_policy(std::string_view document, PolicyUse use);

/// The compiled form out of a bounded cache of this process, keyed by the document's text. Null when it is malformed, which
/// stored documents are not.
std::shared_ptr<const PolicyDocument> compiled_policy(std::string_view document, PolicyUse use);

}  // namespace lambent::auth
