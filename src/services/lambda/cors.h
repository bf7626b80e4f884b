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

/// Adds what the page that asks may do, if its origin is allowed. Headers that the function set for itself stay beside these, even
/// where one then comes twice, as AWS does it ("returns both the configured CORS headers on the function URL, as well as the CORS
/// headers returned by the function"); function_url_test.cc, StandBesideWhatTheFunctionSays.
void add_cors(const Cors& cors, const base::http::Request& request, base::http::Response& response);

}  // namespace lambent::lambda
