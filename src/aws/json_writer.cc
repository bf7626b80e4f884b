#include "aws/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "aws/scalar_text.h"
#include "aws/timestamps.h"
#include "aws/utf8.h"
#include "base/bytes.h"

namespace lambent::aws {
namespace {

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
}

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7F; }

struct Elements {
  std::string& out;
  const Binding& element;
  bool first = true;

  void separate() {
    if (!first) out += ',';
    first = false;
  }
};

void append_list(std::string& out, const Binding& binding, const void* value) {
  Elements elements{out, *binding.element};
  out += '[';
  binding.type->for_each(value, &elements, [](void* context, std::string_view, const void* element) {
    auto& self = *static_cast<Elements*>(context);
    self.separate();
    const void* held = self.element.type->get(element);
    if (held == nullptr)
      self.out += "null";
    else
      append_json(self.out, self.element, held);
  });
  out += ']';
}

void append_map(std::string& out, const Binding& binding, const void* value) {
  Elements elements{out, *binding.element};
  out += '{';
  binding.type->for_each(value, &elements, [](void* context, std::string_view key, const void* element) {
    auto& self = *static_cast<Elements*>(context);
    const void* held = self.element.type->get(element);
    if (held == nullptr) return;
    self.separate();
    append_json_string(self.out, key);
    self.out += ':';
    append_json(self.out, self.element, held);
  });
  out += '}';
}

void append_structure(std::string& out, const Binding& binding, const void* structure, bool body_only) {
  out += '{';
  bool first = true;
  for (const auto& member : binding.members) {
    if (member.field == nullptr || (body_only && member.location != model::Location::body)) continue;
    const void* value = member.field->type->get(static_cast<const char*>(structure) + member.field->offset);
    if (value == nullptr) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(out, member.wire_name);
    out += ':';
    append_json(out, *member.binding, value);
  }
  out += '}';
}

void append_real(std::string& out, double value) {
  // JSON has no word for these; AWS writes them as strings.
  if (std::isfinite(value))
    out += write_real(value);
  else
    append_json_string(out, write_real(value));
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  const std::string repaired = base::is_utf8(text) ? std::string() : repaired_utf8(text);
  if (!repaired.empty()) text = repaired;
  out += '"';
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = begin;
    while (end < text.size() && is_plain(text[end])) ++end;
    out.append(text, begin, end - begin);
    if (end < text.size()) append_escaped(out, text[end++]);
    begin = end;
  }
  out += '"';
}

void append_json(std::string& out, const Binding& binding, const void* value) {
  switch (binding.type->kind) {
    case Kind::boolean:
      out += *static_cast<const bool*>(value) ? "true" : "false";
      return;
    case Kind::integer:
      out += std::to_string(*static_cast<const std::int32_t*>(value));
      return;
    case Kind::long_integer:
      out += std::to_string(*static_cast<const std::int64_t*>(value));
      return;
    case Kind::floating:
      return append_real(out, *static_cast<const double*>(value));
    case Kind::string:
      return append_json_string(out, *static_cast<const std::string*>(value));
    case Kind::blob:
      return append_json_string(out, base::base64(static_cast<const Blob*>(value)->bytes));
    case Kind::timestamp: {
      const auto time = *static_cast<const Timestamp*>(value);
      const auto text = write_timestamp(time, binding.timestamp);
      const bool quoted =
          binding.timestamp == model::TimestampFormat::iso8601 || binding.timestamp == model::TimestampFormat::rfc822;
      out += quoted ? fmt::format("\"{}\"", text) : text;
      return;
    }
    case Kind::list:
      return append_list(out, binding, value);
    case Kind::map:
      return append_map(out, binding, value);
    case Kind::structure:
      return append_structure(out, binding, value, false);
    case Kind::event_stream:
      break;  // a body of its own, never a value in a document
  }
  std::abort();
}

void append_json_body(std::string& out, const Binding& binding, const void* structure) {
  append_structure(out, binding, structure, true);
}

}  // namespace lambent::aws
