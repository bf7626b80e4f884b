// A function URL of InvokeMode RESPONSE_STREAM: the function's answer while it is being written.
#pragma once

#include "aws/event_stream.h"
#include "base/task.h"
#include "invoke/engine.h"
#include "services/lambda/lambda.h"

namespace lambent::lambda {

/// As InvokeWithResponseStream, whose payload the URL passes on: HTTP metadata ahead of it is read (url_response.h), else it is
/// 200 with the content type that the runtime said; a handler that does not stream is passed on like that as well. Ends when the
/// head is known and the first bytes are there. What fails before that is 502, what fails later breaks the body off.
/// Throws aws::Error for what keeps the function from being tried.
base::Task<aws::Answer> stream_to_url(Lambda& lambda, invoke::Invocation invocation);

}  // namespace lambent::lambda
