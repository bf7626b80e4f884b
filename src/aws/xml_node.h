// A value of an XML body. See read_value.h for the contract.
#pragma once

#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "aws/text_node.h"

namespace lambent::aws {

/// A parsed body. No document type is accepted, so there is no entity to expand and nothing to fetch.
class XmlDocument {
 public:
  /// Throws Error MalformedXML.
  explicit XmlDocument(std::string_view body);
  pugi::xml_node root() const { return document_.document_element(); }

 private:
  pugi::xml_document document_;
};

class XmlNode {
 public:
  XmlNode() = default;
  explicit XmlNode(pugi::xml_node node) : node_(node) {}

  bool present() const { return node_ || attribute_; }
  void expect_structure() const {}
  XmlNode member(const MemberBinding& member) const;
  template <class Visit>
  void for_each_element(const Binding& binding, Visit visit) const {
    if (flattened_) {
      for (auto node = node_; node; node = next(node, local_name(node_))) visit(XmlNode(node));
      return;
    }
    const auto name = binding.shape().element().location_name();
    for_each_child(name.empty() ? "member" : name, [&](pugi::xml_node node) { visit(XmlNode(node)); });
  }
  template <class Visit>
  void for_each_entry(const Binding& binding, Visit visit) const {
    const auto key = binding.shape().key().wire_name(), value = binding.shape().element().wire_name();
    const auto entry = [&](pugi::xml_node node) { visit(key_of(node, key), XmlNode(child(node, value))); };
    if (flattened_) {
      for (auto node = node_; node; node = next(node, local_name(node_))) entry(node);
    } else {
      for_each_child("entry", entry);
    }
  }
  bool boolean() const { return scalar.boolean(value()); }
  std::int64_t integer(std::int64_t min, std::int64_t max) const { return scalar.integer(value(), min, max); }
  double real() const { return scalar.real(value()); }
  std::string text() const { return scalar.text(value()); }
  std::string bytes() const { return scalar.bytes(value()); }
  Timestamp timestamp(model::TimestampFormat format) const;

 private:
  static constexpr ScalarReader scalar{"MalformedXML"};
  std::string_view value() const;
  static std::string_view local_name(pugi::xml_node node);
  static pugi::xml_node child(pugi::xml_node parent, std::string_view name);
  static pugi::xml_node next(pugi::xml_node node, std::string_view name);
  static std::string_view key_of(pugi::xml_node entry, std::string_view name);
  template <class Visit>
  void for_each_child(std::string_view name, Visit visit) const {
    for (auto node = child(node_, name); node; node = next(node, name)) visit(node);
  }

  pugi::xml_node node_;
  pugi::xml_attribute attribute_;
  bool flattened_ = false;
};

}  // namespace lambent::aws
