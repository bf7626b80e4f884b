#include "services/lambda/policy_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "aws/arn.h"
#include "base/bytes.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {
namespace {

namespace json = boost::json;

/// Deeper than any policy is.
constexpr std::size_t kMaxDepth = 16;

bool is_account(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "s3.amazonaws.com", but not of a region: "events.us-east-1.amazonaws.com" is refused by AWS.
bool is_service(std::string_view text) {
  for (const std::string_view suffix : {".amazonaws.com", ".amazon.com"}) {
    if (!text.ends_with(suffix) || text.size() == suffix.size()) continue;
    const auto name = text.substr(0, text.size() - suffix.size());
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    return std::all_of(name.begin(), name.end(), allowed) && name.front() != '.' && name.back() != '.';
  }
  return false;
}

json::value principal_of(const std::string& principal) {
  if (principal == "*") return json::string("*");
  if (is_service(principal)) return json::object{{"Service", principal}};
  if (is_account(principal)) return json::object{{"AWS", "arn:aws:iam::" + principal + ":root"}};
  const auto arn = aws::Arn::parse(principal);
  const bool identity = arn && is_account(arn->account) && arn->region.empty() &&
                        ((arn->service == "iam" && (arn->resource == "root" || arn->resource.starts_with("user/") ||
                                                    arn->resource.starts_with("role/"))) ||
                         (arn->service == "sts" && arn->resource.starts_with("assumed-role/")));
  if (!identity || principal.find_first_of("*?") != std::string::npos)
    throw invalid_parameter("The provided principal was invalid. Please check the principal and try again.");
  return json::object{{"AWS", principal}};
}

json::object parse(std::string_view document) {
  if (document.empty()) return {{"Version", "2012-10-17"}, {"Id", "default"}, {"Statement", json::array{}}};
  return json::parse({document.data(), document.size()}).as_object();
}

std::string_view sid_of(const json::object& statement) {
  const auto* sid = statement.if_contains("Sid");
  return sid && sid->is_string() ? std::string_view(sid->get_string()) : std::string_view();
}

std::string serialized(const json::object& document) {
  auto text = json::serialize(document);
  if (text.size() > kMaxPolicyBytes)
    throw aws::Error(
        "PolicyLengthExceededException",
        fmt::format("The final policy size ({}) is bigger than the limit ({}).", text.size(), kMaxPolicyBytes), 400);
  return text;
}

bool names_everybody(const json::value& principal) {
  const auto star = [](const json::value& value) { return value.is_string() && value.get_string() == "*"; };
  if (star(principal)) return true;
  const auto* kinds = principal.if_object();
  const auto* aws = kinds ? kinds->if_contains("AWS") : nullptr;
  if (!aws) return false;
  if (const auto* list = aws->if_array()) return std::any_of(list->begin(), list->end(), star);
  return star(*aws);
}

/// Keys that say who or where from; a statement that asks for one of them is not for everybody.
bool narrows(const json::value& condition) {
  static constexpr std::array<std::string_view, 6> kKeys{"aws:sourcearn",        "aws:sourceaccount",
                                                         "aws:principalorgid",   "aws:principalarn",
                                                         "aws:principalaccount", "aws:sourceorgid"};
  const auto* operators = condition.if_object();
  if (!operators) return false;
  for (const auto& [name, keys] : *operators) {
    const auto* object = keys.if_object();
    if (!object || base::lower(std::string_view(name.data(), name.size())).find("not") != std::string::npos) continue;
    for (const auto& [key, values] : *object)
      if (std::find(kKeys.begin(), kKeys.end(), base::lower(std::string_view(key.data(), key.size()))) != kKeys.end())
        return true;
  }
  return false;
}

}  // namespace

json::object statement_of(const Permission& permission) {
  json::object statement;
  statement["Sid"] = permission.sid;
  statement["Effect"] = "Allow";
  statement["Principal"] = principal_of(permission.principal);
  statement["Action"] = permission.action;
  statement["Resource"] = permission.resource;
  json::object equals;
  const auto add = [&equals](std::string_view key, const std::optional<std::string>& value) {
    if (value) equals[key] = *value;
  };
  add("AWS:SourceAccount", permission.source_account);
  add("aws:PrincipalOrgID", permission.organization);
  add("lambda:EventSourceToken", permission.event_source_token);
  add("lambda:FunctionUrlAuthType", permission.url_auth_type);
  json::object condition;
  if (!equals.empty()) condition["StringEquals"] = std::move(equals);
  if (permission.source_arn) condition["ArnLike"] = json::object{{"AWS:SourceArn", *permission.source_arn}};
  if (permission.via_function_url)
    condition["Bool"] = json::object{{"lambda:InvokedViaFunctionUrl", *permission.via_function_url ? "true" : "false"}};
  if (!condition.empty()) statement["Condition"] = std::move(condition);
  return statement;
}

std::string with_statement(std::string_view document, const json::object& statement) {
  auto policy = parse(document);
  auto& statements = policy.at("Statement").as_array();
  const auto sid = sid_of(statement);
  for (const auto& other : statements)
    if (sid_of(other.as_object()) == sid)
      throw conflict(
          fmt::format("The statement id ({}) provided already exists. Please provide a new statement id, or "
                      "remove the existing statement.",
                      sid));
  statements.push_back(statement);
  return serialized(policy);
}

std::string without_statement(std::string_view document, std::string_view sid) {
  auto policy = parse(document);
  auto& statements = policy.at("Statement").as_array();
  const auto found = std::find_if(statements.begin(), statements.end(),
                                  [&](const auto& other) { return sid_of(other.as_object()) == sid; });
  if (found == statements.end())
    throw aws::Error("ResourceNotFoundException", fmt::format("Statement {} is not found in resource policy.", sid),
                     404);
  statements.erase(found);
  return statements.empty() ? std::string() : serialized(policy);
}

std::string normalised_policy(std::string_view document) {
  if (document.size() > kMaxPolicyBytes) {
    json::object whole;
    whole["Policy"] = document;
    serialized(whole);
  }
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  auto value = json::parse({document.data(), document.size()}, error, json::storage_ptr(), options);
  auto* policy = error ? nullptr : value.if_object();
  auto* statements = policy ? policy->if_contains("Statement") : nullptr;
  if (!statements) throw invalid_parameter("The policy is not a valid JSON policy document.");
  if (statements->is_object()) *statements = json::array{*statements};
  if (!statements->is_array() || statements->get_array().empty())
    throw invalid_parameter("The policy is not a valid JSON policy document.");
  return serialized(*policy);
}

bool is_public(std::string_view document) {
  const auto policy = parse(document);
  const auto& statements = policy.at("Statement").as_array();
  return std::any_of(statements.begin(), statements.end(), [](const json::value& value) {
    const auto& statement = value.as_object();
    const auto* effect = statement.if_contains("Effect");
    const auto* principal = statement.if_contains("Principal");
    const auto* condition = statement.if_contains("Condition");
    const bool allows = effect && effect->is_string() && effect->get_string() == "Allow";
    return allows && principal && names_everybody(*principal) && !(condition && narrows(*condition));
  });
}

}  // namespace lambent::lambda
