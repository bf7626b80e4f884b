#include "auth/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <set>

#include "auth/duplicate_member.h"
#include "auth/policy_principal.h"
#include "aws/error.h"
#include "base/bytes.h"

// Wordings are IAM's where they are known (the sentences before the first colon or full stop); what follows is ours and says
// where, which IAM does not.
namespace lambent::auth {
namespace {

namespace json = boost::json;

/// IAM's bound on the parameter policyDocument, white space included.
constexpr std::size_t kMaxDocumentBytes = 131'072;
/// The grammar needs 5; a principal map inside a statement inside the list is the deepest.
constexpr std::size_t kMaxDepth = 16;

aws::Error malformed(std::string message) { return {"MalformedPolicyDocument", std::move(message), 400}; }
aws::Error syntax(const std::string& detail) { return malformed("Syntax errors in policy. " + detail); }

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

/// Foreign text in a message.
std::string clipped(std::string_view text) { return std::string(text.substr(0, 256)); }

/// A string or a list of strings.
std::vector<std::string> strings(const json::value& value, std::string_view element) {
  std::vector<std::string> out;
  if (const auto* text = value.if_string()) {
    out.emplace_back(view(*text));
    return out;
  }
  const auto* list = value.if_array();
  if (!list) throw syntax(fmt::format("{} must be a string or a list of strings.", element));
  for (const auto& item : *list) {
    const auto* text = item.if_string();
    if (!text) throw syntax(fmt::format("{} must be a string or a list of strings.", element));
    out.emplace_back(view(*text));
  }
  return out;
}

void check_action(std::string_view action, bool trust) {
  if (action != "*" || trust) {
    const auto colon = action.find(':');
    if (colon == std::string_view::npos)
      throw malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    if (action.find(':', colon + 1) != std::string_view::npos)
      throw malformed("Actions/Condition can contain only one colon.");
    const std::string_view vendor = action.substr(0, colon);
    const auto ok = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    if (vendor != "*" && (vendor.empty() || !std::all_of(vendor.begin(), vendor.end(), ok)))
      throw malformed(fmt::format("Vendor {} is not valid", clipped(vendor)));
    if (trust && !base::equal_ignoring_case(vendor, "sts"))
      throw malformed("AssumeRole policy may only specify STS AssumeRole actions.");
  }
}

void check_resource(std::string_view resource) {
  if (resource == "*") return;
  if (!resource.starts_with("arn:"))
    throw malformed(fmt::format("Resource {} must be in ARN format or \"*\".", clipped(resource)));
  const std::string_view partition = resource.substr(4, resource.substr(4).find(':'));
  if (partition != "*" && partition != "aws" && partition != "aws-cn" && partition != "aws-us-gov")
    throw malformed(
        fmt::format("Partition \"{}\" is not valid for resource \"{}\".", clipped(partition), clipped(resource)));
  const std::string_view rest = resource.substr(std::min(resource.size(), 5 + partition.size()));
  const std::string_view vendor = rest.substr(0, rest.find(':'));
  if (vendor.empty() || vendor.find_first_of("*?") != std::string_view::npos)
    throw malformed("Resource vendor must be fully qualified and cannot contain regexes.");
  // arn:aws:s3:::bucket has five colons; "arn:aws:lambda:*" is the one abbreviation that IAM takes.
  if (std::count(resource.begin(), resource.end(), ':') < 5 && !resource.ends_with('*'))
    throw malformed(fmt::format("Resource {} must be in ARN format or \"*\".", clipped(resource)));
}

/// Reads one statement of a document.
class StatementReader {
 public:
  StatementReader(const json::object& source, PolicyUse use, bool variables, PolicyDocument& document)
      : source_(source),
        trust_(use == PolicyUse::trust),
        of_resource_(use == PolicyUse::resource),
        variables_(variables),
        document_(document) {}

  PolicyStatement read() {
    check_elements();
    if (const auto* sid = source_.if_contains("Sid")) {
      if (!sid->is_string()) throw syntax("Sid must be a string.");
      out_.sid = view(sid->get_string());
    }
    read_effect();
    read_actions();
    if (trust_ || of_resource_) read_principal();
    if (!trust_) read_resources();
    return std::move(out_);
  }

