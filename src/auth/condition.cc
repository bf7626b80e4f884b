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
  bool wildcards = false;
  bool negated = false;
  bool ignore_case = false;
};

constexpr std::array<Operator, 11> kOperators{{
    {"stringequals"},
    {"stringnotequals", false, true},
    {"stringequalsignorecase", false, false, true},
    {"stringnotequalsignorecase", false, true, true},
    {"stringlike", true},
    {"stringnotlike", true, true},
    {"arnequals", true},
    {"arnlike", true},
    {"arnnotequals", true, true},
    {"arnnotlike", true, true},
    {"bool", false, false, true},
}};

const Operator* find_operator(std::string_view name) {
  const auto found =
      std::find_if(kOperators.begin(), kOperators.end(), [&](const Operator& known) { return known.name == name; });
  return found == kOperators.end() ? nullptr : &*found;
}

[[noreturn]] void malformed(std::string_view what) {
  throw aws::Error("MalformedPolicyDocument", fmt::format("Syntax errors in policy. {}", what), 400);
}

void add_value(const Operator& how, const json::value& value, Condition& condition) {
  std::string text;
  if (const auto* string = value.if_string())
    text = std::string_view(*string);
  else if (value.is_bool())
    text = value.get_bool() ? "true" : "false";
  else if (value.is_number())
    text = json::serialize(value);
  else
    malformed("A condition's values must be strings.");
  if (condition.patterns.size() + condition.values.size() >= kMaxValues) malformed("A condition has too many values.");
  if (how.wildcards)
    condition.patterns.emplace_back(text);
  else
    condition.values.push_back(how.ignore_case ? base::lower(text) : text);
}

}  // namespace

bool Condition::holds(const RequestContext& context) const {
  const auto found = context.find(key);
  if (found == context.end()) return if_exists || negated;
  const std::string text = ignore_case ? base::lower(found->second) : found->second;
  const bool matches = std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return p.matches(text); }) ||
                       std::find(values.begin(), values.end(), text) != values.end();
  return matches != negated;
}

std::size_t Condition::bytes() const {
  std::size_t total = sizeof *this + key.capacity();
  for (const auto& pattern : patterns) total += pattern.bytes();
  for (const auto& value : values) total += sizeof value + value.capacity();
  return total;
}

std::optional<std::vector<Condition>> read_conditions(const json::object& element) {
  std::vector<Condition> conditions;
  for (const auto& [name, keys] : element) {
    constexpr std::string_view kIfExists = "ifexists";
    std::string lower = base::lower(std::string_view(name.data(), name.size()));
    const bool if_exists = lower.ends_with(kIfExists);
    if (if_exists) lower.resize(lower.size() - kIfExists.size());
    const Operator* how = find_operator(lower);
    if (!how) return std::nullopt;
    const auto* object = keys.if_object();
    if (!object) malformed("A condition operator must be an object.");
    for (const auto& [key, value] : *object) {
      Condition condition;
      condition.key = base::lower(std::string_view(key.data(), key.size()));
      condition.negated = how->negated;
      condition.if_exists = if_exists;
      condition.ignore_case = how->ignore_case;
      if (const auto* list = value.if_array())
        for (const auto& item : *list) add_value(*how, item, condition);
      else
        add_value(*how, value, condition);
      conditions.push_back(std::move(condition));
    }
  }
  return conditions;
}

}  // namespace lambent::auth
