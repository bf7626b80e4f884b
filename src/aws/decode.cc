#include <fmt/format.h>

#include <algorithm>

#include "aws/codec.h"
#include "aws/json_node.h"
#include "aws/query_node.h"
#include "aws/read_value.h"
#include "aws/xml_node.h"
#include "base/bytes.h"
#include "base/query.h"

namespace lambent::aws {
namespace {

// No AWS request needs as many; each costs a tree node.
constexpr std::size_t max_parameters = 20'000;

using Values = std::vector<std::string_view>;

/// One rest request: where each location's values are.
class RestSource {
 public:
  RestSource(const Routes::Labels& labels, const base::http::Request& request) : labels_(labels), request_(request) {}

  Values label(std::string_view name) const { return matching(labels_, name); }

  Values query(std::string_view name) {
    if (!query_) query_ = base::http::parse_query(request_.query);
    if (!query_) throw Error("SerializationException", "Malformed escape in the request's query string");
    return matching(*query_, name);
  }

  Values header(std::string_view name, bool is_list) const {
    Values values;
    for (const auto& [key, value] : request_.headers.all()) {
      if (!base::equal_ignoring_case(key, name)) continue;
      if (!is_list) return {value};
      for (std::string_view rest = value;;) {
        const auto comma = rest.find(',');
        values.push_back(base::trim(rest.substr(0, comma)));
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
      }
    }
    return values;
  }

  const base::http::Request& request() const { return request_; }

 private:
  static Values matching(const Parameters& pairs, std::string_view name) {
    Values values;
    for (const auto& [key, value] : pairs) {
      if (key == name) values.push_back(value);
    }
    return values;
  }

  const Routes::Labels& labels_;
  const base::http::Request& request_;
  std::optional<Parameters> query_;
};

/// S3's x-amz-meta-*: a map of strings out of every header with the prefix.
void read_prefixed_headers(Reading& reading, const MemberBinding& member, void* structure, const RestSource& source) {
  void* map = nullptr;
  for (const auto& [name, value] : source.request().headers.all()) {
    const auto prefix = member.wire_name;
    if (name.size() <= prefix.size() ||
        !base::equal_ignoring_case(std::string_view(name).substr(0, prefix.size()), prefix)) {
      continue;
    }
    if (member.field == nullptr) return reading.not_implemented(member.path);
    const auto& type = *member.binding->type;
    if (map == nullptr) map = type.emplace(static_cast<char*>(structure) + member.field->offset);
    const Values values{value};
    const auto key = base::lower(std::string_view(name).substr(prefix.size()));
    read_value(reading, *member.binding->element, type.append(map, key),
               TextNode(values, model::TimestampFormat::rfc822));
  }
}

/// The body as it is: a blob or a text.
void read_raw_payload(Reading& reading, const MemberBinding& member, void* structure, const std::string& body) {
  if (body.empty() && !member.required) return;
  if (member.field == nullptr) return reading.not_implemented(member.path);
  const auto& binding = *member.binding;
  void* value = binding.type->emplace(static_cast<char*>(structure) + member.field->offset);
  const Reading::Scope scope(reading, member.path);
  std::vector<std::string> broken;
  if (binding.type->kind == Kind::blob) {
    static_cast<Blob*>(value)->bytes = body;
    binding.constraints.check_size(body.size(), broken);
  } else {
    *static_cast<std::string*>(value) = body;
    binding.constraints.check_text(body, broken);
  }
  reading.violations(std::nullopt, broken);
}

/// The members outside the body read themselves from `source`; the others from `body`, which is their structure.
template <class Node>
void read_rest_members(Reading& reading, const Binding& input, void* structure, RestSource& source, const Node& body) {
  const auto read_text = [&](const MemberBinding& member, const Values& values, model::TimestampFormat fallback) {
    read_member(reading, member, structure, values.empty() ? TextNode() : TextNode(values, fallback));
  };
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const auto& member = input.members[i];
    const bool is_list = member.member.shape().kind() == model::ShapeKind::list;
    switch (member.location) {
      case model::Location::uri:
        read_text(member, source.label(member.wire_name), model::TimestampFormat::iso8601);
        break;
      case model::Location::query:
        read_text(member, source.query(member.wire_name), model::TimestampFormat::iso8601);
        break;
      case model::Location::header:
        read_text(member, source.header(member.wire_name, is_list), model::TimestampFormat::rfc822);
        break;
      case model::Location::header_prefix:
        read_prefixed_headers(reading, member, structure, source);
        break;
      case model::Location::status:
        break;
      case model::Location::body: {
        const auto kind = member.member.shape().kind();
        if (static_cast<int>(i) != input.payload) {
          read_member(reading, member, structure, body.present() ? body.member(member) : Node());
        } else if (kind == model::ShapeKind::structure) {
          read_member(reading, member, structure, body);
        } else {
          read_raw_payload(reading, member, structure, source.request().body);
        }
      }
    }
  }
}

/// Whether the body is a document of the protocol's, not nothing and not raw bytes.
bool has_document(const Binding& input) {
  if (input.payload >= 0) {
    return input.members[static_cast<std::size_t>(input.payload)].member.shape().kind() == model::ShapeKind::structure;
  }
  return std::ranges::any_of(input.members,
                             [](const auto& member) { return member.location == model::Location::body; });
}

void append_form(std::string_view text, bool plus_is_space, Parameters& parameters) {
  for (base::QueryPair pair; base::next_pair(text, pair);) {
    auto name = base::percent_decode(pair.name, plus_is_space);
    auto value = base::percent_decode(pair.value, plus_is_space);
    if (!name || !value) throw Error("MalformedQueryString", "The query string contains a syntax error", 404);
    if (parameters.size() == max_parameters) throw Error("MalformedInput", "Too many parameters");
    parameters.emplace_back(*std::move(name), *std::move(value));
  }
}

}  // namespace

