// Requests to a handler's input, a handler's output to responses, errors to responses; one pair of functions a protocol.
//
// Called by Service alone, with what it bound. Stateless: any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/bound.h"
#include "base/http.h"

namespace lambent::aws {

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// A query request's parameters, of its query string and of its form body. Throws Error MalformedQueryString.
Parameters query_parameters(const base::http::Request& request);
/// The last value of that name, or an empty text.
std::string_view parameter(const Parameters& parameters, std::string_view name);

/// `structure` is the handler's input, as Row::input describes it. All throw Error.
void decode_rest(Protocol protocol, std::string_view malformed_code, const Operation& operation,
                 const Routes::Labels& labels, const base::http::Request& request, void* structure);
void decode_query(const Operation& operation, Wording wording, const base::http::Request& request, void* structure);
void decode_json(const Operation& operation, std::string_view validation_code, const base::http::Request& request,
                 void* structure);

base::http::Response encode_rest(Protocol protocol, const Operation& operation, std::string_view xml_namespace,
                                 const void* structure);
base::http::Response encode_query(const Operation& operation, std::string_view xml_namespace, const void* structure,
                                  std::string_view request_id);
/// `version` is "1.0" or "1.1". An operation without output answers nothing at all.
base::http::Response encode_json(const Operation& operation, std::string_view version, const void* structure);
std::string json_content_type(std::string_view version);

/// `shape` is the model's for the error's code, or null.
base::http::Response error_response(Protocol protocol, const Error& error, const model::Shape* shape,
                                    std::string_view xml_namespace, std::string_view request_id);

}  // namespace lambent::aws
