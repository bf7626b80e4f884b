#include "aws/query_node.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace lambent::aws {
namespace {

constexpr int max_depth = 24;

}  // namespace

QueryTree QueryTree::from(const Pairs& pairs) {
  QueryTree root;
  for (const auto& [name, value] : pairs) {
    auto* node = &root;
    std::string_view rest = name;
    for (int depth = 0;; ++depth) {
      if (depth == max_depth) throw Error("MalformedInput", "A parameter's name is nested too deeply");
      const auto dot = rest.find('.');
      node = &node->children[rest.substr(0, dot)];
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
    node->text = value;
  }
  return root;
}

const QueryTree* QueryTree::find(std::string_view name) const {
  const auto found = children.find(name);
  return found == children.end() ? nullptr : &found->second;
}

void QueryNode::expect_structure() const {
  if (tree_->text && !tree_->text->empty()) scalar.refuse("Unexpected value where a structure was expected");
}

QueryNode QueryNode::member(const MemberBinding& member) const {
  const bool flattened = member.member.flattened();
  // A flattened list is numbered right under its own name, or under the name that the model gives its members.
  if (flattened && member.member.shape().kind() == model::ShapeKind::list) {
    const auto given = member.member.shape().element().location_name();
    if (!given.empty()) return QueryNode(tree_->find(given), true);
  }
  return QueryNode(tree_->find(member.wire_name), flattened);
}

std::string_view QueryNode::value() const {
  if (!tree_->children.empty() || !tree_->text) scalar.refuse("Start of structure or list found where not expected");
  return *tree_->text;
}

Timestamp QueryNode::timestamp(model::TimestampFormat format) const {
  return scalar.timestamp(value(),
                          format == model::TimestampFormat::unspecified ? model::TimestampFormat::iso8601 : format);
}

std::string_view QueryNode::key_of(const QueryTree& entry, std::string_view name) {
  const auto* key = entry.find(name);
  if (key == nullptr || !key->text) scalar.refuse("A map's entry has no key");
  if (!base::is_utf8(*key->text)) scalar.refuse("Invalid UTF-8 in the request");
  return *key->text;
}

std::vector<const QueryTree*> QueryNode::numbered(std::string_view given, std::string_view usual) const {
  const auto* parent = tree_;
  if (!flattened_) parent = tree_->find(given.empty() ? usual : given);
  // "Tags=" is how clients write an empty list.
  if (parent == nullptr) {
    if (tree_->children.empty() && tree_->text && tree_->text->empty()) return {};
    scalar.refuse("Unexpected value where a list was expected");
  }
  if (parent->text && !parent->text->empty()) scalar.refuse("Unexpected value where a list was expected");
  std::vector<std::pair<std::uint64_t, const QueryTree*>> found;
  for (const auto& [name, child] : parent->children) {
    const auto number = base::parse_decimal(name);
    if (!number) scalar.refuse("Unexpected name where the number of a list's member was expected");
    found.emplace_back(*number, &child);
  }
  std::ranges::sort(found, {}, &std::pair<std::uint64_t, const QueryTree*>::first);
  std::vector<const QueryTree*> children;
  for (const auto& [number, child] : found) children.push_back(child);
  return children;
}

}  // namespace lambent::aws
