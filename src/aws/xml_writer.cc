#include "aws/xml_writer.h"

#include <fmt/format.h>

#include "aws/scalar_text.h"
#include "aws/utf8.h"
#include "base/bytes.h"

namespace lambent::aws {
namespace {

void append_value(std::string& out, const Binding& binding, const void* value);

/// The attributes of a structure's own start tag (S3's xsi:type).
void append_attributes(std::string& out, const Binding& binding, const void* structure) {
  for (const auto& member : binding.members) {
    if (member.field == nullptr || !member.member.xml_attribute()) continue;
    const void* object = static_cast<const char*>(structure) + member.field->offset;
    if (member.field->type->get(object) == nullptr) continue;
    if (!binding.shape().xml_prefix().empty()) {
      out += fmt::format(" xmlns:{}=\"{}\"", binding.shape().xml_prefix(), binding.shape().xml_namespace());
    }
    out += fmt::format(" {}=\"", member.wire_name);
    append_xml_text(out, scalar_text(*member.field->type, object));
    out += '"';
  }
}

void append_element(std::string& out, std::string_view name, const Binding& binding, const void* value) {
  out += '<';
  out += name;
  if (binding.type->kind == Kind::structure) append_attributes(out, binding, value);
  out += '>';
  append_value(out, binding, value);
  out += fmt::format("</{}>", name);
}

struct Entries {
  std::string& out;
  const Binding& collection;
  std::string_view name;
};

/// A list's elements or a map's entries, each under `name`.
void append_entries(std::string& out, const Binding& binding, const void* value, std::string_view name) {
  Entries entries{out, binding, name};
  binding.type->for_each(value, &entries, [](void* context, std::string_view key, const void* element) {
    auto& self = *static_cast<Entries*>(context);
    const auto& binding = *self.collection.element;
    const void* held = binding.type->get(element);
    if (held == nullptr) return;
    if (self.collection.type->kind == Kind::list) return append_element(self.out, self.name, binding, held);
    self.out += fmt::format("<{}>", self.name);
    append_xml_element(self.out, self.collection.shape().key().wire_name(), key);
    append_element(self.out, self.collection.shape().element().wire_name(), binding, held);
    self.out += fmt::format("</{}>", self.name);
  });
}

void append_value(std::string& out, const Binding& binding, const void* value) {
  switch (binding.type->kind) {
    case Kind::structure:
      return append_xml_members(out, binding, value);
    case Kind::list: {
      const auto given = binding.shape().element().location_name();
      return append_entries(out, binding, value, given.empty() ? "member" : given);
    }
    case Kind::map:
      return append_entries(out, binding, value, "entry");
    default:
      break;
  }
  const auto format =
      binding.timestamp == model::TimestampFormat::unspecified ? model::TimestampFormat::iso8601 : binding.timestamp;
  append_xml_text(out, held_scalar_text(binding.type->kind, value, format));
}

}  // namespace

void append_xml_text(std::string& out, std::string_view text) {
  while (!text.empty()) {
    auto length = utf8_sequence(text);
    const char c = text[0];
    const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    // U+FFFE and U+FFFF are characters to UTF-8, not to XML.
    const bool excluded = length == 3 && (text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF"));
    if (length == 0 || control || excluded)
      out += "\xEF\xBF\xBD";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    // A parser turns a bare carriage return into a line feed.
    else if (c == '\r')
      out += "&#xD;";
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

void append_xml_element(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format("<{}>", name);
  append_xml_text(out, text);
  out += fmt::format("</{}>", name);
}

void append_xml_root(std::string& out, std::string_view name, std::string_view xml_namespace) {
  out += xml_namespace.empty() ? fmt::format("<{}>", name) : fmt::format("<{} xmlns=\"{}\">", name, xml_namespace);
}

void append_xml_members(std::string& out, const Binding& binding, const void* structure) {
  for (const auto& member : binding.members) {
    if (member.field == nullptr || member.location != model::Location::body || member.member.xml_attribute()) continue;
    const auto& type = *member.field->type;
    const void* value = type.get(static_cast<const char*>(structure) + member.field->offset);
    if (value == nullptr) continue;
    const bool collection = type.kind == Kind::list || type.kind == Kind::map;
    if (collection && member.member.flattened())
      append_entries(out, *member.binding, value, member.wire_name);
    else
      append_element(out, member.wire_name, *member.binding, value);
  }
}

}  // namespace lambent::aws
