#include "services/lambda/function_layers.h"

#include <map>

#include "services/lambda/errors.h"
#include "services/lambda/layer_name.h"

namespace lambent::lambda {
namespace {

store::LayerSnapshot usable_layer(const Lambda& lambda, const aws::Caller& caller, const store::FunctionKey& function,
                                  const std::string& arn) {
  const auto name = layer_version_arn(arn);
  const auto missing = [&] { return invalid_parameter(fmt::format("Layer version {} does not exist.", arn)); };
  if (!name) throw missing();
  const bool own = name->key.account == function.account;
  if (own && name->key.region != function.region)
    throw invalid_parameter(
        fmt::format("Layers are not in the same region as the function. Layers are expected to be in "
                    "region {}.",
                    function.region));
  auto version = name->key.region == function.region ? lambda.parts().layers.find(name->key, name->version) : nullptr;
  if (own) {
    if (!version) throw missing();
    return version;
  }
  constexpr std::string_view kAction = "lambda:GetLayerVersion";
  if (!version || !lambda.parts().allowed(caller, kAction, arn, version->policy))
    throw aws::Error("AccessDeniedException",
                     fmt::format("User: {} is not authorized to perform: {} on resource: {} because no resource-based "
                                 "policy allows the {} action",
                                 caller.arn, kAction, arn, kAction),
                     403);
  return version;
}

}  // namespace

std::vector<store::LayerUse> find_layers(const Lambda& lambda, const aws::Caller& caller,
                                         const store::FunctionKey& function, const Texts& arns) {
  if (arns.size() > kMaxLayers) throw invalid_parameter("Cannot reference more than 5 layers.");
  std::vector<store::LayerUse> layers;
  std::map<store::LayerKey, std::string> seen;
  for (const auto& arn : arns) {
    const auto version = usable_layer(lambda, caller, function, arn);
    const auto [other, first] = seen.emplace(version->key, arn);
    if (!first)
      throw invalid_parameter(fmt::format(
          "Two different versions of the same layer are not allowed to be referenced in the same function. {} "
          "and {} are versions of the same layer.",
          other->second, arn));
    layers.push_back({arn, version->code_hash, version->code_size, version->unzipped_size, version->code_pin,
                      version->signing_profile_arn, version->signing_job_arn});
  }
  return layers;
}

void check_unzipped_size(const store::FunctionVersion& function) {
  std::int64_t layers = 0;
  for (const auto& layer : function.layers) layers += layer.unzipped_size;
  if (layers > store::kMaxUnzippedBytes)
    throw invalid_parameter(
        fmt::format("Layers consume more than the available size of {} bytes", store::kMaxUnzippedBytes));
  const auto total = layers + function.unzipped_size;
  if (!function.layers.empty() && total > store::kMaxUnzippedBytes)
    throw invalid_parameter(fmt::format(
        "Function code combined with layers exceeds the maximum allowed size of {} bytes. The actual size is "
        "{} bytes.",
        store::kMaxUnzippedBytes, total));
}

}  // namespace lambent::lambda
