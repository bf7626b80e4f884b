// Which version an invocation of an alias runs. Pure.
#pragma once

#include <string>

#include "store/function_version.h"

namespace lambent::lambda {

/// `draw` is in [0, 1) and evenly spread. Each further version of the alias gets its weight's share of the draws, the rest
/// is the alias's own version's ("Implement Lambda canary deployments using a weighted alias").
const std::string& routed_version(const store::Alias& alias, double draw);

/// A draw of this process's own generator.
double next_draw();

}  // namespace lambent::lambda
