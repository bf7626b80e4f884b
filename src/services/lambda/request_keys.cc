#include "services/lambda/request_keys.h"

#include "base/bytes.h"

namespace lambent::lambda {
namespace {

using aws::ConditionKeys;

/// A key whose values are several; an empty set is as good as none (IAM User Guide, "Multivalued context keys").
void add_several(std::string_view key, const std::optional<Texts>& values, ConditionKeys& keys) {
  if (values && !values->empty()) keys.emplace(key, *values);
}

void add_tags(const TextMap& tags, ConditionKeys& keys) {
  std::vector<std::string> names;
  for (const auto& [name, value] : tags) {
    keys.insert_or_assign("aws:requesttag/" + base::lower(name), value);
    names.push_back(name);
  }
  if (!names.empty()) keys.emplace("aws:tagkeys", std::move(names));
}

/// lambda:VpcIds is no parameter: it follows from the subnets.
std::vector<std::string> vpcs_of(const Surroundings& surroundings, const Texts& subnets) {
  std::vector<std::string> vpcs;
  for (const std::string& id : subnets) {
    const auto found = surroundings.subnets.find(id);
    if (found != surroundings.subnets.end()) vpcs.push_back(found->second);
  }
  return vpcs;
}

void add_settings(Lambda& lambda, const FunctionSettings& in, ConditionKeys& keys) {
  add_several("lambda:layer", in.Layers, keys);
  if (!in.VpcConfig) return;
  add_several("lambda:subnetids", in.VpcConfig->SubnetIds, keys);
  add_several("lambda:securitygroupids", in.VpcConfig->SecurityGroupIds, keys);
  if (in.VpcConfig->SubnetIds)
    add_several("lambda:vpcids", vpcs_of(lambda.parts().surroundings, *in.VpcConfig->SubnetIds), keys);
}

ConditionKeys of_url(Lambda& lambda, const FunctionName& name, const OptionalText& asked = std::nullopt) {
  if (asked) return {{"lambda:functionurlauthtype", *asked}};
  const auto url = lambda.urls().find(name.key, name.qualifier);
  if (!url) return {};
  return {{"lambda:functionurlauthtype", url->auth_type}};
}

ConditionKeys of_mapping(Lambda& lambda, const aws::Caller& caller, const std::string& uuid) {
  const auto mapping = lambda.mappings().find(caller.account, caller.region, uuid);
  if (!mapping) return {};
  return {{"lambda:functionarn", mapping->function_arn()}};
}

}  // namespace

ConditionKeys create_function_keys(Lambda& lambda, const aws::Caller&, const CreateFunctionInput& in) {
  ConditionKeys keys;
  if (in.Tags) add_tags(*in.Tags, keys);
  add_settings(lambda, in, keys);
  if (in.CodeSigningConfigArn) keys.emplace("lambda:codesigningconfigarn", *in.CodeSigningConfigArn);
  return keys;
}

ConditionKeys update_function_keys(Lambda& lambda, const aws::Caller&, const UpdateFunctionConfigurationInput& in) {
  ConditionKeys keys;
  add_settings(lambda, in, keys);
  return keys;
}

ConditionKeys tag_keys(Lambda&, const aws::Caller&, const TagResourceInput& in) {
  ConditionKeys keys;
  add_tags(in.Tags, keys);
  return keys;
}

ConditionKeys untag_keys(Lambda&, const aws::Caller&, const UntagResourceInput& in) {
  ConditionKeys keys;
  add_several("aws:tagkeys", in.TagKeys, keys);
  return keys;
}

ConditionKeys add_permission_keys(Lambda&, const aws::Caller&, const AddPermissionInput& in) {
  ConditionKeys keys{{"lambda:principal", in.Principal}};
  if (in.FunctionUrlAuthType) keys.emplace("lambda:functionurlauthtype", *in.FunctionUrlAuthType);
  if (in.InvokedViaFunctionUrl)
    keys.emplace("lambda:invokedviafunctionurl", *in.InvokedViaFunctionUrl ? "true" : "false");
  return keys;
}

ConditionKeys create_url_keys(Lambda& lambda, const aws::Caller& caller, const CreateFunctionUrlInput& in) {
  return of_url(lambda, resolve_function(NamedBy::create_url, caller, in.FunctionName, in.Qualifier), in.AuthType);
}

ConditionKeys update_url_keys(Lambda& lambda, const aws::Caller& caller, const UpdateFunctionUrlInput& in) {
  return of_url(lambda, resolve_function(NamedBy::update_url, caller, in.FunctionName, in.Qualifier), in.AuthType);
}

ConditionKeys get_url_keys(Lambda& lambda, const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return of_url(lambda, resolve_function(NamedBy::get_url, caller, in.FunctionName, in.Qualifier));
}

ConditionKeys remove_url_keys(Lambda& lambda, const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return of_url(lambda, resolve_function(NamedBy::remove_url, caller, in.FunctionName, in.Qualifier));
}

ConditionKeys create_mapping_keys(Lambda&, const aws::Caller& caller, const CreateMappingInput& in) {
  const auto name = resolve_function(NamedBy::map_source, caller, in.FunctionName);
  ConditionKeys keys{{"lambda:functionarn", name.arn()}};
  if (in.Tags) add_tags(*in.Tags, keys);
  return keys;
}

ConditionKeys updated_mapping_keys(Lambda& lambda, const aws::Caller& caller, const UpdateMappingInput& in) {
  return of_mapping(lambda, caller, in.UUID);
}

ConditionKeys mapping_keys_with(const aws::Caller& caller, const std::string& function) {
  return {{"lambda:functionarn", resolve_function(NamedBy::update_mapping, caller, function).arn()}};
}

ConditionKeys create_code_signing_config_keys(Lambda&, const aws::Caller&, const CreateCodeSigningConfigInput& in) {
  ConditionKeys keys;
  if (in.Tags) add_tags(*in.Tags, keys);
  return keys;
}

ConditionKeys mapping_keys(Lambda& lambda, const aws::Caller& caller, const MappingInput& in) {
  return of_mapping(lambda, caller, in.UUID);
}

ConditionKeys put_code_signing_config_keys(Lambda&, const aws::Caller&, const PutFunctionCodeSigningConfigInput& in) {
  return {{"lambda:codesigningconfigarn", in.CodeSigningConfigArn}};
}

}  // namespace lambent::lambda
