// DeadLetterConfig: the queue or topic that gets events which were given up.
#include "aws/arn.h"
#include "services/lambda/async_operations.h"
#include "services/lambda/asynchronous.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {

std::string checked_dead_letter(const Lambda& lambda, const store::FunctionVersion& function,
                                const std::string& target_arn) {
  // An empty one takes it away.
  if (target_arn.empty()) return {};
  const auto target = aws::Arn::parse(target_arn);
  const bool queue = target && target->service == "sqs";
  if (!target || (!queue && target->service != "sns") || target->resource.ends_with(".fifo"))
    throw invalid_parameter(fmt::format(
        "DeadLetterConfig.TargetArn: {} is neither a standard SQS queue nor a standard SNS topic", target_arn));
  const aws::Targets& targets = lambda.asynchronous().targets;
  if (const auto why = targets.why_unreachable(target_arn); !why.empty())
    throw invalid_parameter(fmt::format("DeadLetterConfig.TargetArn: {}", why));
  const aws::Sender sender{function.role, function.arn(), function.key.account, function.key.region};
  // In AWS's words (serverless-iam-roles-per-function issue 5).
  if (!targets.lacking_permission(sender, target_arn).empty())
    throw invalid_parameter(fmt::format("The provided execution role does not have permissions to call {}",
                                        queue ? "SendMessage on SQS" : "Publish on SNS"));
  return target_arn;
}

}  // namespace lambent::lambda
