#include "services/lambda/routing.h"

#include <cstring>
#include <random>

#include "base/ids.h"

namespace lambent::lambda {

const std::string& routed_version(const store::Alias& alias, double draw) {
  double below = 0;
  for (const auto& [version, weight] : alias.weights) {
    below += weight;
    if (draw < below) return version;
  }
  return alias.function_version;
}

double next_draw() {
  thread_local std::mt19937_64 generator = [] {
    const std::string bytes = base::random_bytes(sizeof(std::uint64_t));
    std::uint64_t seed = 0;
    std::memcpy(&seed, bytes.data(), sizeof seed);
    return std::mt19937_64(seed);
  }();
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace lambent::lambda
