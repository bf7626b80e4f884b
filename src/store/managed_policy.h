// How a managed policy of AWS's is written down; inside store/ only.
#pragma once

#include <vector>

#include "store/identities.h"

namespace lambent::store {

/// Dates in seconds since 1970. `id` stands for AWS's own.
Policy managed(const char* name, const char* path, const char* id, const char* description, const char* document,
               const char* version, std::int64_t created_s, std::int64_t updated_s);

/// managed_lambda_policies.cc
std::vector<Policy> lambda_policies();
/// managed_read_only_access.cc
Policy read_only_access();

}  // namespace lambent::store
