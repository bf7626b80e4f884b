// Arbitrary documents and patterns: they must end, be refused with aws::Error only, and patterns must match what the textbook
// says. The first line is a pattern, the second a text, the rest a document.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "auth/evaluate.h"
#include "auth/policy.h"
#include "auth/wildcard.h"
#include "aws/error.h"

using namespace lambent;

namespace {

/// Cell by cell: does pattern[i..] match text[j..]?
bool textbook(std::string_view pattern, std::string_view text) {
  std::vector<bool> row(text.size() + 1, false);
  row[text.size()] = true;
  for (std::size_t i = pattern.size(); i-- > 0;) {
    std::vector<bool> above(text.size() + 1, false);
    for (std::size_t j = text.size() + 1; j-- > 0;) {
      if (pattern[i] == '*')
        above[j] = row[j] || (j < text.size() && above[j + 1]);
      else
        above[j] = j < text.size() && (pattern[i] == '?' || pattern[i] == text[j]) && row[j + 1];
    }
    row = std::move(above);
  }
  return row[0];
}

/// What variables bring is no wildcard, what is escaped neither, and nothing grows beyond its bound.
void check_variables(std::string_view text, std::string_view value) {
  try {
    const auth::VariableText read(text);
    const auto pattern = read.resolve({{"a:b", std::string(value)}});
    if (!pattern) return;
    if (pattern->size() > auth::Wildcard::kMaxText) std::abort();
    const auto wildcards = std::count_if(pattern->begin(), pattern->end(), [](char16_t c) { return c > 0xff; });
    if (wildcards > std::count_if(text.begin(), text.end(), [](char c) { return c == '*' || c == '?'; })) std::abort();
    if (wildcards == 0 && !auth::Wildcard(*pattern).matches(auth::pattern_text(*pattern))) std::abort();
  } catch (const aws::Error&) {
  }
}

std::string_view take_line(std::string_view& bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
  return line;
}

void check_document(std::string_view document, auth::PolicyUse use, std::string_view action,
                    std::string_view resource) {
  bool storable = true;
  try {
    auth::check_policy(document, use);
  } catch (const aws::Error&) {
    storable = false;
  }
  const auto compiled = auth::compiled_policy(document, use);
  if (storable && !compiled) std::abort();
  if (!compiled) return;
  const auth::RequestContext context{{"aws:sourcearn", std::string(resource)},
                                     {"aws:currenttime", "2026-01-31T12:00:00Z"},
                                     {"aws:sourceip", "10.0.0.1"},
                                     {"aws:username", std::string(action)},
                                     {"aws:tagkeys", std::vector<std::string>{"a", "b"}}};
  const auto known = [&context]() -> const auth::RequestContext& { return context; };
  if (use == auth::PolicyUse::trust) {
    auth::decide_trust(*compiled, {.account = "123456789012", .arn = resource, .identity_arn = resource}, known);
    auth::decide_trust(*compiled, {.service = "lambda.amazonaws.com"}, known);
    return;
  }
  if (use == auth::PolicyUse::resource) {
    auth::decide_resource(*compiled, {.account = "123456789012", .arn = resource, .identity_arn = resource},
                          {.action = action, .resource = resource, .context = known});
    return;
  }
  const std::vector<std::shared_ptr<const auth::PolicyDocument>> documents = {compiled, nullptr};
  if (auth::decide({.identity = documents}, {.action = action, .resource = resource, .context = known}) !=
      auth::Decision::explicit_deny)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = take_line(bytes), text = take_line(bytes);
  const bool matched = auth::Wildcard(pattern).matches(text);
  if (pattern.size() <= 512 && text.size() <= 512 && matched != textbook(pattern, text)) std::abort();
  check_variables(pattern, text);
  for (const auth::PolicyUse use : {auth::PolicyUse::managed, auth::PolicyUse::trust, auth::PolicyUse::resource})
    check_document(bytes, use, text, pattern);
  return 0;
}
