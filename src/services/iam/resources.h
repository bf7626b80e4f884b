// The ARNs that IAM's operations are authorized on: an existing entity's own path, otherwise the requested one
// (Service Authorization Reference, "Actions, resources, and condition keys for IAM").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/arn.h"
#include "aws/caller.h"
#include "services/iam/iam.h"

namespace lambent::iam {

/// The user that an operation is about: the named one, or without a name the caller's own. Empty for root's own. Throws
/// ValidationError for a role session, which has no user.
std::string user_name_of(const aws::Caller& caller, const std::optional<std::string>& name);

inline std::string iam_arn(const aws::Caller& caller, std::string_view resource) {
  return aws::make_arn("iam", "", caller.account, resource);
}

namespace detail {

std::string user_arn(Iam& iam, const aws::Caller& caller, const std::optional<std::string>& name);
std::string role_arn(Iam& iam, const aws::Caller& caller, const std::string& name);

}  // namespace detail

template <class In>
std::string existing_user(Iam& iam, const aws::Caller& caller, const In& in) {
  return detail::user_arn(iam, caller, in.UserName);
}

template <class In>
std::string existing_role(Iam& iam, const aws::Caller& caller, const In& in) {
  return detail::role_arn(iam, caller, in.RoleName);
}

template <class In>
std::string new_user(const aws::Caller& caller, const In& in) {
  return iam_arn(caller, "user" + in.Path.value_or("/") + in.UserName);
}

template <class In>
std::string new_role(const aws::Caller& caller, const In& in) {
  return iam_arn(caller, "role" + in.Path.value_or("/") + in.RoleName);
}

template <class In>
std::string new_policy(const aws::Caller& caller, const In& in) {
  return iam_arn(caller, "policy" + in.Path.value_or("/") + in.PolicyName);
}

template <class In>
std::string named_policy(const aws::Caller&, const In& in) {
  return in.PolicyArn;
}

// Lists have no resource of their own; AWS weighs and names them as the folder that they list.
template <class In>
std::string all_users(const aws::Caller& caller, const In& in) {
  return iam_arn(caller, "user" + in.PathPrefix.value_or("/"));
}

template <class In>
std::string all_roles(const aws::Caller& caller, const In& in) {
  return iam_arn(caller, "role" + in.PathPrefix.value_or("/"));
}

template <class In>
std::string all_policies(const aws::Caller& caller, const In& in) {
  return iam_arn(caller, "policy" + in.PathPrefix.value_or("/"));
}

}  // namespace lambent::iam
