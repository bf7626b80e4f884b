// A value that a request gives as plain text: in its path, query string or a header. See read_value.h for the contract.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/binding.h"
#include "aws/error.h"

namespace lambent::aws {

/// The text of scalars, shared by TextNode, QueryNode and XmlNode. Throws Error with `code` for what is no such scalar.
struct ScalarReader {
  std::string_view code;

  bool boolean(std::string_view text) const;
  std::int64_t integer(std::string_view text, std::int64_t min, std::int64_t max) const;
  double real(std::string_view text) const;
  /// Base64.
  std::string bytes(std::string_view text) const;
  Timestamp timestamp(std::string_view text, model::TimestampFormat format) const;
  /// Refuses what is not UTF-8.
  std::string text(std::string_view text) const;
  [[noreturn]] void refuse(std::string_view message) const;
};

class TextNode {
 public:
  TextNode() = default;
  /// All values that the request gives; they must outlive the node. `fallback` is the format of its timestamps.
  TextNode(const std::vector<std::string_view>& values, model::TimestampFormat fallback)
      : values_(&values), fallback_(fallback) {}

  bool present() const { return values_ != nullptr && !values_->empty(); }
  void expect_structure() const { scalar.refuse("Start of structure or map found where not expected."); }
  TextNode member(const MemberBinding&) const { return {}; }
  template <class Visit>
  void for_each_element(const Binding&, Visit visit) const {
    for (const auto value : *values_) {
      const std::vector<std::string_view> one{value};
      visit(TextNode(one, fallback_));
    }
  }
  template <class Visit>
  void for_each_entry(const Binding&, Visit) const {
    expect_structure();
  }
  bool boolean() const { return scalar.boolean(values_->front()); }
  std::int64_t integer(std::int64_t min, std::int64_t max) const { return scalar.integer(values_->front(), min, max); }
  double real() const { return scalar.real(values_->front()); }
  std::string text() const { return scalar.text(values_->front()); }
  std::string bytes() const { return scalar.bytes(values_->front()); }
  Timestamp timestamp(model::TimestampFormat format) const {
    return scalar.timestamp(values_->front(), format == model::TimestampFormat::unspecified ? fallback_ : format);
  }

 private:
  static constexpr ScalarReader scalar{"SerializationException"};
  const std::vector<std::string_view>* values_ = nullptr;
  model::TimestampFormat fallback_ = model::TimestampFormat::unspecified;
};

}  // namespace lambent::aws
