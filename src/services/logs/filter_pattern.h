// CloudWatch Logs' filter patterns (User Guide, "Filter pattern syntax").
//
//     ERROR "exact phrase" -excluded        every term and none of the excluded; ?A ?B: any of them
//     %regular expression%
//     { $.level = "error" && $.took > 5 }   an event that is JSON
//     [ip, user, ..., status = 4*, bytes]   an event of fields separated by spaces
//
// Immutable once read; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/logs/filter_expression.h"

namespace lambent::logs {

class FilterPattern {
 public:
  /// Throws aws::Error InvalidParameterException. An empty pattern matches everything.
  explicit FilterPattern(std::string_view source);

  bool matches_all() const { return kind_ == Kind::all; }
  bool matches(std::string_view message) const;

 private:
  enum class Kind { all, terms, json, fields };
  struct Term {
    std::string text;
    std::shared_ptr<const re2::RE2> regex;
    bool in(std::string_view message) const;
  };
  /// One place of a space-delimited pattern; without a condition any field fits.
  struct Field {
    std::vector<Expression> condition;
    bool fits(std::string_view text) const;
  };

  void read_terms(std::string_view source);
  void read_fields(std::string_view source);
  bool terms_match(std::string_view message) const;
  bool fields_match(std::string_view message) const;

  Kind kind_ = Kind::all;
  std::vector<Term> required_, excluded_, optional_;
  std::vector<Expression> expression_;
  /// Before and behind the ellipsis; without one all are in `before_`.
  std::vector<Field> before_, behind_;
  bool ellipsis_ = false;
};

}  // namespace lambent::logs
