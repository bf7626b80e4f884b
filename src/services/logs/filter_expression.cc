#include "services/logs/filter_expression.h"

#include <re2/re2.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "aws/error.h"
#include "base/bytes.h"

namespace lambent::logs {
namespace {

namespace json = boost::json;

constexpr int kDepth = 32;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::optional<double> read_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// An asterisk at either end stands for any text; inside it is itself.
bool fits(std::string_view pattern, std::string_view text) {
  const bool open_begin = pattern.starts_with('*');
  if (open_begin) pattern.remove_prefix(1);
  const bool open_end = pattern.ends_with('*') || (open_begin && pattern.empty());
  if (pattern.ends_with('*')) pattern.remove_suffix(1);
  if (open_begin && open_end) return text.find(pattern) != std::string_view::npos;
  if (open_begin) return text.ends_with(pattern);
  if (open_end) return text.starts_with(pattern);
  return text == pattern;
}

std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return json::serialize(value);
}

bool compare(Comparison comparison, double a, double b) {
  switch (comparison) {
    case Comparison::equal:
      return a == b;
    case Comparison::unequal:
      return a != b;
    case Comparison::less:
      return a < b;
    case Comparison::greater:
      return a > b;
    case Comparison::at_most:
      return a <= b;
    case Comparison::at_least:
      return a >= b;
    default:
      return false;
  }
}

/// True when `visit` is for any value that the path leads to.
template <class Visit>
bool any_at(const json::value& value, const std::vector<PathStep>& path, std::size_t step, const Visit& visit) {
  if (step == path.size()) return visit(value);
  const PathStep& next = path[step];
  if (value.is_array()) {
    const json::array& array = value.get_array();
    if (next.any)
      return std::ranges::any_of(array, [&](const json::value& each) { return any_at(each, path, step + 1, visit); });
    return next.index && *next.index < array.size() && any_at(array[*next.index], path, step + 1, visit);
  }
  if (!value.is_object() || next.index) return false;
  const json::object& object = value.get_object();
  if (next.any)
    return std::ranges::any_of(object, [&](const auto& each) { return any_at(each.value(), path, step + 1, visit); });
  const json::value* const member = object.if_contains(next.name);
  return member != nullptr && any_at(*member, path, step + 1, visit);
}

}  // namespace

void invalid_pattern(std::string_view message) { throw aws::Error("InvalidParameterException", std::string(message)); }

std::shared_ptr<const re2::RE2> read_regex(std::string_view source) {
  static constexpr std::string_view kAllowed = "_#=@/;,-:'^$?[]{}|\\*+. \t";
  const auto allowed = [](char c) {
    return (is_word(c) && static_cast<unsigned char>(c) < 0x80) || kAllowed.find(c) != std::string_view::npos;
  };
  if (source.empty() || !std::ranges::all_of(source, allowed)) invalid_pattern("Invalid character(s) in term");
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_max_mem(1 << 20);
  auto regex = std::make_shared<const RE2>(re2::StringPiece(source.data(), source.size()), options);
  if (!regex->ok()) invalid_pattern();
  return regex;
}

bool regex_finds(const re2::RE2& regex, std::string_view text) {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex);
}

bool Condition::accepts(std::string_view text) const {
  if (regex) return regex_finds(*regex, text) == (comparison == Comparison::equal);
  if (comparison == Comparison::equal || comparison == Comparison::unequal) {
    const auto as_number = number ? read_number(text) : std::nullopt;
    const bool same = as_number ? *as_number == *number : fits(value, text);
    return same == (comparison == Comparison::equal);
  }
  const auto as_number = read_number(text);
  return as_number && number && compare(comparison, *as_number, *number);
}

bool Condition::accepts(const json::value& node) const {
  switch (comparison) {
    case Comparison::exists:
      return true;
    case Comparison::is_null:
      return node.is_null();
    case Comparison::is_true:
      return node.is_bool() && node.get_bool();
    case Comparison::is_false:
      return node.is_bool() && !node.get_bool();
    default:
      break;
  }
  // "If it points to an array or object, the filter will not be applied."
  if (node.is_array() || node.is_object() || node.is_null()) return false;
  if (node.is_number() && number && !regex) return compare(comparison, node.to_number<double>(), *number);
  const bool orders = comparison != Comparison::equal && comparison != Comparison::unequal;
  if (orders && !node.is_number()) return false;
  return accepts(text_of(node));
}

/// Reads an expression by descending into it; the source is at most 1,024 characters.
class ExpressionReader {
 public:
  ExpressionReader(std::string_view source, Expression::Form form) : rest_(source), form_(form) {}

  Expression read() {
    Expression all = either(0);
    space();
    if (!rest_.empty()) invalid_pattern();
    return all;
  }

 private:
  Expression either(int depth) {
    return joined(Expression::Kind::any, "||", depth, [this](int d) { return both(d); });
  }
  Expression both(int depth) {
    return joined(Expression::Kind::all, "&&", depth, [this](int d) { return single(d); });
  }
  template <class Part>
  Expression joined(Expression::Kind kind, std::string_view word, int depth, const Part& part) {
    Expression first = part(depth);
    if (!take(word)) return first;
    Expression whole;
    whole.kind_ = kind;
    whole.parts_.push_back(std::move(first));
    do {
      whole.parts_.push_back(part(depth));
    } while (take(word));
    return whole;
  }

  Expression single(int depth) {
    if (depth > kDepth) invalid_pattern();
    if (take("(")) {
      Expression inner = either(depth + 1);
      if (!take(")")) invalid_pattern();
      return inner;
    }
    Expression leaf;
    leaf.kind_ = Expression::Kind::condition;
    read_condition(leaf.condition_);
    return leaf;
  }

