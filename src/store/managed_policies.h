// AWS's managed policies that every account has: read-only records in code, as AWS publishes them.
#pragma once

#include <vector>

#include "store/identities.h"

namespace lambent::store {

const std::vector<Policy>& managed_policies();

}  // namespace lambent::store
