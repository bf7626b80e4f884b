#include "services/logs/filter_pattern.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/bytes.h"

namespace lambent::logs {
namespace {

namespace json = boost::json;

constexpr std::string_view kSpace = " \t\r\n";

bool is_space(char c) { return kSpace.find(c) != std::string_view::npos; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// "Terms that include characters other than alphanumeric or underscore must be placed inside double quotes."
bool may_stand_alone(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// The fields of an event: words, and what stands in double quotes or brackets as one.
std::vector<std::string_view> split_fields(std::string_view text) {
  std::vector<std::string_view> fields;
  text = trimmed(text);
  while (!text.empty()) {
    std::size_t end;
    const char close = text.front() == '"' ? '"' : text.front() == '[' ? ']' : '\0';
    if (close != '\0' && (end = text.find(close, 1)) != std::string_view::npos) {
      fields.push_back(text.substr(1, end - 1));
      ++end;
    } else {
      end = std::min(text.find_first_of(kSpace), text.size());
      fields.push_back(text.substr(0, end));
    }
    text = trimmed(text.substr(end));
  }
  return fields;
}

/// At commas outside quotes.
std::vector<std::string_view> split_places(std::string_view source) {
  std::vector<std::string_view> places;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= source.size(); ++i) {
    if (i < source.size() && source[i] == '"') quoted = !quoted;
    if (i < source.size() && (source[i] != ',' || quoted)) continue;
    places.push_back(trimmed(source.substr(begin, i - begin)));
    begin = i + 1;
  }
  return places;
}

}  // namespace

FilterPattern::FilterPattern(std::string_view source) {
  source = trimmed(source);
  if (source.empty()) return;
  if (source.front() == '{') {
    if (source.back() != '}') invalid_pattern("If a filter pattern starts with '{' it must end with '}'");
    kind_ = Kind::json;
    expression_.push_back(Expression::read(source.substr(1, source.size() - 2), Expression::Form::json));
  } else if (source.front() == '[') {
    if (source.back() != ']') invalid_pattern("If a filter pattern starts with '[' it must end with ']'");
    kind_ = Kind::fields;
    read_fields(source.substr(1, source.size() - 2));
  } else {
    kind_ = Kind::terms;
    read_terms(source);
  }
}

void FilterPattern::read_terms(std::string_view source) {
  while (!source.empty()) {
    std::vector<Term>* to = &required_;
    if (source.front() == '-' || source.front() == '?') {
      to = source.front() == '-' ? &excluded_ : &optional_;
      source = trimmed(source.substr(1));
      if (source.empty()) invalid_pattern();
    }
    Term term;
    std::size_t end = 0;
    if (source.front() == '"') {
      for (end = 1; end < source.size() && source[end] != '"'; ++end) {
        if (source[end] == '\\' && end + 1 < source.size()) ++end;
        term.text += source[end];
      }
      if (end++ >= source.size()) invalid_pattern();
    } else if (source.front() == '%') {
      end = source.find('%', 1);
      if (end == std::string_view::npos) invalid_pattern();
      term.regex = read_regex(source.substr(1, end++ - 1));
    } else {
      while (end < source.size() && may_stand_alone(source[end])) ++end;
      if (end == 0 || (end < source.size() && !is_space(source[end]) && source[end] != '"')) invalid_pattern();
      term.text = source.substr(0, end);
    }
    to->push_back(std::move(term));
    source = trimmed(source.substr(end));
  }
}

void FilterPattern::read_fields(std::string_view source) {
  for (const std::string_view place : split_places(source)) {
    if (place == "...") {
      if (std::exchange(ellipsis_, true)) invalid_pattern();
      continue;
    }
    Field field;
    if (!std::ranges::all_of(place, [](char c) { return may_stand_alone(c) || c == '-'; }))
      field.condition.push_back(Expression::read(place, Expression::Form::fields));
    (ellipsis_ ? behind_ : before_).push_back(std::move(field));
  }
}

bool FilterPattern::Term::in(std::string_view message) const {
  return regex ? regex_finds(*regex, message) : message.find(text) != std::string_view::npos;
}

bool FilterPattern::Field::fits(std::string_view text) const { return condition.empty() || condition[0].matches(text); }

bool FilterPattern::terms_match(std::string_view message) const {
  const auto in = [&](const Term& term) { return term.in(message); };
  if (!std::ranges::all_of(required_, in) || std::ranges::any_of(excluded_, in)) return false;
  // "If you combine ? with other filter patterns, the question mark will be ignored."
  if (!required_.empty() || !excluded_.empty() || optional_.empty()) return true;
  return std::ranges::any_of(optional_, in);
}

bool FilterPattern::fields_match(std::string_view message) const {
  const auto fields = split_fields(message);
  const std::size_t places = before_.size() + behind_.size();
  if (ellipsis_ ? fields.size() < places : fields.size() != places) return false;
  for (std::size_t i = 0; i < before_.size(); ++i)
    if (!before_[i].fits(fields[i])) return false;
  for (std::size_t i = 0; i < behind_.size(); ++i)
    if (!behind_[i].fits(fields[fields.size() - behind_.size() + i])) return false;
  return true;
}

bool FilterPattern::matches(std::string_view message) const {
  switch (kind_) {
    case Kind::all:
      return true;
    case Kind::terms:
      return terms_match(message);
    case Kind::fields:
      return fields_match(message);
    case Kind::json:
      break;
  }
  json::monotonic_resource memory;
  json::error_code failed;
  json::parse_options options;
  options.max_depth = 64;
  const json::value root = json::parse(json::string_view(message.data(), message.size()), failed, &memory, options);
  return !failed && root.is_object() && expression_[0].matches(root);
}

}  // namespace lambent::logs
