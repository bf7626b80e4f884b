#include "services/lambda/service.h"

#include "services/lambda/operations.h"

namespace lambent::lambda {
namespace {

/// AWS's quotas "Invocation payload" (synchronous) and, as its refusal words it, "Request must be smaller than 69905067 bytes
/// for the CreateFunction operation": 50 MB in base64.
constexpr std::size_t kMaxInvokeBody = 6'291'456;
constexpr std::size_t kMaxCodeBody = 69'905'067;

}  // namespace

aws::Service lambda_service(Lambda& lambda) {
  using aws::operation;
  std::vector<aws::Row> rows;
  rows.push_back(operation("CreateFunction", create_function, create_function_resource).with_body_up_to(kMaxCodeBody));
  rows.push_back(operation("GetFunction", get_function, get_function_resource));
  rows.push_back(
      operation("GetFunctionConfiguration", get_function_configuration, get_function_configuration_resource));
  rows.push_back(operation("ListFunctions", list_functions, list_functions_resource));
  rows.push_back(operation("UpdateFunctionCode", update_function_code, update_function_code_resource)
                     .with_body_up_to(kMaxCodeBody));
  rows.push_back(
      operation("UpdateFunctionConfiguration", update_function_configuration, update_function_configuration_resource));
  rows.push_back(operation("DeleteFunction", delete_function, delete_function_resource));
  rows.push_back(operation("PublishVersion", publish_version, publish_version_resource));
  rows.push_back(operation("ListVersionsByFunction", list_versions, list_versions_resource));
  rows.push_back(operation("CreateAlias", create_alias, create_alias_resource));
  rows.push_back(operation("GetAlias", get_alias, get_alias_resource));
  rows.push_back(operation("UpdateAlias", update_alias, update_alias_resource));
  rows.push_back(operation("DeleteAlias", delete_alias, delete_alias_resource));
  rows.push_back(operation("ListAliases", list_aliases, list_aliases_resource));
  rows.push_back(operation("Invoke", invoke_function, invoke_function_resource)
                     .as_action("InvokeFunction")
                     .with_body_up_to(kMaxInvokeBody));
  rows.push_back(
      operation("InvokeWithResponseStream", invoke_with_response_stream, invoke_with_response_stream_resource)
          .as_action("InvokeFunction")
          .with_body_up_to(kMaxInvokeBody));
  return aws::service("lambda", lambda, std::move(rows));
}

}  // namespace lambent::lambda
