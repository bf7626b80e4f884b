#include "services/lambda/function_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "services/lambda/errors.h"

namespace lambent::lambda {
namespace {

/// What becomes of a name with a qualifier.
enum class Qualified {
  taken,           // looked up as that version or alias
  pattern_error,   // the operation makes a name, so it has no versions yet
  functions_only,  // the operation changes $LATEST and nothing else
  other_versions,  // any but $LATEST, which goes with the function only
  tags,            // the operation is about tags, which functions alone have
  policies,        // looked up like taken, but $LATEST has no policy of its own
};

struct Rule {
  NamedBy operation;
  /// For messages: the action that is refused on another account's function.
  std::string_view action;
  Qualified qualified;
  /// Of the name alone; the model bounds the whole text.
  std::size_t max_name;
  /// Another account's function may be named: whether the caller may is for the authorizer, who weighs the function's policy.
  bool shared = false;
};

// What AWS answers, by its API reference and by LocalStack's tests that were recorded against AWS.
constexpr std::array<Rule, 50> kRules{{
    {NamedBy::create, "lambda:CreateFunction", Qualified::pattern_error, 64},
    {NamedBy::update_code, "lambda:UpdateFunctionCode", Qualified::functions_only, 256},
    {NamedBy::update_configuration, "lambda:UpdateFunctionConfiguration", Qualified::functions_only, 256},
    {NamedBy::remove, "lambda:DeleteFunction", Qualified::other_versions, 256},
    {NamedBy::get, "lambda:GetFunction", Qualified::taken, 256, true},
    {NamedBy::get_configuration, "lambda:GetFunctionConfiguration", Qualified::taken, 256, true},
    {NamedBy::invoke, "lambda:InvokeFunction", Qualified::taken, 256, true},
    {NamedBy::publish_version, "lambda:PublishVersion", Qualified::functions_only, 256},
    {NamedBy::list_versions, "lambda:ListVersionsByFunction", Qualified::functions_only, 256},
    {NamedBy::create_alias, "lambda:CreateAlias", Qualified::functions_only, 256},
    {NamedBy::get_alias, "lambda:GetAlias", Qualified::functions_only, 256},
    {NamedBy::update_alias, "lambda:UpdateAlias", Qualified::functions_only, 256},
    {NamedBy::remove_alias, "lambda:DeleteAlias", Qualified::functions_only, 256},
    {NamedBy::list_aliases, "lambda:ListAliases", Qualified::functions_only, 256},
    {NamedBy::put_event_config, "lambda:PutFunctionEventInvokeConfig", Qualified::taken, 256},
    {NamedBy::update_event_config, "lambda:UpdateFunctionEventInvokeConfig", Qualified::taken, 256},
    {NamedBy::get_event_config, "lambda:GetFunctionEventInvokeConfig", Qualified::taken, 256},
    {NamedBy::remove_event_config, "lambda:DeleteFunctionEventInvokeConfig", Qualified::taken, 256},
    {NamedBy::list_event_configs, "lambda:ListFunctionEventInvokeConfigs", Qualified::functions_only, 256},
    {NamedBy::put_concurrency, "lambda:PutFunctionConcurrency", Qualified::functions_only, 256},
    {NamedBy::get_concurrency, "lambda:GetFunctionConcurrency", Qualified::functions_only, 256},
    {NamedBy::remove_concurrency, "lambda:DeleteFunctionConcurrency", Qualified::functions_only, 256},
    {NamedBy::put_provisioned, "lambda:PutProvisionedConcurrencyConfig", Qualified::taken, 256},
    {NamedBy::get_provisioned, "lambda:GetProvisionedConcurrencyConfig", Qualified::taken, 256},
    {NamedBy::remove_provisioned, "lambda:DeleteProvisionedConcurrencyConfig", Qualified::taken, 256},
    {NamedBy::list_provisioned, "lambda:ListProvisionedConcurrencyConfigs", Qualified::functions_only, 256},
    {NamedBy::put_recursion, "lambda:PutFunctionRecursionConfig", Qualified::functions_only, 256},
    {NamedBy::get_recursion, "lambda:GetFunctionRecursionConfig", Qualified::functions_only, 256},
    {NamedBy::tag, "lambda:TagResource", Qualified::tags, 256},
    {NamedBy::untag, "lambda:UntagResource", Qualified::tags, 256},
    {NamedBy::list_tags, "lambda:ListTags", Qualified::tags, 256},
    {NamedBy::add_permission, "lambda:AddPermission", Qualified::policies, 256},
    {NamedBy::remove_permission, "lambda:RemovePermission", Qualified::policies, 256},
    {NamedBy::get_policy, "lambda:GetPolicy", Qualified::taken, 256},
    {NamedBy::put_resource_policy, "lambda:PutResourcePolicy", Qualified::policies, 256},
    {NamedBy::get_resource_policy, "lambda:GetResourcePolicy", Qualified::taken, 256},
    {NamedBy::delete_resource_policy, "lambda:DeleteResourcePolicy", Qualified::policies, 256},
    {NamedBy::create_url, "lambda:CreateFunctionUrlConfig", Qualified::taken, 256},
    {NamedBy::get_url, "lambda:GetFunctionUrlConfig", Qualified::taken, 256},
    {NamedBy::update_url, "lambda:UpdateFunctionUrlConfig", Qualified::taken, 256},
    {NamedBy::remove_url, "lambda:DeleteFunctionUrlConfig", Qualified::taken, 256},
    {NamedBy::list_urls, "lambda:ListFunctionUrlConfigs", Qualified::functions_only, 256},
    {NamedBy::get_runtime_management, "lambda:GetRuntimeManagementConfig", Qualified::taken, 256},
    {NamedBy::put_runtime_management, "lambda:PutRuntimeManagementConfig", Qualified::taken, 256},
    {NamedBy::map_source, "lambda:CreateEventSourceMapping", Qualified::taken, 256},
    {NamedBy::update_mapping, "lambda:UpdateEventSourceMapping", Qualified::taken, 256},
    {NamedBy::list_mappings, "lambda:ListEventSourceMappings", Qualified::taken, 256},
    {NamedBy::put_code_signing, "lambda:PutFunctionCodeSigningConfig", Qualified::functions_only, 256},
    {NamedBy::get_code_signing, "lambda:GetFunctionCodeSigningConfig", Qualified::functions_only, 256},
    {NamedBy::remove_code_signing, "lambda:DeleteFunctionCodeSigningConfig", Qualified::functions_only, 256},
}};

struct Parts {
  std::string_view partition = "aws";
  std::string_view region;
  std::string_view account;
  std::string_view name;
  std::string_view qualifier;
};

bool is_account(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "us-east-1", "us-gov-west-1", "eusc-de-east-1": the patterns of the model end in a hyphen, a word, a hyphen and one digit.
bool is_region(std::string_view text) {
  if (text.size() < 7 || text.back() < '0' || text.back() > '9' || text[text.size() - 2] != '-') return false;
  return std::count(text.begin(), text.end(), '-') >= 2;
}

/// Takes the parts in the order of the model's pattern, each if it is there. Nothing when something is left over.
std::optional<Parts> split(std::string_view text) {
  std::vector<std::string_view> tokens;
  for (std::string_view rest = text;;) {
    const auto colon = rest.find(':');
    tokens.push_back(rest.substr(0, colon));
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  Parts parts;
  std::size_t at = 0;
  const auto more = [&] { return at + 1 < tokens.size(); };
  if (tokens.size() > 3 && tokens[0] == "arn" && tokens[2] == "lambda") {
    parts.partition = tokens[1];
    at = 3;
  }
  if (more() && is_region(tokens[at])) parts.region = tokens[at++];
  if (more() && is_account(tokens[at])) parts.account = tokens[at++];
  if (more() && tokens[at] == "function") ++at;
  parts.name = tokens[at++];
  if (at < tokens.size()) parts.qualifier = tokens[at++];
  if (at != tokens.size() || parts.name.empty()) return std::nullopt;
  return parts;
}

[[noreturn]] void refuse_pattern(std::string_view name) {
  throw violation(
      name, "functionName",
      "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|"
      "(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?");
}

void check_qualifier(const Rule& rule, std::string_view given_name, const FunctionName& name) {
  if (name.qualifier.empty()) return;
  switch (rule.qualified) {
    case Qualified::taken:
      return;
    case Qualified::pattern_error:
      refuse_pattern(given_name);
    case Qualified::functions_only:
      throw invalid_parameter(
          "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
          "Please specify either a function name or an unqualified function ARN.");
    case Qualified::other_versions:
      if (name.qualifier == "$LATEST")
        throw invalid_parameter("$LATEST version cannot be deleted without deleting the function.");
      if (name.qualifier.find_first_not_of("0123456789") != std::string::npos)
        throw invalid_parameter("Deletion of aliases is not currently supported.");
      return;
    case Qualified::tags:
      throw invalid_parameter(
          "Tags on function aliases and versions are not supported. Please specify a function ARN.");
    case Qualified::policies:
      if (name.qualifier == "$LATEST")
        throw invalid_parameter("We currently do not support adding policies for $LATEST.");
      return;
  }
}

}  // namespace

std::string FunctionName::unqualified_arn() const { return key.arn(); }

std::string FunctionName::arn() const {
  return qualifier.empty() ? unqualified_arn() : fmt::format("{}:{}", unqualified_arn(), qualifier);
}

FunctionName resolve_function(NamedBy operation, const aws::Caller& caller, std::string_view name,
                              const std::optional<std::string>& qualifier) {
  const Rule& rule =
      *std::find_if(kRules.begin(), kRules.end(), [&](const Rule& r) { return r.operation == operation; });
  const auto parts = split(name);
  if (!parts) refuse_pattern(name);
  // AWS words this one as a validation error and gives it the other code (LocalStack, test_create_lambda_exceptions).
  if (parts->name.size() > rule.max_name)
    throw invalid_parameter(violation(parts->name, "functionName",
                                      fmt::format("Member must have length less than or equal to {}", rule.max_name))
                                .message());
  FunctionName found;
  found.key = {parts->account.empty() ? caller.account : std::string(parts->account), caller.region,
               std::string(parts->name)};
  if (!parts->qualifier.empty() && qualifier && !qualifier->empty() && *qualifier != parts->qualifier)
    throw invalid_parameter("The derived qualifier from the function name does not match the specified qualifier.");
  found.qualifier = !parts->qualifier.empty() ? std::string(parts->qualifier) : qualifier.value_or("");
  if (found.key.account != caller.account && !rule.shared)
    throw aws::Error(
        "AccessDeniedException",
        fmt::format("User: {} is not authorized to perform: {} on resource: {} because no resource-based policy "
                    "allows the {} action",
                    caller.arn, rule.action, found.arn(), rule.action),
        403);
  if (parts->partition != "aws") throw function_not_found(name);
  if (!parts->region.empty() && parts->region != caller.region)
    throw aws::Error(
        "ResourceNotFoundException",
        fmt::format("Functions from '{}' are not reachable in this region ('{}')", parts->region, caller.region), 404);
  check_qualifier(rule, name, found);
  return found;
}

}  // namespace lambent::lambda
