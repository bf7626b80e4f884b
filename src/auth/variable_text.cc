#include "auth/variable_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/error.h"
#include "base/bytes.h"

namespace lambent::auth {

/// Takes the text apart from its front.
class VariableText::Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void read(VariableText& out) {
    for (auto mark = text_.find(kMark); mark != std::string_view::npos; mark = text_.find(kMark)) {
      plain_ += read_pattern(text_.substr(0, mark));
      text_.remove_prefix(mark);
      if (take_escape()) continue;
      Part part = take_variable();
      part.before = std::move(plain_);
      plain_.clear();
      if (out.parts_.size() == kMaxVariables) refuse("A text has too many policy variables.");
      out.parts_.push_back(std::move(part));
    }
    out.rest_ = std::move(plain_) + read_pattern(text_);
  }

 private:
  static constexpr std::string_view kMark = "${";

  [[noreturn]] static void refuse(std::string_view what) {
    throw aws::Error("MalformedPolicyDocument", fmt::format("Syntax errors in policy. {}", what), 400);
  }

  bool take_escape() {
    if (text_.size() < 4 || text_[3] != '}' || std::string_view("*?$").find(text_[2]) == std::string_view::npos)
      return false;
    plain_ += literal_pattern(text_.substr(2, 1));
    text_.remove_prefix(4);
    return true;
  }

  Part take_variable() {
    const std::string_view whole = text_.substr(0, 64);
    text_.remove_prefix(kMark.size());
    const auto end = text_.find_first_of("},");
    if (end == std::string_view::npos)
      refuse(fmt::format("The policy variable {} is missing its closing brace.", whole));
    const std::string_view key = text_.substr(0, end);
    const auto ok = [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '$' && c != '{' && c != '\''; };
    if (key.empty() || key.size() > kMaxKey || key.front() == ' ' || key.back() == ' ' ||
        !std::all_of(key.begin(), key.end(), ok))
      refuse(fmt::format("The policy variable {} does not name a condition key.", whole));
    Part part;
    part.key = base::lower(key);
    text_.remove_prefix(end);
    if (take(",")) part.fallback = take_default(whole);
    if (!take("}")) refuse(fmt::format("The policy variable {} is missing its closing brace.", whole));
    return part;
  }

  Pattern take_default(std::string_view whole) {
    skip_spaces();
    if (!take("'")) refuse(fmt::format("The default of the policy variable {} is not quoted.", whole));
    std::string value;
    for (;;) {
      const auto quote = text_.find('\'');
      if (quote == std::string_view::npos)
        refuse(fmt::format("The default of the policy variable {} is missing its closing quote.", whole));
      value += text_.substr(0, quote);
      text_.remove_prefix(quote + 1);
      if (!take("'")) break;
      value += '\'';
    }
    skip_spaces();
    return literal_pattern(value);
  }

  bool take(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  void skip_spaces() { text_.remove_prefix(std::min(text_.size(), text_.find_first_not_of(' '))); }

  std::string_view text_;
  Pattern plain_;
};

namespace {

/// "You cannot use a multivalued context key as a policy variable."
const std::string* value_of(const std::string& key, const aws::ConditionKeys& known) {
  const auto found = known.find(key);
  if (found == known.end() || found->second.multivalued || found->second.values.size() != 1) return nullptr;
  return found->second.values.front().empty() ? nullptr : &found->second.values.front();
}

}  // namespace

VariableText::VariableText(std::string_view text) { Reader(text).read(*this); }

std::optional<Pattern> VariableText::resolve(const aws::ConditionKeys& known) const {
  Pattern out;
  const auto add = [&out](const Pattern& more) {
    if (out.size() + more.size() > Wildcard::kMaxText) return false;
    out += more;
    return true;
  };
  for (const Part& part : parts_) {
    if (!add(part.before)) return std::nullopt;
    if (const auto* value = value_of(part.key, known)) {
      if (value->size() > Wildcard::kMaxText || !add(literal_pattern(*value))) return std::nullopt;
    } else if (!part.fallback || !add(*part.fallback)) {
      return std::nullopt;
    }
  }
  if (!add(rest_)) return std::nullopt;
  return out;
}

std::size_t VariableText::bytes() const {
  const auto of = [](const Pattern& text) { return text.capacity() * sizeof(char16_t); };
  std::size_t total = sizeof *this + of(rest_);
  for (const Part& part : parts_)
    total += sizeof part + of(part.before) + part.key.capacity() + (part.fallback ? of(*part.fallback) : 0);
  return total;
}

}  // namespace lambent::auth
