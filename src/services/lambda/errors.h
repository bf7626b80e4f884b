// Refusals of the Lambda service in AWS's words. Each is thrown where it is made.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "aws/error.h"

namespace lambent::lambda {

inline aws::Error invalid_parameter(std::string message) {
  return {"InvalidParameterValueException", std::move(message), 400};
}

inline aws::Error function_not_found(std::string_view arn) {
  return {"ResourceNotFoundException", fmt::format("Function not found: {}", arn), 404};
}

inline aws::Error conflict(std::string message) { return {"ResourceConflictException", std::move(message), 409}; }

inline aws::Error alias_not_found(std::string_view arn) {
  return {"ResourceNotFoundException", fmt::format("Cannot find alias arn: {}", arn), 404};
}

/// Of functions, versions and aliases; layers have words of their own.
inline aws::Error stale_revision() {
  return {
      "PreconditionFailedException",
      "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
      "the latest Revision Id",
      412};
}

/// One violation in the words that the codec has for the model's constraints.
inline aws::Error violation(std::string_view value, std::string_view member, std::string_view constraint) {
  return {"ValidationException",
          fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: {}", value, member,
                      constraint),
          400};
}

/// For a function that isolates its tenants: `what` has no tenant ("Tenant isolation", "Supported features and limitations").
inline aws::Error without_tenant(std::string_view what) {
  return invalid_parameter(fmt::format("{} not supported for functions with tenant isolation mode enabled.", what));
}

/// For what AWS has and this version has not: refused, never accepted and forgotten.
inline aws::Error unsupported(std::string_view member, std::string_view what) {
  return invalid_parameter(fmt::format("{}: {} is not supported by this version of Lambent", member, what));
}

}  // namespace lambent::lambda
