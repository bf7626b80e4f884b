#include "auth/known_keys.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "aws/arn.h"
#include "base/bytes.h"

namespace lambent::auth {
namespace {

std::string_view last_part(std::string_view text) {
  const auto slash = text.rfind('/');
  return text.substr(slash == std::string_view::npos ? 0 : slash + 1);
}

std::string date_text(std::time_t seconds) { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds)); }

/// Names of keys ignore case, those of tags in them too.
void add_tag(std::string_view prefix, std::string_view key, const std::string& value, RequestContext& context) {
  context.insert_or_assign(std::string(prefix) + base::lower(key), value);
}

void add_tags(std::string_view prefix, const std::vector<store::Tag>& tags, RequestContext& context) {
  for (const store::Tag& tag : tags) add_tag(prefix, tag.key, tag.value, context);
}

void add_iam_tags(const store::Identities& identities, const std::string& arn, const aws::Arn& parsed,
                  RequestContext& context) {
  const auto add = [&context](const std::vector<store::Tag>& tags) {
    for (const std::string_view prefix : {"aws:resourcetag/", "iam:resourcetag/"}) add_tags(prefix, tags, context);
  };
  if (const auto role = identities.role_by_arn(arn)) return add(role->tags);
  if (const auto policy = identities.policy(arn)) return add(policy->tags);
  if (!parsed.resource.starts_with("user/")) return;
  const auto user = identities.user(parsed.account, last_part(parsed.resource));
  if (user && user->arn() == arn) add(user->tags);
}

void add_principal(const store::Identities& identities, const aws::Caller& caller, RequestContext& context) {
  constexpr std::string_view kPrefix = "aws:principaltag/";
  context.insert_or_assign("aws:principalarn", caller.identity_arn);
  context.insert_or_assign("aws:principalaccount", caller.account);
  context.insert_or_assign("aws:principalisawsservice", "false");
  context.insert_or_assign("aws:userid", caller.user_id);
  switch (caller.kind) {
    case aws::Principal::root:
      context.insert_or_assign("aws:principaltype", "Account");
      break;
    case aws::Principal::user: {
      const std::string name(last_part(caller.identity_arn));
      context.insert_or_assign("aws:principaltype", "User");
      context.insert_or_assign("aws:username", name);
      if (const auto user = identities.user(caller.account, name)) add_tags(kPrefix, user->tags, context);
      break;
    }
    case aws::Principal::assumed_role:
      context.insert_or_assign("aws:principaltype", "AssumedRole");
      // What is not known counts as long ago: whoever revokes sessions by it means those first.
      context.insert_or_assign("aws:tokenissuetime", date_text(caller.token_issued_ms / 1000));
      context.insert_or_assign("aws:multifactorauthpresent", "false");
      if (const auto role = identities.role_by_arn(caller.identity_arn)) add_tags(kPrefix, role->tags, context);
      break;
  }
}

}  // namespace

void KnownKeys::add_time(RequestContext& context) const {
  const std::time_t seconds = clock.now_s();
  context.insert_or_assign("aws:currenttime", date_text(seconds));
  context.insert_or_assign("aws:epochtime", std::to_string(seconds));
}

void KnownKeys::add_resource(std::string_view resource, std::string_view account_otherwise,
                             RequestContext& context) const {
  const auto arn = aws::Arn::parse(resource);
  if (!arn) return;
  const bool numbered = arn->account.size() == 12;
  const std::string account = numbered ? arn->account : std::string(account_otherwise);
  if (!account.empty()) context.insert_or_assign("aws:resourceaccount", account);
  if (arn->service == "iam") add_iam_tags(identities, std::string(resource), *arn, context);
  if (tags_of)
    for (const auto& [key, value] : tags_of(resource)) add_tag("aws:resourcetag/", key, value, context);
}

RequestContext KnownKeys::of(const aws::Caller& caller, std::string_view resource) const {
  RequestContext context;
  add_time(context);
  add_principal(identities, caller, context);
  if (!caller.region.empty()) context.insert_or_assign("aws:requestedregion", caller.region);
  if (!caller.source_ip.empty()) context.insert_or_assign("aws:sourceip", caller.source_ip);
  if (!caller.user_agent.empty()) context.insert_or_assign("aws:useragent", caller.user_agent);
  if (!caller.referer.empty()) context.insert_or_assign("aws:referer", caller.referer);
  if (!caller.source_function.empty()) context.insert_or_assign("lambda:sourcefunctionarn", caller.source_function);
  if (caller.over_tls) {
    context.insert_or_assign("aws:securetransport", *caller.over_tls ? "true" : "false");
    // Whoever sent a request of their own is no service that acts for somebody.
    context.insert_or_assign("aws:viaawsservice", "false");
  }
  add_resource(resource, caller.account, context);
  return context;
}

RequestContext KnownKeys::of_service(std::string_view service, std::string_view resource) const {
  RequestContext context = of_anybody(resource);
  context.insert_or_assign("aws:principalisawsservice", "true");
  context.insert_or_assign("aws:principalservicename", std::string(service));
  context.insert_or_assign("aws:principalservicenameslist", std::vector<std::string>{std::string(service)});
  return context;
}

RequestContext KnownKeys::of_anybody(std::string_view resource) const {
  RequestContext context;
  add_time(context);
  add_resource(resource, {}, context);
  return context;
}

}  // namespace lambent::auth
