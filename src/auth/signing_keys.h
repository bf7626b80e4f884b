// Derived signing keys, so that a request costs one HMAC and not five: by access key, day, region and service.
//
// Bounded; a key comes in only after a signature made with it was right, so strangers cannot push out anybody's. Owned by
// the Authenticator, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "auth/claim.h"

namespace lambent::auth {

class SigningKeys {
 public:
  /// `capacity`: the most keys held, spread over 16 shards.
  explicit SigningKeys(std::size_t capacity = 4096);

  /// The key for the claim's scope and secret; nothing when it is not held or was derived from another secret.
  std::optional<std::string> find(const Claim& claim) const;
  void keep(const Claim& claim, std::string signing_key);
  std::size_t size() const;

 private:
  struct Entry {
    std::string secret;
    std::string signing_key;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;
    std::deque<std::string> oldest_first;
  };
  static std::string name_of(const Claim& claim);
  static std::size_t shard_of(const std::string& name);

  std::size_t shard_capacity_;
  std::array<Shard, 16> shards_;
};

}  // namespace lambent::auth
