#include "services/iam/words.h"

#include <fmt/format.h>

namespace lambent::iam {
namespace {

aws::Error no_such_entity(std::string message) { return {"NoSuchEntity", std::move(message), 404}; }

}  // namespace

aws::Error no_such_user(std::string_view name) {
  return no_such_entity(fmt::format("The user with name {} cannot be found.", name));
}

aws::Error no_such_role(std::string_view name) {
  return no_such_entity(fmt::format("The role with name {} cannot be found.", name));
}

aws::Error no_such_access_key(std::string_view id) {
  return no_such_entity(fmt::format("The Access Key with id {} cannot be found.", id));
}

aws::Error no_such_policy(std::string_view arn) { return no_such_entity(fmt::format("Policy {} was not found.", arn)); }

aws::Error no_such_policy_version(std::string_view arn, std::string_view version) {
  return no_such_entity(fmt::format("Policy {} version {} does not exist or is not attachable.", arn, version));
}

aws::Error no_such_inline_policy(std::string_view kind, std::string_view name) {
  return no_such_entity(fmt::format("The {} policy with name {} cannot be found.", kind, name));
}

aws::Error not_attachable(std::string_view arn) {
  return no_such_entity(fmt::format("Policy {} does not exist or is not attachable.", arn));
}

aws::Error already_exists(std::string_view kind, std::string_view name) {
  return {"EntityAlreadyExists", fmt::format("{} with name {} already exists.", kind, name), 409};
}

aws::Error policy_already_exists(std::string_view name) {
  return {"EntityAlreadyExists",
          fmt::format("A policy called {} already exists. Duplicate names are not allowed.", name), 409};
}

aws::Error over_quota(std::string_view quota, std::size_t limit) {
  return {"LimitExceeded", fmt::format("Cannot exceed quota for {}: {}", quota, limit), 409};
}

aws::Error inline_policies_too_large(std::size_t limit, std::string_view kind, std::string_view name) {
  return {"LimitExceeded", fmt::format("Maximum policy size of {} bytes exceeded for {} {}", limit, kind, name), 409};
}

aws::Error must_first(std::string_view what) {
  return {"DeleteConflict", fmt::format("Cannot delete entity, must {} first.", what), 409};
}

aws::Error invalid_input(std::string message) { return {"InvalidInput", std::move(message), 400}; }

aws::Error validation_error(std::string message) { return {"ValidationError", std::move(message), 400}; }

}  // namespace lambent::iam
