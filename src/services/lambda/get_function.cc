#include "base/bytes.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_configuration.h"
#include "services/lambda/operations.h"

namespace lambent::lambda {
namespace {

/// AWS's own page size, also when MaxItems asks for more ("ListFunctions returns a maximum of 50 items in each response").
constexpr std::int32_t kPageSize = 50;

// A marker is opaque to clients: the last name of its page.
std::string marker_after(const std::string& name) { return base::base64url("1:" + name); }

std::string name_of_marker(const std::string& marker) {
  const auto text = base::unbase64url(marker);
  if (!text || !text->starts_with("1:"))
    throw invalid_parameter("The provided Marker is not one that ListFunctions gave.");
  return text->substr(2);
}

}  // namespace

base::Task<GetFunctionOutput> get_function(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::get, caller, in.FunctionName, in.Qualifier);
  const auto function = lambda.existing(name);
  GetFunctionOutput out;
  out.Configuration = configuration_of(*function, name.qualifier);
  out.Code.RepositoryType = "S3";
  out.Code.Location = caller.endpoint + lambda.parts().code_url.path(*function);
  co_return out;
}

std::string get_function_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::get, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<FunctionConfiguration> get_function_configuration(Lambda& lambda, aws::Caller caller,
                                                             QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::get_configuration, caller, in.FunctionName, in.Qualifier);
  co_return configuration_of(*lambda.existing(name), name.qualifier);
}

std::string get_function_configuration_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::get_configuration, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<ListFunctionsOutput> list_functions(Lambda& lambda, aws::Caller caller, ListFunctionsInput in) {
  ListFunctionsOutput out;
  if (in.MasterRegion && !in.FunctionVersion)
    throw invalid_parameter("FunctionVersion must be set to ALL when MasterRegion is specified.");
  // Replicas of Lambda@Edge functions have a master region; there are none.
  if (in.MasterRegion && *in.MasterRegion != "ALL") co_return out;
  const auto after = in.Marker ? name_of_marker(*in.Marker) : std::string();
  const auto page = static_cast<std::size_t>(std::min(in.MaxItems.value_or(kPageSize), kPageSize));
  // One more than the page tells whether there is a next one.
  auto functions = lambda.functions().list(caller.account, caller.region, after, page + 1);
  if (functions.size() > page) {
    functions.pop_back();
    out.NextMarker = marker_after(functions.back()->key.name);
  }
  const std::string qualifier = in.FunctionVersion ? "$LATEST" : "";
  for (const auto& function : functions) out.Functions.push_back(listed(*function, qualifier));
  co_return out;
}

std::string list_functions_resource(const aws::Caller&, const ListFunctionsInput&) { return "*"; }

}  // namespace lambent::lambda
