#include <fmt/format.h>

#include "aws/codec.h"
#include "aws/json_writer.h"
#include "aws/scalar_text.h"
#include "aws/xml_writer.h"

namespace lambent::aws {
namespace {

const void* held(const MemberBinding& member, const void* structure) {
  if (member.field == nullptr) return nullptr;
  return member.field->type->get(static_cast<const char*>(structure) + member.field->offset);
}

/// A value for a header: one that a handler took from outside must not end the line.
std::string header_value(std::string text) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

struct Prefixed {
  base::http::Response& response;
  std::string_view prefix;
};

void add_prefixed_headers(base::http::Response& response, const MemberBinding& member, const void* value) {
  Prefixed prefixed{response, member.wire_name};
  member.field->type->for_each(value, &prefixed, [](void* context, std::string_view key, const void* element) {
    auto& self = *static_cast<Prefixed*>(context);
    const auto name = header_value(fmt::format("{}{}", self.prefix, key));
    self.response.headers.add(name, header_value(*static_cast<const std::string*>(element)));
  });
}

/// Writes what goes outside the body; true when there is a member whose place is the body.
bool write_head(base::http::Response& response, const Binding& output, const void* structure) {
  bool body = false;
  for (const auto& member : output.members) {
    body |= member.location == model::Location::body;
    const void* value = held(member, structure);
    if (value == nullptr) continue;
    const auto& type = *member.field->type;
    if (member.location == model::Location::header) {
      const auto given = member.binding->timestamp;
      const auto format = given == model::TimestampFormat::unspecified ? model::TimestampFormat::rfc822 : given;
      auto text = held_scalar_text(type.kind, value, format);
      // Clients read an empty header as an empty text, AWS leaves it out.
      if (!text.empty()) response.headers.add(std::string(member.wire_name), header_value(std::move(text)));
    } else if (member.location == model::Location::header_prefix) {
      add_prefixed_headers(response, member, value);
    } else if (member.location == model::Location::status && type.kind == Kind::integer) {
      response.status = *static_cast<const std::int32_t*>(value);
    }
  }
  return body;
}

void write_payload(base::http::Response& response, Protocol protocol, const MemberBinding& member,
                   std::string_view xml_namespace, const void* structure) {
  const void* value = held(member, structure);
  if (value == nullptr) return;
  const auto& binding = *member.binding;
  std::string type = member.member.streaming() ? "application/octet-stream" : "application/json";
  if (binding.type->kind == Kind::event_stream) {
    response.headers.set("Content-Type", "application/vnd.amazon.eventstream");
    return;
  }
  if (binding.type->kind == Kind::blob) {
    response.body = static_cast<const Blob*>(value)->bytes;
  } else if (binding.type->kind == Kind::string) {
    response.body = *static_cast<const std::string*>(value);
    type = "text/plain";
  } else if (protocol == Protocol::rest_xml) {
    append_xml_root(response.body, member.wire_name, xml_namespace);
    append_xml_members(response.body, binding, value);
    response.body += fmt::format("</{}>", member.wire_name);
    type = "application/xml";
  } else {
    append_json(response.body, binding, value);
  }
  if (!response.body.empty()) response.headers.set("Content-Type", type);
}

void write_document(base::http::Response& response, Protocol protocol, const Binding& output,
                    std::string_view xml_namespace, const void* structure) {
  if (protocol == Protocol::rest_json) {
    append_json_body(response.body, output, structure);
    response.headers.set("Content-Type", "application/json");
    return;
  }
  const auto& shape = output.shape();
  const auto root = shape.location_name().empty() ? shape.name() : shape.location_name();
  response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  append_xml_root(response.body, root, xml_namespace);
  append_xml_members(response.body, output, structure);
  response.body += fmt::format("</{}>", root);
  response.headers.set("Content-Type", "application/xml");
}

}  // namespace

base::http::Response encode_rest(Protocol protocol, const Operation& operation, std::string_view xml_namespace,
                                 const void* structure) {
  base::http::Response response;
  response.status = operation.modelled.response_code();
  if (operation.output == nullptr) return response;
  const auto& output = *operation.output;
  const bool has_body = write_head(response, output, structure);
  if (response.status == 204 || response.status == 304) return response;
  if (output.payload >= 0) {
    write_payload(response, protocol, output.members[static_cast<std::size_t>(output.payload)], xml_namespace,
                  structure);
  } else if (has_body) {
    write_document(response, protocol, output, xml_namespace, structure);
  }
  return response;
}

base::http::Response encode_query(const Operation& operation, std::string_view xml_namespace, const void* structure,
                                  std::string_view request_id) {
  base::http::Response response;
  response.headers.set("Content-Type", "text/xml");
  auto& out = response.body;
  const auto root = fmt::format("{}Response", operation.modelled.name());
  append_xml_root(out, root, xml_namespace);
  const auto wrapper = operation.modelled.result_wrapper();
  if (operation.output != nullptr) {
    if (!wrapper.empty()) out += fmt::format("<{}>", wrapper);
    append_xml_members(out, *operation.output, structure);
    if (!wrapper.empty()) out += fmt::format("</{}>", wrapper);
  }
  out += "<ResponseMetadata>";
  append_xml_element(out, "RequestId", request_id);
  out += fmt::format("</ResponseMetadata></{}>", root);
  return response;
}

std::string json_content_type(std::string_view version) { return fmt::format("application/x-amz-json-{}", version); }

base::http::Response encode_json(const Operation& operation, std::string_view version, const void* structure) {
  base::http::Response response;
  response.headers.set("Content-Type", json_content_type(version));
  if (operation.output != nullptr) append_json_body(response.body, *operation.output, structure);
  return response;
}

}  // namespace lambent::aws
