// Errors of authentication and authorization in the words of the query protocol (IAM, STS, SQS's old form ...), whose
// codes lack the suffix "Exception" and partly have names of their own.
#pragma once

#include "aws/error.h"

namespace lambent::auth {

/// The same refusal as a query service words it; any other error comes back as it is.
aws::Error in_query_words(const aws::Error& error);

}  // namespace lambent::auth
