// STS: who is calling, and short-lived credentials for roles.
//
// AssumeRole decides for itself who may (a role's trust policy takes part); the credentials are sealed by auth::SessionTokens
// and stored nowhere. Owned by the composition root; any thread.
#pragma once

#include <boost/describe.hpp>

#include "auth/authorizer.h"
#include "auth/session_tokens.h"
#include "aws/service.h"
#include "store/identities.h"

namespace lambent::sts {

class Sts {
 public:
  /// All must outlive this.
  Sts(const store::Identities& identities, const auth::Authorizer& authorizer, const auth::SessionTokens& tokens)
      : identities_(identities), authorizer_(authorizer), tokens_(tokens) {}

  const store::Identities& identities() const { return identities_; }
  const auth::Authorizer& authorizer() const { return authorizer_; }
  const auth::SessionTokens& tokens() const { return tokens_; }

 private:
  const store::Identities& identities_;
  const auth::Authorizer& authorizer_;
  const auth::SessionTokens& tokens_;
};

/// The table of STS's operations, bound to `sts`, which must outlive it.
aws::Service sts_service(Sts& sts);

struct GetCallerIdentityInput {};
BOOST_DESCRIBE_STRUCT(GetCallerIdentityInput, (), ())
struct GetCallerIdentityOutput {
  std::string UserId;
  std::string Account;
  std::string Arn;
};
BOOST_DESCRIBE_STRUCT(GetCallerIdentityOutput, (), (UserId, Account, Arn))
base::Task<GetCallerIdentityOutput> get_caller_identity(Sts& sts, aws::Caller caller, GetCallerIdentityInput in);

struct AssumeRoleInput {
  std::string RoleArn;
  std::string RoleSessionName;
  std::optional<std::int32_t> DurationSeconds;
  /// What trust policies ask for as sts:ExternalId.
  std::optional<std::string> ExternalId;
};
BOOST_DESCRIBE_STRUCT(AssumeRoleInput, (), (RoleArn, RoleSessionName, DurationSeconds, ExternalId))
struct Credentials {
  std::string AccessKeyId;
  std::string SecretAccessKey;
  std::string SessionToken;
  aws::Timestamp Expiration;
};
BOOST_DESCRIBE_STRUCT(Credentials, (), (AccessKeyId, SecretAccessKey, SessionToken, Expiration))
struct AssumedRoleUser {
  std::string AssumedRoleId;
  std::string Arn;
};
BOOST_DESCRIBE_STRUCT(AssumedRoleUser, (), (AssumedRoleId, Arn))
struct AssumeRoleOutput {
  sts::Credentials Credentials;
  sts::AssumedRoleUser AssumedRoleUser;
};
BOOST_DESCRIBE_STRUCT(AssumeRoleOutput, (), (Credentials, AssumedRoleUser))
base::Task<AssumeRoleOutput> assume_role(Sts& sts, aws::Caller caller, AssumeRoleInput in);

}  // namespace lambent::sts
