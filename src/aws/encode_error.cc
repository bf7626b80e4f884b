#include <fmt/format.h>

#include "aws/codec.h"
#include "aws/json_writer.h"
#include "aws/xml_writer.h"
#include "base/bytes.h"

namespace lambent::aws {
namespace {

bool is_message(std::string_view name) { return base::equal_ignoring_case(name, "message"); }

/// Where the model puts a further member of the error; the body when it does not say.
std::optional<model::Member> modelled(const model::Shape* shape, std::string_view name) {
  return shape == nullptr ? std::nullopt : shape->find_member(name);
}

/// "Message" or "message", as the shape has it; of AWS's answers outside the models authorization says "Message".
std::string message_key(const Error& error, const model::Shape* shape) {
  if (shape != nullptr) {
    for (const auto member : shape->members()) {
      if (is_message(member.name())) return std::string(member.wire_name());
    }
  }
  return error.code() == "AccessDeniedException" ? "Message" : "message";
}

void append_json_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.size() > 1) out += ',';
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

void write_json(base::http::Response& response, const Error& error, const model::Shape* shape, int status) {
  auto& out = response.body;
  out = "{";
  for (const auto& [name, value] : error.members()) {
    const auto member = modelled(shape, name);
    if (!member || member->location() != model::Location::header)
      append_json_member(out, name, value);
    else
      response.headers.add(std::string(member->wire_name()), value);
  }
  if (modelled(shape, "Type")) append_json_member(out, "Type", status < 500 ? "User" : "Service");
  append_json_member(out, message_key(error, shape), error.message());
  out += '}';
  response.headers.set("Content-Type", "application/json");
  response.headers.set("x-amzn-ErrorType", error.code());
}

/// The code stands in the body here, before all the rest.
void write_target_json(base::http::Response& response, const Error& error, const model::Shape* shape) {
  auto& out = response.body;
  out = "{";
  append_json_member(out, "__type", error.code());
  for (const auto& [name, value] : error.members()) append_json_member(out, name, value);
  append_json_member(out, message_key(error, shape), error.message());
  out += '}';
  response.headers.set("Content-Type", "application/x-amz-json-1.1");
}

void write_query_xml(std::string& out, const Error& error, std::string_view xml_namespace, std::string_view request_id,
                     int status) {
  append_xml_root(out, "ErrorResponse", xml_namespace);
  out += "<Error>";
  append_xml_element(out, "Type", status < 500 ? "Sender" : "Receiver");
  append_xml_element(out, "Code", error.code());
  append_xml_element(out, "Message", error.message());
  for (const auto& [name, value] : error.members()) append_xml_element(out, name, value);
  out += "</Error>";
  append_xml_element(out, "RequestId", request_id);
  out += "</ErrorResponse>";
}

void write_rest_xml(std::string& out, const Error& error, std::string_view request_id) {
  out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>";
  append_xml_element(out, "Code", error.code());
  append_xml_element(out, "Message", error.message());
  for (const auto& [name, value] : error.members()) append_xml_element(out, name, value);
  append_xml_element(out, "RequestId", request_id);
  out += "</Error>";
}

}  // namespace

base::http::Response error_response(Protocol protocol, const Error& error, const model::Shape* shape,
                                    std::string_view xml_namespace, std::string_view request_id) {
  base::http::Response response;
  const bool has_status = shape != nullptr && shape->error_status() != 0;
  response.status = has_status ? shape->error_status() : error.status();
  // Services of this protocol answer 400 to whom they do not know or do not let in ("Service: AWSLogs; Status Code: 400; Error Code:
  // AccessDeniedException", kdgregory/log4j-aws-appenders#176; elastic/apm-aws-lambda#526).
  if (protocol == Protocol::json && response.status == 403) response.status = 400;
  switch (protocol) {
    case Protocol::rest_json:
      write_json(response, error, shape, response.status);
      break;
    case Protocol::json:
      write_target_json(response, error, shape);
      break;
    case Protocol::query:
      write_query_xml(response.body, error, xml_namespace, request_id, response.status);
      response.headers.set("Content-Type", "text/xml");
      break;
    case Protocol::rest_xml:
      write_rest_xml(response.body, error, request_id);
      response.headers.set("Content-Type", "application/xml");
      break;
  }
  response.headers.set("x-amzn-RequestId", std::string(request_id));
  return response;
}

base::http::Response encode_error(Protocol protocol, const Error& error, std::string_view request_id) {
  return error_response(protocol, error, nullptr, {}, request_id);
}

}  // namespace lambent::aws
