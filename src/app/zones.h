// The networks of the server's configuration that functions may be put in: subnets, and security groups.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/options.h"
#include "sandbox/sandbox.h"

namespace lambent::app {

struct Zones {
  std::vector<sandbox::Subnet> subnets;
  std::vector<sandbox::SecurityGroup> security_groups;
  /// The VPC of each, by id.
  std::map<std::string, std::string, std::less<>> vpc_of_subnet;
  std::map<std::string, std::string, std::less<>> vpc_of_group;
};

/// From --subnet "subnet-ID=vpc-ID[:CIDR,CIDR,internet]" and --security-group "sg-ID=vpc-ID[:CIDR,CIDR]". Throws
/// std::invalid_argument with words for the user: not of that form, there twice, not a private network, too many, or functions
/// have another network than egress.
Zones parse_zones(const ServeOptions& options);

}  // namespace lambent::app
