// What the operations that invoke have in common: from a request to an Invocation. In invoke_function.cc.
#pragma once

#include <memory>
#include <optional>

#include "aws/values.h"
#include "invoke/engine.h"
#include "invoke/response_stream.h"
#include "services/lambda/lambda.h"

namespace lambent::lambda {

/// The function must be invocable and the event valid JSON, or aws::Error is thrown in AWS's words. `request_id` becomes the
/// invocation's.
base::Task<invoke::Invocation> prepare_invocation(Lambda& lambda, FunctionName name, std::string request_id,
                                                  OptionalText client_context, std::optional<aws::Blob> payload);

/// Begins the invocation and does not wait for its end: it runs on whether or not somebody reads what it streams.
base::Task<std::shared_ptr<invoke::ResponseStream>> start_streaming(Lambda& lambda, invoke::Invocation invocation);

}  // namespace lambent::lambda
