// aws::Targets as the server has them: functions in this process, queues, topics, buses and buckets at their configured endpoints.
//
// Owned by the composition root, used on any lane. At most 64 exchanges with endpoints are under way at once.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "auth/authorizer.h"
#include "aws/targets.h"
#include "base/clock.h"
#include "targets/http_client.h"
#include "targets/sign.h"

namespace lambent::targets {

struct TargetsParts {
  const auth::Authorizer& authorizer;
  const base::Clock& clock;
  /// The sender's role as a caller; nothing when there is no such role.
  std::function<std::optional<aws::Caller>(const aws::Sender&)> caller;
  /// Short-lived credentials of the sender's role. Throws aws::Error when the role is gone.
  std::function<Credentials(const aws::Sender&)> credentials;
  /// Hands an event to a function of this server asynchronously: durable when the task ends. Throws aws::Error.
  std::function<base::Task<void>(const aws::Delivery&)> invoke_function;
  /// Whether there is such a function (with its qualifier).
  std::function<bool(const std::string& function_arn)> function_exists;
};

/// `endpoints`: by the service in an ARN: sqs, sns, events, s3.
std::unique_ptr<aws::Targets> make_targets(std::map<std::string, Endpoint> endpoints, TargetsParts parts);

/// Reads "sqs=http://127.0.0.1:9324". Throws std::invalid_argument with words for the user.
std::pair<std::string, Endpoint> parse_target_endpoint(const std::string& text);

}  // namespace lambent::targets
