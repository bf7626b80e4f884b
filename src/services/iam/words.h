// IAM's refusals in IAM's words, each in one place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "aws/error.h"
#include "store/identities.h"

namespace lambent::iam {

// 404 NoSuchEntity
aws::Error no_such_user(std::string_view name);
aws::Error no_such_role(std::string_view name);
aws::Error no_such_access_key(std::string_view id);
aws::Error no_such_policy(std::string_view arn);
aws::Error no_such_policy_version(std::string_view arn, std::string_view version);
/// `kind` is "user" or "role".
aws::Error no_such_inline_policy(std::string_view kind, std::string_view name);
aws::Error not_attachable(std::string_view arn);

// 409
/// "User with name X already exists."; `kind` is "User" or "Role".
aws::Error already_exists(std::string_view kind, std::string_view name);
aws::Error policy_already_exists(std::string_view name);
/// `quota` as AWS names it, "AccessKeysPerUser".
aws::Error over_quota(std::string_view quota, std::size_t limit);
aws::Error inline_policies_too_large(std::size_t limit, std::string_view kind, std::string_view name);
/// `what` is "detach all policies" and the like.
aws::Error must_first(std::string_view what);

// 400
aws::Error invalid_input(std::string message);
aws::Error validation_error(std::string message);

}  // namespace lambent::iam
