#include "aws/xml_node.h"

#include "aws/error.h"

namespace lambent::aws {

XmlDocument::XmlDocument(std::string_view body) {
  const auto refuse = [] {
    throw Error("MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema");
  };
  const auto result = document_.load_buffer(
      body.data(), body.size(), pugi::parse_escapes | pugi::parse_cdata | pugi::parse_eol | pugi::parse_doctype,
      pugi::encoding_utf8);
  if (!result || !root()) refuse();
  for (const auto node : document_.children()) {
    if (node.type() == pugi::node_doctype) refuse();
  }
}

std::string_view XmlNode::local_name(pugi::xml_node node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node XmlNode::child(pugi::xml_node parent, std::string_view name) {
  for (auto node = parent.first_child(); node; node = node.next_sibling()) {
    if (node.type() == pugi::node_element && local_name(node) == name) return node;
  }
  return {};
}

pugi::xml_node XmlNode::next(pugi::xml_node node, std::string_view name) {
  for (node = node.next_sibling(); node; node = node.next_sibling()) {
    if (node.type() == pugi::node_element && local_name(node) == name) return node;
  }
  return {};
}

XmlNode XmlNode::member(const MemberBinding& member) const {
  XmlNode found;
  if (member.member.xml_attribute()) {
    found.attribute_ = node_.attribute(std::string(member.wire_name).c_str());
  } else {
    found.node_ = child(node_, member.wire_name);
    found.flattened_ = member.member.flattened();
  }
  return found;
}

std::string_view XmlNode::value() const {
  if (attribute_) return attribute_.value();
  for (const auto node : node_.children()) {
    if (node.type() == pugi::node_element) scalar.refuse("Unexpected element where a value was expected");
  }
  return node_.text().get();
}

std::string_view XmlNode::key_of(pugi::xml_node entry, std::string_view name) {
  const auto key = child(entry, name);
  if (!key) scalar.refuse("A map's entry has no key");
  return key.text().get();
}

Timestamp XmlNode::timestamp(model::TimestampFormat format) const {
  return scalar.timestamp(value(),
                          format == model::TimestampFormat::unspecified ? model::TimestampFormat::iso8601 : format);
}

}  // namespace lambent::aws
