// What the operations that invoke have in common: from a request to an Invocation. In invoke_function.cc.
#pragma once

#include <memory>
#include <optional>

#include "aws/values.h"
#include "invoke/engine.h"
#include "invoke/response_stream.h"
#include "services/lambda/lambda.h"

namespace lambent::lambda {

/// What a request says of the invocation besides its event.
struct InvocationHead {
  /// Becomes the invocation's.
  std::string request_id;
  OptionalText client_context = {};
  OptionalText tenant_id = {};
};

/// The function must be invocable, a tenant named just where tenants are isolated, and the event valid JSON, or aws::Error is
/// thrown in AWS's words.
base::Task<invoke::Invocation> prepare_invocation(Lambda& lambda, FunctionName name, InvocationHead head,
                                                  std::optional<aws::Blob> payload);

/// Throws aws::Error where a tenant is missing or is one too many.
void require_tenant(const store::FunctionVersion& function, const OptionalText& tenant_id);

/// Begins the invocation and does not wait for its end: it runs on whether or not somebody reads what it streams.
base::Task<std::shared_ptr<invoke::ResponseStream>> start_streaming(Lambda& lambda, invoke::Invocation invocation);

}  // namespace lambent::lambda
