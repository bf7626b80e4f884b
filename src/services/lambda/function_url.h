// Serves function URLs: from a request to "<id>.lambda-url.<region>.<anything>" to the function's answer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aws/event_stream.h"
#include "base/http.h"
#include "base/task.h"
#include "services/lambda/lambda.h"
#include "store/function_urls.h"

namespace lambent::lambda {

/// AWS quota "Invocation payload" of synchronous invocations.
constexpr std::size_t kMaxUrlBody = 6'291'456;

/// The URL of a server that is reached at `endpoint` ("http://127.0.0.1:4566"): "http://ID.lambda-url.REGION.localhost:4566/".
std::string function_url_text(const store::FunctionUrl& url, std::string_view endpoint);

/// The id in the Host of a request; nothing for a host that is no function URL's.
std::optional<std::string> function_url_id(std::string_view host);

/// Never throws for what a client or a function does wrong: that is an answer. `verify` throws aws::Error for a request that is
/// not signed, or not well; it is asked for URLs of AuthType AWS_IAM.
base::Task<aws::Answer> answer_function_url(Lambda& lambda, const base::http::Request& request, std::string url_id,
                                            std::string request_id, std::function<aws::Caller()> verify);

}  // namespace lambent::lambda
