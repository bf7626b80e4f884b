#include "auth/policy_principal.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "aws/arn.h"
#include "aws/error.h"

namespace lambent::auth {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse(std::string_view kind, std::string_view name) {
  throw aws::Error("MalformedPolicyDocument",
                   fmt::format("Invalid principal in policy: \"{}\":\"{}\"", kind, name.substr(0, 256)), 400);
}

[[noreturn]] void refuse_form() {
  throw aws::Error("MalformedPolicyDocument",
                   "Syntax errors in policy. Principal must be \"*\" or an object of strings and lists of strings.",
                   400);
}

bool is_account(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void add_aws(std::string_view name, Principals& out) {
  if (name == "*") {
    out.everyone = true;
    return;
  }
  if (is_account(name)) {
    out.accounts.emplace_back(name);
    return;
  }
  // No wildcards: "you can't use a wildcard to match part of a principal name or ARN".
  const auto arn = aws::Arn::parse(name);
  if (!arn || !arn->region.empty() || !is_account(arn->account) || name.find_first_of("*?") != std::string_view::npos)
    refuse("AWS", name);
  const std::string& resource = arn->resource;
  if (arn->service == "iam" && resource == "root") {
    out.accounts.push_back(arn->account);
    return;
  }
  const auto names = [&](std::string_view kind) { return resource.starts_with(kind) && resource.size() > kind.size(); };
  const bool iam = arn->service == "iam" && (names("user/") || names("role/"));
  const bool session =
      arn->service == "sts" && names("assumed-role/") && std::count(resource.begin(), resource.end(), '/') == 2;
  if (!iam && !session) refuse("AWS", name);
  out.arns.emplace_back(name);
}

void add_service(std::string_view name, Principals& out) {
  const auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  // Alexa's and some other services are of amazon.com.
  const bool suffix =
      name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn") || name.ends_with(".amazon.com");
  if (!suffix || name.front() == '.' || !std::all_of(name.begin(), name.end(), ok)) refuse("SERVICE", name);
  out.services.emplace_back(name);
}

}  // namespace

bool read_principals(const json::value& element, Principals& out) {
  if (const auto* text = element.if_string()) {
    if (*text != "*") refuse_form();
    out.everyone = true;
    return false;
  }
  const auto* kinds = element.if_object();
  if (!kinds || kinds->empty()) refuse_form();
  bool federated = false;
  for (const auto& [key, value] : *kinds) {
    const std::string_view kind(key.data(), key.size());
    const auto add = [&](const json::value& item) {
      const auto* text = item.if_string();
      if (!text) refuse_form();
      const std::string_view name(text->data(), text->size());
      if (kind == "AWS")
        add_aws(name, out);
      else if (kind == "Service")
        add_service(name, out);
      else if (kind == "Federated")
        federated = true;
      else
        refuse(kind, name);
    };
    if (const auto* list = value.if_array()) {
      if (list->empty()) refuse_form();
      for (const auto& item : *list) add(item);
    } else {
      add(value);
    }
  }
  return federated;
}

}  // namespace lambent::auth
