// The operations on function URLs; function_url.cc serves what they make.
#include "aws/plain_json.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_configuration.h"
#include "services/lambda/function_url.h"
#include "services/lambda/operations.h"
#include "services/lambda/paging.h"

namespace lambent::lambda {
namespace {

aws::Error no_url() { return {"ResourceNotFoundException", "The resource you requested does not exist.", 404}; }
aws::Error no_function() { return {"ResourceNotFoundException", "Function does not exist", 404}; }

void require_function(const Lambda& lambda, const FunctionName& name) {
  const auto& functions = lambda.parts().functions;
  if (!functions.find(name.key) || (!name.qualifier.empty() && !functions.alias(name.key, name.qualifier)))
    throw no_function();
}

std::string iso_time(std::int64_t ms) {
  auto text = last_modified_text(ms);
  return text.substr(0, text.find('+')) + "Z";
}

void fill(FunctionUrlOutput& out, const store::FunctionUrl& url, const aws::Caller& caller) {
  out.FunctionUrl = function_url_text(url, caller.endpoint);
  out.FunctionArn = url.function_arn();
  out.AuthType = url.auth_type;
  if (url.cors) out.Cors = aws::from_plain_json<Cors>(*url.cors);
  out.CreationTime = iso_time(url.created_ms);
  out.InvokeMode = url.invoke_mode;
}

FunctionUrlConfig shown(const store::FunctionUrl& url, const aws::Caller& caller) {
  FunctionUrlConfig out;
  fill(out, url, caller);
  out.LastModifiedTime = iso_time(url.modified_ms);
  return out;
}

/// Settings without a member are none: UpdateFunctionUrlConfig takes CORS away by them, and GetFunctionUrlConfig shows no Cors then
/// (probed on AWS on 2026-07-27 in go-to-k/cdkd pull request 1261; Terraform removes a `cors` block so);
/// function_url_test.cc, LoseTheirCorsByEmptySettings.
std::optional<std::string> kept(const Cors& cors) {
  auto text = aws::plain_json(cors);
  if (text == "{}") return std::nullopt;
  // Terraform sends AllowCredentials whatever its `cors` block says: this is what an empty block comes to on AWS (anomalyco/ion
  // pull request 229).
  if (!cors.AllowOrigins || cors.AllowOrigins->empty())
    throw invalid_parameter("You can't leave AllowOrigins as empty when Cors is enabled.");
  return text;
}

}  // namespace

base::Task<FunctionUrlOutput> create_function_url(Lambda& lambda, aws::Caller caller, CreateFunctionUrlInput in) {
  const auto name = resolve_function(NamedBy::create_url, caller, in.FunctionName, in.Qualifier);
  require_function(lambda, name);
  if (lambda.target(name)->per_tenant) throw without_tenant("Function URLs are");
  store::FunctionUrl url;
  url.function = name.key;
  url.qualifier = name.qualifier;
  url.url_id = base::lower(base::random_base32(32));
  url.auth_type = in.AuthType;
  url.invoke_mode = in.InvokeMode.value_or(url.invoke_mode);
  if (in.Cors) url.cors = kept(*in.Cors);
  url.created_ms = url.modified_ms = lambda.parts().clock.now_ms();
  auto task = lambda.urls().create(url);
  const bool created = co_await std::move(task);
  if (!created)
    throw conflict(
        fmt::format("Failed to create function url config for [functionArn = {}]. Error message:  "
                    "FunctionUrlConfig exists for this Lambda function",
                    url.function_arn()));
  FunctionUrlOutput out;
  fill(out, url, caller);
  out.InvokeMode = in.InvokeMode;
  co_return out;
}

std::string create_function_url_resource(const aws::Caller& caller, const CreateFunctionUrlInput& in) {
  return resolve_function(NamedBy::create_url, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<FunctionUrlConfig> get_function_url(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::get_url, caller, in.FunctionName, in.Qualifier);
  const auto url = lambda.urls().find(name.key, name.qualifier);
  if (!url) throw no_url();
  co_return shown(*url, caller);
}

std::string get_function_url_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::get_url, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<FunctionUrlConfig> update_function_url(Lambda& lambda, aws::Caller caller, UpdateFunctionUrlInput in) {
  const auto name = resolve_function(NamedBy::update_url, caller, in.FunctionName, in.Qualifier);
  require_function(lambda, name);
  const auto before = lambda.urls().find(name.key, name.qualifier);
  if (!before) throw no_url();
  auto url = *before;
  if (in.AuthType) url.auth_type = *in.AuthType;
  if (in.InvokeMode) url.invoke_mode = *in.InvokeMode;
  if (in.Cors) url.cors = kept(*in.Cors);
  url.modified_ms = lambda.parts().clock.now_ms();
  auto task = lambda.urls().replace(url);
  const bool replaced = co_await std::move(task);
  if (!replaced) throw no_url();
  auto out = shown(url, caller);
  out.InvokeMode = in.InvokeMode;
  co_return out;
}

std::string update_function_url_resource(const aws::Caller& caller, const UpdateFunctionUrlInput& in) {
  return resolve_function(NamedBy::update_url, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<NoOutput> delete_function_url(Lambda& lambda, aws::Caller caller, QualifiedFunctionInput in) {
  const auto name = resolve_function(NamedBy::remove_url, caller, in.FunctionName, in.Qualifier);
  auto task = lambda.urls().remove(name.key, name.qualifier);
  const bool removed = co_await std::move(task);
  if (!removed) throw no_url();
  co_return NoOutput{};
}

std::string delete_function_url_resource(const aws::Caller& caller, const QualifiedFunctionInput& in) {
  return resolve_function(NamedBy::remove_url, caller, in.FunctionName, in.Qualifier).arn();
}

base::Task<ListFunctionUrlsOutput> list_function_urls(Lambda& lambda, aws::Caller caller, ListFunctionUrlsInput in) {
  const auto name = resolve_function(NamedBy::list_urls, caller, in.FunctionName);
  if (!lambda.functions().find(name.key)) throw no_function();
  const auto page = page_size(in.MaxItems);
  std::optional<std::string> after;
  if (in.Marker) after = item_of_marker("ListFunctionUrlConfigs", in.Marker);
  ListFunctionUrlsOutput out;
  auto urls = lambda.urls().list(name.key, after, page + 1);
  if (cut_page(urls, page)) out.NextMarker = marker_after(urls.back()->qualifier);
  for (const auto& url : urls) out.FunctionUrlConfigs.push_back(shown(*url, caller));
  co_return out;
}

std::string list_function_urls_resource(const aws::Caller& caller, const ListFunctionUrlsInput& in) {
  return resolve_function(NamedBy::list_urls, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
