// A value of a JSON body. See read_value.h for the contract.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/binding.h"

namespace lambent::aws {

/// A parsed body: bounded in depth and in the number of values, whatever the body says.
class JsonDocument {
 public:
  /// Throws Error for what is not JSON, in the words of `code`.
  JsonDocument(std::string_view body, std::string_view code);
  const boost::json::value& root() const { return root_; }

 private:
  boost::json::monotonic_resource memory_;
  boost::json::value root_;
};

class JsonNode {
 public:
  JsonNode() = default;
  explicit JsonNode(const boost::json::value* value) : value_(value) {}

  bool present() const { return value_ != nullptr && !value_->is_null(); }
  void expect_structure() const;
  JsonNode member(const MemberBinding& member) const;
  template <class Visit>
  void for_each_element(const Binding&, Visit visit) const {
    expect_list();
    for (const auto& element : value_->get_array()) visit(JsonNode(&element));
  }
  template <class Visit>
  void for_each_entry(const Binding&, Visit visit) const {
    expect_structure();
    for (const auto& entry : value_->get_object()) {
      visit(std::string_view(entry.key().data(), entry.key().size()), JsonNode(&entry.value()));
    }
  }
  bool boolean() const;
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  double real() const;
  std::string text() const;
  std::string bytes() const;
  Timestamp timestamp(model::TimestampFormat format) const;

 private:
  void expect_list() const;
  [[noreturn]] void refuse(std::string_view wanted) const;
  const boost::json::value* value_ = nullptr;
};

}  // namespace lambent::aws