Parameters query_parameters(const base::http::Request& request) {
  Parameters parameters;
  append_form(request.query, false, parameters);
  append_form(request.body, true, parameters);
  return parameters;
}

std::string_view parameter(const Parameters& parameters, std::string_view name) {
  const auto found = std::ranges::find(parameters.rbegin(), parameters.rend(), name,
                                       [](const auto& pair) -> std::string_view { return pair.first; });
  return found == parameters.rend() ? std::string_view() : std::string_view(found->second);
}

void decode_rest(Protocol protocol, std::string_view malformed_code, const Operation& operation,
                 const Routes::Labels& labels, const base::http::Request& request, void* structure) {
  Reading reading;
  RestSource source(labels, request);
  const auto& input = *operation.input;
  const bool parse = has_document(input) && !request.body.empty();
  if (protocol == Protocol::rest_xml) {
    std::optional<XmlDocument> document;
    if (parse) document.emplace(request.body);
    read_rest_members(reading, input, structure, source, document ? XmlNode(document->root()) : XmlNode());
    reading.finish(operation.modelled.name(), "InvalidRequest");
  } else {
    std::optional<JsonDocument> document;
    if (parse) document.emplace(request.body, malformed_code);
    read_rest_members(reading, input, structure, source, document ? JsonNode(&document->root()) : JsonNode());
    reading.finish(operation.modelled.name(), "ValidationException");
  }
}

void decode_query(const Operation& operation, Wording wording, const base::http::Request& request, void* structure) {
  const auto parameters = query_parameters(request);
  const auto tree = QueryTree::from(parameters);
  Reading reading(wording);
  read_value(reading, *operation.input, structure, QueryNode(&tree));
  reading.finish(operation.modelled.name(), "ValidationError");
}

void decode_json(const Operation& operation, std::string_view validation_code, const base::http::Request& request,
                 void* structure) {
  Reading reading;
  std::optional<JsonDocument> document;
  if (!request.body.empty()) document.emplace(request.body, "SerializationException");
  for (const auto& member : operation.input->members)
    read_member(reading, member, structure, document ? JsonNode(&document->root()).member(member) : JsonNode());
  reading.finish(operation.modelled.name(), validation_code);
}

}  // namespace lambent::aws
