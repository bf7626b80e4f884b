// CORS of function URLs, answered to browsers as AWS does ("Cross-origin resource sharing (CORS)", Lambda
// function URLs). Pure.
#pragma once

#include <optional>
#include <string>

#include "base/http.h"
#include "services/lambda/url_shapes.h"

namespace lambent::lambda {

/// The answer to a preflight request, which the function does not see; nothing for any other request.
std::optional<base::http::Response> preflight(const Cors& cors, const base::http::Request& request);

/// The headers of an answer to a page of `origin`: those that the function set for itself are replaced.
void add_cors(const Cors& cors, const base::http::Request& request, base::http::Response& response);

}  // namespace lambent::lambda
