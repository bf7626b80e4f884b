#include "services/lambda/surroundings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/error.h"

namespace lambent::lambda {
namespace {

using ::testing::ElementsAre;

constexpr const char* kKey = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
constexpr const char* kAccessPoint =
    "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0";

Surroundings surroundings() {
  return {.knows_key = [](std::string_view arn) { return arn == kKey; },
          .subnets = {{"subnet-a", "vpc-1"}, {"subnet-b", "vpc-1"}, {"subnet-far", "vpc-2"}},
          .security_groups = {{"sg-1", "vpc-1"}, {"sg-far", "vpc-2"}},
          .access_points = {kAccessPoint}};
}

std::string refusal(const FunctionSettings& in) {
  store::FunctionVersion function;
  try {
    apply_surroundings(surroundings(), in, function);
  } catch (const aws::Error& error) {
    EXPECT_EQ(error.code(), "InvalidParameterValueException");
    return error.what();
  }
  return "it was taken";
}

FunctionSettings with_key(const char* arn) {
  FunctionSettings in;
  in.KMSKeyArn = arn;
  return in;
}

FunctionSettings in_vpc(Texts subnets, Texts groups) {
  FunctionSettings in;
  in.VpcConfig = VpcConfig{std::move(subnets), std::move(groups), std::nullopt};
  return in;
}

TEST(Surroundings, WhatIsConfiguredIsTakenAndCanBeTakenAwayAgain) {
  store::FunctionVersion function;
  auto in = in_vpc({"subnet-a", "subnet-b"}, {"sg-1"});
  in.KMSKeyArn = kKey;
  in.FileSystemConfigs.emplace().push_back({kAccessPoint, "/mnt/data"});
  apply_surroundings(surroundings(), in, function);
  EXPECT_EQ(function.kms_key_arn, kKey);
  EXPECT_EQ(function.vpc->vpc_id, "vpc-1");
  EXPECT_THAT(function.vpc->subnet_ids, ElementsAre("subnet-a", "subnet-b"));
  EXPECT_THAT(function.vpc->security_group_ids, ElementsAre("sg-1"));
  EXPECT_EQ(function.file_systems.front().mount_path, "/mnt/data");

  apply_surroundings(surroundings(), {}, function);
  EXPECT_TRUE(function.vpc) << "what is not named stays";
  auto nothing = in_vpc({}, {});
  nothing.KMSKeyArn = "";
  nothing.FileSystemConfigs.emplace();
  apply_surroundings(surroundings(), nothing, function);
  EXPECT_EQ(function.kms_key_arn, "");
  EXPECT_FALSE(function.vpc);
  EXPECT_TRUE(function.file_systems.empty());
}

TEST(Surroundings, AnUnknownKeyIsRefusedInKmsWords) {
  const std::string begin =
      "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
      "CreateGrant. Please check your KMS key settings. KMS Exception: ";
  EXPECT_EQ(refusal(with_key("arn:aws:kms:us-east-1:123456789012:key/other")),
            begin + "NotFoundException KMS Message: Key 'arn:aws:kms:us-east-1:123456789012:key/other' does not exist");
  EXPECT_EQ(refusal(with_key("arn:aws:kms:us-east-1:123456789012:alias/mine")),
            begin + "InvalidArnException KMS Message: Key Aliases are not supported for this operation.");
}

TEST(Surroundings, NetworksThatAreNotConfiguredAreRefusedInEc2sWords) {
  EXPECT_EQ(
      refusal(in_vpc({"subnet-a", "subnet-x"}, {"sg-1"})),
      "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet "
      "ID 'subnet-x' does not exist");
  EXPECT_EQ(
      refusal(in_vpc({"subnet-a"}, {"sg-x"})),
      "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: The "
      "security group 'sg-x' does not exist");
  EXPECT_EQ(refusal(in_vpc({"subnet-a"}, {})), "SubnetIds and SecurityIds must coexist or be both empty list.");
  EXPECT_EQ(refusal(in_vpc({}, {"sg-1"})), "SubnetIds and SecurityIds must coexist or be both empty list.");
}

TEST(Surroundings, AFunctionIsInOneVpc) {
  EXPECT_THAT(refusal(in_vpc({"subnet-a", "subnet-far"}, {"sg-1"})), ::testing::HasSubstr("different VPCs"));
  EXPECT_THAT(refusal(in_vpc({"subnet-a"}, {"sg-far"})), ::testing::HasSubstr("same VPC"));
}

TEST(Surroundings, AnAccessPointThatIsNotConfiguredIsRefused) {
  FunctionSettings in;
  in.FileSystemConfigs.emplace().push_back(
      {"arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-x", "/mnt/data"});
  EXPECT_EQ(refusal(in),
            "Access point arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-x does not exist.");
}

TEST(Surroundings, WhatIsNoLongerConfiguredIsToldToWhoInvokes) {
  const auto told = [](const store::FunctionVersion& function) {
    try {
      require_surroundings(surroundings(), function);
    } catch (const aws::Error& error) {
      return error.code();
    }
    return std::string("nothing");
  };
  store::FunctionVersion function;
  function.vpc = {.subnet_ids = {"subnet-a"}, .security_group_ids = {"sg-1"}, .vpc_id = "vpc-1"};
  function.file_systems = {{kAccessPoint, "/mnt/data"}};
  EXPECT_EQ(told(function), "nothing");
  auto gone = function;
  gone.file_systems.front().arn += "1";
  EXPECT_EQ(told(gone), "EFSMountFailureException");
  gone.file_systems.front().arn = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-1/access-point/fsap-1";
  EXPECT_EQ(told(gone), "S3FilesMountFailureException");
  gone = function;
  gone.vpc->subnet_ids = {"subnet-x"};
  EXPECT_EQ(told(gone), "InvalidSubnetIDException");
  gone = function;
  gone.vpc->security_group_ids = {"sg-x"};
  EXPECT_EQ(told(gone), "InvalidSecurityGroupIDException");
}

}  // namespace
}  // namespace lambent::lambda
