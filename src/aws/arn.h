// Amazon Resource Names: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE (AWS General Reference, "ARNs").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lambent::aws {

struct Arn {
  std::string partition;
  std::string service;
  std::string region;
  std::string account;
  /// Everything after the fifth colon, colons and slashes included.
  std::string resource;

  /// Nothing unless there are six parts and the first is "arn"; at most 2048 characters.
  static std::optional<Arn> parse(std::string_view text);
  std::string text() const;
};

/// arn:aws:iam::ACCOUNT:RESOURCE and the like, for making ARNs of our own.
std::string make_arn(std::string_view service, std::string_view region, std::string_view account,
                     std::string_view resource);

}  // namespace lambent::aws
