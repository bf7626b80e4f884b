#include "auth/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "aws/error.h"
#include "base/bytes.h"

namespace lambent::auth {
namespace {

namespace json = boost::json;

/// AWS bounds a policy's size, and so what it can hold; this bounds what one request can cost.
constexpr std::size_t kMaxValues = 1000;

struct Operator {
  std::string_view name;  // lower case
  Comparison comparison = Comparison::text;
  bool negated = false;
};

constexpr std::array<Operator, 27> kOperators{{
    {"stringequals", Comparison::text},
    {"stringnotequals", Comparison::text, true},
    {"stringequalsignorecase", Comparison::text_ignoring_case},
    {"stringnotequalsignorecase", Comparison::text_ignoring_case, true},
    {"stringlike", Comparison::text_pattern},
    {"stringnotlike", Comparison::text_pattern, true},
    {"numericequals", Comparison::number_equals},
    {"numericnotequals", Comparison::number_equals, true},
    {"numericlessthan", Comparison::number_less},
    {"numericlessthanequals", Comparison::number_less_equals},
    {"numericgreaterthan", Comparison::number_greater},
    {"numericgreaterthanequals", Comparison::number_greater_equals},
    {"dateequals", Comparison::date_equals},
    {"datenotequals", Comparison::date_equals, true},
    {"datelessthan", Comparison::date_less},
    {"datelessthanequals", Comparison::date_less_equals},
    {"dategreaterthan", Comparison::date_greater},
    {"dategreaterthanequals", Comparison::date_greater_equals},
    {"bool", Comparison::text_ignoring_case},
    // Of no key that this server knows; in base64, as it would be compared.
    {"binaryequals", Comparison::text},
    {"ipaddress", Comparison::address},
    {"notipaddress", Comparison::address, true},
    {"arnequals", Comparison::arn},
    {"arnlike", Comparison::arn},
    {"arnnotequals", Comparison::arn, true},
    {"arnnotlike", Comparison::arn, true},
    {"null", Comparison::text_ignoring_case},
}};

[[noreturn]] void malformed(std::string_view what) {
  throw aws::Error("MalformedPolicyDocument", fmt::format("Syntax errors in policy. {}", what), 400);
}

/// "ForAnyValue:StringLikeIfExists" in its parts.
struct ParsedOperator {
  const Operator* how = nullptr;
  Condition::Set set = Condition::Set::single;
  bool if_exists = false;
};

ParsedOperator parse_operator(std::string_view text) {
  constexpr std::string_view kAll = "forallvalues:", kAny = "foranyvalue:", kIfExists = "ifexists";
  ParsedOperator parsed;
  std::string name = base::lower(text);
  if (name.starts_with(kAll)) {
    parsed.set = Condition::Set::all;
    name.erase(0, kAll.size());
  } else if (name.starts_with(kAny)) {
    parsed.set = Condition::Set::any;
    name.erase(0, kAny.size());
  }
  if (name.ends_with(kIfExists)) {
    parsed.if_exists = true;
    name.resize(name.size() - kIfExists.size());
  }
  const auto found = std::find_if(kOperators.begin(), kOperators.end(),
                                  [&](const Operator& known) { return !name.empty() && known.name == name; });
  // "You can't use IfExists with Null", and it is of the key, not of its values.
  const bool bare = parsed.set == Condition::Set::single && !parsed.if_exists;
  if (found != kOperators.end() && (name != "null" || bare)) parsed.how = &*found;
  return parsed;
}

std::string text_of(const json::value& value) {
  if (const auto* string = value.if_string()) return std::string(std::string_view(*string));
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_number()) return json::serialize(value);
  malformed("A condition's values must be strings.");
}

/// All values of one key.
std::vector<std::string> texts_of(const json::value& value) {
  std::vector<std::string> texts;
  if (const auto* list = value.if_array()) {
    if (list->size() > kMaxValues) malformed("A condition has too many values.");
    for (const auto& item : *list) texts.push_back(text_of(item));
  } else {
    texts.push_back(text_of(value));
  }
  return texts;
}

bool takes_variables(const Operator& how) { return how.name.starts_with("string") || how.name.starts_with("arn"); }

void add_variable_value(const std::string& text, Condition& condition) {
  VariableText value(text);
  if (!value.constant()) return condition.variable_values.push_back(std::move(value));
  // Escapes alone are the same for every request.
  if (const auto pattern = value.resolve({}))
    condition.values.push_back(ComparedValue::read(condition.comparison, *pattern));
}

Condition read_condition(const ParsedOperator& parsed, std::string_view key, const std::vector<std::string>& texts,
                         bool variables) {
  Condition condition;
  condition.comparison = parsed.how->comparison;
  condition.key = base::lower(key);
  condition.set = parsed.set;
  condition.negated = parsed.how->negated;
  condition.if_exists = parsed.if_exists;
  if (parsed.how->name == "null") {
    const auto word = texts.size() == 1 ? base::lower(texts.front()) : "";
    if (word != "true" && word != "false") malformed("Null takes true or false.");
    condition.absent = word == "true";
    return condition;
  }
  for (const std::string& text : texts) {
    if (variables && VariableText::has_variables(text)) {
      if (!takes_variables(*parsed.how)) malformed("Policy variables can only be used with String and ARN operators.");
      add_variable_value(text, condition);
      continue;
    }
    auto value = ComparedValue::read(parsed.how->comparison, text);
    if (!value) malformed(fmt::format("Invalid value for condition {}: {}", parsed.how->name, text.substr(0, 256)));
    condition.values.push_back(std::move(*value));
  }
  return condition;
}

}  // namespace

bool Condition::holds(const RequestContext& context) const {
  const auto found = context.find(key);
  if (absent) return (found == context.end()) == *absent;
  if (found == context.end()) {
    if (if_exists || set == Set::all) return true;
    return set == Set::single && negated;
  }
  std::vector<ComparedValue> resolved;
  for (const VariableText& value : variable_values)
    if (const auto pattern = value.resolve(context)) resolved.push_back(ComparedValue::read(comparison, *pattern));
  const auto matches = [&](const std::string& text) {
    const auto equals = [&](const ComparedValue& value) { return value.matches(text); };
    return std::any_of(values.begin(), values.end(), equals) || std::any_of(resolved.begin(), resolved.end(), equals);
  };
  const auto& given = found->second.values;
  // A negated operator without a set operator holds when none of the values matches; with one, it is asked of each.
  if (set == Set::single) return std::any_of(given.begin(), given.end(), matches) != negated;
  const auto fits = [&](const std::string& text) { return matches(text) != negated; };
  if (set == Set::all) return std::all_of(given.begin(), given.end(), fits);
  return std::any_of(given.begin(), given.end(), fits);
}

std::size_t Condition::bytes() const {
  std::size_t total = sizeof *this + key.capacity();
  for (const auto& value : values) total += value.bytes();
  for (const auto& value : variable_values) total += value.bytes();
  return total;
}

std::optional<std::vector<Condition>> read_conditions(const json::object& element, bool variables) {
  std::vector<Condition> conditions;
  for (const auto& [name, keys] : element) {
    const auto parsed = parse_operator({name.data(), name.size()});
    if (!parsed.how) return std::nullopt;
    const auto* object = keys.if_object();
    if (!object) malformed("A condition operator must be an object.");
    for (const auto& [key, value] : *object) {
      conditions.push_back(read_condition(parsed, {key.data(), key.size()}, texts_of(value), variables));
    }
  }
  return conditions;
}

}  // namespace lambent::auth
