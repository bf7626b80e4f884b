// What a request to Lambda says, for conditions of policies (Service Authorization Reference, "Condition keys for AWS Lambda" and
// the global keys on tags). A key that the request does not have is absent. The signatures are what with_keys() takes.
#pragma once

#include "aws/condition_keys.h"
#include "services/lambda/code_signing_shapes.h"
#include "services/lambda/mapping_shapes.h"
#include "services/lambda/operations.h"

namespace lambent::lambda {

aws::ConditionKeys create_function_keys(Lambda& lambda, const aws::Caller& caller, const CreateFunctionInput& in);
aws::ConditionKeys update_function_keys(Lambda& lambda, const aws::Caller& caller,
                                        const UpdateFunctionConfigurationInput& in);
aws::ConditionKeys tag_keys(Lambda& lambda, const aws::Caller& caller, const TagResourceInput& in);
aws::ConditionKeys untag_keys(Lambda& lambda, const aws::Caller& caller, const UntagResourceInput& in);
aws::ConditionKeys add_permission_keys(Lambda& lambda, const aws::Caller& caller, const AddPermissionInput& in);
aws::ConditionKeys create_url_keys(Lambda& lambda, const aws::Caller& caller, const CreateFunctionUrlInput& in);
aws::ConditionKeys update_url_keys(Lambda& lambda, const aws::Caller& caller, const UpdateFunctionUrlInput& in);
/// Of the URL that is there already.
aws::ConditionKeys get_url_keys(Lambda& lambda, const aws::Caller& caller, const QualifiedFunctionInput& in);
aws::ConditionKeys remove_url_keys(Lambda& lambda, const aws::Caller& caller, const QualifiedFunctionInput& in);
aws::ConditionKeys create_mapping_keys(Lambda& lambda, const aws::Caller& caller, const CreateMappingInput& in);
/// Of the mapping as it is.
aws::ConditionKeys mapping_keys(Lambda& lambda, const aws::Caller& caller, const MappingInput& in);
aws::ConditionKeys updated_mapping_keys(Lambda& lambda, const aws::Caller& caller, const UpdateMappingInput& in);
/// Of the mapping with the function that it is to have.
aws::ConditionKeys mapping_keys_with(const aws::Caller& caller, const std::string& function);
aws::ConditionKeys create_code_signing_config_keys(Lambda& lambda, const aws::Caller& caller,
                                                   const CreateCodeSigningConfigInput& in);
aws::ConditionKeys put_code_signing_config_keys(Lambda& lambda, const aws::Caller& caller,
                                                const PutFunctionCodeSigningConfigInput& in);

}  // namespace lambent::lambda
