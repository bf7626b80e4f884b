#include "aws/reading.h"

#include <fmt/format.h>

namespace lambent::aws {
namespace {

// A million bad tags make one message all the same; beyond these bounds it is only counted, or cut.
constexpr std::size_t max_text = 16 * 1024;
constexpr std::size_t max_echo = 1024;

/// What IAM says of a member with the wrong characters, in place of the model's pattern; empty when it has no words of its own.
/// Recorded: the AWS CLI's "The specified value for policyName is invalid. It must contain only ..." (of roleName, userName alike).
std::string_view iam_sentence(std::string_view member, std::string_view constraint) {
  if (!constraint.starts_with("Member must satisfy regular expression pattern: ")) return {};
  if (member == "path")
    return "It must begin and end with / and contain only alphanumeric characters and/or / characters.";
  if (constraint.ends_with(R"(: [\w+=,.@-]+)"))
    return "It must contain only alphanumeric characters and/or the following: +=,.@_-";
  return {};
}

}  // namespace

std::string echo(std::string_view value) {
  if (value.size() <= max_echo) return std::string(value);
  // Never half a character: a continuation byte is 10xxxxxx.
  auto end = max_echo;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80) --end;
  return std::string(value.substr(0, end)) + "...";
}

Reading::Scope::Scope(Reading& reading, std::string_view step) : reading_(reading), length_(reading.path_.size()) {
  if (!reading_.path_.empty()) reading_.path_ += '.';
  reading_.path_ += step;
}

void Reading::violation(std::optional<std::string> value, std::string_view constraint) {
  if (wording_ == Wording::iam) {
    value.reset();
    if (const auto sentence = iam_sentence(path_, constraint); !sentence.empty()) {
      if (sentence_.empty()) sentence_ = fmt::format("The specified value for {} is invalid. {}", path_, sentence);
      return;
    }
  }
  ++count_;
  if (text_.size() > max_text) return;
  if (!text_.empty()) text_ += "; ";
  text_ += value ? fmt::format("Value {} at '{}'", *value, path_) : fmt::format("Value at '{}'", path_);
  text_ += " failed to satisfy constraint: ";
  text_ += constraint;
}

void Reading::violations(const std::optional<std::string>& value, const std::vector<std::string>& constraints) {
  for (const auto& constraint : constraints) violation(value, constraint);
}

void Reading::missing(std::string_view member) {
  const Scope scope(*this, member);
  violation("null", must_not_be_null);
}

void Reading::not_implemented(std::string_view member) {
  if (!not_implemented_.empty()) return;
  const Scope scope(*this, member);
  not_implemented_ = path_;
}

void Reading::finish(std::string_view operation, std::string_view validation_code) const {
  if (count_ > 0) {
    throw Error(std::string(validation_code),
                fmt::format("{} validation error{} detected: {}", count_, count_ == 1 ? "" : "s", text_));
  }
  if (!sentence_.empty()) throw Error(std::string(validation_code), sentence_);
  if (!not_implemented_.empty()) {
    throw Error("NotImplementedException",
                fmt::format("Lambent does not implement the member {} of {} yet", not_implemented_, operation), 501);
  }
}

}  // namespace lambent::aws
