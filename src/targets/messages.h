// A delivery as the request that its target's service takes: SQS SendMessage (AWS JSON 1.0), SNS Publish (query), EventBridge
// PutEvents (AWS JSON 1.1), S3 PutObject. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/arn.h"
#include "aws/targets.h"
#include "base/http.h"
#include "targets/http_client.h"

namespace lambent::targets {

/// The IAM action that delivering to a service takes: "sqs:SendMessage". Nothing for a service that takes no deliveries.
std::optional<std::string> action_of(std::string_view service);

/// Throws std::invalid_argument for an ARN whose service is not one of the four.
base::http::Request message_of(const aws::Delivery& delivery, const aws::Arn& target, const Endpoint& endpoint);

/// What the service's answer means. An answer of 200 may still carry a refusal (PutEvents).
aws::DeliveryOutcome outcome_of(std::string_view service, const base::http::Response& response);

}  // namespace lambent::targets
