#include "app/zones.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace lambent::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ServeOptions with(std::vector<std::string> subnets, std::vector<std::string> groups) {
  ServeOptions options;
  options.subnets = std::move(subnets);
  options.security_groups = std::move(groups);
  return options;
}

std::string refusal(const ServeOptions& options) {
  try {
    parse_zones(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "they were taken";
}

TEST(Zones, AreSubnetsAndSecurityGroupsOfVpcs) {
  const auto zones = parse_zones(with({"subnet-a=vpc-1:10.1.0.0/16,192.168.7.0/24,internet", "subnet-b=vpc-2"},
                                      {"sg-A1=vpc-1", "sg-b=vpc-2:10.1.2.3,0.0.0.0/0"}));
  EXPECT_THAT(zones.subnets[0].cidrs, ElementsAre("10.1.0.0/16", "192.168.7.0/24"));
  EXPECT_TRUE(zones.subnets[0].internet);
  EXPECT_THAT(zones.subnets[1].cidrs, IsEmpty());
  EXPECT_FALSE(zones.subnets[1].internet);
  EXPECT_EQ(zones.vpc_of_subnet.at("subnet-b"), "vpc-2");
  EXPECT_THAT(zones.security_groups[0].cidrs, IsEmpty());
  EXPECT_THAT(zones.security_groups[1].cidrs, ElementsAre("10.1.2.3", "0.0.0.0/0"));
  EXPECT_EQ(zones.vpc_of_group.at("sg-A1"), "vpc-1");
}

TEST(Zones, RefuseWhatIsNotOfTheForm) {
  for (const char* text :
       {"", "subnet-a", "subnet-a=", "subnet-a=10.0.0.0/8", "sg-a=vpc-1", "subnet-A=vpc-1", "subnet-a=vpc-1:"})
    EXPECT_THAT(refusal(with({text}, {})), HasSubstr("is not of the form")) << text;
  for (const char* text : {"", "subnet-a=vpc-1", "sg-a=10.0.0.0/8"})
    EXPECT_THAT(refusal(with({}, {text})), HasSubstr("is not of the form")) << text;
  EXPECT_THAT(refusal(with({"subnet-a=vpc-1", "subnet-a=vpc-2"}, {})), HasSubstr("twice"));
  EXPECT_THAT(refusal(with({}, {"sg-a=vpc-1", "sg-a=vpc-2"})), HasSubstr("twice"));
}

TEST(Zones, TakePrivateNetworksOnly) {
  for (const char* cidr :
       {"8.8.8.0/24", "0.0.0.0/0", "127.0.0.0/8", "169.254.169.254", "10.0.0.0/7", "10.1.2.3/16", "fd00::/8", "web"})
    EXPECT_THAT(refusal(with({std::string("subnet-a=vpc-1:") + cidr}, {})), HasSubstr("is not a private IPv4 network"))
        << cidr;
}

TEST(Zones, GoWithEgressOnly) {
  for (const char* network : {"none", "host"}) {
    auto options = with({"subnet-a=vpc-1"}, {"sg-a=vpc-1"});
    options.function_network = network;
    EXPECT_THAT(refusal(options), HasSubstr("go with --function-network egress"));
  }
}

}  // namespace
}  // namespace lambent::app
