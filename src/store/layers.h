// Layers: numbered archives that functions mount beneath /opt, as they are stored: immutable snapshots.
//
// Reads come from memory (any thread), writes go through the Database. A number is never given twice, not even after every
// version was deleted. Owned by the composition root, after the Database and the code store, both of which outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "store/code/code_pin.h"
#include "store/database.h"

namespace lambent::store {

struct LayerKey {
  std::string account;
  std::string region;
  std::string name;
  auto operator<=>(const LayerKey&) const = default;

  /// Without a version.
  std::string arn() const;
};

struct LayerVersion {
  LayerKey key;
  std::int64_t version = 0;
  std::string description;
  std::optional<std::string> license_info;
  std::vector<std::string> runtimes;
  std::vector<std::string> architectures;
  /// SHA-256 of the zip: base64 as the API shows it, hex as the code store names its tree.
  std::string code_sha256;
  std::string code_hash;
  std::int64_t code_size = 0;
  std::int64_t unzipped_size = 0;
  CodePin code_pin;
  /// Who signed it and the signature's own ARN; empty when nobody with a profile did.
  std::string signing_profile_arn;
  std::string signing_job_arn;
  std::int64_t created_ms = 0;
  /// Who else may use it, as a JSON document; empty for none.
  std::string policy;
  /// Changes with the policy; empty while there was none.
  std::string policy_revision;

  std::string arn() const;
};

using LayerSnapshot = std::shared_ptr<const LayerVersion>;
/// Decides which versions a list shows.
using LayerFilter = std::function<bool(const LayerVersion&)>;

class Layers {
 public:
  /// Loads everything into memory. `pin` gives what keeps an archive from being removed; without it nothing is kept.
  explicit Layers(Database& database, std::function<CodePin(std::string_view hash)> pin = {});

  /// Null when there is none. Any thread, like all that follow.
  LayerSnapshot find(const LayerKey& key, std::int64_t version) const;
  /// Of every layer of an account and region its newest version that passes, in the order of their names after `after`
  /// (exclusive), at most `limit`.
  std::vector<LayerSnapshot> list(std::string_view account, std::string_view region, std::string_view after,
                                  const LayerFilter& passes, std::size_t limit) const;
  /// Versions of one layer that pass, the newest first, below `before` (exclusive; 0 for all), at most `limit`.
  std::vector<LayerSnapshot> versions(const LayerKey& key, std::int64_t before, const LayerFilter& passes,
                                      std::size_t limit) const;
  /// Bytes of all zips of an account in a region, each version counted for itself.
  std::int64_t code_size(std::string_view account, std::string_view region) const;

  /// Gives it the layer's next number.
  base::Task<LayerSnapshot> publish(LayerVersion version);
  /// Replaces the version's policy if its revision is still `expected_revision`; false when it changed or is gone.
  base::Task<bool> replace_policy(LayerVersion version, std::string expected_revision);
  /// False when there was none.
  base::Task<bool> remove(LayerKey key, std::int64_t version);

 private:
  /// What readers see; commands share it.
  struct Snapshots;

  Database& database_;
  std::shared_ptr<Snapshots> snapshots_;
};

}  // namespace lambent::store
