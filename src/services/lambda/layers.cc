// Layers: numbered archives that functions mount beneath /opt.
#include <algorithm>

#include "base/bytes.h"
#include "services/lambda/code_source.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_configuration.h"
#include "services/lambda/layer_name.h"
#include "services/lambda/operations.h"
#include "services/lambda/paging.h"

namespace lambent::lambda {
namespace {

aws::Error no_layer() { return {"ResourceNotFoundException", "The resource you requested does not exist.", 404}; }

std::optional<Texts> unless_empty(const Texts& list) { return list.empty() ? std::nullopt : std::optional(list); }

void fill(LayerVersionItem& out, const store::LayerVersion& version) {
  out.LayerVersionArn = version.arn();
  out.Version = version.version;
  out.Description = version.description;
  out.CreatedDate = last_modified_text(version.created_ms);
  out.CompatibleArchitectures = unless_empty(version.architectures);
  out.CompatibleRuntimes = unless_empty(version.runtimes);
  out.LicenseInfo = version.license_info;
}

LayerVersionOutput shown(const Lambda& lambda, const aws::Caller& caller, const store::LayerVersion& version) {
  LayerVersionOutput out;
  fill(out, version);
  out.LayerArn = version.key.arn();
  out.Content.Location = caller.endpoint + lambda.parts().code_url.path(version.key.account, version.key.region,
                                                                        version.key.name, version.code_hash);
  out.Content.CodeSha256 = version.code_sha256;
  out.Content.CodeSize = version.code_size;
  if (!version.signing_profile_arn.empty()) {
    out.Content.SigningProfileVersionArn = version.signing_profile_arn;
    out.Content.SigningJobArn = version.signing_job_arn;
  }
  return out;
}

store::LayerFilter filter_of(const ListLayersInput& in) {
  const auto has = [](const Texts& list, const OptionalText& wanted) {
    return !wanted || std::find(list.begin(), list.end(), *wanted) != list.end();
  };
  return [has, runtime = in.CompatibleRuntime,
          architecture = in.CompatibleArchitecture](const store::LayerVersion& version) {
    return has(version.runtimes, runtime) && has(version.architectures, architecture);
  };
}

/// Layers are made and deleted by their own account, in the region that was asked.
LayerName own_layer(const aws::Caller& caller, const std::string& text, std::int64_t version, std::string_view action) {
  auto name = layer_name(caller, text, version);
  if (name.key.account != caller.account)
    throw aws::Error("AccessDeniedException",
                     fmt::format("User: {} is not authorized to perform: {} on resource: {} because no resource-based "
                                 "policy allows the {} action",
                                 caller.arn, action, name.arn(), action),
                     403);
  if (name.key.region != caller.region) throw no_layer();
  return name;
}

store::LayerSnapshot found(Lambda& lambda, const aws::Caller& caller, const LayerName& name) {
  auto version = name.key.region == caller.region ? lambda.layers().find(name.key, name.version) : nullptr;
  if (!version) throw no_layer();
  return version;
}

std::string policy_of(Lambda& lambda, const LayerName& name) {
  const auto version = lambda.layers().find(name.key, name.version);
  return version ? version->policy : std::string();
}

LayerName by_arn(const GetLayerVersionByArnInput& in) {
  const auto name = layer_version_arn(in.Arn);
  if (!name) throw no_layer();
  return *name;
}

}  // namespace

base::Task<LayerVersionOutput> publish_layer_version(Lambda& lambda, aws::Caller caller, PublishLayerVersionInput in) {
  const auto name = own_layer(caller, in.LayerName, 0, "lambda:PublishLayerVersion");
  auto source = source_of(in.Content);
  auto fetch = take_archive(lambda, caller, std::move(source));
  auto archive = co_await std::move(fetch);
  CodeOwner owner{name.key.account, name.key.region};
  auto take = take_code(lambda, std::move(archive), std::move(owner), Keep::yes);
  const auto taken = co_await std::move(take);
  const auto& code = taken.stored;
  lambda.require_storage(name.key.account, name.key.region, code.size);
  store::LayerVersion version;
  version.key = name.key;
  version.description = in.Description.value_or("");
  version.license_info = in.LicenseInfo;
  version.runtimes = in.CompatibleRuntimes.value_or(Texts{});
  version.architectures = in.CompatibleArchitectures.value_or(Texts{});
  version.code_sha256 = code.sha256;
  version.code_hash = code.hash;
  version.code_size = code.size;
  version.unzipped_size = code.unzipped_size;
  version.code_pin = code.pin;
  version.signing_profile_arn = taken.signature.profile_version_arn;
  version.signing_job_arn = taken.signature.job_arn;
  version.created_ms = lambda.parts().clock.now_ms();
  auto task = lambda.layers().publish(std::move(version));
  const auto published = co_await std::move(task);
  co_return shown(lambda, caller, *published);
}

std::string publish_layer_version_resource(const aws::Caller& caller, const PublishLayerVersionInput& in) {
  return own_layer(caller, in.LayerName, 0, "lambda:PublishLayerVersion").arn();
}

base::Task<LayerVersionOutput> get_layer_version(Lambda& lambda, aws::Caller caller, LayerVersionInput in) {
  check_layer_number(in.VersionNumber);
  const auto version = found(lambda, caller, layer_name(caller, in.LayerName, in.VersionNumber));
  co_return shown(lambda, caller, *version);
}

std::string get_layer_version_resource(const aws::Caller& caller, const LayerVersionInput& in) {
  return layer_name(caller, in.LayerName, in.VersionNumber).arn();
}

std::string get_layer_version_policy_of(Lambda& lambda, const aws::Caller& caller, const LayerVersionInput& in) {
  return policy_of(lambda, layer_name(caller, in.LayerName, in.VersionNumber));
}

base::Task<LayerVersionOutput> get_layer_version_by_arn(Lambda& lambda, aws::Caller caller,
                                                        GetLayerVersionByArnInput in) {
  co_return shown(lambda, caller, *found(lambda, caller, by_arn(in)));
}

std::string get_layer_version_by_arn_resource(const aws::Caller&, const GetLayerVersionByArnInput& in) {
  return by_arn(in).arn();
}

std::string layer_policy_by_arn(Lambda& lambda, const aws::Caller&, const GetLayerVersionByArnInput& in) {
  return policy_of(lambda, by_arn(in));
}

base::Task<ListLayersOutput> list_layers(Lambda& lambda, aws::Caller caller, ListLayersInput in) {
  const auto after = item_of_marker("ListLayers", in.Marker);
  const auto page = page_size(in.MaxItems);
  ListLayersOutput out;
  auto layers = lambda.layers().list(caller.account, caller.region, after, filter_of(in), page + 1);
  if (cut_page(layers, page)) out.NextMarker = marker_after(layers.back()->key.name);
  for (const auto& version : layers) {
    auto& item = out.Layers.emplace_back();
    item.LayerName = version->key.name;
    item.LayerArn = version->key.arn();
    fill(item.LatestMatchingVersion, *version);
  }
  co_return out;
}

std::string list_layers_resource(const aws::Caller&, const ListLayersInput&) { return "*"; }

base::Task<ListLayerVersionsOutput> list_layer_versions(Lambda& lambda, aws::Caller caller, ListLayerVersionsInput in) {
  const auto name = own_layer(caller, in.LayerName, 0, "lambda:ListLayerVersions");
  const auto marker = item_of_marker("ListLayerVersions", in.Marker);
  const auto before = marker.empty() ? std::optional<std::uint64_t>(0) : base::parse_decimal(marker);
  if (!before) throw invalid_parameter("The provided Marker is not one that ListLayerVersions gave.");
  const auto page = page_size(in.MaxItems);
  ListLayerVersionsOutput out;
  auto versions = lambda.layers().versions(name.key, static_cast<std::int64_t>(*before), filter_of(in), page + 1);
  if (cut_page(versions, page)) out.NextMarker = marker_after(std::to_string(versions.back()->version));
  for (const auto& version : versions) fill(out.LayerVersions.emplace_back(), *version);
  co_return out;
}

std::string list_layer_versions_resource(const aws::Caller& caller, const ListLayerVersionsInput& in) {
  return own_layer(caller, in.LayerName, 0, "lambda:ListLayerVersions").arn();
}

base::Task<NoOutput> delete_layer_version(Lambda& lambda, aws::Caller caller, LayerVersionInput in) {
  check_layer_number(in.VersionNumber);
  const auto name = own_layer(caller, in.LayerName, in.VersionNumber, "lambda:DeleteLayerVersion");
  // A version that is not there is deleted already, as on AWS. Functions that use it keep it.
  co_await lambda.layers().remove(name.key, name.version);
  co_return NoOutput{};
}

std::string delete_layer_version_resource(const aws::Caller& caller, const LayerVersionInput& in) {
  return own_layer(caller, in.LayerName, in.VersionNumber, "lambda:DeleteLayerVersion").arn();
}

}  // namespace lambent::lambda
