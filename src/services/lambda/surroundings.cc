#include "services/lambda/surroundings.h"

#include <fmt/format.h>

#include "services/lambda/errors.h"

namespace lambent::lambda {
namespace {

/// KMS's answer, as Lambda passes it on.
aws::Error unusable_key(std::string_view exception, std::string_view message) {
  return invalid_parameter(fmt::format(
      "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
      "CreateGrant. Please check your KMS key settings. KMS Exception: {} KMS Message: {}",
      exception, message));
}

void require_key(const Surroundings& surroundings, std::string_view arn) {
  if (surroundings.knows_key && surroundings.knows_key(arn)) return;
  if (arn.find(":alias/") != std::string_view::npos)
    throw unusable_key("InvalidArnException", "Key Aliases are not supported for this operation.");
  throw unusable_key("NotFoundException", fmt::format("Key '{}' does not exist", arn));
}

/// EC2's answer, as Lambda passes it on.
aws::Error not_in_ec2(std::string_view action, std::string_view code, const std::string& message) {
  return invalid_parameter(
      fmt::format("Error occurred while {}. EC2 Error Code: {}. EC2 Error Message: {}", action, code, message));
}

/// The VPC that all of the subnets are in.
std::string vpc_of(const Surroundings& surroundings, const Texts& subnets) {
  std::string vpc;
  for (const std::string& id : subnets) {
    const auto found = surroundings.subnets.find(id);
    if (found == surroundings.subnets.end())
      throw not_in_ec2("DescribeSubnets", "InvalidSubnetID.NotFound",
                       fmt::format("The subnet ID '{}' does not exist", id));
    if (!vpc.empty() && found->second != vpc)
      throw invalid_parameter("Provided subnets belong to different VPCs. All subnets must be in the same VPC.");
    vpc = found->second;
  }
  return vpc;
}

store::VpcUse checked_vpc(const Surroundings& surroundings, const Texts& subnets, const Texts& groups) {
  if (subnets.empty() != groups.empty())
    throw invalid_parameter("SubnetIds and SecurityIds must coexist or be both empty list.");
  const std::string vpc = vpc_of(surroundings, subnets);
  for (const std::string& id : groups) {
    const auto found = surroundings.security_groups.find(id);
    if (found == surroundings.security_groups.end())
      throw not_in_ec2("DescribeSecurityGroups", "InvalidGroup.NotFound",
                       fmt::format("The security group '{}' does not exist", id));
    if (found->second != vpc)
      throw invalid_parameter("Provided security groups and subnets must belong to the same VPC.");
  }
  return {subnets, groups, vpc, false};
}

void apply_vpc(const Surroundings& surroundings, const VpcConfig& in, store::FunctionVersion& function) {
  if (in.Ipv6AllowedForDualStack.value_or(false)) throw unsupported("VpcConfig.Ipv6AllowedForDualStack", "IPv6");
  // What an update does not name stays as it is.
  const store::VpcUse before = function.vpc.value_or(store::VpcUse{});
  const Texts subnets = in.SubnetIds.value_or(before.subnet_ids);
  const Texts groups = in.SecurityGroupIds.value_or(before.security_group_ids);
  auto vpc = checked_vpc(surroundings, subnets, groups);
  if (vpc.subnet_ids.empty())
    function.vpc.reset();
  else
    function.vpc = std::move(vpc);
}

}  // namespace

void apply_surroundings(const Surroundings& surroundings, const FunctionSettings& in,
                        store::FunctionVersion& function) {
  if (in.KMSKeyArn) {
    if (!in.KMSKeyArn->empty()) require_key(surroundings, *in.KMSKeyArn);
    function.kms_key_arn = *in.KMSKeyArn;
  }
  if (in.VpcConfig) apply_vpc(surroundings, *in.VpcConfig, function);
  if (in.FileSystemConfigs) {
    function.file_systems.clear();
    for (const FileSystemConfig& use : *in.FileSystemConfigs) {
      if (!surroundings.access_points.contains(use.Arn))
        throw invalid_parameter(fmt::format("Access point {} does not exist.", use.Arn));
      if (use.LocalMountPath.ends_with("/.") || use.LocalMountPath.ends_with("/.."))
        throw invalid_parameter(fmt::format("LocalMountPath {} is not a directory of its own.", use.LocalMountPath));
      function.file_systems.push_back({use.Arn, use.LocalMountPath});
    }
  }
}

void require_surroundings(const Surroundings& surroundings, const store::FunctionVersion& function) {
  for (const store::FileSystemUse& use : function.file_systems) {
    if (surroundings.access_points.contains(use.arn)) continue;
    const bool efs = use.arn.find(":elasticfilesystem:") != std::string::npos;
    throw aws::Error(efs ? "EFSMountFailureException" : "S3FilesMountFailureException",
                     fmt::format("The function couldn't mount the Amazon {} file system with access point {}.",
                                 efs ? "EFS" : "S3", use.arn),
                     403);
  }
  if (!function.vpc) return;
  for (const std::string& id : function.vpc->subnet_ids)
    if (!surroundings.subnets.contains(id))
      throw aws::Error("InvalidSubnetIDException", fmt::format("The subnet ID '{}' does not exist", id), 502);
  for (const std::string& id : function.vpc->security_group_ids)
    if (!surroundings.security_groups.contains(id))
      throw aws::Error("InvalidSecurityGroupIDException", fmt::format("The security group '{}' does not exist", id),
                       502);
}

}  // namespace lambent::lambda
