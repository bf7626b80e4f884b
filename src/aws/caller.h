// Who sent a request, as its verified signature proves: made by the Authenticator, by nobody else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lambent::aws {

enum class Principal { root, user, assumed_role };

struct Caller {
  Principal kind = Principal::root;
  /// 12 digits.
  std::string account;
  /// The region of the credential scope: the namespace that regional resources live in.
  std::string region;
  /// arn:aws:iam::ACCOUNT:root, arn:aws:iam::ACCOUNT:user/PATH/NAME or arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION.
  std::string arn;
  /// Whose policies decide: the user's ARN, or for an assumed role the role's IAM ARN.
  std::string identity_arn;
  /// As GetCallerIdentity's UserId: the account for root, AIDA..., or AROA...:SESSION.
  std::string user_id;
  std::string access_key_id;
  /// The x-amzn-RequestId of this request.
  std::string request_id;
  /// X-Amzn-Trace-Id as it was sent; empty for none.
  std::string trace_header;
  /// Scheme and authority that the request was sent to, "http://127.0.0.1:4566": for URLs in answers.
  std::string endpoint;
  // Of the request itself, for conditions; empty or nothing when a caller did not send one.
  std::string source_ip;
  std::string user_agent;
  std::string referer;
  std::optional<bool> over_tls;
  /// The ARN of the function whose credentials these are; empty for anybody else's.
  std::string source_function;
  /// When an assumed role's credentials were made; 0 when that is not known, or for anybody else's.
  std::int64_t token_issued_ms = 0;
};

}  // namespace lambent::aws
