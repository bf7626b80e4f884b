#include "auth/signing_keys.h"

#include <functional>
#include <utility>

#include "base/bytes.h"

namespace lambent::auth {

SigningKeys::SigningKeys(std::size_t capacity) : shard_capacity_((capacity + 15) / 16) {}

std::string SigningKeys::name_of(const Claim& claim) {
  std::string name;
  name.reserve(96);
  // A claim's parts have no slashes.
  for (const std::string* part : {&claim.access_key_id, &claim.date, &claim.region, &claim.service}) {
    name += *part;
    name += '/';
  }
  return name;
}

std::size_t SigningKeys::shard_of(const std::string& name) { return std::hash<std::string>()(name) % 16; }

std::optional<std::string> SigningKeys::find(const Claim& claim) const {
  const std::string name = name_of(claim);
  const Shard& shard = shards_[shard_of(name)];
  const std::lock_guard lock(shard.mutex);
  const auto it = shard.entries.find(name);
  // An access key id could come back with another secret (a root key that the operator sets).
  if (it == shard.entries.end() || !base::constant_time_equal(it->second.secret, claim.secret_access_key))
    return std::nullopt;
  return it->second.signing_key;
}

void SigningKeys::keep(const Claim& claim, std::string signing_key) {
  std::string name = name_of(claim);
  Shard& shard = shards_[shard_of(name)];
  const std::lock_guard lock(shard.mutex);
  const auto [it, added] = shard.entries.try_emplace(name);
  it->second = {claim.secret_access_key, std::move(signing_key)};
  if (!added) return;
  shard.oldest_first.push_back(std::move(name));
  if (shard.oldest_first.size() <= shard_capacity_) return;
  shard.entries.erase(shard.oldest_first.front());
  shard.oldest_first.pop_front();
}

std::size_t SigningKeys::size() const {
  std::size_t total = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    total += shard.entries.size();
  }
  return total;
}

}  // namespace lambent::auth
