// One AWS operation as C++ says it: a name, a handler over described structs, and the ARN that is authorized.
//
// A service's operations are one visible table:
//
//     aws::Service lambda_service(Lambda& lambda) {
//       return aws::service("lambda", lambda, {
//           aws::operation("CreateFunction", create_function, function_resource),
//           aws::operation("GetFunction", get_function, function_resource),
//       });
//     }
//
// aws::service binds every row to the service model: an operation or a struct member that the model does not know,
// or a type that does not fit the model's, throws std::logic_error there, which stops the process at start and fails a
// unit test. An operation of the model without a row answers 501.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "aws/condition_keys.h"
#include "aws/type.h"
#include "base/task.h"

namespace lambent::aws {

/// How the gateway's one authorization point treats an operation.
enum class Authorization {
  /// The caller's policies must allow "<service>:<action>" on the row's resource.
  policy,
  /// Any verified caller may (sts:GetCallerIdentity: AWS allows it even against an explicit Deny).
  authenticated,
  /// The operation decides itself with the Authorizer, since it weighs a trust policy too (sts:AssumeRole).
  by_operation,
};

/// A row before it is bound: type-erased input, output and handler.
struct Row {
  std::string name;
  /// The IAM action without its service prefix; the operation's name unless AWS names it otherwise (Invoke is InvokeFunction).
  std::string action;
  Authorization authorization = Authorization::policy;
  /// The largest request body in bytes; a longer one is refused before it is read.
  std::size_t max_body = 1 << 20;
  const Type* input = nullptr;
  const Type* output = nullptr;
  /// `service`, `in` and `out` point at the handler's own types; `out` is assigned when the task ends.
  std::function<base::Task<void>(void* service, const Caller&, void* in, void* out)> call;
  /// The ARN to authorize; "*" when the operation has no resource of its own. Throws Error for a malformed name.
  std::function<std::string(const Caller&, const void* in)> resource;
  /// The same for rows whose ARN depends on what the service holds (an existing user's path): aws::service makes `resource` of it.
  std::function<std::string(void* service, const Caller&, const void* in)> resource_of_service;

  /// The resource's own policy, which is weighed with the caller's: JSON, empty when there is none. Set by weighing().
  std::function<std::string(void* service, const Caller&, const void* in)> policy_of_service;
  /// The same without the service: aws::service makes it. Null for operations whose resources have no policies.
  std::function<std::string(const Caller&, const void* in)> policy;

  /// What the request says, for conditions of policies (aws:RequestTag/..., lambda:Layer), beside what is known of every request.
  /// Set by with_keys(); aws::service makes `keys` of it.
  std::function<ConditionKeys(void* service, const Caller&, const void* in)> keys_of_service;
  std::function<ConditionKeys(const Caller&, const void* in)> keys;

  template <class S, class In>
  Row&& with_keys(ConditionKeys (*keys_of)(S&, const Caller&, const In&)) && {
    keys_of_service = [keys_of](void* service, const Caller& caller, const void* in) {
      return keys_of(*static_cast<S*>(service), caller, *static_cast<const In*>(in));
    };
    return std::move(*this);
  }
  template <class S, class In>
  Row&& weighing(std::string (*policy_of)(S&, const Caller&, const In&)) && {
    policy_of_service = [policy_of](void* service, const Caller& caller, const void* in) {
      return policy_of(*static_cast<S*>(service), caller, *static_cast<const In*>(in));
    };
    return std::move(*this);
  }
  Row&& as_action(std::string name_in_policies) && {
    action = std::move(name_in_policies);
    return std::move(*this);
  }
  Row&& with_body_up_to(std::size_t bytes) && {
    max_body = bytes;
    return std::move(*this);
  }
  Row&& authorized(Authorization how) && {
    authorization = how;
    return std::move(*this);
  }
};

template <class S, class In, class Out>
Row operation(std::string name, base::Task<Out> (*handler)(S&, Caller, In),
              std::string (*resource)(const Caller&, const In&)) {
  Row row;
  row.name = name;
  row.action = std::move(name);
  row.input = &type_of<In>();
  row.output = &type_of<Out>();
  row.call = [handler](void* service, const Caller& caller, void* in, void* out) -> base::Task<void> {
    *static_cast<Out*>(out) = co_await handler(*static_cast<S*>(service), caller, std::move(*static_cast<In*>(in)));
  };
  row.resource = [resource](const Caller& caller, const void* in) {
    return resource(caller, *static_cast<const In*>(in));
  };
  return row;
}

template <class S, class In, class Out>
Row operation(std::string name, base::Task<Out> (*handler)(S&, Caller, In),
              std::string (*resource)(S&, const Caller&, const In&)) {
  Row row = operation(std::move(name), handler, static_cast<std::string (*)(const Caller&, const In&)>(nullptr));
  row.resource_of_service = [resource](void* service, const Caller& caller, const void* in) {
    return resource(*static_cast<S*>(service), caller, *static_cast<const In*>(in));
  };
  return row;
}

}  // namespace lambent::aws
