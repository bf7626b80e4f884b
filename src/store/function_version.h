// What a function, a version of it and an alias are: plain values. They become immutable snapshots behind shared_ptr in
// functions.h; an invocation holds the one it began with for as long as it runs, and with it the code that it needs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/code/code_pin.h"

namespace lambent::store {

struct FunctionKey {
  std::string account;
  std::string region;
  std::string name;
  auto operator<=>(const FunctionKey&) const = default;

  /// Without a qualifier.
  std::string arn() const;
};

/// A layer version as a function uses it. It is kept with the function: the layer's deletion changes nothing for it.
struct LayerUse {
  std::string arn;
  /// Hex SHA-256 of the zip, as the code store names its tree.
  std::string hash;
  std::int64_t size = 0;
  std::int64_t unzipped_size = 0;
  CodePin pin;
  /// Who signed it and the signature's own ARN; empty when nobody with a profile did.
  std::string signing_profile_arn = {};
  std::string signing_job_arn = {};
};

/// The network that a function is in, as the owner named it.
struct VpcUse {
  std::vector<std::string> subnet_ids;
  std::vector<std::string> security_group_ids;
  /// Of its subnets; empty when there are none.
  std::string vpc_id;
  bool ipv6_allowed = false;
};

struct FileSystemUse {
  /// The access point's.
  std::string arn;
  /// "/mnt/NAME"
  std::string mount_path;
};

inline constexpr std::string_view kLatest = "$LATEST";

/// $LATEST or a numbered version, which never changes but for its state, its policy and the revision that goes with them.
struct FunctionVersion {
  FunctionKey key;
  std::string version = std::string(kLatest);
  std::string description;
  std::string role;
  std::string handler;
  std::string runtime;
  std::string architecture = "x86_64";
  std::int32_t timeout_s = 3;
  std::int32_t memory_mib = 128;
  std::int32_t ephemeral_mib = 512;
  std::map<std::string, std::string> environment;
  /// What the environment is sealed with; empty for the server's own key.
  std::string kms_key_arn;
  std::optional<VpcUse> vpc;
  std::vector<FileSystemUse> file_systems;
  std::string tracing_mode = "PassThrough";
  /// Each of its environments serves one tenant: TenancyConfig PER_TENANT. The same from creation on.
  bool per_tenant = false;
  std::string log_format = "Text";
  /// Of a JSON log: "TRACE" to "FATAL" and "DEBUG" to "WARN". Empty with Text.
  std::string application_log_level;
  std::string system_log_level;
  std::string log_group;
  std::string runtime_version_arn;
  /// SHA-256 of the zip: base64 as the API shows it, hex as the code store names its tree.
  std::string code_sha256;
  std::string code_hash;
  std::int64_t code_size = 0;
  std::int64_t unzipped_size = 0;
  CodePin code_pin;
  /// As of a layer.
  std::string signing_profile_arn;
  std::string signing_job_arn;
  /// In the order they were named: a later one lies over an earlier one.
  std::vector<LayerUse> layers;
  /// The queue or topic that takes events which failed; empty for none.
  std::string dead_letter_arn;
  std::string revision_id;
  /// Changes with the owner's every change and with nothing else: equal in $LATEST and in the version made of it.
  std::string content_id;
  std::int64_t last_modified_ms = 0;
  /// "Pending", "Active", "Failed" with AWS's reason and code, which are empty when there is none.
  std::string state;
  std::string state_reason;
  std::string state_reason_code;
  /// "InProgress", "Successful", "Failed"; empty while the function is being created.
  std::string update_status;
  std::string update_status_reason;
  std::string update_status_reason_code;
  /// The resource policy of the function (on $LATEST) or of the version, as JSON; empty for none.
  std::string policy;

  // On $LATEST only, for the function as a whole.
  std::map<std::string, std::string> tags;
  /// The highest number that a version of this function was ever given.
  std::int64_t last_version = 0;

  /// Without a qualifier.
  std::string arn() const { return key.arn(); }
  /// Every archive that an environment of it mounts: its code's and its layers'.
  std::vector<CodePin> pins() const;
};

using FunctionSnapshot = std::shared_ptr<const FunctionVersion>;

struct Alias {
  FunctionKey key;
  std::string name;
  std::string function_version;
  std::string description;
  /// Share of the invocations for versions besides function_version, each in [0, 1]; AWS takes at most one.
  std::map<std::string, double> weights;
  std::string revision_id;
  /// The alias's resource policy as JSON; empty for none.
  std::string policy;

  std::string arn() const { return key.arn() + ":" + name; }
  bool refers_to(std::string_view version) const {
    return function_version == version || weights.contains(std::string(version));
  }
};

using AliasSnapshot = std::shared_ptr<const Alias>;

}  // namespace lambent::store