 private:
  void check_elements() const {
    for (const auto& [key, value] : source_) {
      const std::string_view name(key.data(), key.size());
      static constexpr std::string_view known[] = {"Sid",       "Effect",      "Action",    "NotAction",   "Resource",
                                                   "Principal", "NotResource", "Condition", "NotPrincipal"};
      if (std::find(std::begin(known), std::end(known), name) == std::end(known))
        throw syntax(fmt::format("Unknown element of a statement: {}.", clipped(name)));
      if (!trust_ && !of_resource_ && (name == "Principal" || name == "NotPrincipal"))
        throw malformed("Policy document should not specify a principal.");
      if (trust_ && (name == "Resource" || name == "NotResource"))
        throw malformed(fmt::format("Has prohibited field {}", name));
    }
    for (const auto& [one, other] : {std::pair("Action", "NotAction"), std::pair("Resource", "NotResource"),
                                     std::pair("Principal", "NotPrincipal")})
      if (source_.contains(one) && source_.contains(other))
        throw syntax(fmt::format("A statement has {} or {}, not both.", one, other));
  }

  void read_effect() {
    const auto* effect = source_.if_contains("Effect");
    if (!effect) throw syntax("Missing required field Effect.");
    if (!effect->is_string() || (effect->get_string() != "Allow" && effect->get_string() != "Deny"))
      throw syntax("Effect must be Allow or Deny.");
    out_.allow = effect->get_string() == "Allow";
    if (const auto* condition = source_.if_contains("Condition")) {
      if (!condition->is_object()) throw syntax("Condition must be an object.");
      read_condition(condition->get_object());
    }
  }

  void read_condition(const json::object& condition) {
    // {"Condition": {}} asks for nothing.
    if (condition.empty()) return;
    auto conditions = read_conditions(condition, variables_);
    if (!conditions) return not_evaluated("Syntax errors in policy. A condition has an operator that does not exist.");
    out_.conditions = std::move(*conditions);
  }

  void read_actions() {
    out_.not_action = source_.contains("NotAction");
    const std::string_view element = out_.not_action ? "NotAction" : "Action";
    const auto* value = source_.if_contains(element);
    if (!value) throw malformed("Policy statement must contain actions.");
    const auto actions = strings(*value, element);
    if (actions.empty()) throw malformed("Policy statement must contain actions.");
    for (const std::string& action : actions) {
      check_action(action, trust_);
      out_.actions.emplace_back(base::lower(action));
    }
  }

  void read_resources() {
    out_.not_resource = source_.contains("NotResource");
    const std::string_view element = out_.not_resource ? "NotResource" : "Resource";
    const auto* value = source_.if_contains(element);
    if (!value) throw malformed("Policy statement must contain resources.");
    const auto resources = strings(*value, element);
    if (resources.empty()) throw malformed("Policy statement must contain resources.");
    for (const std::string& resource : resources) {
      check_resource(resource);
      if (variables_ && VariableText::has_variables(resource))
        add_variable_resource(resource);
      else
        out_.resources.emplace_back(resource);
    }
  }

  void add_variable_resource(const std::string& resource) {
    const auto before = std::string_view(resource).substr(0, resource.find("${"));
    // "You can't use a variable to replace parts of the ARN before the fifth colon."
    if (std::count(before.begin(), before.end(), ':') < 5)
      throw syntax(fmt::format("Resource {} has a policy variable before its fifth colon.", clipped(resource)));
    VariableText text(resource);
    if (!text.constant()) return out_.variable_resources.push_back(std::move(text));
    // Escapes alone are the same for every request; what is longer than any ARN matches none.
    out_.resources.emplace_back(text.resolve({}).value_or(literal_pattern({})));
  }

  void read_principal() {
    if (source_.contains("NotPrincipal")) {
      not_evaluated(not_here("NotPrincipal"));
      return;
    }
    const auto* value = source_.if_contains("Principal");
    if (!value) throw malformed("Missing required field Principal");
    if (read_principals(*value, out_.principals)) not_evaluated(not_here("Federated principals"));
  }

  static std::string not_here(std::string_view what) {
    return fmt::format("This server does not evaluate {} in policies, so it does not store a policy that relies on it.",
                       what);
  }

  void not_evaluated(std::string why) {
    out_.unevaluated = true;
    if (document_.unevaluated.empty()) document_.unevaluated = std::move(why);
  }

