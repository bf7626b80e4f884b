// The Principal element of a trust policy (IAM User Guide, "AWS JSON policy elements: Principal"). Any thread.
#pragma once

#include <boost/json/fwd.hpp>

#include "auth/policy.h"

namespace lambent::auth {

/// Adds what `element` names to `out`. True when it names a federated principal, which is not evaluated yet. Throws
/// MalformedPolicyDocument: "Invalid principal in policy: ...".
bool read_principals(const boost::json::value& element, Principals& out);

}  // namespace lambent::auth