  void read_condition(Condition& condition) {
    if (form_ == Expression::Form::json)
      read_path(condition.path);
    else
      condition.field = word();
    if (form_ == Expression::Form::json && read_test(condition)) return;
    static constexpr std::pair<std::string_view, Comparison> kOperators[] = {
        {"!=", Comparison::unequal}, {"<=", Comparison::at_most}, {">=", Comparison::at_least},
        {"=", Comparison::equal},    {"<", Comparison::less},     {">", Comparison::greater}};
    const auto found = std::ranges::find_if(kOperators, [this](const auto& each) { return take(each.first); });
    if (found == std::end(kOperators)) invalid_pattern();
    condition.comparison = found->second;
    // An older spelling of the guide: [w1=!ERROR].
    if (condition.comparison == Comparison::equal && take("!")) condition.comparison = Comparison::unequal;
    read_value(condition);
    const bool orders = condition.comparison != Comparison::equal && condition.comparison != Comparison::unequal;
    if (orders && !condition.number) invalid_pattern();
  }

  bool read_test(Condition& condition) {
    if (take_word("NOT")) {
      if (!take_word("EXISTS")) invalid_pattern();
      condition.comparison = Comparison::not_exists;
    } else if (take_word("EXISTS")) {
      condition.comparison = Comparison::exists;
    } else if (take_word("IS")) {
      if (take_word("NULL"))
        condition.comparison = Comparison::is_null;
      else if (take_word("TRUE"))
        condition.comparison = Comparison::is_true;
      else if (take_word("FALSE"))
        condition.comparison = Comparison::is_false;
      else
        invalid_pattern();
    } else {
      return false;
    }
    return true;
  }

  void read_path(std::vector<PathStep>& path) {
    if (!take("$")) invalid_pattern();
    while (!rest_.empty() && (rest_.front() == '.' || rest_.front() == '[')) {
      PathStep step;
      const bool dot = rest_.front() == '.';
      if (dot) rest_.remove_prefix(1);
      if (rest_.starts_with('[')) {
        rest_.remove_prefix(1);
        read_bracket(step);
      } else if (rest_.starts_with('*')) {
        rest_.remove_prefix(1);
        step.any = true;
      } else {
        step.name = name();
      }
      path.push_back(std::move(step));
    }
    if (path.empty()) invalid_pattern();
  }

  void read_bracket(PathStep& step) {
    if (take("*")) {
      step.any = true;
    } else if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'')) {
      step.name = quoted();
    } else {
      const auto end = rest_.find(']');
      const auto number = base::parse_decimal(rest_.substr(0, end));
      if (end == std::string_view::npos || !number) invalid_pattern();
      step.index = static_cast<std::size_t>(*number);
      rest_.remove_prefix(end);
    }
    if (!take("]")) invalid_pattern();
  }

  void read_value(Condition& condition) {
    space();
    if (rest_.starts_with('"')) {
      condition.value = quoted();
    } else if (rest_.starts_with('%')) {
      const auto end = rest_.find('%', 1);
      if (end == std::string_view::npos) invalid_pattern();
      condition.regex = read_regex(rest_.substr(1, end - 1));
      rest_.remove_prefix(end + 1);
    } else {
      // To the next space or whatever may follow a condition.
      std::size_t size = 0;
      while (size < rest_.size() && std::string_view(" \t)&|,]}\"<>=!").find(rest_[size]) == std::string_view::npos)
        ++size;
      if (size == 0) invalid_pattern();
      condition.value = rest_.substr(0, size);
      condition.number = read_number(condition.value);
      rest_.remove_prefix(size);
    }
  }

  std::string quoted() {
    const char quote = rest_.front();
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    invalid_pattern();
  }

  std::string name() {
    std::size_t size = 0;
    while (size < rest_.size() && (is_word(rest_[size]) || rest_[size] == '-')) ++size;
    if (size == 0) invalid_pattern();
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  std::string word() {
    space();
    return name();
  }

  void space() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos)
      rest_.remove_prefix(1);
  }
  bool take(std::string_view text) {
    space();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool take_word(std::string_view text) {
    space();
    if (!base::equal_ignoring_case(rest_.substr(0, text.size()), text)) return false;
    if (rest_.size() > text.size() && is_word(rest_[text.size()])) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  std::string_view rest_;
  Expression::Form form_;
};

Expression Expression::read(std::string_view source, Form form) {
  Expression expression = ExpressionReader(source, form).read();
  if (form == Form::fields) expression.field();
  return expression;
}

template <class Subject>
bool Expression::evaluate(const Subject& subject) const {
  const auto each = [&](const Expression& part) { return part.matches(subject); };
  if (kind_ == Kind::any) return std::ranges::any_of(parts_, each);
  return std::ranges::all_of(parts_, each);
}

bool Expression::matches(const json::value& root) const {
  if (kind_ != Kind::condition) return evaluate(root);
  const Condition& condition = condition_;
  if (condition.comparison == Comparison::not_exists)
    return !any_at(root, condition.path, 0, [](const json::value&) { return true; });
  return any_at(root, condition.path, 0, [&](const json::value& value) { return condition.accepts(value); });
}

bool Expression::matches(std::string_view text) const {
  return kind_ == Kind::condition ? condition_.accepts(text) : evaluate(text);
}

const std::string& Expression::field() const {
  if (kind_ == Kind::condition) return condition_.field;
  const std::string& first = parts_.front().field();
  for (const Expression& part : parts_)
    if (part.field() != first) invalid_pattern();
  return first;
}

}  // namespace lambent::logs