  const json::object& source_;
  const bool trust_;
  const bool of_resource_;
  const bool variables_;
  PolicyDocument& document_;
  PolicyStatement out_;
};

json::value parse_json(std::string_view document) {
  if (document.size() > kMaxDocumentBytes) throw malformed("Syntax errors in policy. The document is too long.");
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  json::value value = json::parse({document.data(), document.size()}, error, json::storage_ptr(), options);
  if (error) throw malformed("This policy contains invalid Json");
  return value;
}

/// True when the version is the one that knows policy variables.
bool read_version(const json::object& root) {
  const auto* version = root.if_contains("Version");
  if (!version) return false;
  const auto* text = version->if_string();
  if (text && *text == "2012-10-17") return true;
  // Absent means this one: IAM User Guide, "IAM JSON policy elements: Version".
  if (text && *text == "2008-10-17") return false;
  throw malformed("Policy document must be version 2012-10-17 or greater.");
}

}  // namespace

std::size_t PolicyDocument::bytes() const {
  std::size_t total = sizeof *this + unevaluated.capacity();
  for (const PolicyStatement& statement : statements) {
    total += sizeof statement + statement.sid.capacity();
    for (const Condition& condition : statement.conditions) total += condition.bytes();
    for (const VariableText& text : statement.variable_resources) total += text.bytes();
    for (const auto* patterns : {&statement.actions, &statement.resources})
      for (const Wildcard& pattern : *patterns) total += pattern.bytes();
    for (const auto* names :
         {&statement.principals.accounts, &statement.principals.arns, &statement.principals.services})
      for (const std::string& name : *names) total += sizeof name + name.capacity();
  }
  return total;
}

std::size_t policy_size(std::string_view document) {
  return static_cast<std::size_t>(std::count_if(document.begin(), document.end(), [](char c) {
    return c != ' ' && c != '\t' && c != '\n' && c != '\r' && (c & 0xc0) != 0x80;
  }));
}

PolicyDocument parse_policy(std::string_view document, PolicyUse use) {
  const json::value value = parse_json(document);
  const auto* root = value.if_object();
  if (!root) throw syntax("The document must be an object.");
  for (const auto& [key, element] : *root) {
    const std::string_view name(key.data(), key.size());
    if (name != "Version" && name != "Id" && name != "Statement")
      throw syntax(fmt::format("Unknown element: {}.", clipped(name)));
    if (name == "Id" && !element.is_string()) throw syntax("Id must be a string.");
  }
  const bool variables = read_version(*root);
  const auto* list = root->if_contains("Statement");
  if (!list) throw syntax("Missing required field Statement.");

  PolicyDocument out;
  std::set<std::string, std::less<>> sids;
  const auto add = [&](const json::value& statement) {
    const auto* object = statement.if_object();
    if (!object) throw syntax("A statement must be an object.");
    PolicyStatement read = StatementReader(*object, use, variables, out).read();
    if (!read.sid.empty() && !sids.insert(read.sid).second)
      throw malformed("Statement IDs (SID) in a single policy must be unique.");
    out.statements.push_back(std::move(read));
  };
  if (const auto* array = list->if_array())
    for (const auto& statement : *array) add(statement);
  else
    add(*list);
  if (out.statements.empty()) throw syntax("Statement must not be empty.");
  return out;
}

void check_policy(std::string_view document, PolicyUse use) {
  const PolicyDocument parsed = parse_policy(document, use);
  if (!parsed.unevaluated.empty()) throw malformed(parsed.unevaluated);
  // "Syntax errors in policy." of two Effects, Actions or Resources (IAM User Guide, "Troubleshoot IAM policies"): a reader takes the one
  // that stands first, another the last, and one of them is not what was meant.
  if (const auto name = duplicate_member(document))
    throw syntax(fmt::format("The element {} is there more than once.", clipped(*name)));
  const std::size_t size = policy_size(document);
  const auto limit = [size](std::size_t quota, std::string message) {
    if (size > quota) throw aws::Error("LimitExceeded", std::move(message), 409);
  };
  switch (use) {
    case PolicyUse::managed:
      return limit(kManagedPolicySize, fmt::format("Cannot exceed quota for PolicySize: {}", kManagedPolicySize));
    case PolicyUse::inline_user:
    case PolicyUse::inline_role:
      // The quota is on all of an identity's inline policies: who stores them counts, and says whose they are.
      return;
    case PolicyUse::resource:
      if (document.size() > kResourcePolicySize)
        throw aws::Error("PolicyLengthExceededException",
                         fmt::format("The final policy size ({}) is bigger than the limit ({}).", document.size(),
                                     kResourcePolicySize),
                         400);
      return;
    case PolicyUse::trust:
      return limit(kTrustPolicySize, fmt::format("Cannot exceed quota for ACLSizePerRole: {}", kTrustPolicySize));
  }
}

}  // namespace lambent::auth
