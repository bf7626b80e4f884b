// A value of a query-protocol request: the parameters' dotted names as a tree. See read_value.h for the contract.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/text_node.h"

namespace lambent::aws {

/// Tags.member.1.Key=a becomes Tags > member > 1 > Key. Names point into the pairs, which must outlive the tree.
struct QueryTree {
  std::optional<std::string_view> text;
  std::map<std::string_view, QueryTree> children;

  using Pairs = std::vector<std::pair<std::string, std::string>>;
  /// Throws Error MalformedInput for names nested too deeply. A repeated name counts once: the last.
  static QueryTree from(const Pairs& pairs);
  const QueryTree* find(std::string_view name) const;
};

class QueryNode {
 public:
  QueryNode() = default;
  explicit QueryNode(const QueryTree* tree, bool flattened = false) : tree_(tree), flattened_(flattened) {}

  bool present() const { return tree_ != nullptr; }
  void expect_structure() const;
  QueryNode member(const MemberBinding& member) const;
  template <class Visit>
  void for_each_element(const Binding& binding, Visit visit) const {
    for (const auto* element : numbered(binding.shape().element().location_name(), "member")) {
      visit(QueryNode(element));
    }
  }
  template <class Visit>
  void for_each_entry(const Binding& binding, Visit visit) const {
    const auto key = binding.shape().key().wire_name(), value = binding.shape().element().wire_name();
    for (const auto* entry : numbered({}, "entry")) {
      visit(key_of(*entry, key), QueryNode(entry->find(value)));
    }
  }
  bool boolean() const { return scalar.boolean(value()); }
  std::int64_t integer(std::int64_t min, std::int64_t max) const { return scalar.integer(value(), min, max); }
  double real() const { return scalar.real(value()); }
  std::string text() const { return scalar.text(value()); }
  std::string bytes() const { return scalar.bytes(value()); }
  Timestamp timestamp(model::TimestampFormat format) const;

 private:
  static constexpr ScalarReader scalar{"MalformedInput"};
  std::string_view value() const;
  static std::string_view key_of(const QueryTree& entry, std::string_view name);
  /// The children under `given`, else `usual`, that are numbered 1, 2, ..., in the order of their numbers.
  std::vector<const QueryTree*> numbered(std::string_view given, std::string_view usual) const;

  const QueryTree* tree_ = nullptr;
  bool flattened_ = false;
};

}  // namespace lambent::aws
