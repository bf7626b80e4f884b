#include "services/lambda/asynchronous.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_configuration.h"
#include "services/lambda/operations.h"
#include "services/lambda/paging.h"

namespace lambent::lambda {
namespace {

/// The last item of a page that has every version: "NAME:VERSION".
std::pair<std::string, std::string> name_and_version(const std::string& item) {
  const auto colon = item.find(':');
  if (colon == std::string::npos) return {item, ""};
  return {item.substr(0, colon), item.substr(colon + 1)};
}

}  // namespace

base::Task<GetFunctionOutput> get_function(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::get, caller, in.FunctionName, in.Qualifier);
  const auto function = lambda.existing(name);
  GetFunctionOutput out;
  out.Configuration = configuration_of(*function, name.qualifier);
  out.Code.RepositoryType = "S3";
  out.Code.Location = caller.endpoint + lambda.parts().code_url.path(*function);
  // Of the function as a whole; an answer about a version or an alias shows none.
  if (const auto* asynchronous = lambda.parts().asynchronous; asynchronous != nullptr && name.qualifier.empty())
    if (const auto reserved = asynchronous->concurrency.limits(name.key).reserved)
      out.Concurrency = FunctionReservation{*reserved};
  // Tags are the function's, whatever version was asked for.
  if (const auto latest = lambda.functions().find(name.key); latest && !latest->tags.empty()) out.Tags = latest->tags;
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
  const auto after = item_of_marker("ListFunctions", in.Marker);
  const auto page = page_size(in.MaxItems);
  const auto& functions = lambda.functions();
  const bool every_version = in.FunctionVersion.has_value();
  const auto [name, version] = name_and_version(after);
  // One more than the page tells whether there is a next one.
  auto found = every_version ? functions.list_versions(caller.account, caller.region, name, version, page + 1)
                             : functions.list(caller.account, caller.region, name, page + 1);
  if (cut_page(found, page)) {
    const auto& last = *found.back();
    out.NextMarker = marker_after(every_version ? last.key.name + ":" + last.version : last.key.name);
  }
  for (const auto& function : found)
    out.Functions.push_back(listed(*function, every_version ? function->version : std::string()));
  co_return out;
}

std::string list_functions_resource(const aws::Caller&, const ListFunctionsInput&) { return "*"; }

}  // namespace lambent::lambda
