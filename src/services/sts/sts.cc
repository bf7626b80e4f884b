#include "services/sts/sts.h"

#include "aws/arn.h"

namespace lambent::sts {
namespace {

constexpr std::int32_t kDefaultSession_s = 3600;
/// Of a role assumed with the credentials of another role.
constexpr std::int32_t kChainedSession_s = 3600;

aws::Error invalid(std::string message) { return {"ValidationError", std::move(message), 400}; }

/// What the request says, for conditions of trust policies and of the caller's own.
aws::ConditionKeys keys_of(const AssumeRoleInput& in) {
  aws::ConditionKeys keys{{"sts:rolesessionname", in.RoleSessionName}};
  if (in.ExternalId) keys.emplace("sts:externalid", *in.ExternalId);
  return keys;
}

/// Throws AccessDenied, in the same words whether the role refuses or does not exist.
store::RoleSnapshot assumable_role(const Sts& sts, const aws::Caller& caller, const AssumeRoleInput& in) {
  const std::string& arn = in.RoleArn;
  const auto parsed = aws::Arn::parse(arn);
  if (!parsed || parsed->service != "iam" || !parsed->resource.starts_with("role/")) throw invalid(arn + " is invalid");
  auto role = sts.identities().role_by_arn(arn);
  if (role) {
    sts.authorizer().require_assume(caller, *role, keys_of(in));
    return role;
  }
  if (caller.kind == aws::Principal::root)
    throw aws::Error("AccessDenied", "Roles may not be assumed by root accounts.", 403);
  throw aws::Error("AccessDenied",
                   "User: " + caller.arn + " is not authorized to perform: sts:AssumeRole on resource: " + arn, 403);
}

std::int32_t session_length(const aws::Caller& caller, const store::Role& role, std::optional<std::int32_t> wanted) {
  const std::int32_t seconds = wanted.value_or(kDefaultSession_s);
  if (caller.kind == aws::Principal::assumed_role && seconds > kChainedSession_s)
    throw invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
  if (seconds > role.max_session_s)
    throw invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  return seconds;
}

std::string no_resource(const aws::Caller&, const GetCallerIdentityInput&) { return "*"; }
std::string the_role(const aws::Caller&, const AssumeRoleInput& in) { return in.RoleArn; }

}  // namespace

base::Task<GetCallerIdentityOutput> get_caller_identity(Sts&, aws::Caller caller, GetCallerIdentityInput) {
  GetCallerIdentityOutput out;
  out.UserId = caller.user_id;
  out.Account = caller.account;
  out.Arn = caller.arn;
  co_return out;
}

base::Task<AssumeRoleOutput> assume_role(Sts& sts, aws::Caller caller, AssumeRoleInput in) {
  const auto role = assumable_role(sts, caller, in);
  const auto lifetime_s = session_length(caller, *role, in.DurationSeconds);
  auto issued = sts.tokens().issue(role->account, in.RoleArn, role->id, in.RoleSessionName, lifetime_s);
  AssumeRoleOutput out;
  out.Credentials.AccessKeyId = std::move(issued.access_key_id);
  out.Credentials.SecretAccessKey = std::move(issued.secret_access_key);
  out.Credentials.SessionToken = std::move(issued.session_token);
  // Whole seconds, as STS answers; the token itself may live the fraction longer.
  out.Credentials.Expiration = {issued.expires_at_ms / 1000 * 1000};
  out.AssumedRoleUser.AssumedRoleId = role->id + ":" + in.RoleSessionName;
  out.AssumedRoleUser.Arn =
      aws::make_arn("sts", "", role->account, "assumed-role/" + role->name + "/" + in.RoleSessionName);
  co_return out;
}

aws::Service sts_service(Sts& sts) {
  using aws::Authorization;
  using aws::operation;
  return aws::service(
      "sts", sts,
      {
          operation("GetCallerIdentity", get_caller_identity, no_resource).authorized(Authorization::authenticated),
          operation("AssumeRole", assume_role, the_role).authorized(Authorization::by_operation),
      });
}

}  // namespace lambent::sts
