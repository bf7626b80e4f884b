// What lies around functions by the server's configuration: the keys that environments are sealed with, networks, shared file
// systems. A function names them; what is not configured is refused.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "services/lambda/shapes.h"
#include "store/function_version.h"

namespace lambent::lambda {

/// Made at start, immutable then.
struct Surroundings {
  /// Is there a key for environments that stands for this KMS key? None is known without it.
  std::function<bool(std::string_view arn)> knows_key;
  /// The VPC of each subnet and of each security group.
  std::map<std::string, std::string, std::less<>> subnets;
  std::map<std::string, std::string, std::less<>> security_groups;
  /// ARNs of access points.
  std::set<std::string, std::less<>> access_points;
};

/// Puts KMSKeyArn, VpcConfig and FileSystemConfigs into the function, as far as they are given. Throws what AWS answers to those that
/// do not exist or do not go together.
void apply_surroundings(const Surroundings& surroundings, const FunctionSettings& in, store::FunctionVersion& function);

/// Throws what AWS answers to an invocation of a function whose network or file system is no longer there: the configuration may
/// have changed since the function was.
void require_surroundings(const Surroundings& surroundings, const store::FunctionVersion& function);

}  // namespace lambent::lambda
