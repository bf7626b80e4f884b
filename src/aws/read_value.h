// The one way from a request's syntax into a handler's input: fills a bound object and collects violations.
//
// Written once over a Node, which is what each syntax must offer. A Node is a cheap value that stands for something
// present or absent in the request (JsonNode, QueryNode, XmlNode, TextNode):
//
//     bool present() const;                            // null counts as absent
//     void expect_structure() const;                   // throws Error for another kind, as do all below
//     Node member(const MemberBinding&) const;         // absent when there is none
//     void for_each_element(const Binding&, visit) const;   // visit(Node): of a list
//     void for_each_entry(const Binding&, visit) const;     // visit(key, Node): of a map
//     bool boolean() const;  std::int64_t integer(min, max) const;  double real() const;
//     std::string text() const;  std::string bytes() const;  Timestamp timestamp(format) const;
//
// Depth is bounded by the Binding, never by the request.
#pragma once

#include <limits>
#include <type_traits>

#include "aws/reading.h"
#include "aws/scalar_text.h"

namespace lambent::aws {

template <class Node>
void read_value(Reading& reading, const Binding& binding, void* object, const Node& node);

template <class Node>
void read_member(Reading& reading, const MemberBinding& member, void* structure, const Node& node) {
  if (!node.present()) {
    if (member.required) reading.missing(member.path);
  } else if (member.field == nullptr) {
    reading.not_implemented(member.path);
  } else {
    const Reading::Scope scope(reading, member.path);
    read_value(reading, *member.binding, static_cast<char*>(structure) + member.field->offset, node);
  }
}

namespace detail {

/// Reads one scalar and says what it breaks; the text of the value as AWS echoes it.
template <class Node>
std::string read_scalar(const Binding& binding, void* object, const Node& node, std::vector<std::string>& broken) {
  void* value = binding.type->emplace(object);
  const auto& rules = binding.constraints;
  switch (binding.type->kind) {
    case Kind::boolean:
      *static_cast<bool*>(value) = node.boolean();
      return {};
    case Kind::integer: {
      using Limits = std::numeric_limits<std::int32_t>;
      const auto number = node.integer(Limits::min(), Limits::max());
      *static_cast<std::int32_t*>(value) = static_cast<std::int32_t>(number);
      rules.check_number(static_cast<double>(number), broken);
      return broken.empty() ? std::string() : std::to_string(number);
    }
    case Kind::long_integer: {
      using Limits = std::numeric_limits<std::int64_t>;
      const auto number = node.integer(Limits::min(), Limits::max());
      *static_cast<std::int64_t*>(value) = number;
      rules.check_number(static_cast<double>(number), broken);
      return broken.empty() ? std::string() : std::to_string(number);
    }
    case Kind::floating: {
      const double number = node.real();
      *static_cast<double*>(value) = number;
      rules.check_number(number, broken);
      return broken.empty() ? std::string() : real_in_message(number);
    }
    case Kind::string: {
      auto& text = *static_cast<std::string*>(value);
      text = node.text();
      rules.check_text(text, broken);
      return broken.empty() ? std::string() : echo(text);
    }
    case Kind::blob: {
      auto& bytes = static_cast<Blob*>(value)->bytes;
      bytes = node.bytes();
      rules.check_size(bytes.size(), broken);
      return {};
    }
    case Kind::timestamp:
      *static_cast<Timestamp*>(value) = node.timestamp(binding.timestamp);
      return {};
    default:
      std::abort();
  }
}

inline bool is_scalar(const Binding& binding) {
  return binding.type->kind != Kind::structure && binding.type->kind != Kind::list && binding.type->kind != Kind::map;
}

/// Never echoed: secrets, and bytes, which AWS prints as a Java buffer.
inline bool is_private(const Binding& binding) {
  return binding.shape().sensitive() || binding.type->kind == Kind::blob ||
         (binding.element != nullptr &&
          (is_private(*binding.element) || binding.element->type->kind == Kind::structure));
}

/// What AWS says of a collection: its members are judged together, and the whole of it is echoed.
struct Entries {
  bool broken_elements = false;
  bool broken_keys = false;
  std::string text;

  void add(std::string_view entry) {
    // Bounded by echo() at the end; this only keeps a huge list from being copied whole.
    if (text.size() > 2048) return;
    if (!text.empty()) text += ", ";
    text += entry;
  }
};

template <class Node>
std::string read_element(Reading& reading, const Binding& element, void* object, const Node& node, Entries& entries) {
  if (!node.present()) {
    entries.broken_elements = true;
    return "null";
  }
  if (!is_scalar(element)) {
    read_value(reading, element, object, node);
    return {};
  }
  std::vector<std::string> broken;
  read_scalar(element, object, node, broken);
  entries.broken_elements |= !broken.empty();
  if (element.type->kind == Kind::floating)
    return real_in_message(*static_cast<const double*>(element.type->get(object)));
  return scalar_text(*element.type, object);
}

template <class Node>
void read_list(Reading& reading, const Binding& binding, void* list, const Node& node) {
  Entries entries;
  std::size_t index = 0;
  node.for_each_element(binding, [&](const Node& child) {
    const Reading::Scope scope(reading, is_scalar(*binding.element) ? "" : std::to_string(++index) + ".member");
    entries.add(read_element(reading, *binding.element, binding.type->append(list, {}), child, entries));
  });
  std::vector<std::string> broken;
  binding.constraints.check_size(binding.type->size(list), broken);
  if (entries.broken_elements) {
    broken.push_back("Member must satisfy constraint: " + binding.element->constraints.all());
  }
  if (broken.empty()) return;
  reading.violations(is_private(binding) ? std::nullopt : std::optional("'[" + echo(entries.text) + "]'"), broken);
}

template <class Node>
void read_map(Reading& reading, const Binding& binding, void* map, const Node& node) {
  Entries entries;
  std::vector<std::string> broken;
  node.for_each_entry(binding, [&](std::string_view key, const Node& child) {
    const Reading::Scope scope(reading, is_scalar(*binding.element) ? "" : std::string(echo(key)) + ".member");
    std::vector<std::string> broken_key;
    binding.key_constraints.check_text(key, broken_key);
    entries.broken_keys |= !broken_key.empty();
    auto text = read_element(reading, *binding.element, binding.type->append(map, key), child, entries);
    entries.add(std::string(key) + "=" + text);
  });
  binding.constraints.check_size(binding.type->size(map), broken);
  if (entries.broken_keys) broken.push_back("Map keys must satisfy constraint: " + binding.key_constraints.all());
  if (entries.broken_elements) {
    broken.push_back("Map value must satisfy constraint: " + binding.element->constraints.all());
  }
  if (broken.empty()) return;
  reading.violations(is_private(binding) ? std::nullopt : std::optional("'{" + echo(entries.text) + "}'"), broken);
}

}  // namespace detail

template <class Node>
void read_value(Reading& reading, const Binding& binding, void* object, const Node& node) {
  switch (binding.type->kind) {
    case Kind::structure: {
      node.expect_structure();
      void* structure = binding.type->emplace(object);
      for (const auto& member : binding.members) read_member(reading, member, structure, node.member(member));
      return;
    }
    case Kind::list:
      return detail::read_list(reading, binding, binding.type->emplace(object), node);
    case Kind::map:
      return detail::read_map(reading, binding, binding.type->emplace(object), node);
    default: {
      std::vector<std::string> broken;
      const auto text = detail::read_scalar(binding, object, node, broken);
      if (broken.empty()) return;
      reading.violations(detail::is_private(binding) ? std::nullopt : std::optional("'" + text + "'"), broken);
    }
  }
}

}  // namespace lambent::aws
