#include "services/iam/resources.h"

#include "services/iam/words.h"

namespace lambent::iam {

std::string user_name_of(const aws::Caller& caller, const std::optional<std::string>& name) {
  if (name) return *name;
  if (caller.kind == aws::Principal::root) return "";
  if (caller.kind != aws::Principal::user)
    throw validation_error("Must specify userName when calling with non-User credentials");
  return caller.identity_arn.substr(caller.identity_arn.rfind('/') + 1);
}

namespace detail {

std::string user_arn(Iam& iam, const aws::Caller& caller, const std::optional<std::string>& name) {
  const std::string wanted = user_name_of(caller, name);
  if (wanted.empty()) return caller.arn;
  const auto user = iam.identities().user(caller.account, wanted);
  return user ? user->arn() : iam_arn(caller, "user/" + wanted);
}

std::string role_arn(Iam& iam, const aws::Caller& caller, const std::string& name) {
  const auto role = iam.identities().role(caller.account, name);
  return role ? role->arn() : iam_arn(caller, "role/" + name);
}

}  // namespace detail

}  // namespace lambent::iam
