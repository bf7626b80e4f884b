// The Lambda service bound to AWS's model: what the gateway is handed.
#pragma once

#include "aws/service.h"
#include "services/lambda/lambda.h"

namespace lambent::lambda {

/// Throws std::logic_error when a row or a struct does not fit the model. `lambda` must outlive the result.
aws::Service lambda_service(Lambda& lambda);

}  // namespace lambent::lambda
