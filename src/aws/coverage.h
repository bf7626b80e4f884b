// The coverage page: which operations of the served models work, written from the operation tables themselves.
#pragma once

#include <string>
#include <vector>

#include "aws/service.h"

namespace lambent::aws {

/// Markdown: one table a service, one line an operation: works, or 501.
std::string coverage_markdown(const std::vector<const Service*>& services);

}  // namespace lambent::aws
