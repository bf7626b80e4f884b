// How a request names a layer: bare name or ARN, the version beside it or in its ARN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/caller.h"
#include "store/layers.h"

namespace lambent::lambda {

struct LayerName {
  store::LayerKey key;
  /// 0 when none was given.
  std::int64_t version = 0;

  /// With the version when there is one.
  std::string arn() const;
};

/// A name or the ARN of a layer. The codec has checked it against the model's pattern.
LayerName layer_name(const aws::Caller& caller, std::string_view text, std::int64_t version = 0);

/// Throws for a number that no version has.
void check_layer_number(std::int64_t version);

/// The ARN of a layer's version; nothing for what is none.
std::optional<LayerName> layer_version_arn(std::string_view arn);

}  // namespace lambent::lambda
