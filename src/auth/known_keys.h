// What is known of a request for the conditions of policies (IAM User Guide, "AWS global condition context keys"). A key is here
// when its value is certain, and absent otherwise. Any thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "auth/condition.h"
#include "aws/caller.h"
#include "base/clock.h"
#include "store/identities.h"

namespace lambent::auth {

using Tags = std::map<std::string, std::string, std::less<>>;
/// The tags of what an ARN names, for aws:ResourceTag/KEY; none when it has none or is not there.
using TagsOf = std::function<Tags(std::string_view arn)>;

struct KnownKeys {
  const store::Identities& identities;
  const base::Clock& clock;
  /// Of other services' resources than IAM's; may be null.
  TagsOf tags_of;

  /// Of a request by `caller`: the time, aws:Principal..., userid, username, RequestedRegion, SourceIp, SecureTransport, UserAgent,
  /// referer, ResourceAccount, ResourceTag/... and PrincipalTag/..., and lambda:SourceFunctionArn.
  RequestContext of(const aws::Caller& caller, std::string_view resource) const;
  /// Of a service ("lambda.amazonaws.com") that acts by itself.
  RequestContext of_service(std::string_view service, std::string_view resource) const;
  /// Of somebody who did not sign.
  RequestContext of_anybody(std::string_view resource) const;

 private:
  void add_time(RequestContext& context) const;
  void add_resource(std::string_view resource, std::string_view account_otherwise, RequestContext& context) const;
};

}  // namespace lambent::auth
